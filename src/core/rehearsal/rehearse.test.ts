import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compilePolicy } from '../policy/index.ts';
import { constantTruth } from './constant-truth.ts';
import { type RehearsalInput, rehearse } from './rehearse.ts';
import type { Truth } from './truth.ts';

const HOUR_MS = 3_600_000;

function policyOf(spec: Record<string, unknown> = {}) {
  const compiled = compilePolicy(
    {
      apiVersion: 'haldane.dev/v1alpha1',
      kind: 'ReleasePolicy',
      metadata: { name: 'shop' },
      spec: {
        workload: { processes: { replicas: 2, template: { version: 'v2', command: ['node', 'server.js'] } } },
        checks: [{ name: 'errors', metric: { errors: {} } }],
        ...spec,
      },
    },
    () => 'abcdef0123456789',
  );
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.errors));
  return compiled.policy;
}

const truth = (seed: string, stableErrorRate: number, canaryErrorRate: number): Truth =>
  constantTruth({ seed, requestsPerSecond: 100, stableErrorRate, canaryErrorRate });

function run(given: Partial<RehearsalInput> & { readonly truth: Truth }) {
  return rehearse({ policy: policyOf(), horizonMs: 3 * HOUR_MS, past: null, ...given });
}

describe('a rehearsal', () => {
  it('promotes a version like stable, and aborts one ten times worse', () => {
    assert.equal(run({ truth: truth('a', 0.001, 0.001) }).end, 'promoted');
    const bad = run({ truth: truth('a', 0.001, 0.01) });
    assert.equal(bad.end, 'aborted');
    assert.equal(bad.weights.at(-1)?.[1], 0);
    assert.equal(bad.verdicts[0]?.outcome, 'fail');
  });

  it('is the same for the same seed, and another for another', () => {
    const once = (seed: string) => run({ truth: truth(seed, 0.01, 0.02) });
    assert.deepEqual(once('a'), once('a'));
    assert.notDeepEqual(once('a'), once('b'));
  });

  it('asks for every moment once and in order, with the weight of that moment', () => {
    const spans: [number, number, number][] = [];
    const inner = truth('a', 0.001, 0.001);
    const watched: Truth = {
      ...inner,
      draw(from, to, weight) {
        spans.push([from, to, weight]);
        return inner.draw(from, to, weight);
      },
    };
    const result = run({ truth: watched, metricsLagMs: 15_000 });
    let endOfLast = 0;
    for (const [from, to, weight] of spans) {
      assert.equal(from, endOfLast);
      assert.ok(to > from);
      const expected = result.weights.findLast(([at]) => at / 1000 <= from)?.[1];
      assert.equal(weight, expected);
      endOfLast = to;
    }
    assert.equal(endOfLast * 1000, result.atMs);
  });

  it('decides later by about the lag when the metrics lag', () => {
    const at = (metricsLagMs: number) => run({ truth: truth('a', 0, 1), metricsLagMs }).atMs;
    assert.equal(at(15_000), at(0) + 20_000);
  });

  it('promotes not before the least bake time', () => {
    const least = run({ truth: truth('a', 0, 0), policy: policyOf({ leastBake: '20m' }) });
    assert.equal(least.end, 'promoted');
    assert.equal(least.atMs, 20 * 60_000);
  });

  it('walks the stages of a policy in order', () => {
    const stages = [{ weight: 5, bake: '1m' }, { weight: 25, bake: '1m' }, { weight: 100 }];
    const { weights, end } = run({ truth: truth('a', 0.001, 0.001), policy: policyOf({ stages }) });
    assert.equal(end, 'promoted');
    assert.deepEqual(
      weights.map(([, weight]) => weight),
      [0, 5, 25],
    );
  });

  it('is undecided at the horizon, and says what was seen until then', () => {
    const few = constantTruth({ seed: 1, requestsPerSecond: 1, stableErrorRate: 0.05, canaryErrorRate: 0.05 });
    const result = run({ truth: few, horizonMs: 600_000 });
    assert.equal(result.end, 'undecided');
    assert.equal(result.atMs, 600_000);
    assert.ok(result.canaryRequests + result.stableRequests > 400);
  });

  it('holds a policy on latency while its truth tells none, and judges it once the truth does', () => {
    const policy = policyOf({ checks: [{ name: 'latency', metric: { latency: { quantile: 0.99 } } }] });
    assert.equal(run({ truth: truth('a', 0, 0), policy, horizonMs: HOUR_MS }).end, 'undecided');
    const result = run({ truth: twoBuckets(0.01, 0.2), policy, past: pastOfTwoBuckets });
    assert.equal(result.end, 'aborted');
    assert.equal(run({ truth: twoBuckets(0.01, 0.01), policy, past: pastOfTwoBuckets }).end, 'promoted');
  });

  it('aborts a canary that is not ready any more', () => {
    const dying: Truth = { ...truth('a', 0, 0), canaryReady: (second) => second < 60 };
    const result = run({ truth: dying });
    assert.equal(result.end, 'aborted');
    assert.equal(result.weights.at(-1)?.[1], 0);
    assert.match(result.because, /stopped being ready/);
  });
});

const BOUNDARIES = [0.1, Number.POSITIVE_INFINITY];
const pastOfTwoBuckets = { boundaries: BOUNDARIES, stable: { total: 100_000, bad: 0, latency: [99_000, 1_000] } };

/** Latency alone: so many requests are slow. */
function twoBuckets(stableSlow: number, canarySlow: number): Truth {
  const inner = truth('latency', stableSlow, canarySlow);
  const slow = ({ total, bad }: { total: number; bad: number }) => ({ total, bad: 0, latency: [total - bad, bad] });
  return {
    boundaries: BOUNDARIES,
    draw(from, to, weight) {
      const { canary, stable } = inner.draw(from, to, weight);
      return { canary: slow(canary), stable: slow(stable) };
    },
  };
}
