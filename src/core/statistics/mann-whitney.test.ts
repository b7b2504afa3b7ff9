// The location shift against the numbers of Kayenta's MannWhitneySuite.scala (spinnaker/kayenta, a69573b), which ties
// some of them to R's wilcox.test, with that suite's own tolerances; and the normal quantile it needs. The samples come
// from tools/golden/kayenta-suites.py.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mannWhitneyShift, mannWhitneyZ } from './mann-whitney.ts';
import { brentZero } from './mann-whitney-brent.ts';
import { normalQuantile } from './normal.ts';

type Histogram = readonly (readonly [value: number, times: number])[];
interface Suites {
  readonly mannWhitney: Readonly<Record<string, { readonly experiment: Histogram; readonly control: Histogram }>>;
}

const SUITES: Suites = JSON.parse(
  readFileSync(new URL('../../../tools/golden/kayenta-suites.json', import.meta.url), 'utf8'),
);

function samples(title: string): { x: number[]; y: number[] } {
  const arms = SUITES.mannWhitney[title];
  assert.ok(arms !== undefined, title);
  const spread = (histogram: Histogram) => histogram.flatMap(([value, times]) => Array<number>(times).fill(value));
  return { x: spread(arms.experiment), y: spread(arms.control) };
}

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} within ${tolerance}`);
}

describe('the location shift of two samples', () => {
  it('has the z values of the suite at given shifts', () => {
    const { x, y } = samples('Wilcoxon Diff Function');
    near(mannWhitneyZ(x, y, 0), -1.229416);
    near(mannWhitneyZ(x, y, 5), -35.80606);
  });

  it('has the interval and estimate of the suite for four values each', () => {
    const { lower, upper, estimate } = mannWhitneyShift([10, 20, 30, 40], [1, 2, 3, 4], 0.95);
    near(lower, 6);
    near(upper, 39);
    near(estimate, 22.5);
  });

  it('has the estimate of the suite\'s "Problem Case", which equals its upper limit', () => {
    const { x, y } = samples('Wilcoxon Diff Function');
    const { lower, upper, estimate } = mannWhitneyShift(x, y, 0.98);
    near(lower, -1.4808028936386108e-5);
    near(upper, 1.808255910873413e-5);
    near(estimate, 1.808255910873413e-5);
    assert.equal(estimate, upper);
  });

  it('ties out with R on 90 and on 180 values, as the suite does', () => {
    const small = samples('Mann-Whitney Confidence Interval & Estimate: Tie out with R Version');
    const ofSmall = mannWhitneyShift(small.x, small.y, 0.95);
    near(ofSmall.lower, -0.500002521696696);
    near(ofSmall.upper, -3.486287505871302e-5);
    near(ofSmall.estimate, -0.4999393907180323, 1e-4);
    const large = samples('Mann-Whitney Confidence Interval & Estimate: Tie out with R Version (Large)');
    const ofLarge = mannWhitneyShift(large.x, large.y, 0.98);
    near(ofLarge.lower, -0.4999173250549087);
    near(ofLarge.upper, -6.912685789769486e-6);
    near(ofLarge.estimate, -3.45044082729315e-5, 1e-4);
  });

  it('has the intermediate values of the suite, an inverted interval among them', () => {
    const { x, y } = samples('Mann-Whitney Intermediate Values / Variables');
    const [low, high] = [Math.min(...x) - Math.max(...y), Math.max(...x) - Math.min(...y)];
    near(low, -3.124999999999986);
    near(high, 5.555555555555557);
    const quantile = normalQuantile(0.025);
    near(-quantile, 1.9599639845400536);
    near(mannWhitneyZ(x, y, low) + quantile, 17.090968923762254);
    near(mannWhitneyZ(x, y, high) + quantile, -20.997687930433106);
    near(mannWhitneyZ(x, y, low) - quantile, 21.01089689284236);
    near(mannWhitneyZ(x, y, high) - quantile, -17.077759961353);
    const { lower, upper, estimate } = mannWhitneyShift(x, y, 0.95);
    near(lower, 3.521755377702165e-5);
    near(upper, 2.02456461662334e-5);
    near(estimate, 2.6279243045155653e-5);
    assert.ok(lower > upper);
  });

  it('has z as counted pair by pair, for any small samples with ties', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -3, max: 3 }), (x, y, shift) => {
        const all = [...x.map((value) => value - shift), ...y];
        fc.pre(new Set(all).size > 1);
        // U counted pair by pair instead of by ranks; ties by value.
        let u = 0;
        for (const a of x) for (const b of y) u += a - shift > b ? 1 : a - shift === b ? 0.5 : 0;
        const [m, n] = [x.length, y.length];
        const distance = u - (m * n) / 2;
        const ties = [...new Set(all)].map((value) => all.filter((other) => other === value).length);
        const tied = ties.reduce((sum, t) => sum + t ** 3 - t, 0);
        const variance = ((m * n) / 12) * (m + n + 1 - tied / ((m + n) * (m + n - 1)));
        const expected = (distance - 0.5 * Math.sign(distance)) / Math.sqrt(variance);
        near(mannWhitneyZ(x, y, shift), expected, 1e-12);
      }),
    );
  });

  it('refuses empty samples, numbers that are none, and constants', () => {
    assert.throws(() => mannWhitneyShift([], [1], 0.98), /sample x is empty/);
    assert.throws(() => mannWhitneyShift([1, 2], [Number.NaN], 0.98), /sample y must hold finite numbers, but has NaN/);
    assert.throws(() => mannWhitneyShift([2, 2], [1, 1], 0.98), /both samples are constant/);
    assert.throws(() => mannWhitneyShift([1, 2], [1, 3], 1), /confidence/);
  });
});

describe('the search for a zero', () => {
  it('is good to an absolute 1e-4 and no better', () => {
    const cube = (x: number) => x ** 3 - 2;
    const found = brentZero(cube, { low: 0, high: 5, atLow: cube(0), atHigh: cube(5) });
    near(found, Math.cbrt(2), 1e-4);
    const tiny = (x: number) => x - 1e-6;
    near(brentZero(tiny, { low: -1, high: 1, atLow: tiny(-1), atHigh: tiny(1) }), 1e-6, 1e-4);
  });

  it('gives an end of the bracket that is a zero', () => {
    assert.equal(
      brentZero((x) => x, { low: 0, high: 1, atLow: 0, atHigh: 1 }),
      0,
    );
    assert.equal(
      brentZero((x) => x - 1, { low: 0, high: 1, atLow: -1, atHigh: 0 }),
      1,
    );
  });
});

describe('the quantile of the normal distribution', () => {
  it('agrees with an independent one', () => {
    // statistics.NormalDist().inv_cdf(p) of Python 3, the same algorithm by other hands.
    const known: readonly (readonly [number, number])[] = [
      [1e-300, -37.0470962993612],
      [1e-20, -9.262340089798405],
      [1e-9, -5.9978070150076865],
      [0.001, -3.090232306167813],
      [0.01, -2.3263478740408408],
      [0.2, -0.8416212335729142],
      [0.5, 0],
      [0.6, 0.2533471031357998],
      [0.975, 1.9599639845400536],
      [0.999999, 4.753424308817089],
    ];
    for (const [p, value] of known) near(normalQuantile(p), value, 4e-15 * Math.max(1, Math.abs(value)));
  });

  it('refuses 0 and 1', () => {
    for (const p of [0, 1, -1, Number.NaN]) assert.throws(() => normalQuantile(p), /between 0 and 1/);
  });
});
