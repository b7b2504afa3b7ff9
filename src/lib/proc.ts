/**
 * What /proc says of processes: who is alive, since when, with which environment, how much memory and processor time.
 * A process is named by pid, start time and boot together, because pids are used again.
 * Linux only: elsewhere `procAvailable()` is false and callers say so.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as /proc prints them. */
  readonly startTicks: string;
  readonly bootId: string;
}

/** /proc counts processor time in this unit on every Linux architecture of today (USER_HZ). */
const TICKS_PER_SECOND = 100;

let knownBootId: string | undefined;

export function procAvailable(): boolean {
  return existsSync('/proc/self/stat') && existsSync('/proc/sys/kernel/random/boot_id');
}

/** Names this boot of the machine. */
export function bootId(): string {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return knownBootId;
}

/** What a file of /proc says; null if the process is gone. Throws when it cannot be known (too many open files, ...). */
function readProcess(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string | null {
  try {
    return readFileSync(path, encoding);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}

/** The fields of /proc/<pid>/stat after the command's name, which may hold anything; null if there is no such process. */
function statFields(pid: number): readonly string[] | null {
  const text = readProcess(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Who the process with this pid is now, even if it has ended and nobody has taken note yet; null if there is none. */
export function identify(pid: number): ProcessIdentity | null {
  const startTicks = statFields(pid)?.[19];
  return startTicks === undefined ? null : { pid, startTicks, bootId: bootId() };
}

/** Whether exactly this process still runs: not another one with the same pid, not one that has ended. Throws if unknown. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const fields = statFields(identity.pid);
  return fields !== null && fields[19] === identity.startTicks && fields[0] !== 'Z' && fields[0] !== 'X';
}

/** Whether any process has this pid: all that can be known without /proc. */
export function isAnyRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Signals exactly this process; false if it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return isRunning(identity) && kill(identity.pid, signal);
}

/** Signals the process group this process leads; false if the leader is gone, whose number may then belong to others. */
export function signalGroup(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return isRunning(identity) && kill(-identity.pid, signal);
}

function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Every running process that has `name` in the environment it was started with and that we may look into. */
export function processesWithEnvironment(name: string): readonly { identity: ProcessIdentity; value: string }[] {
  const found: { identity: ProcessIdentity; value: string }[] = [];
  if (!procAvailable()) return found;
  const prefix = `${name}=`;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const value = environmentEntry(Number(entry), prefix);
    if (value === null) continue;
    const identity = identify(Number(entry));
    if (identity !== null && isRunning(identity)) found.push({ identity, value });
  }
  return found;
}

function environmentEntry(pid: number, prefix: string): string | null {
  let text: string | null;
  try {
    text = readProcess(`/proc/${pid}/environ`, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another user's process is not one of ours.
    if (code === 'EACCES' || code === 'EPERM') return null;
    throw error;
  }
  if (text === null) return null;
  for (const entry of text.split('\0')) if (entry.startsWith(prefix)) return entry.slice(prefix.length);
  return null;
}

export interface ProcessUsage {
  readonly residentMemoryBytes: number;
  /** Processor seconds used since it started. */
  readonly cpuSeconds: number;
  /** Seconds since it started. */
  readonly ageSeconds: number;
}

/** Memory and processor time of a process; null if it is gone or cannot be read. */
export function processUsage(pid: number): ProcessUsage | null {
  try {
    const fields = statFields(pid);
    if (fields === null || fields[0] === 'Z') return null;
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const upSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    if (resident === undefined) return null;
    return {
      residentMemoryBytes: Number(resident) * 1024,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      ageSeconds: upSeconds - Number(fields[19]) / TICKS_PER_SECOND,
    };
  } catch {
    return null;
  }
}
