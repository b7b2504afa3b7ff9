// What the benchmark asks of the machine: pinned processes, their CPU time and memory from /proc, and wrk.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export function programPath(name: string): string | null {
  for (const directory of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/bin', '/usr/local/bin']) {
    try {
      execFileSync('test', ['-x', `${directory}/${name}`]);
      return `${directory}/${name}`;
    } catch {}
  }
  return null;
}

/** 0, or a negative niceness for all that is measured and measures, on a machine shared with others. */
let niceness = 0;

export function setNiceness(value: number): void {
  niceness = value;
}

/** taskset and nice replace themselves, so the child's pid is the program's. */
function pinned(core: number, command: readonly string[]): string[] {
  const nice = niceness === 0 ? [] : ['nice', '-n', String(niceness)];
  return ['-c', String(core), ...nice, ...command];
}

export function startPinned(core: number, command: readonly string[]): ChildProcess {
  const child = spawn('taskset', pinned(core, command), { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr?.on('data', (text: Buffer) => {
    if (process.env.BENCH_VERBOSE !== undefined) process.stderr.write(text);
  });
  return child;
}

export async function untilListening(port: number, withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (performance.now() < endMs) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** A process and those it started. */
function family(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  });
  return [pid, ...children.flatMap(family)];
}

/** User and system seconds spent so far. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const member of family(pid)) {
    const stat = readFileSync(`/proc/${member}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

export function residentMiB(pid: number): number {
  let kib = 0;
  for (const member of family(pid)) {
    kib += Number(/VmRSS:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${member}/status`, 'utf8'))?.[1] ?? 0);
  }
  return kib / 1024;
}

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
}

export interface LoadOptions {
  readonly wrk: string;
  readonly core: number;
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly script: string;
  readonly path: string;
}

/** One run of wrk; its summary is printed as JSON by the Lua script. */
export function load(options: LoadOptions): Promise<Load> {
  const { wrk, core, port, connections, seconds, script, path } = options;
  const url = `http://127.0.0.1:${port}${path}`;
  const given = pinned(core, [wrk, '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, url]);
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', given, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', () => {
      const line = text.split('\n').find((part) => part.startsWith('{'));
      if (line === undefined) reject(new Error(`wrk said: ${text}`));
      else resolve(JSON.parse(line) as Load);
    });
  });
}
