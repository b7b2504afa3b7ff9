/**
 * `npm run sim -- --seeds N`: N seeded runs of the shipped controller in a simulated world; fails loudly, with the seed.
 * `npm run sim -- --seed X --trace` replays one seed step by step. `--full` is 20,000 seeds. See docs/simulator.md.
 */
import { parseArgs } from 'node:util';
import { coverageOf } from '../../src/simulator/coverage.ts';
import { judgeShares, type Tally } from '../../src/simulator/tally.ts';
import { formatTime } from '../../src/simulator/trace.ts';
import { runSeed } from '../../src/simulator/trial-run.ts';
import { runSeeds } from './run-seeds.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
  },
});

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name} wants a whole number, got "${text}"`);
  return value;
}

async function replay(seed: number): Promise<boolean> {
  const report = await runSeed(seed, { trace: values.trace });
  for (const line of report.trace) console.log(line);
  console.log(`seed ${seed}: ${report.steps} steps, ${report.lives} controllers, trace ${report.hash}`);
  if (report.violation === null) {
    console.log(`seed ${seed}: no violation; ends ${report.waits.join(', ')}`);
    return true;
  }
  const { invariant, atMs, message } = report.violation;
  console.log(`seed ${seed}: VIOLATION of ${invariant} at ${formatTime(atMs)}: ${message}`);
  return false;
}

function printWorld(tally: Tally): void {
  const { lines, missed } = coverageOf(tally);
  console.log(lines.join('\n'));
  for (const cell of missed) console.log(`warning: not reached: ${cell}`);
  console.log(`\nends: ${listed(tally.waits)}`);
  console.log(`outcomes: ${listed(tally.outcomes)}`);
}

function listed(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return sorted.map(([key, count]) => `${key.replace('|', ' ')} ${count}`).join(', ');
}

async function runAll(from: number, count: number): Promise<boolean> {
  const startedMs = performance.now();
  let shownMs = startedMs;
  const tally = await runSeeds(
    { from, count, threads: wholeNumber('threads', values.threads), stopAtFirst: false },
    (done) => {
      if (performance.now() - shownMs < 15_000) return;
      shownMs = performance.now();
      console.log(`  ${done} of ${count} seeds`);
    },
  );
  printWorld(tally);
  const shares = judgeShares(tally);
  for (const { sentence, holds } of shares) console.log(`${holds ? '' : 'VIOLATION: '}${sentence}`);
  for (const { seed, invariant, atMs, message, hash } of tally.failures) {
    console.log(`VIOLATION of ${invariant} in seed ${seed} at ${formatTime(atMs)} (trace ${hash}): ${message}`);
    console.log(`  replay: npm run sim -- --seed ${seed} --trace`);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const lost = `${tally.requests} requests answered, none lost by what the controller did`;
  const bad = tally.failures.length;
  console.log(
    `seeds ${from} to ${from + count - 1}: ${tally.runs} runs, ${tally.steps} steps, ${tally.lives} controllers, ` +
      `${bad === 0 ? lost : `${bad} VIOLATIONS`} (${seconds.toFixed(1)} s)`,
  );
  return bad === 0 && shares.every(({ holds }) => holds);
}

const ok =
  values.seed === undefined
    ? await runAll(wholeNumber('from', values.from), values.full ? 20_000 : wholeNumber('seeds', values.seeds))
    : await replay(wholeNumber('seed', values.seed));
process.exitCode = ok ? 0 : 1;
