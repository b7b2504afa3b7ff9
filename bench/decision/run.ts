// `npm run bench:decision`: how long a decision takes and how large a release's state is, through the shipped decide().
// Writes bench/results/decision.{md,json}. Half a minute; it asks for one core.
//   --quick   two rounds instead of eight; writes nothing
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sizesOfKinds } from './kinds.ts';
import { operations } from './operations.ts';
import { markdownOf, type Results } from './report.ts';
import { sizeOf } from './state-size.ts';
import { COMPARISONS } from './subject.ts';
import { median, nsPerCall, quantile, timeTicks } from './timing.ts';
import { jsonRoundTrip } from './yardsticks.ts';

const WARM_UP_WINDOWS = 400;
const WINDOWS = 200;

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const root = fileURLToPath(new URL('../..', import.meta.url));
const results = measure(values.quick ? 2 : 8);
const text = markdownOf(results);
process.stdout.write(text);
if (!values.quick) {
  mkdirSync(`${root}/bench/results`, { recursive: true });
  writeFileSync(`${root}/bench/results/decision.json`, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(`${root}/bench/results/decision.md`, text);
}

function measure(rounds: number): Results {
  const { release } = timeTicks(WARM_UP_WINDOWS);
  const steps = operations();
  const ticks: number[][] = [];
  const cpu: number[] = [];
  const yardstick: number[] = [];
  const ns = steps.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    const { ms, cpuMs } = timeTicks(WINDOWS);
    ticks.push([...ms]);
    cpu.push(cpuMs);
    yardstick.push(nsPerCall(() => jsonRoundTrip(release)));
    for (const [i, { call }] of steps.entries()) ns[i]?.push(nsPerCall(call));
  }
  const all = ticks.flat().sort((a, b) => a - b);
  const perRound = ticks.map((ms) => quantile(ms, 0.5) * 1e6);
  const { rawBytes, jsonBytes } = sizeOf(release);
  return {
    about: about(rounds),
    tick: {
      medianMs: quantile(all, 0.5),
      p99Ms: quantile(all, 0.99),
      quietest: { medianMs: Math.min(...perRound) / 1e6, p99Ms: Math.min(...ticks.map((ms) => quantile(ms, 0.99))) },
      cpuMs: median(cpu),
      toJsonRoundTrip: ratio(perRound, yardstick),
      toNaiveZ: ratio(perRound, ns.at(-1) ?? []) / COMPARISONS,
    },
    jsonRoundTripNs: median(yardstick),
    steps: steps.map(({ name }, i) => ({
      name,
      ns: median(ns[i] ?? []),
      toJsonRoundTrip: ratio(ns[i] ?? [], yardstick),
      toNaiveZ: ratio(ns[i] ?? [], ns.at(-1) ?? []),
    })),
    release: { rawBytes, jsonBytes },
    checks: sizesOfKinds(),
  };
}

/** The median of the ratios within each round, whose parts lie close together in time. */
function ratio(mine: readonly number[], theirs: readonly number[]): number {
  return median(mine.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

function about(rounds: number): Results['about'] {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  return {
    commit: git('rev-parse', 'HEAD'),
    isCommitted: git('status', '--porcelain', '--', 'src/core', 'bench/decision') === '',
    date: new Date().toISOString(),
    node: process.version,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    loadAverage: loadavg()[0] ?? Number.NaN,
    rounds,
    windows: WINDOWS,
  };
}
