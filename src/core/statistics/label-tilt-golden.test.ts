// Compares evidence on scores and shares with tools/golden/scores.json, made by an independent script in 60-digit decimals
// that multiplies event by event. Refuses loose tolerances: 1e-10 relative.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { addAsymptoticTick, asymptoticBand, type Sides, startAsymptoticMean } from './asymptotic-mean.ts';
import {
  addMeanTick,
  logAboveE,
  logBelowE,
  lowerDifference,
  meanDifference,
  startBoundedMean,
  upperDifference,
} from './bounded-mean.ts';
import { addScores, logScoreHarmE, startLabelTilt } from './label-tilt.ts';
import type { ScoreTick } from './label-tilt-scores.ts';
import { addShareTick, logSampleRatioE, type ShareTick, startSampleRatio } from './sample-ratio.ts';
import { logConstantSampleRatioE } from './sample-ratio-constant.ts';

interface Golden {
  readonly scores: readonly {
    readonly title: string;
    readonly levels: readonly number[];
    readonly ticks: readonly ScoreTick[];
    readonly toleranceRatio: number;
    readonly dispersion: number;
    readonly decrease: number;
    readonly increase: number;
    readonly above: readonly [number, number][];
    readonly below: readonly [number, number][];
    readonly lower: number;
    readonly upper: number;
    readonly bands: readonly {
      readonly alpha: number;
      readonly tuneTo: number;
      readonly sides: Sides;
      readonly estimate: number;
      readonly half: number;
    }[];
  }[];
  readonly shares: readonly {
    readonly dispersion: number;
    readonly ticks: readonly ShareTick[];
    readonly logE: number;
  }[];
  readonly constantShares: readonly {
    readonly counts: readonly number[];
    readonly weights: readonly number[];
    readonly logE: number;
  }[];
}

const file = new URL('../../../tools/golden/scores.json', import.meta.url);
const golden: Golden = JSON.parse(readFileSync(file, 'utf8'));

function near(actual: number, expected: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= 1e-10 * Math.max(0.1, Math.abs(expected)),
    `${what}: ${actual}, ${expected}`,
  );
}

describe('golden numbers on scores and shares', () => {
  for (const scenario of golden.scores) {
    const { levels, ticks, toleranceRatio, dispersion } = scenario;

    it(`label-tilt evidence matches in "${scenario.title}"`, () => {
      for (const harm of ['decrease', 'increase'] as const) {
        const options = { harm, levels, dispersion, tickMs: 15_000 };
        const state = ticks.reduce((before, tick) => addScores(before, tick, options), startLabelTilt(options));
        near(logScoreHarmE(state), scenario[harm], harm);
      }
    });

    it(`bounds on the difference of means match in "${scenario.title}"`, () => {
      const options = { toleranceRatio, levels, dispersion };
      const state = ticks.reduce((before, tick) => addMeanTick(before, tick, options), startBoundedMean(options));
      for (const [at, log] of scenario.above) near(logAboveE(state, at), log, `above ${at}`);
      for (const [at, log] of scenario.below) near(logBelowE(state, at), log, `below ${at}`);
      near(lowerDifference(state, 0.05), scenario.lower, 'lower');
      near(upperDifference(state, 0.05), scenario.upper, 'upper');
      near(meanDifference(state) ?? Number.NaN, scenario.bands[0]?.estimate ?? 0, 'estimate');
    });

    it(`the band for display matches in "${scenario.title}"`, () => {
      const options = { toleranceRatio, levels };
      const start = startAsymptoticMean(options);
      const state = ticks.reduce((before, tick) => addAsymptoticTick(before, tick, options), start);
      for (const { alpha, tuneTo, sides, estimate, half } of scenario.bands) {
        const band = asymptoticBand(state, { alpha, tuneTo, sides, burnIn: 1 });
        near(band?.estimate ?? Number.NaN, estimate, 'estimate');
        near((band?.estimate ?? Number.NaN) - (band?.lower ?? 0), half, `half width, ${sides}`);
      }
    });
  }

  it('evidence of a sample-ratio mismatch matches', () => {
    for (const { dispersion, ticks, logE } of golden.shares) {
      const options = { dispersion, tickMs: 15_000 };
      const state = ticks.reduce((before, tick) => addShareTick(before, tick, options), startSampleRatio(options));
      near(logSampleRatioE(state), logE, `dispersion ${dispersion}`);
    }
  });

  it('the closed form for constant weights matches exact factorials', () => {
    for (const { counts, weights, logE } of golden.constantShares) {
      near(logConstantSampleRatioE(counts, weights), logE, `${counts}`);
    }
  });
});
