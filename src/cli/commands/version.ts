// haldane version
import { Command } from 'commander';
import { withCommon } from '../common.ts';
import type { Context } from '../context.ts';

export function versionCommand(context: Context): Command {
  return withCommon(context, new Command('version').description('print the version'), 'never').action(
    ({ json }: { json?: boolean }) => {
      const version = context.hooks.version();
      context.print(json === true ? JSON.stringify({ version, node: process.version }) : version);
    },
  );
}
