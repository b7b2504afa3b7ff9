// The odds-ratio factor: its mean is computed over every outcome, not sampled.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Margins } from './hypergeometric.ts';
import { logOddsFactors } from './odds-ratio.ts';

const MULTIPLES = [0.2, 0.9, 1.15, 2, 30];

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}

/** The mean of F_k for each multiple when the odds ratio is `truth`, given that `bad` requests are bad. */
function meansGiven({ canaryTotal, stableTotal, bad }: Margins, truth: number, tolerated: number): number[] {
  const means = MULTIPLES.map(() => 0);
  let mass = 0;
  for (let x = Math.max(0, bad - stableTotal); x <= Math.min(bad, canaryTotal); x++) {
    const weight = choose(canaryTotal, x) * choose(stableTotal, bad - x) * truth ** x;
    mass += weight;
    logOddsFactors({ canaryTotal, canaryBad: x, stableTotal, stableBad: bad - x }, tolerated, MULTIPLES).forEach(
      (log, j) => {
        means[j] = (means[j] ?? 0) + weight * Math.exp(log);
      },
    );
  }
  return means.map((mean) => mean / mass);
}

describe('the odds-ratio factor', () => {
  it('has a mean of exactly 1 at the tolerated odds ratio and at most 1 on the side betted against (I8)', () => {
    for (const [canary, stable] of [
      [1, 1],
      [1, 12],
      [12, 1],
      [4, 9],
      [12, 12],
    ] as const) {
      for (let bad = 0; bad <= canary + stable; bad++) {
        for (const tolerated of [0.8, 1, 1.1, 3]) {
          for (const mean of meansGiven({ canaryTotal: canary, stableTotal: stable, bad }, tolerated, tolerated)) {
            assert.ok(Math.abs(mean - 1) < 1e-12, `${canary}/${stable}, m ${bad}, r ${tolerated}: ${mean}`);
          }
          const below = meansGiven({ canaryTotal: canary, stableTotal: stable, bad }, 0.6 * tolerated, tolerated);
          const above = meansGiven({ canaryTotal: canary, stableTotal: stable, bad }, 1.7 * tolerated, tolerated);
          MULTIPLES.forEach((k, j) => {
            assert.ok(((k > 1 ? below : above)[j] ?? 2) <= 1 + 1e-12);
            assert.ok(((k > 1 ? above : below)[j] ?? 0) >= 1 - 1e-12);
          });
        }
      }
    }
  });

  it('is 1 where the margins leave no choice', () => {
    for (const counts of [
      { canaryTotal: 0, canaryBad: 0, stableTotal: 9, stableBad: 4 },
      { canaryTotal: 9, canaryBad: 4, stableTotal: 0, stableBad: 0 },
      { canaryTotal: 9, canaryBad: 0, stableTotal: 1e9, stableBad: 0 },
      { canaryTotal: 9, canaryBad: 9, stableTotal: 1e9, stableBad: 1e9 },
    ]) {
      assert.deepEqual(logOddsFactors(counts, 1.1, MULTIPLES), [0, 0, 0, 0, 0]);
    }
  });

  it('stays finite up to 1e9 requests', () => {
    const count = fc.integer({ min: 0, max: 1e9 });
    fc.assert(
      fc.property(count, count, count, count, (a, b, c, d) => {
        const counts = { canaryTotal: a + b, canaryBad: b, stableTotal: c + d, stableBad: d };
        for (const log of logOddsFactors(counts, 1.1, MULTIPLES)) assert.ok(Number.isFinite(log));
      }),
    );
  });
});
