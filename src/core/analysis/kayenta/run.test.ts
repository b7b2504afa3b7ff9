// The standalone analysis over time: windows, due times, and the edges of its thresholds, which differ from the judge's.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type KayentaRunSettings,
  type KayentaRunState,
  kayentaJudgements,
  kayentaStep,
  nextKayentaWindow,
  startKayentaRun,
} from './run.ts';

const HOUR_MS = 3_600_000;
const SETTINGS: KayentaRunSettings = {
  startMs: 0,
  lifetimeMinutes: 180,
  intervalMinutes: 60,
  thresholds: { pass: 95, marginal: 75 },
};

function windows(settings: KayentaRunSettings): (readonly number[])[] {
  const seen: (readonly number[])[] = [];
  let state = startKayentaRun(settings);
  for (;;) {
    const window = nextKayentaWindow(settings, state);
    if (window === undefined) return seen;
    seen.push([window.dueMs / HOUR_MS, window.fromMs / HOUR_MS, window.toMs / HOUR_MS]);
    state = kayentaStep(settings, state, 100);
  }
}

function after(...scores: readonly (number | null)[]): KayentaRunState {
  return scores.reduce<KayentaRunState>(
    (state, score) => kayentaStep(SETTINGS, state, score),
    startKayentaRun(SETTINGS),
  );
}

describe('the windows of a run', () => {
  it('grow from the start, or slide with a lookback', () => {
    assert.deepEqual(windows(SETTINGS), [
      [1, 0, 1],
      [2, 0, 2],
      [3, 0, 3],
    ]);
    assert.deepEqual(windows({ ...SETTINGS, lookbackMinutes: 30 }), [
      [1, 0.5, 1],
      [2, 1.5, 2],
      [3, 2.5, 3],
    ]);
  });

  it('begin after the warm-up', () => {
    assert.deepEqual(windows({ ...SETTINGS, beginAfterMinutes: 30, lifetimeMinutes: 60 }), [[1.5, 0.5, 1.5]]);
  });

  it('are judged at once where they lie in the past, without a warm-up', () => {
    const past = {
      ...SETTINGS,
      retrospective: true,
      beginAfterMinutes: 30,
      startMs: 5 * HOUR_MS,
      lifetimeMinutes: 120,
    };
    assert.deepEqual(windows(past), [
      [5, 5, 6],
      [5, 5, 7],
    ]);
  });

  it('are as many as whole intervals fit; one of the whole lifetime without a usable interval', () => {
    assert.equal(kayentaJudgements({ ...SETTINGS, lifetimeMinutes: 170 }), 2);
    const { intervalMinutes: _, ...without } = SETTINGS;
    assert.equal(kayentaJudgements(without), 1);
    assert.equal(kayentaJudgements({ ...SETTINGS, intervalMinutes: 0 }), 1);
    assert.equal(kayentaJudgements({ ...SETTINGS, intervalMinutes: 300 }), 1);
    assert.throws(() => startKayentaRun({ ...SETTINGS, lifetimeMinutes: 0 }), /lifetime/);
  });
});

describe('a run', () => {
  it('passes if each score is above marginal and the last one reaches pass', () => {
    assert.equal(after(76, 80, 95).end, 'passed');
    assert.equal(after(100, 100).end, 'running');
    const low = after(100, 100, 94.99);
    assert.deepEqual([low.end, low.reason], ['failed', 'the final score 94.99 is below the pass threshold of 95']);
  });

  it('fails early at the marginal threshold itself, which the judge still calls Marginal', () => {
    const state = after(100, 75);
    assert.deepEqual([state.end, state.reason], ['failed', 'score 75 is not above the marginal threshold of 75']);
    assert.equal(nextKayentaWindow(SETTINGS, state), undefined);
    assert.throws(() => kayentaStep(SETTINGS, state, 100), /ended already/);
  });

  it('fails if a judgement breaks, which counts 0', () => {
    assert.deepEqual(after(100, null), { scores: [100, 0], end: 'failed', reason: 'judgement 2 broke' });
  });

  it('is plain data', () => {
    const state = after(100, 80);
    assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
  });
});
