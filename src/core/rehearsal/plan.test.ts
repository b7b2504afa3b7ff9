// A plan is made of rehearsals: what it says must be what the engine does, the same every time, and honest where the
// traffic is not enough.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256Hex } from '../../lib/sha256.ts';
import type { Check } from '../model/check.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import { parsePolicyText } from '../policy/index.ts';
import { type PlanInput, planRelease } from './plan.ts';
import { planPast, planTruth, type World } from './plan-truth.ts';

function policyOf(more: string): ReleasePolicy {
  const text = `
apiVersion: haldane.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: shop}
spec:
  workload: {upstreams: {template: {version: v1, endpoints: ['127.0.0.1:1']}}}
  router: {gateway: {listen: 2}}
${more}`;
  const parsed = parsePolicyText(text, { hash: sha256Hex });
  if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.errors));
  const [document] = parsed.documents;
  if (document === undefined) throw new Error('no policy');
  return document.policy;
}

const ERRORS = '  checks: [{name: errors, metric: {errors: {}}, warmUp: 0s, tolerance: {ratio: 1.1, margin: 0.5%}}]';
const STAGES = '  stages: [{weight: 5, bake: 5m}, {weight: 25, bake: 5m}]';
const input = (policy: ReleasePolicy, more: Partial<PlanInput> = {}): PlanInput => ({
  policy,
  requestsPerSecond: 200,
  checks: { errors: { badRate: 0.001, requestsPerSecond: null } },
  harms: [{ times: 20 }, { rate: 1 }],
  runs: 12,
  seed: 'test',
  ...more,
});

describe('a plan', () => {
  const policy = policyOf(`${STAGES}\n${ERRORS}`);
  const plan = planRelease(input(policy));

  it('is the same for the same seed, and its rehearsals differ for another', () => {
    assert.deepEqual(planRelease(input(policy)), plan);
    assert.notDeepEqual(planRelease(input(policy, { seed: 'other' })), plan);
  });

  it('says of each stage what it gets and when a healthy version leaves it', () => {
    const [first, second] = plan.stages;
    assert.deepEqual([first?.perWindow, first?.perMinute, first?.bakeMs], [100, 600, 300_000]);
    assert.deepEqual(first?.reached.medianMs, 0);
    assert.equal(first?.left.medianMs, second?.reached.medianMs);
    assert.equal(first?.left.medianMs, 300_000);
    assert.equal(second?.left.medianMs, plan.healthy.promotedTimes.medianMs);
    assert.equal(plan.healthy.promoted, 1);
    assert.equal(plan.notPromoted, null);
  });

  it('catches the least harm that it says it catches', () => {
    const [errors] = plan.checks;
    assert.ok(errors?.smallestRate !== null && errors !== undefined);
    assert.ok(errors.smallestRate >= errors.acceptedRate);
    assert.ok((errors.confirmed?.aborted ?? 0) >= 0.5);
  });

  it('says what a bad version costs: the louder, the less', () => {
    const [loud, crash] = plan.harms;
    assert.deepEqual([loud?.canaryRate, crash?.canaryRate], [0.02, 1]);
    assert.equal(loud?.ends.aborted, 1);
    assert.equal(crash?.ends.aborted, 1);
    assert.ok((crash?.ends.canaryRequests ?? 0) < (loud?.ends.canaryRequests ?? 0));
    assert.ok(Math.abs((crash?.ends.canaryBad ?? 0) - (crash?.ends.canaryRequests ?? 1)) < 1e-9);
    assert.equal(loud?.isAccepted, false);
  });

  it('of more traffic detects smaller harm', () => {
    const more = planRelease(input(policy, { requestsPerSecond: 2_000, harms: [], runs: 4 }));
    assert.ok((more.checks[0]?.shownRate ?? 1) < (plan.checks[0]?.shownRate ?? 0));
  });
});

