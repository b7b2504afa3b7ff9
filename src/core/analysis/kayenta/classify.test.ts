// One metric in Kayenta's way: the cases of its own ClassifierSuite and DetectorSuite (spinnaker/kayenta, a69573b), told
// again; long samples come from tools/golden/kayenta-suites.py. Weaknesses are in weaknesses.test.ts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { classifyKayentaMetric, type KayentaClassification } from './classify.ts';
import type { KayentaConfig, KayentaMetric } from './config.ts';
import { commonLanguageEffect, meanRatio } from './effect-size.ts';
import { percentileOf, prepareSeries, withoutOutliers } from './prepare.ts';

type Histogram = readonly (readonly [value: number, times: number])[];
type Arms = { readonly experiment: readonly number[]; readonly control: readonly number[] };

const SUITES: { readonly classifier: Readonly<Record<string, { experiment: Histogram; control: Histogram }>> } =
  JSON.parse(readFileSync(new URL('../../../../tools/golden/kayenta-suites.json', import.meta.url), 'utf8'));

/** The suite's usual classifier: tolerance 0.10, confidence 0.95. */
const SUITE: Partial<KayentaConfig> = { toleranceFraction: 0.1, confidence: 0.95 };

function samples(title: string): Arms {
  const arms = SUITES.classifier[`Mann-Whitney Classifier Test${title}`];
  assert.ok(arms !== undefined, title);
  const spread = (histogram: Histogram) => histogram.flatMap(([value, times]) => Array<number>(times).fill(value));
  return { experiment: spread(arms.experiment), control: spread(arms.control) };
}

function classify(arms: Arms, metric: Partial<KayentaMetric> = {}, config = SUITE): KayentaClassification {
  return classifyKayentaMetric({ name: 'm', groups: ['g'], ...metric }, { name: 'm', ...arms }, config);
}

const TENFOLD: Arms = { experiment: [20, 22, 21, 25, 30], control: [1, 2.2, 1.1, 2.5, 3] };
const same = (value: number): number[] => Array<number>(5).fill(value);

describe("Kayenta's own classifier cases", () => {
  it('tell pass, high and low apart, each in its direction only', () => {
    const [pass, high, low] = [samples(': Pass Metric'), samples(': High Metric'), samples(': Low Metric')];
    assert.equal(classify(pass).label, 'Pass');
    assert.equal(classify(high).label, 'High');
    assert.equal(classify(low).label, 'Low');
    assert.equal(classify(low, { direction: 'increase' }).label, 'Pass');
    assert.equal(classify(high, { direction: 'decrease' }).label, 'Pass');
    assert.equal(classify(high, { direction: 'increase' }).label, 'High');
    assert.equal(classify(high, { direction: 'increase' }).critical, false);
    assert.equal(classify(low, { direction: 'decrease' }).label, 'Low');
  });

  it('find a shift among many zeros, unless the effect must be five-fold', () => {
    const large = samples(': High Metric (Large Input)');
    assert.equal(classify(large).label, 'High');
    assert.equal(classify(large, { effectSize: { allowedDecrease: 1, allowedIncrease: 5 } }).label, 'Pass');
  });

  it('weigh the ratio of means', () => {
    const allowed = { allowedDecrease: 0.8, allowedIncrease: 1.2 };
    assert.equal(classify(TENFOLD, { effectSize: allowed }).label, 'High');
    const low = samples(': Low Metric');
    assert.equal(classify(low, { effectSize: allowed, direction: 'decrease' }).label, 'Low');
    const arms = { experiment: [10, 12.2, 10.1, 12.5, 23], control: [20, 22, 21, 25, 30] };
    assert.equal(classify(arms, { effectSize: { allowedDecrease: 0.5, allowedIncrease: 1 } }).label, 'Pass');
  });

  it('weigh the chance that a canary value is the larger', () => {
    const config = { toleranceFraction: 0.2, confidence: 0.98 };
    const cles = (allowedDecrease: number) =>
      ({ effectSize: { measure: 'cles', allowedDecrease, allowedIncrease: 0.8 } }) as const;
    assert.equal(classify(samples(' - CLES Effect Size: Pass'), cles(0.5), config).label, 'Pass');
    assert.equal(classify(samples(' - CLES Effect Size: High'), cles(0.2), config).label, 'High');
    assert.equal(classify(samples(' - CLES Effect Size: Low'), cles(0.2), config).label, 'Low');
  });

  it('are critical beyond the critical effect only', () => {
    const critical = (effectSize: KayentaMetric['effectSize'], arms = TENFOLD) => {
      const found = classify(arms, { critical: true, ...(effectSize && { effectSize }) });
      return [found.label, found.critical];
    };
    assert.deepEqual(critical({ criticalDecrease: 1, criticalIncrease: 1.2 }), ['High', true]);
    assert.deepEqual(critical(undefined), ['High', true]);
    assert.deepEqual(critical({ allowedIncrease: 5, criticalIncrease: 13 }), ['High', false]);
    assert.deepEqual(critical({ allowedIncrease: 13, criticalIncrease: 15 }), ['Pass', false]);
    const low = { experiment: [2, 2, 2, 2, 3], control: [10, 20.2, 10.1, 20.5, 30] };
    assert.deepEqual(critical({ criticalDecrease: 1.2, criticalIncrease: 1 }, low), ['Low', true]);
  });

  it('pass what is tied or identical', () => {
    const decrease = { direction: 'decrease' } as const;
    assert.equal(classify({ experiment: [1, 1, 1], control: [1, 1] }, decrease).label, 'Pass');
    assert.equal(classify({ experiment: [1, 2, 3, 4, 5], control: [5, 4, 3, 2, 1] }, decrease).label, 'Pass');
    assert.equal(classify({ experiment: [0, 1, 1, 1, 1], control: same(1) }, decrease).label, 'Pass');
    assert.equal(classify({ experiment: [1, 1, 1, 1, 10], control: same(1) }).label, 'Pass');
  });

  it('find constants that differ, by noise', () => {
    assert.equal(classify({ experiment: same(10), control: same(1) }).label, 'High');
    assert.equal(classify({ experiment: same(10), control: same(0) }).label, 'High');
  });

  it('judge against a mean of zero without an effect size', () => {
    const effectSize = { allowedDecrease: 0.8, allowedIncrease: 1.2 };
    const some = [54.9, 54.5, 55.1, 55.6, 57.4];
    const high = classify({ experiment: some, control: same(0) }, { effectSize });
    assert.deepEqual([high.label, high.meanRatio, high.effectSize], ['High', null, null]);
    const low = classify({ experiment: same(0), control: some }, { effectSize });
    assert.deepEqual([low.label, low.meanRatio], ['Low', null]);
    const pass = classify({ experiment: same(0), control: same(0) }, { effectSize });
    assert.deepEqual([pass.label, pass.meanRatio], ['Pass', 1]);
    const [a, b] = [0.05000000074505806, 0.01666666753590107];
    const experiment = [a, a, b, b, b, a, 0.03333333507180214, 0.05000000260770321, 0.05000000260770321, 0.1333333366];
    const critical = classify(
      { experiment, control: [...same(0), ...same(0)] },
      { critical: true, nanStrategy: 'replace', effectSize: { criticalDecrease: 0.8, criticalIncrease: 1.2 } },
    );
    assert.deepEqual([critical.label, critical.critical], ['High', true]);
  });

  it('label missing data by what the metric asks for', () => {
    const arms = { experiment: [], control: [1, 2, 3, 4, 5] };
    const label = (metric: Partial<KayentaMetric>) => {
      const found = classify(arms, metric);
      return [found.label, found.critical];
    };
    assert.deepEqual(label({}), ['Nodata', false]);
    assert.deepEqual(label({ critical: true }), ['Nodata', true]);
    assert.deepEqual(label({ mustHaveData: true }), ['NodataFailMetric', false]);
    assert.deepEqual(label({ mustHaveData: true, critical: true }), ['Nodata', true]);
    assert.deepEqual(label({ nanStrategy: 'replace', critical: true }), ['Pass', false]);
    assert.match(classify({ experiment: [], control: [] }).reason, /no data/);
  });
});

