// Scores and verdicts: the cases of Kayenta's own ScorerSuite (spinnaker/kayenta, a69573b), told again, and its edges.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KayentaClassification, KayentaLabel } from './classify.ts';
import type { KayentaConfig } from './config.ts';
import { judgeKayenta } from './judge.ts';
import { type KayentaScore, scoreKayenta } from './score.ts';

const THRESHOLDS = { pass: 95, marginal: 75 };

/** "pass@g1" is a metric with the label Pass in group g1; "!" makes it critical. */
function found(text: string): KayentaClassification {
  const [label = '', ...groups] = text.replace('!', '').split('@');
  return {
    metric: text,
    groups: groups.length === 0 ? ['g'] : groups,
    label: label as KayentaLabel,
    reason: `${text} it is`,
    critical: text.includes('!'),
    muted: false,
    controlCount: 60,
    experimentCount: 60,
    shift: null,
    meanRatio: 1,
    effectSize: null,
  };
}

function score(labels: readonly string[], groupWeights: Record<string, number> = {}): KayentaScore {
  return scoreKayenta(labels.map(found), { groupWeights, thresholds: THRESHOLDS });
}

describe("Kayenta's own scorer cases", () => {
  it('have the scores of the suite', () => {
    const halves = { g1: 50, g2: 50 };
    const cases: readonly (readonly [string[], Record<string, number>, number])[] = [
      [['Pass'], {}, 100],
      [['High'], {}, 0],
      [['Nodata'], {}, 0],
      [['Pass@g1', 'Pass@g1', 'Nodata@g2'], {}, 100],
      [['Pass', 'High'], {}, 50],
      [['Pass', 'High', 'Low'], {}, 33.33],
      [['Pass@g1', 'Pass@g1', 'High@g2'], { g1: 75, g2: 25 }, 75],
      [['Pass@g1', 'High@g1', 'High@g2'], halves, 25],
      [['Pass@g1', 'Nodata@g1', 'High@g2'], halves, 50],
      [['Pass', 'High!'], {}, 0],
      [['Low', 'Pass!'], {}, 50],
      [['Pass', 'Nodata!'], {}, 0],
      [['High@g1', 'Low@g1', 'Pass@g1', 'High@g2'], { g1: 15, g2: 85 }, 5],
    ];
    for (const [labels, weights, expected] of cases) assert.equal(score(labels, weights).score, expected, `${labels}`);
  });
});

describe('a score', () => {
  it('counts an empty group as 100 in the sum and shows it as 0', () => {
    const { groups, score: sum } = score(['Pass@g1', 'Pass@g1', 'Nodata@g2']);
    assert.deepEqual(
      groups.map(({ name, score: of, noData }) => [name, of, noData]),
      [
        ['g1', 100, false],
        ['g2', 0, true],
      ],
    );
    assert.equal(sum, 100);
  });

  it('is 0 with half of the metrics without data, and says so', () => {
    const { score: sum, reason, verdict } = score(['Pass', 'Nodata']);
    assert.deepEqual([sum, verdict], [0, 'Fail']);
    assert.equal(reason, 'no data for 1 of 2 metrics');
  });

  it('counts a broken metric nowhere, even where most are broken', () => {
    assert.equal(score(['Pass', 'Error', 'Error', 'Error']).score, 100);
  });

  it('counts a metric in each of its groups, and required data that is missing as a failure', () => {
    assert.equal(score(['Pass@g1@g2', 'High@g2'], { g1: 50, g2: 50 }).score, 75);
    assert.equal(score(['Pass', 'Pass', 'Pass', 'NodataFailMetric']).score, 75);
  });

  it('gives groups without a weight the rest of 100, be it negative', () => {
    assert.equal(score(['Pass@g1', 'High@g2', 'Pass@g3'], { g1: 60 }).score, 80);
    assert.equal(score(['High@g1', 'Pass@g2'], { g1: 120 }).score, -20);
  });

  it('is Pass and Marginal from the thresholds on, inclusive', () => {
    const verdict = (pass: number, marginal: number) =>
      scoreKayenta(['Pass', 'High'].map(found), { thresholds: { pass, marginal } }).verdict;
    assert.deepEqual([verdict(50, 25), verdict(50.01, 50), verdict(90, 50.01)], ['Pass', 'Marginal', 'Fail']);
  });
});

describe('a judgement', () => {
  const config: KayentaConfig = {
    metrics: [
      { name: 'errors', groups: ['http'], direction: 'increase' },
      { name: 'heap', groups: ['system'], muted: true },
    ],
    thresholds: THRESHOLDS,
  };
  const control = [1, 2, 1, 2, 3, 1, 2, 3, 1, 2];
  const worse = control.map((value) => value + 10);

  it('leaves muted metrics out of the score and shows them', () => {
    const judged = judgeKayenta(config, [
      { name: 'errors', control, experiment: [...control].reverse() },
      { name: 'heap', control, experiment: worse },
    ]);
    assert.equal(judged.score, 100);
    assert.deepEqual(
      judged.classifications.map(({ label }) => label),
      ['Pass', 'High'],
    );
  });

  it('shows the interval behind the label', () => {
    const [found] = judgeKayenta(config, [{ name: 'errors', control, experiment: worse }]).classifications;
    assert.equal(found?.label, 'High');
    assert.ok(found?.shift && found.shift.lower > 2 && found.shift.upper < 12);
    assert.match(found.reason, /^errors: High; the shift lies between/);
  });

  it('refuses unknown metrics and unknown settings', () => {
    assert.throws(() => judgeKayenta(config, [{ name: 'cpu', control, experiment: control }]), /no metric "cpu"/);
    const bad = (metric: object) => () =>
      judgeKayenta({ ...config, metrics: [{ name: 'm', groups: [], ...metric }] }, []);
    assert.throws(bad({ direction: 'up' }), /metric "m": direction must be increase, decrease, either, but is "up"/);
    assert.throws(bad({ nanStrategy: 'none' }), /nanStrategy/);
    assert.throws(bad({ outliers: { strategy: 'none' } }), /outliers.strategy/);
    assert.throws(bad({ outliers: { strategy: 'keep', factor: 0 } }), /factor/);
    assert.throws(bad({ effectSize: { measure: 'cohen' } }), /effectSize.measure/);
    assert.throws(() => judgeKayenta({ ...config, groupWeights: { http: -1 } }, []), /group "http"/);
    assert.throws(() => judgeKayenta({ ...config, thresholds: { pass: Number.NaN, marginal: 1 } }, []), /thresholds/);
  });
});
