import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { samplePolicy } from '../../test/views/samples.ts';
import type { Check } from '../core/model/check.ts';
import { detectionOf } from './detection.ts';

const [errors] = samplePolicy.checks as [Check];
const policy = { ...samplePolicy, checks: [errors] };

describe('whether a check is able to fail', () => {
  it('is shown by its own statistics on harm made up for it, sooner with more traffic', () => {
    const few = detectionOf(policy, errors, { perSecond: 20, badRate: 0.002 });
    const many = detectionOf(policy, errors, { perSecond: 2_000, badRate: 0.002 });
    assert.ok(few.detectsInMs !== null && many.detectsInMs !== null);
    assert.ok(many.detectsInMs < few.detectsInMs, `${many.detectsInMs} < ${few.detectsInMs}`);
    assert.match(many.harm, /1\.\d\d % errors beside 0\.20 %/);
  });

  it('is denied without traffic, for a check that only informs, and within a deadline that is too short', () => {
    assert.deepEqual(detectionOf(policy, errors, { perSecond: 0, badRate: null }).detectsInMs, null);
    const told: Check = { ...errors, role: 'informational' };
    const informed = detectionOf({ ...policy, checks: [told] }, told, { perSecond: 1_000, badRate: 0 });
    assert.match(informed.note ?? '', /never ends a release/);
    const hurried = { ...policy, deadlines: { ...policy.deadlines, releaseMs: 20_000 } };
    assert.equal(detectionOf(hurried, errors, { perSecond: 1, badRate: 0 }).detectsInMs, null);
  });

  it('is told of rules without odds: every look fails, and the rule counts', () => {
    const flagger = {
      kind: 'flagger',
      intervalMs: 60_000,
      min: 99,
      max: null,
      failures: 5,
      emptyIsFailure: false,
    } as const;
    const argo = {
      kind: 'argo',
      intervalMs: 60_000,
      initialDelayMs: 120_000,
      successCondition: 'result[0] >= 0.99',
      failureCondition: null,
      count: null,
      failureLimit: 3,
      inconclusiveLimit: 0,
      consecutiveErrorLimit: 4,
      consecutiveSuccessLimit: 0,
    } as const;
    const times = { stepMs: 60_000, intervalMs: 600_000, lifetimeMs: 1_800_000, lookbackMs: 0 };
    const config = { metrics: [], groupWeights: {}, pass: 95, marginal: 75, ...times };
    const found = (change: Partial<Check>, perSecond = 10) => {
      const check = { ...errors, tolerance: null, ...change };
      return detectionOf({ ...policy, checks: [check] }, check, { perSecond, badRate: 0 });
    };
    assert.equal(found({ rule: flagger }).detectsInMs, 360_000);
    assert.equal(found({ rule: argo }).detectsInMs, 300_000);
    assert.equal(found({ metric: { kind: 'kayenta', config } }).detectsInMs, 600_000);
    assert.equal(found({ rule: { ...argo, failureLimit: -1 } }).detectsInMs, null);
    assert.equal(found({ rule: flagger }, 0).note, 'there is no traffic now');
    assert.match(found({ rule: flagger, role: 'informational' }).note ?? '', /never ends a release/);
  });

  it('holds for every metric', () => {
    const metrics: Check[] = [
      { ...errors, metric: { kind: 'latency', quantile: 0.99 } },
      { ...errors, tolerance: null, limit: { bound: 'above', value: 0.02 } },
      {
        ...errors,
        metric: { kind: 'latency', quantile: 0.95 },
        tolerance: null,
        limit: { bound: 'above', value: 0.3 },
      },
      {
        ...errors,
        metric: { kind: 'gauge', reading: 'cpuPercent' },
        tolerance: null,
        limit: { bound: 'above', value: 80 },
      },
    ];
    for (const check of metrics) {
      const found = detectionOf({ ...policy, checks: [check] }, check, { perSecond: 1_000, badRate: 0.01 });
      assert.ok(found.detectsInMs !== null && found.detectsInMs > 0, JSON.stringify(found));
    }
  });
});
