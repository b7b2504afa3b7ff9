// The exact factor for common events: its mean is computed over every outcome of small ticks, not sampled.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { commonNoHarmFactors, logCommonHarmFactors, swapChance } from './common-events.ts';
import { isLogZero } from './log-space.ts';

const ONE = 1 + 1e-12;
const HARM = [1.05, 1.3, 4, 200];
const NO_HARM = [0, 0.05, 0.5, 0.95];
const SIZES = [
  [1, 1],
  [1, 9],
  [9, 1],
  [3, 8],
  [9, 9],
] as const;
const RATES = [0.001, 0.05, 0.3, 0.5, 0.8, 1];

function binomialMasses(n: number, p: number): number[] {
  let masses = [1];
  for (let i = 0; i < n; i++) {
    masses = Array.from({ length: i + 2 }, (_, k) => (masses[k] ?? 0) * (1 - p) + (masses[k - 1] ?? 0) * p);
  }
  return masses;
}

/** Means of e^logs over both arms' outcomes. */
function means(
  [nCanary, nStable]: readonly [number, number],
  [canaryRate, stableRate]: readonly [number, number],
  logs: (x: number, y: number) => readonly number[],
): number[] {
  const canary = binomialMasses(nCanary, canaryRate);
  const stable = binomialMasses(nStable, stableRate);
  const sums: number[] = [];
  canary.forEach((px, x) => {
    stable.forEach((py, y) => {
      logs(x, y).forEach((log, j) => {
        sums[j] = (sums[j] ?? 0) + px * py * (isLogZero(log) ? 0 : Math.exp(log));
      });
    });
  });
  return sums;
}

describe('evidence on common events', () => {
  it('harm: E[F] <= 1 for every p_c <= r·p_s + δ, whatever p_s is (I8)', () => {
    for (const [size, ratio] of grid(SIZES, [0.5, 1, 1.1, 1.7])) {
      for (const [[stableRate, part], harmMargin] of grid(grid(RATES, [1, 0.6]), [0, 0.02, 0.3])) {
        const rates = [part * Math.min(1, ratio * stableRate + harmMargin), stableRate] as const;
        const all = means(size, rates, (x, y) => harmLogs(size, [x, y], ratio, harmMargin));
        for (const mean of all) assert.ok(mean <= ONE, `n ${size}, r ${ratio}, δ ${harmMargin}, p ${rates}: ${mean}`);
      }
    }
  });

  it('no harm: E[F] <= 1 for every p_c >= r·p_s + δ with δ of either sign (I8)', () => {
    for (const [size, ratio] of grid(SIZES, [0.5, 1, 1.1, 1.7])) {
      for (const [stableRate, excess] of grid([0, ...RATES], [-0.3, -0.01, 0, 0.01, 0.2])) {
        const least = Math.max(0, ratio * stableRate + excess);
        for (const canaryRate of least > 1 ? [] : [least, (1 + least) / 2]) {
          const all = means(size, [canaryRate, stableRate], (x, y) => noHarmLogs(size, [x, y], ratio, excess));
          for (const mean of all) assert.ok(mean <= ONE, `n ${size}, r ${ratio}, ${canaryRate}, δ ${excess}: ${mean}`);
        }
      }
    }
  });

  it('wastes nothing at r = 1: the mean is exactly 1 when both arms share one rate, on both sides', () => {
    for (const size of SIZES) {
      for (const rate of RATES) {
        // But for the bet on no bad event at all, which is lost for good where margins force one.
        for (const mean of [
          ...means(size, [rate, rate], (x, y) => harmLogs(size, [x, y], 1, 0)),
          ...means(size, [rate, rate], (x, y) => noHarmLogs(size, [x, y], 1, 0).slice(1)),
        ]) {
          assert.ok(Math.abs(mean - 1) < 1e-12, `n ${size}, p ${rate}: ${mean}`);
        }
      }
    }
  });

  it('is never below the factor for rare events at r = 1, δ = 0 (Hoeffding 1963)', () => {
    const count = fc.integer({ min: 0, max: 300 });
    fc.assert(
      fc.property(count, count, count, count, (canaryGood, x, stableGood, y) => {
        const counts = { canaryTotal: canaryGood + x, canaryBad: x, stableTotal: stableGood + y, stableBad: y };
        fc.pre(counts.canaryTotal > 0 && counts.stableTotal > 0);
        const share = counts.canaryTotal / (counts.canaryTotal + counts.stableTotal);
        logCommonHarmFactors(counts, { toleranceRatio: 1, harmMargin: 0 }, HARM).forEach((log, j) => {
          const k = HARM[j] ?? 1;
          const rare = x * Math.log(k) - (x + y) * Math.log1p((k - 1) * share);
          assert.ok(log >= rare - 1e-9 * (1 + Math.abs(rare)), `${log} < ${rare}`);
        });
      }),
    );
  });

  it('stays finite up to 1e9 requests, and grows with the excess', () => {
    const count = fc.integer({ min: 0, max: 1e9 });
    const counts4 = fc.tuple(count, count, count, count);
    fc.assert(
      fc.property(counts4, fc.constantFrom(0.3, 1, 1.1, 2.5), ([a, b, c, d], r) => {
        const counts = { canaryTotal: a + b, canaryBad: b, stableTotal: c + d, stableBad: d };
        for (const log of logCommonHarmFactors(counts, { toleranceRatio: r, harmMargin: 0.01 }, HARM))
          assert.ok(Number.isFinite(log));
        for (const { log, above, below } of commonNoHarmFactors(counts, r, NO_HARM)) {
          for (const value of [log, above, below]) assert.ok(Number.isFinite(value));
          assert.ok(above >= 0 && below >= 0);
        }
      }),
    );
  });
});

function grid<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  return left.flatMap((a) => right.map((b): [A, B] => [a, b]));
}

function tick([canaryTotal, stableTotal]: readonly [number, number], canaryBad: number, stableBad: number) {
  return { canaryTotal, canaryBad, stableTotal, stableBad };
}

function harmLogs(
  size: readonly [number, number],
  [x, y]: readonly [number, number],
  toleranceRatio: number,
  harmMargin: number,
): number[] {
  return logCommonHarmFactors(tick(size, x, y), { toleranceRatio, harmMargin }, HARM);
}

function noHarmLogs(
  size: readonly [number, number],
  [x, y]: readonly [number, number],
  ratio: number,
  excess: number,
): number[] {
  const d = swapChance(excess, ratio);
  return commonNoHarmFactors(tick(size, x, y), ratio, NO_HARM).map(
    ({ log, above, below }) => log + (excess > 0 ? d * above : excess < 0 ? -d * below : 0),
  );
}
