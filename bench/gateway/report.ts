// Medians and ratios of a benchmark run, as JSON for machines and as a table for people.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { Load } from './machine.ts';

export interface Measured extends Load {
  readonly name: string;
  readonly shape: string;
  readonly round: number;
  readonly cpuMicros: number;
  readonly residentMiB: number;
}

interface Summary {
  readonly name: string;
  readonly shape: string;
  readonly perSecond: number;
  /** Of the quietest round: on a shared machine others take part of a core in most of them. */
  readonly bestPerSecond: number;
  /** What one core gives when the proxy has it to itself: 1 / CPU time. */
  readonly perCpuSecond: number;
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly residentMiB: number;
  readonly errors: number;
  /** Of requests per second, and of requests per CPU second. */
  readonly toHaproxy: number | null;
  readonly bestToHaproxy: number | null;
  readonly toHaproxyCpu: number | null;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

function summaries(measured: readonly Measured[]): Summary[] {
  const keys = [...new Set(measured.map(({ shape, name }) => `${shape} ${name}`))];
  const plain = keys.map((key) => {
    const [shape, name] = key.split(' ') as [string, string];
    const runs = measured.filter((run) => run.shape === shape && run.name === name);
    const of = (pick: (run: Measured) => number) => median(runs.map(pick));
    return {
      name,
      shape,
      perSecond: of((run) => run.perSecond),
      bestPerSecond: Math.max(...runs.map((run) => run.perSecond)),
      perCpuSecond: 1e6 / of((run) => run.cpuMicros),
      cpuMicros: of((run) => run.cpuMicros),
      p50Ms: of((run) => run.p50Ms),
      p99Ms: of((run) => run.p99Ms),
      residentMiB: of((run) => run.residentMiB),
      errors: runs.reduce((sum, run) => sum + run.errors, 0),
    };
  });
  return plain.map((row) => ({ ...row, ...ratios(measured, row) }));
}

/** Medians of the ratios within each round, which lie close together in time; best rounds are compared as they are. */
function ratios(
  measured: readonly Measured[],
  row: { readonly name: string; readonly shape: string },
): Pick<Summary, 'toHaproxy' | 'bestToHaproxy' | 'toHaproxyCpu'> {
  const of = (name: string) => measured.filter((run) => run.shape === row.shape && run.name === name);
  const [mine, theirs] = [of(row.name), of('haproxy')];
  if (theirs.length === 0 || row.name === 'direct') return { toHaproxy: null, bestToHaproxy: null, toHaproxyCpu: null };
  const paired = (pick: (mine: Measured, theirs: Measured) => number) =>
    median(mine.flatMap((run) => theirs.filter(({ round }) => round === run.round).map((other) => pick(run, other))));
  const best = (runs: readonly Measured[]) => Math.max(...runs.map((run) => run.perSecond));
  return {
    toHaproxy: paired((a, b) => a.perSecond / b.perSecond),
    bestToHaproxy: best(mine) / best(theirs),
    toHaproxyCpu: paired((a, b) => b.cpuMicros / a.cpuMicros),
  };
}

function table(rows: readonly Summary[], measured: readonly Measured[]): string {
  const lines: string[] = [];
  for (const shape of new Set(rows.map((row) => row.shape))) {
    const direct = rows.find((row) => row.shape === shape && row.name === 'direct');
    lines.push('', `### ${shape}`, '');
    lines.push(
      '| proxy | requests/s | to HAProxy | best round | to HAProxy | CPU µs/request | requests per CPU second | to HAProxy | p50 ms | p99 ms | memory MiB | errors |',
    );
    lines.push('|---|---|---|---|---|---|---|---|---|---|---|---|');
    for (const row of rows.filter((entry) => entry.shape === shape)) {
      const added = (pick: 'p50Ms' | 'p99Ms') =>
        direct === undefined || row === direct ? row[pick].toFixed(3) : `+${(row[pick] - direct[pick]).toFixed(3)}`;
      const cells = [
        row.name,
        Math.round(row.perSecond),
        row.toHaproxy?.toFixed(2) ?? '',
        Math.round(row.bestPerSecond),
        row.bestToHaproxy?.toFixed(2) ?? '',
        row.cpuMicros.toFixed(1),
        Number.isFinite(row.perCpuSecond) ? Math.round(row.perCpuSecond) : '',
        row.toHaproxyCpu?.toFixed(2) ?? '',
        added('p50Ms'),
        added('p99Ms'),
        row.residentMiB.toFixed(0),
        row.errors,
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  lines.push(
    '',
    `Rounds: ${new Set(measured.map((run) => run.round)).size}, interleaved, in turn forwards and backwards; medians (ratios: of those within a round) but for "best round". Load average of the machine at the end: ${loadavg()[1]?.toFixed(1)} on ${cpus().length} cores.`,
  );
  return lines.join('\n');
}

function versionOf(command: readonly string[]): string {
  try {
    const [program, ...given] = command as [string, ...string[]];
    return execFileSync('sh', ['-c', `${[program, ...given].join(' ')} 2>&1 | head -1`], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function packageVersion(name: string): string {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return `${name} ${(JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version}`;
}

export function report(
  measured: readonly Measured[],
  run: { readonly rounds: number; readonly seconds: number; readonly niceness: number; readonly out: string | null },
): string {
  const rows = summaries(measured);
  const about = {
    commit: versionOf(['git', 'rev-parse', 'HEAD']),
    date: new Date().toISOString(),
    node: process.version,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    versions: [
      versionOf(['haproxy', '-v']),
      versionOf(['nginx', '-v']),
      versionOf(['wrk', '-v']),
      packageVersion('http-proxy-3'),
      packageVersion('httpxy'),
    ],
    rounds: run.rounds,
    seconds: run.seconds,
    niceness: run.niceness,
    loadAverage: loadavg()[1],
  };
  const text = [
    '# Gateway benchmark',
    '',
    `Commit ${about.commit}, ${about.date}, Node ${about.node}, ${about.cpu}.`,
    `${about.versions.join('; ')}.`,
    '',
    'Same split everywhere (95/5 by a hash of the user cookie, header rule). Proxy on one core, upstream (nginx) and load',
    '(wrk) on the other. In c1 the p50 and p99 of the proxies are what they add to `direct`. Made with `npm run bench:gateway -- --out bench/results`.',
    table(rows, measured),
    '',
  ].join('\n');
  if (run.out !== null) {
    writeFileSync(
      join(run.out, 'gateway.json'),
      `${JSON.stringify({ about, summary: rows, runs: measured }, null, 2)}\n`,
    );
    writeFileSync(join(run.out, 'gateway.md'), text);
  }
  return text;
}
