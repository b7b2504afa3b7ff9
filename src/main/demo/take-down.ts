// Ends everything that belongs to one state folder: the gateways and the replicas, which outlive the agent on purpose.
// For places that are thrown away (demo, trials). It refuses to end anything it cannot name by pid and start time.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { markedProcesses, stateId } from '../../adapters/workloads/processes/marker.ts';
import { readJsonFile } from '../../lib/atomic-file.ts';
import { identify, isRunning, type ProcessIdentity, signalProcess } from '../../lib/proc.ts';

const GENTLE_MS = 3_000;
const LOOK_MS = 50;

/** Gracefully first, then for good. Resolves when all of it is gone. */
export async function takeDown(stateDir: string): Promise<void> {
  const doomed = [...gatewaysOf(stateDir), ...replicasOf(stateDir)];
  for (const each of doomed) signalProcess(each, 'SIGTERM');
  const gentleUntil = Date.now() + GENTLE_MS;
  while (doomed.some(isRunning)) {
    if (Date.now() > gentleUntil) for (const each of doomed) signalProcess(each, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

export function replicasOf(stateDir: string): readonly ProcessIdentity[] {
  return markedProcesses(stateId(join(stateDir, 'processes'))).map(({ identity }) => identity);
}

/** By their instance files, and by their command lines: one that is just starting has written no file yet. */
export function gatewaysOf(stateDir: string): readonly ProcessIdentity[] {
  const root = join(stateDir, 'gateways');
  const found = new Map([...registered(root), ...starting(root)].map((identity) => [identity.pid, identity]));
  return [...found.values()];
}

function starting(root: string): readonly ProcessIdentity[] {
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name) && commandLine(name).some((word) => word.startsWith(`${root}/`)))
    .flatMap((name) => identify(Number(name)) ?? []);
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function registered(root: string): readonly ProcessIdentity[] {
  return entries(root).flatMap((policy) =>
    entries(join(root, policy))
      .filter((name) => /^gateway-.+\.json$/.test(name))
      .map((name) => readJsonFile(join(root, policy, name)) as { pid: number; startTicks: number | string | null })
      .flatMap(({ pid, startTicks }) => {
        const found = identify(pid);
        return found !== null && String(startTicks) === found.startTicks ? [found] : [];
      }),
  );
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
