// `npm run bench:gateway`: the embedded gateway beside HAProxy, nginx, http-proxy-3 and httpxy doing the same split, in
// one run, interleaved, each on one core. Needs haproxy, nginx, wrk and taskset (Debian: haproxy nginx wrk util-linux);
// it installs nothing. The load and the upstream share the other core, so read the ratios and the CPU per request.
// On a machine shared with others, --precedence 10 (as root) gives everything that takes part the same precedence.
//   --rounds 5 --seconds 4 --connections 32,128 --only haldane,haproxy --out bench/results
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CONTESTANTS, type Contestant, type Ports, startUpstream } from './contestants.ts';
import { cpuSeconds, type Load, load, programPath, residentMiB, setNiceness } from './machine.ts';
import { type Measured, report } from './report.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const FIRST_PORT = 18_200;
const script = fileURLToPath(new URL('users.lua', import.meta.url));

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '32,128' },
    only: { type: 'string' },
    out: { type: 'string' },
    precedence: { type: 'string', default: '0' },
  },
});

const missing = ['haproxy', 'nginx', 'wrk', 'taskset'].filter((name) => programPath(name) === null);
if (missing.length > 0) {
  console.error(`bench:gateway needs ${missing.join(', ')} (Debian: apt-get install haproxy nginx wrk util-linux)`);
  process.exit(2);
}

setNiceness(-Number(values.precedence));
const wrk = programPath('wrk') as string;
const seconds = Number(values.seconds);
const only = values.only?.split(',');
const contestants = CONTESTANTS.filter((contestant) => only === undefined || only.includes(contestant.name));
const directory = mkdtempSync(join(tmpdir(), 'haldane-bench-'));
chmodSync(directory, 0o755); // nginx reads its files as another user
const ports: Ports = { stable: FIRST_PORT, canary: FIRST_PORT + 1, own: 0 };
const running: ChildProcess[] = [];

interface Running {
  readonly contestant: Contestant;
  readonly port: number;
  readonly pid: number;
}

async function startAll(): Promise<Running[]> {
  running.push(await startUpstream(directory, LOAD_CORE, ports));
  const started: Running[] = [];
  for (const [i, contestant] of contestants.entries()) {
    const port = FIRST_PORT + 10 + i;
    const child = await contestant.start(directory, PROXY_CORE, { ...ports, own: port });
    running.push(child);
    started.push({ contestant, port, pid: child.pid as number });
  }
  return started;
}

async function once(
  target: Running,
  connections: number,
  path: string,
  forSeconds: number,
): Promise<Load & { cpuMicros: number }> {
  const before = cpuSeconds(target.pid);
  const seen = await load({ wrk, core: LOAD_CORE, port: target.port, connections, seconds: forSeconds, script, path });
  const spent = cpuSeconds(target.pid) - before;
  return { ...seen, cpuMicros: (spent / seen.requests) * 1e6 };
}

async function measure(started: readonly Running[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  const shapes = values.connections
    .split(',')
    .map((count) => ({ shape: `c${count}`, connections: Number(count), path: '/' }));
  const all = [...shapes, { shape: 'c32-32KiB', connections: 32, path: '/body-32k' }];
  for (const target of started) await once(target, 32, '/', 2); // warm up: the just-in-time compiler has to have seen it
  for (let round = 1; round <= Number(values.rounds); round++) {
    const order = round % 2 === 1 ? started : [...started].reverse();
    for (const { shape, connections, path } of all) {
      for (const target of order) {
        const seen = await once(target, connections, path, seconds);
        measured.push({ name: target.contestant.name, shape, round, ...seen, residentMiB: residentMiB(target.pid) });
      }
    }
    await measureLatency(started, round, measured);
    console.error(`round ${round} of ${values.rounds} done`);
  }
  return measured;
}

/** One connection, so that nothing queues: what a proxy adds to the same request sent straight to the upstream. */
async function measureLatency(started: readonly Running[], round: number, measured: Measured[]): Promise<void> {
  const direct = { wrk, core: LOAD_CORE, port: ports.stable, connections: 1, seconds: 2, script, path: '/' };
  const straight = await load(direct);
  measured.push({ name: 'direct', shape: 'c1', round, ...straight, cpuMicros: 0, residentMiB: 0 });
  for (const target of started) {
    const seen = await once(target, 1, '/', 2);
    measured.push({ name: target.contestant.name, shape: 'c1', round, ...seen, residentMiB: residentMiB(target.pid) });
  }
}

try {
  const measured = await measure(await startAll());
  if (values.out !== undefined) mkdirSync(values.out, { recursive: true });
  console.log(
    report(measured, {
      rounds: Number(values.rounds),
      seconds,
      niceness: -Number(values.precedence),
      out: values.out ?? null,
    }),
  );
} finally {
  for (const child of running) child.kill('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
}
