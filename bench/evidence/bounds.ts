// Bounds that must hold in every run, however small: broken only if the exact confidence limit says so, so that a short run
// is no lottery.
import { binomialInterval } from '../../src/core/statistics/index.ts';
import type { Results } from './results.ts';
import { drawScenarios, REPORTED_SEED } from './scenarios.ts';

/** Asked of each of some fifty rows: a true bound is called broken in one run of two thousand. */
const CONFIDENCE = 1 - 1e-5;
const ALPHA_ABORT = 0.01;
const ALPHA_PROMOTE = 0.05;

export function brokenBounds({ releases, bare, same }: Results): readonly string[] {
  const broken: string[] = same.differences.map((each) => `rehearsal and controller differ: ${each.slice(0, 2000)}`);
  const equal = new Set(drawScenarios(REPORTED_SEED).equal.map(({ id }) => id));
  for (const { scenario, contestant, aborted, promoted } of releases) {
    if (!contestant.startsWith('Haldane')) continue;
    const row = `${scenario.id}, ${contestant}`;
    const atLeast = (count: number, of: number): number => binomialInterval(count, of, CONFIDENCE).lower;
    if (equal.has(scenario.id) && atLeast(aborted.count, aborted.of) > ALPHA_ABORT) {
      broken.push(`${row}: ${aborted.count} of ${aborted.of} equal versions aborted, more than ${ALPHA_ABORT}`);
    }
    if (
      scenario.truth === 'harmful' &&
      scenario.shape.kind === 'constant' &&
      scenario.latency?.change.kind !== 'leak' &&
      atLeast(promoted.count, promoted.of) > ALPHA_PROMOTE
    ) {
      broken.push(`${row}: ${promoted.count} of ${promoted.of} harmful versions promoted, more than ${ALPHA_PROMOTE}`);
    }
  }
  for (const { id, kind, times, n } of bare) {
    // The mean less five standard errors is still above what is claimed with room to spare.
    const least = times.mean - (5 / 1.96) * times.within;
    const most = MOST[kind] ?? 2;
    if (n >= 50 && least > most) broken.push(`${id}: ${times.mean.toFixed(2)} times its limit, more than ${most}`);
  }
  return broken;
}

/** Multiples of the limit that no cell may pass; the targets in the report are tighter. */
const MOST: Readonly<Record<string, number>> = { harm: 2.2, 'no-harm': 1.6, crash: 3, latency: 4 };