describe('a judgement that breaks', () => {
  it('is an Error that is never critical', () => {
    const found = classify({ experiment: [1, Number.POSITIVE_INFINITY], control: [1, 2] }, { critical: true });
    assert.deepEqual([found.label, found.critical], ['Error', false]);
  });
});

describe('values before they are compared', () => {
  const metric: KayentaMetric = { name: 'm', groups: [] };

  it('lose what is no number, or have 0 in its place', () => {
    assert.deepEqual(prepareSeries([1, Number.NaN, 2], metric), [1, 2]);
    assert.deepEqual(prepareSeries([1, Number.NaN, 2], { ...metric, nanStrategy: 'replace' }), [1, 0, 2]);
  });

  it("lose the outliers of Kayenta's detector cases", () => {
    const values = [21, 23, 24, 25, 50, 29, 23, 21];
    assert.deepEqual(withoutOutliers(values, 1.5, false), [21, 23, 24, 25, 29, 23, 21]);
    assert.deepEqual(withoutOutliers([1, 1, 1, 5, -1, -1, -1, -5], 1.5, false), [1, 1, 1, -1, -1, -1]);
    assert.deepEqual(withoutOutliers([], 1.5, false), []);
  });

  it('keep what lies within the 1st and 99th percentile, as the judge always asks', () => {
    const values = [...Array<number>(200).fill(1), ...same(9)];
    assert.equal(withoutOutliers(values, 3, false).length, 200);
    assert.equal(withoutOutliers(values, 3, true).length, 205);
    const one = prepareSeries([...Array<number>(300).fill(1), 9], { ...metric, outliers: { strategy: 'remove' } });
    assert.equal(one.length, 300);
  });

  it('have percentiles by estimate R-7', () => {
    // numpy.percentile([1, 2, 4, 8], [0, 25, 50, 99, 100]), whose default is R-7.
    const known = [1, 1.75, 3, 7.88, 8];
    for (const [i, p] of [0, 25, 50, 99, 100].entries()) {
      assert.ok(Math.abs(percentileOf([1, 2, 4, 8], p) - (known[i] ?? 0)) < 1e-14);
    }
  });
});

describe('effect sizes', () => {
  it('are a half and one for equal arms', () => {
    const arm = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(arm, (values) => {
        assert.equal(commonLanguageEffect(values, values), 0.5);
        assert.ok(Math.abs(meanRatio(values, values) - 1) < 1e-15);
      }),
    );
    assert.equal(commonLanguageEffect([1, 2], [3, 4]), 1);
    assert.ok(Number.isNaN(meanRatio([0], [1])));
  });
});
