// haldane gateway: the data plane's own program, started by the agent; not for people.
import { Command } from 'commander';
import type { Context } from '../context.ts';

export function gatewayCommand(context: Context): Command {
  return new Command('gateway')
    .description('run the gateway (started by the agent)')
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[args...]')
    .action((args: string[]) => context.hooks.runGateway(args));
}
