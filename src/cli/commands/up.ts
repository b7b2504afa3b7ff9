// haldane up: the agent, in this terminal. Ending it leaves everything that serves running.
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { Endpoint } from '../../core/model/gateway.ts';
import type { LogLevel } from '../../lib/log.ts';
import { stateDirOf } from '../../lib/state-dir.ts';
import { type CommonOptions, collect, examples } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError, errorText } from '../errors.ts';
import { appliedText, readPolicyFile } from './apply.ts';

interface Options extends CommonOptions {
  readonly file?: readonly string[];
  readonly api: string;
  readonly stopAll?: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat?: 'human' | 'json';
}

export function upCommand(context: Context): Command {
  const command = new Command('up')
    .description('run the agent: starts the service, splits its traffic, releases its versions')
    .option('-f, --file <file>', 'policy file to take and to watch; may be given several times', collect)
    .option('--state-dir <folder>', 'where it keeps its state (default: HALDANE_STATE_DIR, or ~/.local/state/haldane)')
    .option('--api <host:port>', 'where its API listens, loopback only; port 0 is any free one', '127.0.0.1:0')
    .option('--stop-all', 'when it ends, end gateways and processes too')
    .addOption(
      new Option('--log-level <level>', 'what is logged').choices(['debug', 'info', 'warn', 'error']).default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'how (default: human in a terminal, else json)').choices(['human', 'json']),
    )
    .action((options: Options) => up(context, options));
  examples(command, [
    ['haldane up -f haldane.yaml', 'run what the file says; edit the file to release'],
    ['haldane up', 'policies come by haldane apply'],
    ['haldane up -f haldane.yaml --stop-all', 'for trying things: nothing is left when it ends'],
  ]);
  return command.addHelpText(
    'after',
    '\nCtrl-C (or SIGTERM) ends the agent alone: the gateway serves on, the processes run on, and the next "haldane up"\ntakes them over. "haldane down" ends everything.',
  );
}

async function up(context: Context, options: Options): Promise<void> {
  for (const file of options.file ?? []) readPolicyFile(context, file);
  const isTerminal = context.terminal().isTTY;
  const stateDir = stateDirOf(options.stateDir, context.env);
  const agent = await context.hooks.startAgent(
    {
      stateDir,
      files: (options.file ?? []).map((file) => resolve(context.cwd, file)),
      api: endpointOf(options.api),
      log: {
        level: options.logLevel,
        format: options.logFormat ?? (isTerminal ? 'human' : 'json'),
        write: context.say,
      },
    },
    {
      onApplied: (file, applied) => {
        context.print(`took ${file}`);
        for (const each of applied) context.print(`  ${appliedText(each, false)}`);
      },
      onRefused: (file, error) => {
        context.say(`${file} is not taken; what was declared before holds`);
        context.say(errorText(error));
      },
    },
  );
  context.print(`haldane ${agent.version} is up`);
  context.print(`  API    ${agent.address} (token in ${stateDir}/token)`);
  context.print(`  state  ${stateDir}`);
  for (const note of agent.notes) context.print(`  note   ${note}`);
  context.print('  Ctrl-C ends the agent; what serves goes on. haldane down ends everything.');
  await untilEnded(context, agent, options.stopAll === true);
}

async function untilEnded(
  context: Context,
  agent: { stop(everything: boolean): Promise<void>; readonly ended: Promise<void> },
  stopAll: boolean,
): Promise<void> {
  const onSignal = () => {
    context.print(stopAll ? 'ending everything' : 'ending the agent; gateways and processes run on');
    void agent.stop(stopAll);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  await agent.ended;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, onSignal);
  context.print('ended');
}

function endpointOf(text: string): Endpoint {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  if (found === null || Number(found[3]) > 65_535) {
    throw new CliError(`"${text}" is not HOST:PORT`, {
      code: 'usage',
      path: '--api',
      fix: 'write --api 127.0.0.1:7480',
    });
  }
  return { host: (found[1] ?? found[2]) as string, port: Number(found[3]) };
}
