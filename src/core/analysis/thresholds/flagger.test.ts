// Flagger's looks: what counts, what is never forgotten, and when the verdict falls (fluxcd/flagger, 15bd6ad); and
// Prometheus' quantiles, with the cases of its own promql/quantile_test and docs.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  FLAGGER_START,
  type FlaggerThresholds,
  flaggerDurationMs,
  flaggerStep,
  flaggerSuccessRate,
} from './flagger.ts';
import { histogramQuantile, quantileOfCounts } from './histogram-quantile.ts';

const THRESHOLDS: FlaggerThresholds = {
  checks: [
    { name: 'success', min: 99 },
    { name: 'duration', max: 500 },
  ],
  threshold: 2,
};
const GOOD = { success: 99, duration: 500 };
const BAD = { success: 98.99, duration: 100 };

type Values = Parameters<typeof flaggerStep>[2];

function looks(values: readonly Values[], thresholds = THRESHOLDS): string[] {
  let state = FLAGGER_START;
  return values.map((value) => {
    const look = flaggerStep(thresholds, state, value);
    state = look.state;
    return look.outcome;
  });
}

describe("Flagger's looks", () => {
  it('keep both ends of a range, and end at the first check outside of its own', () => {
    assert.deepEqual(looks([GOOD]), ['passed']);
    const look = flaggerStep(THRESHOLDS, FLAGGER_START, { success: 98, duration: 900 });
    assert.deepEqual([look.outcome, look.reason], ['failed', 'success: 98 is below 99']);
    assert.equal(
      flaggerStep(THRESHOLDS, FLAGGER_START, { success: 100, duration: 501 }).reason,
      'duration: 501 is above 500',
    );
  });

  it('are counted over the whole release: no success takes a failure back', () => {
    assert.deepEqual(looks([BAD, GOOD, GOOD, GOOD, BAD, GOOD]), [
      'failed',
      ...Array(3).fill('passed'),
      'failed',
      'abort',
    ]);
  });

  it('abort one look after the threshold is reached, even if that look would pass', () => {
    assert.deepEqual(looks([BAD, BAD, GOOD]), ['failed', 'failed', 'abort']);
    const aborted = flaggerStep(THRESHOLDS, { looks: 2, failedLooks: 2, verdict: 'open' }, GOOD).state;
    assert.throws(() => flaggerStep(THRESHOLDS, aborted, GOOD), /aborted already/);
  });

  it('hold without a value, or fail if asked to, as Flagger does', () => {
    const nothing = [{ success: null, duration: 1 }, { duration: 1 }, { success: Number.NaN, duration: 1 }, GOOD];
    assert.deepEqual(looks(nothing), ['no-data', 'no-data', 'no-data', 'passed']);
    assert.deepEqual(looks(nothing.slice(0, 3), { ...THRESHOLDS, emptyIsFailure: true }), [
      'failed',
      'failed',
      'abort',
    ]);
  });

  it('abort after exactly as many failures as the threshold, wherever they fall', () => {
    const runs = fc.array(fc.boolean(), { maxLength: 40 });
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 5 }), (passes, threshold) => {
        let state = FLAGGER_START;
        let failures = 0;
        for (const passed of passes) {
          const look = flaggerStep({ ...THRESHOLDS, threshold }, state, passed ? GOOD : BAD);
          assert.equal(look.outcome === 'abort', failures === threshold);
          if (look.outcome === 'abort') return;
          if (!passed) failures += 1;
          state = JSON.parse(JSON.stringify(look.state));
        }
      }),
    );
  });

  it('refuse a threshold below 1', () => {
    assert.throws(() => flaggerStep({ ...THRESHOLDS, threshold: 0 }, FLAGGER_START, GOOD), /threshold/);
  });

  it('read success in percent and duration in whole milliseconds', () => {
    assert.equal(flaggerSuccessRate(200, 1), 99.5);
    assert.equal(flaggerSuccessRate(0, 0), null);
    assert.equal(flaggerDurationMs(0.5009), 500);
    assert.equal(flaggerDurationMs(Number.NaN), null);
  });
});

const INF = Number.POSITIVE_INFINITY;
const buckets = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([upperBound, count]) => ({ upperBound, count }));

describe("Prometheus' quantile of a histogram", () => {
  it('interpolates between boundaries, from 0 in the first bucket', () => {
    // The series testhistogram{start="positive"} of promql/promqltest/testdata/histograms.test.
    const histogram = buckets([0.1, 50], [0.2, 70], [1, 110], [INF, 120]);
    assert.equal(histogramQuantile(0.2, histogram), 0.048);
    assert.ok(Math.abs(histogramQuantile(0.5, histogram) - 0.15) < 1e-12);
    assert.ok(Math.abs(histogramQuantile(0.8, histogram) - 0.72) < 1e-12);
  });

  it('gives the boundary below in the last bucket', () => {
    assert.equal(histogramQuantile(0.99, buckets([0.1, 50], [1, 90], [INF, 100])), 1);
  });

  it('gives a first boundary that is not above 0 as it is', () => {
    assert.equal(histogramQuantile(0.1, buckets([-1, 50], [1, 90], [INF, 100])), -1);
  });

  it('is not a number without observations, with one bucket, or without a last bucket of Infinity', () => {
    assert.ok(Number.isNaN(histogramQuantile(0.5, buckets([0.1, 0], [INF, 0]))));
    assert.ok(Number.isNaN(histogramQuantile(0.5, buckets([INF, 5]))));
    assert.ok(Number.isNaN(histogramQuantile(0.5, buckets([0.1, 3], [1, 5]))));
    assert.ok(Number.isNaN(histogramQuantile(0.5, [])));
    assert.ok(Number.isNaN(histogramQuantile(Number.NaN, buckets([1, 1], [INF, 1]))));
    assert.equal(histogramQuantile(-0.1, buckets([1, 1], [INF, 1])), -INF);
    assert.equal(histogramQuantile(1.1, buckets([1, 1], [INF, 1])), INF);
  });

  it('takes buckets in any order, adds equal ones up, and mends counts that fall or differ by rounding', () => {
    assert.equal(histogramQuantile(0.5, buckets([INF, 8], [2, 8], [1, 2], [1, 2])), 1);
    assert.equal(histogramQuantile(0.5, buckets([1, 4], [2, 3], [INF, 8])), 1);
    assert.equal(histogramQuantile(1, buckets([1, 4], [2, 4 * (1 + 1e-13)], [INF, 4 * (1 + 1e-13)])), 1);
  });

  it('lies in the bucket of the observation of that rank, and grows with q', () => {
    const counts = fc.array(fc.nat(50), { minLength: 4, maxLength: 4 });
    const q = fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100);
    fc.assert(
      fc.property(counts, q, q, (per, a, b) => {
        const boundaries = [0.1, 0.5, 2, INF];
        fc.pre(per.some((count) => count > 0));
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((at) => quantileOfCounts(at, boundaries, per));
        assert.ok(low !== undefined && high !== undefined && low <= high && high <= 2 && low >= 0);
      }),
    );
    assert.throws(() => quantileOfCounts(0.5, [1, INF], [1]), /one count per boundary/);
  });
});
