// haldane down: ends the agent and everything it started. `Ctrl-C` in `haldane up` ends the agent alone.

import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { stateDirOf } from '../../lib/state-dir.ts';
import { findAgent } from '../agent-client.ts';
import { type CommonOptions, examples, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

interface Options extends CommonOptions {
  readonly agentOnly?: boolean;
}

export function downCommand(context: Context): Command {
  const command = withCommon(context, new Command('down'))
    .description('end the agent, its gateways and the processes it runs')
    .option('--agent-only', 'leave gateways and processes running; the next agent takes them over')
    .action(async (options: Options) => {
      const stateDir = stateDirOf(options.stateDir, context.env);
      const everything = options.agentOnly !== true;
      const wasRunning = await tellAgent(context, stateDir, everything);
      if (everything) await context.hooks.takeDown(stateDir);
      if (options.json === true) return context.print(JSON.stringify({ stateDir, everything, wasRunning }));
      const ended = everything
        ? 'the agent, its gateways and its processes have ended'
        : 'the agent has ended; what serves goes on';
      const without = `no agent was running${everything ? '; gateways and processes of it have ended, if there were any' : ''}`;
      context.print(wasRunning ? ended : without);
    });
  return examples(command, [
    ['haldane down', 'nothing of this state folder runs any more; its history stays'],
    ['haldane down --agent-only', 'users go on being served'],
  ]);
}

const LONGEST_WAIT_MS = 30_000;
const LOOK_MS = 100;

/** Whether there was one. */
async function tellAgent(context: Context, stateDir: string, everything: boolean): Promise<boolean> {
  try {
    await findAgent(stateDir, context.actor).post('/v1/shutdown', { everything });
  } catch (error) {
    if (error instanceof CliError && ['no-agent', 'agent-unreachable'].includes(error.code)) return false;
    throw error;
  }
  for (let waitedMs = 0; waitedMs < LONGEST_WAIT_MS; waitedMs += LOOK_MS) {
    try {
      await findAgent(stateDir, context.actor).get('/v1/health');
    } catch {
      return true;
    }
    await sleep(LOOK_MS);
  }
  throw new CliError('the agent was told to end and has not', {
    code: 'agent-stays',
    fix: 'its log says what it waits for',
  });
}
