// The mean of ψ^X against 40-digit numbers (tools/golden/hypergeometric.py), against plain sums over every outcome, and
// against what must hold of any law.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { logMeanPowers } from './hypergeometric.ts';
import { LOG_ZERO } from './log-space.ts';

type Row = readonly [canaryTotal: number, stableTotal: number, bad: number, psi: number, logMean: number];
const file = new URL('../../../tools/golden/hypergeometric.json', import.meta.url);
const golden: readonly Row[] = JSON.parse(readFileSync(file, 'utf8'));

function logMean(canaryTotal: number, stableTotal: number, bad: number, psi: number): number {
  return logMeanPowers({ canaryTotal, stableTotal, bad }, [psi])[0] ?? Number.NaN;
}

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return k > n ? 0 : result;
}

const margins = (most: number) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: most }),
      fc.integer({ min: 0, max: most }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([canaryTotal, stableTotal, part]) => ({
      canaryTotal,
      stableTotal,
      bad: Math.round(part * (canaryTotal + stableTotal)),
    }));

describe('the mean of psi^X under the hypergeometric law', () => {
  it('matches 40-digit sums to 1e-12, from one request to a thousand million', () => {
    assert.ok(golden.length > 60);
    for (const [canaryTotal, stableTotal, bad, psi, expected] of golden) {
      const got = logMean(canaryTotal, stableTotal, bad, psi);
      const allowed = 1e-12 * Math.max(0.02, Math.abs(expected));
      assert.ok(
        Math.abs(got - expected) <= allowed,
        `${canaryTotal}/${stableTotal}/${bad}, psi ${psi}: ${got}, ${expected}`,
      );
    }
  });

  it('is the sum over every outcome of small margins', () => {
    fc.assert(
      fc.property(
        margins(14),
        fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 50, noNaN: true })),
        ({ canaryTotal, stableTotal, bad }, psi) => {
          let mean = 0;
          for (let x = 0; x <= Math.min(bad, canaryTotal); x++) {
            mean += choose(canaryTotal, x) * choose(stableTotal, bad - x) * psi ** x;
          }
          mean /= choose(canaryTotal + stableTotal, bad);
          const log = logMean(canaryTotal, stableTotal, bad, psi);
          if (mean === 0) assert.equal(log, LOG_ZERO);
          else assert.ok(Math.abs(log - Math.log(mean)) < 1e-12 * (1 + Math.abs(log)), `${log}, ${Math.log(mean)}`);
        },
      ),
    );
  });

  it('rises with psi, is 0 at 1, and lies between psi^least and psi^most, at counts up to 1e9', () => {
    fc.assert(
      fc.property(margins(1e9), ({ canaryTotal, stableTotal, bad }) => {
        const psis = [0.01, 0.5, 0.99, 1, 1.01, 2, 1000];
        const logs = logMeanPowers({ canaryTotal, stableTotal, bad }, psis);
        const least = Math.max(0, bad - stableTotal);
        const most = Math.min(bad, canaryTotal);
        assert.equal(logs[3], 0);
        logs.forEach((log, i) => {
          const ends = [least * Math.log(psis[i] ?? 1), most * Math.log(psis[i] ?? 1)];
          const slack = 1e-9 * (1 + Math.abs(log));
          assert.ok(log >= Math.min(...ends) - slack && log <= Math.max(...ends) + slack, `${log} outside ${ends}`);
          assert.ok(i === 0 || log >= (logs[i - 1] ?? 0) - slack);
        });
      }),
    );
  });

  it('is a concave function of the number of bad requests (Newton), on which fractional counts rely', () => {
    const size = fc.integer({ min: 1, max: 300 });
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(size, size, unit, fc.double({ min: 0.01, max: 100, noNaN: true }), (canary, stable, part, psi) => {
        const bad = 1 + Math.round(part * (canary + stable - 2));
        const [before = 0, here = 0, after = 0] = [-1, 0, 1].map((by) => logMean(canary, stable, bad + by, psi));
        assert.ok(2 * here >= before + after - 1e-9);
      }),
    );
  });

  it('refuses what cannot be margins', () => {
    for (const [canary, stable, bad, psi, message] of [
      [1.5, 3, 1, 2, /canary total must be a whole number.*1.5/],
      [1, Number.NaN, 1, 2, /stable total/],
      [1, 3, -1, 2, /bad count/],
      [1, 3, 5, 2, /bad count 5 is larger than both totals together, 4/],
      [1, 3, 1, -2, /psi must be >= 0, but got -2/],
    ] as const) {
      assert.throws(
        () => logMean(canary, stable, bad, psi),
        (error: unknown) => error instanceof RangeError && message.test(error.message),
      );
    }
  });
});