describe('honesty', () => {
  it('one request in a hundred seconds decides nothing, and the plan says why and how long it would take', () => {
    const policy = policyOf(`${STAGES}\n${ERRORS}\n  deadlines: {release: 1h}`);
    const plan = planRelease(input(policy, { requestsPerSecond: 0.01, runs: 4 }));
    assert.equal(plan.healthy.promoted, 0);
    assert.equal(plan.healthy.promotedTimes.medianMs, null);
    assert.equal(plan.notPromoted?.runs, plan.healthy.runs);
    assert.equal(plan.checks[0]?.smallestRate, null);
    assert.ok((plan.checks[0]?.refutesInMs ?? 0) > 100 * 3_600_000);
  });

  it('what people and other things decide is left out, and said', () => {
    const policy = policyOf(
      `  decision: manual
  stages: [{weight: 20, bake: 1m}]
  checks:
    - {name: errors, metric: {errors: {}}, warmUp: 0s}`,
    );
    const [errors] = policy.checks as [Check];
    const limit = { bound: 'above', value: 1e9 } as const;
    const memory: Check = { ...errors, name: 'memory', metric: GAUGE, tolerance: null, limit };
    const gated: ReleasePolicy = {
      ...policy,
      checks: [errors, memory],
      ramp: {
        kind: 'stages',
        stages: policy.ramp.kind === 'stages' ? policy.ramp.stages.map((stage) => ({ ...stage, gates: [GATE] })) : [],
      },
    };
    const plan = planRelease(input(gated, { runs: 4, harms: [] }));
    assert.equal(plan.healthy.promoted, 1);
    assert.match(plan.notes.join('\n'), /memory[\s\S]*waiting for ops[\s\S]*release is manual/);
  });

  it('an adaptive ramp is shown by its doublings', () => {
    const plan = planRelease(input(policyOf(`  ramp: {adaptive: bold}\n${ERRORS}`), { harms: [], runs: 4 }));
    assert.deepEqual(
      plan.stages.map(({ weightPercent }) => weightPercent),
      [5, 10, 20, 40, 50],
    );
    assert.equal(plan.healthy.promoted, 1);
  });

  it('numbers that cannot be are refused', () => {
    const policy = policyOf(`${STAGES}\n${ERRORS}`);
    assert.throws(() => planRelease(input(policy, { requestsPerSecond: 0 })), RangeError);
    assert.throws(() => planRelease(input(policy, { runs: 0 })), RangeError);
    const checks = { errors: { badRate: 1.5, requestsPerSecond: null } };
    assert.throws(() => planRelease(input(policy, { checks })), RangeError);
  });
});

const GAUGE = { kind: 'gauge', reading: 'residentMemoryBytes' } as const;
const GATE = { kind: 'approval', name: 'ops', approvals: 1 } as const;

describe('the world of a plan', () => {
  const [errors] = policyOf(ERRORS).checks as [Check];
  const latency: Check = { ...errors, name: 'latency', metric: { kind: 'latency', quantile: 0.99 } };
  const world: World = {
    requestsPerSecond: 1_000,
    quantileSeconds: 0.3,
    counted: 'latency',
    checks: [
      { check: errors, part: 0.5, stableRate: 0.01, canaryRate: 0.03 },
      { check: latency, part: 1, stableRate: 0.01, canaryRate: 0.05 },
    ],
  };

  it('has the rates it was given, and a slow part beyond the quantile', () => {
    const { canary, stable, others } = planTruth(world, 'seed').draw(0, 1_000, 50);
    const near = (value: number, wanted: number) =>
      assert.ok(Math.abs(value / wanted - 1) < 0.1, `${value} ~ ${wanted}`);
    const own = others?.errors ?? assert.fail('no counts of errors');
    near(own.canary.total, canary.total / 2);
    near(own.canary.bad / own.canary.total, 0.03);
    near(own.stable.bad / own.stable.total, 0.01);
    near(canary.bad / canary.total, 0.05);
    near(stable.bad / stable.total, 0.01);
    assert.equal(
      canary.latency?.reduce((a, b) => a + b, 0),
      canary.total,
    );
  });

  it('leaves the faster part of a slower canary as it was', () => {
    const { canary, stable } = planTruth(world, 'seed').draw(0, 10_000, 50);
    const [fastest = 0] = canary.latency ?? [];
    const [same = 0] = stable.latency ?? [];
    assert.ok(Math.abs(fastest / canary.total / (same / stable.total) - 1) < 0.02);
  });

  it('has a past of an hour with the same tails', () => {
    const { stable, boundaries } = planPast(world);
    assert.equal(stable.total, 3_600_000);
    assert.equal(boundaries?.at(-1), Infinity);
    const own = boundaries?.findIndex((seconds) => Math.abs(seconds - 0.3) < 1e-12) ?? -1;
    const slow = stable.latency?.slice(own + 1).reduce((a, b) => a + b, 0) ?? 0;
    assert.ok(Math.abs(slow / stable.total - 0.01) < 1e-6);
  });
});
