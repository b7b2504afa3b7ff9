// The limits against the published table, and the small tools of the room.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binomialInterval } from './clopper-pearson.ts';
import { dispersionOfReplicas } from './dispersion.ts';
import {
  canaryRequestsKnownStable,
  canaryRequestsToTell,
  klBernoulli,
  natsPerCanaryRequest,
  requiredNats,
} from './information.ts';
import { LOG_ZERO, logAddExp, logSumExp, logWeightedSum } from './log-space.ts';
import { createRandom } from './random.ts';

describe('the least that any test needs', () => {
  // change; L1; L2 at 1, 5, 10 and 50 % share; alpha = 1 %.
  const table = [
    [0.001, 0.005, 1136, [1158, 1252, 1377, 3155]],
    [0.005, 0.01, 2369, [2400, 2530, 2708, 5381]],
    [0.01, 0.02, 1177, [1192, 1257, 1345, 2671]],
    [0.0001, 0.01, 127, [142, 185, 230, 712]],
    [0.01, 0.05, 112, [114, 123, 135, 308]],
    [0.005, 0.0075, 8463, [8562, 8977, 9548, 18183]],
  ] as const;
  for (const [stableRate, canaryRate, known, unknown] of table) {
    it(`matches the table for ${stableRate} → ${canaryRate}`, () => {
      const quality = { alpha: 0.01 };
      const near = (value: number, printed: number): void => {
        assert.ok(Math.abs(value - printed) < 0.55, `${value} is printed as ${printed}`);
      };
      near(canaryRequestsKnownStable({ stableRate, canaryRate }, quality), known);
      [0.01, 0.05, 0.1, 0.5].forEach((share, i) => {
        near(canaryRequestsToTell({ stableRate, canaryRate, share }, quality), unknown[i] ?? 0);
      });
    });
  }

  it('with r = 1 has its minimum at the pooled rate', () => {
    const [stableRate, canaryRate, share] = [0.01, 0.04, 0.2];
    const pooled = share * canaryRate + (1 - share) * stableRate;
    const expected = klBernoulli(canaryRate, pooled) + 4 * klBernoulli(stableRate, pooled);
    const found = natsPerCanaryRequest({ stableRate, canaryRate, share });
    assert.ok(Math.abs(found / expected - 1) < 1e-12);
  });

  it('rises with the margin r (2530 → 3316 → 5186 for 0.5 → 1 %)', () => {
    const at = (toleranceRatio: number): number =>
      Math.round(
        canaryRequestsToTell({ stableRate: 0.005, canaryRate: 0.01, share: 0.05, toleranceRatio }, { alpha: 0.01 }),
      );
    assert.deepEqual([at(1), at(1.1), at(1.25)], [2530, 3316, 5186]);
  });

  it('is infinite where there is nothing to tell, and less when misses are allowed', () => {
    const same = { stableRate: 0.01, canaryRate: 0.01, share: 0.1 };
    assert.equal(canaryRequestsToTell(same, { alpha: 0.01 }), Number.POSITIVE_INFINITY);
    assert.equal(requiredNats({ alpha: 0.01 }), Math.log(100));
    assert.ok(requiredNats({ alpha: 0.01, missProbability: 0.2 }) < Math.log(100));
    assert.throws(() => requiredNats({ alpha: 0 }), RangeError);
    assert.throws(() => canaryRequestsToTell({ ...same, share: 0 }, { alpha: 0.01 }), /share/);
  });
});

describe('exact binomial limits', () => {
  it('cover the truth at least as often as they claim, computed over all outcomes', () => {
    for (const p of [0.01, 0.2, 0.5, 0.93]) {
      const n = 40;
      let mass = (1 - p) ** n;
      let covered = 0;
      for (let k = 0; k <= n; k++) {
        const { lower, upper } = binomialInterval(k, n, 0.9);
        if (lower <= p && p <= upper) covered += mass;
        mass *= ((n - k) / (k + 1)) * (p / (1 - p));
      }
      assert.ok(covered >= 0.9, `${p}: ${covered}`);
    }
  });

  it('have the closed form at zero: 1 − tail^(1/n), up to a million', () => {
    for (const n of [1, 30, 1000, 1_000_000]) {
      const closed = -Math.expm1(Math.log(0.005) / n);
      assert.ok(Math.abs(binomialInterval(0, n, 0.99).upper / closed - 1) < 1e-10);
      assert.equal(binomialInterval(0, n, 0.99).lower, 0);
      assert.equal(binomialInterval(n, n, 0.99).upper, 1);
    }
  });

  it('mirror each other', () => {
    const one = binomialInterval(37, 5000, 0.95);
    const other = binomialInterval(4963, 5000, 0.95);
    assert.ok(Math.abs(one.lower - (1 - other.upper)) < 1e-13 && Math.abs(one.upper - (1 - other.lower)) < 1e-13);
  });

  it('refuse what is not a count', () => {
    assert.throws(() => binomialInterval(1, 0, 0.9), RangeError);
    assert.throws(() => binomialInterval(5, 4, 0.9), RangeError);
    assert.throws(() => binomialInterval(1, 4, 1), RangeError);
  });
});

describe('dispersion of stable replicas', () => {
  it('is about 1 for independent requests and about the cluster size for clusters, whatever swings are common', () => {
    const random = createRandom('dispersion');
    const history = (cluster: number) =>
      Array.from({ length: 400 }, (_, tick) => {
        const rate = 0.01 * (1 + 0.9 * Math.sin(tick / 9));
        return Array.from({ length: 6 }, () => ({ total: 800, bad: cluster * random.poisson((800 * rate) / cluster) }));
      });
    const single = dispersionOfReplicas(history(1)) ?? Number.NaN;
    const fours = dispersionOfReplicas(history(4)) ?? Number.NaN;
    assert.ok(single >= 1 && single < 1.1, `${single}`);
    assert.ok(Math.abs(fours - 4) < 0.5, `${fours}`);
  });

  it('is undefined, not 1, when there is nothing to measure it on', () => {
    assert.equal(dispersionOfReplicas([]), undefined);
    assert.equal(
      dispersionOfReplicas([
        [{ total: 100, bad: 3 }],
        [
          { total: 9, bad: 0 },
          { total: 9, bad: 0 },
        ],
      ]),
      undefined,
    );
  });
});

describe('sums in log space', () => {
  it('keep their digits far from 1, and treat log 0 as nothing', () => {
    assert.ok(Math.abs(logAddExp(1000, 1000) - (1000 + Math.LN2)) < 1e-12);
    assert.equal(logAddExp(LOG_ZERO, -3), -3);
    assert.equal(logSumExp([]), LOG_ZERO);
    assert.equal(logSumExp([LOG_ZERO, 2]), 2);
    assert.ok(Math.abs(logSumExp([-2000, -2000]) - (-2000 + Math.LN2)) < 1e-12);
  });

  it('average evidence by weights fixed beforehand', () => {
    assert.ok(Math.abs(logWeightedSum([Math.log(300), 0], [0.5, 0.5]) - Math.log(150.5)) < 1e-12);
    assert.ok(Math.abs(logWeightedSum([Math.log(7), LOG_ZERO], [1, 0]) - Math.log(7)) < 1e-12);
    assert.throws(() => logWeightedSum([1], [0.5, 0.5]), RangeError);
    assert.throws(() => logWeightedSum([1], [-1]), RangeError);
  });
});
