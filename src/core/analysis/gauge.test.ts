import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check } from '../model/check.ts';
import type { Sample } from '../model/measurement.ts';
import { type AnalysisSettings, startEvidence } from './evidence.ts';
import { foldWindow } from './fold.ts';
import { judge } from './judge.ts';

const settings: AnalysisSettings = { intervalMs: 10_000, alphaAbort: 0.01, alphaPromote: 0.05 };

const memory: Check = {
  name: 'memory',
  metric: { kind: 'gauge', reading: 'residentMemoryBytes' },
  selector: { routes: null, methods: null },
  role: 'required',
  tolerance: null,
  limit: { bound: 'above', value: 1000 },
  direction: 'increase',
  weight: 1,
  warmUpMs: 0,
  noDataMs: 60_000,
  clusterCap: 1,
  rule: null,
};

function verdictAfter(readings: number, canary: (i: number) => number, stable: readonly number[] = [400, 410, 390]) {
  let evidence = startEvidence(memory, settings);
  for (let i = 0; i < readings; i++) {
    const byRevision: Record<string, Sample> = {
      c: { kind: 'gauge', values: [canary(i)] },
      s: { kind: 'gauge', values: stable },
    };
    const reading = { kind: 'samples', byRevision } as const;
    const window = {
      reading,
      stable: 's',
      canary: 'c',
      passedMs: 10_000,
      warmingUp: false,
      weightPercent: 10,
      settings,
    };
    evidence = foldWindow(memory, evidence, window);
  }
  return judge(memory, evidence, { settings, share: 0, nextWeightPercent: 20, badPerInterval: 10 });
}

describe('a gauge beside its limit', () => {
  it('holds a promotion while it rises so that it would be at the limit within the hour, and says when', () => {
    const verdict = verdictAfter(60, (i) => 400 + 2 * i + (i % 3));
    assert.equal(verdict.promotion.outcome, 'undecided');
    assert.match(verdict.message, /would be at its limit in about \d+ min/);
  });

  it('lets a promotion pass while it swings, and while it rises too slowly to matter', () => {
    assert.equal(verdictAfter(60, (i) => 400 + 100 * Math.sin(i)).promotion.outcome, 'pass');
    assert.equal(verdictAfter(60, (i) => 400 + 0.05 * i).promotion.outcome, 'pass');
  });

  it('says where the canary stands among the replicas, and that this is a guardrail and no evidence', () => {
    const verdict = verdictAfter(24, (i) => 600 + (i % 2));
    assert.match(verdict.message, /the worst of 4 replicas in 4 of 4 blocks \(a guardrail, not evidence\)/);
    assert.match(verdictAfter(24, (i) => 100 + (i % 2)).message, /in 0 of 4 blocks/);
  });

  it('begins its blocks anew when a replica comes or goes', () => {
    let evidence = startEvidence(memory, settings);
    for (let i = 0; i < 18; i++) {
      const stable = i < 12 ? [1, 2] : [1, 2, 3];
      const byRevision: Record<string, Sample> = {
        c: { kind: 'gauge', values: [5] },
        s: { kind: 'gauge', values: stable },
      };
      const reading = { kind: 'samples', byRevision } as const;
      const window = {
        reading,
        stable: 's',
        canary: 'c',
        passedMs: 10_000,
        warmingUp: false,
        weightPercent: 10,
        settings,
      };
      evidence = foldWindow(memory, evidence, window);
    }
    assert.equal(evidence.gauge?.blocks.length, 1);
  });
});
