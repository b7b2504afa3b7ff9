// Starts a gateway process that outlives the agent, once: a start under way, even one of an agent that has died since,
// is waited for instead of being doubled.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { processesWithEnvironment } from '../../../lib/proc.ts';
import type { Clock } from '../../../ports/clock.ts';
import { GatewayRouterError } from './errors.ts';
import type { GatewayInstances, InstanceFile } from './instances.ts';

/** In the environment of every gateway process: the folder it belongs to. */
export const GATEWAY_MARKER = 'HALDANE_GATEWAY';

const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
const STARTED_WITHIN_MS = 15_000;
const LOOK_MS = 20;

/** Resolves once it can be reached; rejects with its last words if it ends first. */
export async function startGateway(
  instances: GatewayInstances,
  command: readonly string[],
  clock: Clock,
): Promise<InstanceFile> {
  mkdirSync(instances.folder, { recursive: true, mode: 0o700 });
  const folder = realpathSync(instances.folder);
  const logPath = join(folder, 'gateway.log');
  const startingPids = () =>
    processesWithEnvironment(GATEWAY_MARKER).flatMap(({ value, identity }) => (value === folder ? [identity.pid] : []));
  const isStarting = () => startingPids().length > 0;
  const hasEnded = isStarting() ? () => !isStarting() : spawnGateway(command, folder, logPath);
  const startedMs = clock.now().monotonicMs;
  for (;;) {
    const [file] = instances.running().slice(-1);
    if (file !== undefined) return file;
    if (hasEnded()) {
      throw new GatewayRouterError('gateway-ended', `the gateway ended while it started: ${lastLine(logPath)}`, {
        fix: `see ${logPath}`,
      });
    }
    if (clock.now().monotonicMs - startedMs > STARTED_WITHIN_MS) {
      throw new GatewayRouterError(
        'gateway-silent',
        `the gateway could not be reached within ${STARTED_WITHIN_MS} ms`,
        {
          fix: `see ${logPath}`,
        },
      );
    }
    await clock.sleep(LOOK_MS);
  }
}

function spawnGateway(command: readonly string[], folder: string, logPath: string): () => boolean {
  const [program, ...given] = command;
  if (program === undefined) throw new GatewayRouterError('gateway-command', 'the command of the gateway is empty');
  const log = openSync(logPath, 'a', 0o600);
  try {
    const inherited = INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const child = spawn(program, [...given, '--state-dir', folder], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...Object.fromEntries(inherited), [GATEWAY_MARKER]: folder },
    });
    let ended = false;
    child.on('exit', () => {
      ended = true;
    });
    child.on('error', () => {
      ended = true;
    });
    child.unref();
    return () => ended;
  } finally {
    closeSync(log);
  }
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? 'it said nothing';
  } catch {
    return 'it said nothing';
  }
}
