// The closed form against the published limit, and against itself.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check } from '../model/check.ts';
import { canaryRequestsToTell } from '../statistics/index.ts';
import {
  acceptedRate,
  msToRefuteHarm,
  msToShowHarm,
  type PlannedQuestion,
  smallestShownRate,
} from './plan-detectable.ts';

const CHECK: Check = {
  name: 'errors',
  metric: { kind: 'errors' },
  selector: { routes: null, methods: null },
  role: 'required',
  tolerance: { ratio: 1, margin: 0.002, harmMargin: 0, atDeadline: null, bucketShift: 0 },
  limit: null,
  direction: 'increase',
  weight: 5,
  warmUpMs: 0,
  noDataMs: 120_000,
  clusterCap: 1,
  rule: null,
};
const QUESTION: PlannedQuestion = {
  check: CHECK,
  evidenceShare: 1,
  alphaAbort: 0.01,
  alphaPromote: 0.05,
  requestsPerSecond: 100,
  baseRate: 0.001,
};
const AT = { weightPercent: 5, intervalMs: 10_000 };

describe('what traffic can show', () => {
  it('is 1.5 times the information limit: 1252 canary requests for 0.1 to 0.5 % at a share of 5 %', () => {
    // Statistics 4, the table of the limit: L2 at 5 % is 1252; five canary requests a second, windows of ten seconds.
    assert.equal(msToShowHarm(QUESTION, 0.005, AT), Math.ceil((1.5 * 1252) / 50) * 10_000);
  });

  it('costs more with a smaller part of the evidence, and nothing shows where there is no harm', () => {
    const half = msToShowHarm({ ...QUESTION, evidenceShare: 0.5 }, 0.005, AT);
    assert.ok(half > msToShowHarm(QUESTION, 0.005, AT));
    assert.equal(msToShowHarm(QUESTION, 0.001, AT), Infinity);
    assert.equal(msToShowHarm({ ...QUESTION, evidenceShare: 0 }, 1, AT), Infinity);
  });

  it('takes two windows at least, however loud the harm is', () => {
    assert.equal(msToShowHarm({ ...QUESTION, requestsPerSecond: 1e6 }, 1, AT), 20_000);
  });

  it('has a smallest rate, which takes as long as there is', () => {
    for (const ms of [600_000, 6_000_000]) {
      const rate = smallestShownRate(QUESTION, [{ weightPercent: 5, ms }]) ?? 1;
      const took = msToShowHarm(QUESTION, rate, { ...AT, intervalMs: 1 });
      assert.ok(Math.abs(took / ms - 1) < 0.001, `${took} of ${ms}`);
    }
  });

  it('is nothing at all where hardly anybody comes', () => {
    const alone = { ...QUESTION, requestsPerSecond: 0.001 };
    assert.equal(smallestShownRate(alone, [{ weightPercent: 1, ms: 3_600_000 }]), null);
  });

  it('adds up over stages: two of half an hour are as one of an hour', () => {
    const half = { weightPercent: 10, ms: 1_800_000 };
    const one = smallestShownRate(QUESTION, [{ weightPercent: 10, ms: 3_600_000 }]) ?? 0;
    const two = smallestShownRate(QUESTION, [half, half]) ?? 1;
    assert.ok(Math.abs(one - two) < 1e-12);
  });
});

describe('what the tolerance accepts', () => {
  it('is ratio and margin, and never beyond the limit', () => {
    const tolerance = { ratio: 1.5, margin: 0.002, harmMargin: 0, atDeadline: null, bucketShift: 0 };
    assert.ok(Math.abs(acceptedRate({ ...QUESTION, check: { ...CHECK, tolerance } }) - 0.0035) < 1e-12);
    const limit = { bound: 'above', value: 0.003 } as const;
    assert.equal(acceptedRate({ ...QUESTION, check: { ...CHECK, tolerance, limit } }), 0.003);
    assert.equal(acceptedRate({ ...QUESTION, check: { ...CHECK, tolerance: null, limit } }), 0.003);
  });

  it('is in odds for latency', () => {
    const tolerance = { ratio: 2, margin: 0, harmMargin: 0, atDeadline: null, bucketShift: 0 };
    const check: Check = { ...CHECK, metric: { kind: 'latency', quantile: 0.5 }, tolerance };
    // Odds of 1 to 1, doubled: two thirds.
    assert.ok(Math.abs(acceptedRate({ ...QUESTION, check, baseRate: 0.5 }) - 2 / 3) < 1e-12);
  });
});

describe('how long a healthy version needs', () => {
  it('is 1.4 times the limit of its proof', () => {
    const limit = canaryRequestsToTell(
      { canaryRate: 0.001, stableRate: 0.001, share: 0.1, toleranceRatio: 1, margin: 0.002 },
      { alpha: 0.05 },
    );
    assert.ok(Math.abs(msToRefuteHarm(QUESTION, 10) - 1.4 * limit * 100) < 1);
  });

  it('is for ever where the base rate is over the limit already', () => {
    const check: Check = { ...CHECK, tolerance: null, limit: { bound: 'above', value: 0.001 } };
    assert.equal(msToRefuteHarm({ ...QUESTION, check, baseRate: 0.002 }, 10), Infinity);
  });
});
