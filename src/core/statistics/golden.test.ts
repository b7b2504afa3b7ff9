// Compares the room with tools/golden/statistics.json, made by an independent script in 60-digit decimals from the
// unsimplified formulas. Refuses loose tolerances: 1e-11 relative.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  addAbsoluteTick,
  addTick,
  binomialInterval,
  incompleteBeta,
  logAbsoluteHarmE,
  logAbsoluteNoHarmE,
  logGamma,
  logHarmE,
  logNoHarmE,
  logPlainHarmE,
  lowerExcess,
  lowerRate,
  type RateRatioOptions,
  startAbsoluteRate,
  startRateRatio,
  upperExcess,
  upperRate,
} from './index.ts';

interface Golden {
  readonly evidence: readonly {
    readonly title: string;
    readonly options: RateRatioOptions;
    readonly ticks: readonly [number, number, number, number][];
    readonly logHarmE: number;
    readonly logPlainHarmE: readonly [number, number][];
    readonly logNoHarmE: readonly [number, number][];
    readonly upperExcess: number;
    readonly lowerExcess: number;
  }[];
  readonly absolute: readonly {
    readonly limitRate: number;
    readonly total: number;
    readonly bad: number;
    readonly logHarmE: number;
    readonly logNoHarmE: number;
    readonly upper: number;
    readonly lower: number;
  }[];
  readonly binomial: readonly {
    readonly successes: number;
    readonly n: number;
    readonly confidence: number;
    readonly lower: number;
    readonly upper: number;
  }[];
  readonly incompleteBeta: readonly {
    readonly x: number;
    readonly a: number;
    readonly b: number;
    readonly value: number;
  }[];
  readonly logGamma: readonly [number, number][];
}

const file = new URL('../../../tools/golden/statistics.json', import.meta.url);
const golden: Golden = JSON.parse(readFileSync(file, 'utf8'));

function near(actual: number, expected: number, what: string, tolerance = 1e-11): void {
  const allowed = tolerance * Math.max(1e-3, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= allowed, `${what}: got ${actual}, golden ${expected}`);
}

describe('golden numbers', () => {
  for (const scenario of golden.evidence) {
    it(`rate-ratio evidence and bounds match in "${scenario.title}"`, () => {
      const { options } = scenario;
      let state = startRateRatio(options);
      for (const [canaryTotal, canaryBad, stableTotal, stableBad] of scenario.ticks) {
        state = addTick(state, { canaryTotal, canaryBad, stableTotal, stableBad }, options);
      }
      near(logHarmE(state), scenario.logHarmE, 'logHarmE');
      for (const [excess, log] of scenario.logPlainHarmE) near(logPlainHarmE(state, excess), log, `plain ${excess}`);
      for (const [excess, log] of scenario.logNoHarmE) near(logNoHarmE(state, excess), log, `no harm ${excess}`);
      near(upperExcess(state, 0.05), scenario.upperExcess, 'upperExcess');
      near(lowerExcess(state, 0.05), scenario.lowerExcess, 'lowerExcess');
    });
  }

  it('absolute limits match', () => {
    for (const row of golden.absolute) {
      const options = { limitRate: row.limitRate, tickMs: 10_000 };
      const state = addAbsoluteTick(startAbsoluteRate(options), { total: row.total, bad: row.bad }, options);
      near(logAbsoluteHarmE(state), row.logHarmE, 'logAbsoluteHarmE');
      near(logAbsoluteNoHarmE(state), row.logNoHarmE, 'logAbsoluteNoHarmE');
      near(upperRate(state, 0.05), row.upper, 'upperRate');
      near(lowerRate(state, 0.05), row.lower, 'lowerRate');
    }
  });

  it('exact binomial limits match', () => {
    for (const row of golden.binomial) {
      const { lower, upper } = binomialInterval(row.successes, row.n, row.confidence);
      near(lower, row.lower, `lower of ${row.successes}/${row.n}`);
      near(upper, row.upper, `upper of ${row.successes}/${row.n}`);
    }
  });

  it('the incomplete beta function matches exact binomial tails', () => {
    for (const { x, a, b, value } of golden.incompleteBeta) {
      assert.ok(Math.abs(incompleteBeta(x, a, b) / value - 1) < 1e-12, `I_${x}(${a}, ${b}) against ${value}`);
    }
  });

  it('ln Γ is good to 1e-14', () => {
    for (const [x, value] of golden.logGamma) near(logGamma(x), value, `logGamma(${x})`, 1e-14 * (value < 1 ? 1e3 : 1));
  });
});
