import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { ReleasePolicy } from '../model/policy.ts';
import { type CompileOptions, compilePolicy } from './parse.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

function policy(spec: object, options: CompileOptions = {}): ReleasePolicy {
  const workload = { processes: { template: { version: 'v1', command: 'node server.js' } } };
  const head = { apiVersion: 'haldane.dev/v1alpha1', kind: 'ReleasePolicy', metadata: { name: 'shop' } };
  const result = compilePolicy({ ...head, spec: { workload, ...spec } }, hash, options);
  if (result.kind !== 'ok') throw new assert.AssertionError({ message: JSON.stringify(result.errors, null, 1) });
  return result.policy;
}

function recorded(checks: readonly object[]): ReleasePolicy {
  return policy({ checks }, { source: 'recorded' });
}

test('the margins of both sides, of the deadline and in buckets reach the engine, and are 0 or none when left out', () => {
  const written = { ratio: 1.2, margin: '0.3%', harmMargin: '0.1%', atDeadline: '1%', buckets: 2 };
  const { checks, onDeadline } = policy({
    onDeadline: 'accept',
    checks: [{ name: 'a', metric: { latency: {} }, tolerance: written, clusterCap: 3 }],
  });
  const tolerance = { ratio: 1.2, margin: 0.003, harmMargin: 0.001, atDeadline: 0.01, bucketShift: 2 };
  assert.deepEqual([checks[0]?.tolerance, checks[0]?.clusterCap, onDeadline], [tolerance, 3, 'accept']);
  const [bare] = policy({ checks: [{ name: 'a', metric: { latency: {} } }] }).checks;
  const none = { ratio: 1.1, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 };
  assert.deepEqual([bare?.tolerance, bare?.clusterCap], [none, 1]);
});

test('a rate per replica is written per second, minute, hour or day, and compiles to events per replica-second', () => {
  const margin = (text?: string) =>
    policy({
      checks: [
        { name: 'a', metric: { count: { event: 'restarts' } }, role: 'required', tolerance: text && { margin: text } },
      ].map((check) => JSON.parse(JSON.stringify(check))),
    }).checks[0]?.tolerance?.margin;
  assert.deepEqual(['0.5/s', '3/m', '1 / h', '2/d', undefined].map(margin), [
    0.5,
    3 / 60,
    1 / 3600,
    2 / 86400,
    1 / 3600,
  ]);
});

test('what only recorded data holds is taken for recorded data, with a margin of its own and as a guardrail', () => {
  const { checks } = recorded([
    { name: 'errors', metric: { errors: {} } },
    { name: 'revenue', metric: { mean: { cap: 250 } } },
    { name: 'orders', metric: { conversion: { horizon: '2h' } } },
    { name: 'kills', metric: { count: { event: 'oomKills' } } },
    { name: 'throttled', metric: { count: { event: 'throttledPeriods' } } },
  ]);
  const shown = checks.slice(1).map((check) => [check.metric, check.tolerance?.margin, check.role, check.direction]);
  assert.deepEqual(shown, [
    [{ kind: 'mean', cap: 250 }, 0.002, 'guardrail', 'decrease'],
    [{ kind: 'conversion', horizonMs: 7_200_000 }, 0.005, 'guardrail', 'decrease'],
    [{ kind: 'count', event: 'oomKills' }, 1 / 3_600, 'guardrail', 'increase'],
    [{ kind: 'count', event: 'throttledPeriods' }, 0.1, 'guardrail', 'increase'],
  ]);
});

test('the rules of peers keep their own starting values and units, know no warm-up, and compare nothing with stable', () => {
  const { checks } = policy({
    checks: [
      { name: 'f', metric: { errors: {} }, flagger: { min: 99 } },
      { name: 'a', metric: { latency: {} }, argo: { interval: '1m', successCondition: 'result[0] <= 0.5' } },
    ],
  });
  assert.deepEqual(
    checks.map(({ rule, tolerance, limit, warmUpMs, role }) => ({ rule, tolerance, limit, warmUpMs, role })),
    [
      { kind: 'flagger', intervalMs: 60_000, min: 99, max: null, failures: 5, emptyIsFailure: false } as const,
      {
        kind: 'argo',
        intervalMs: 60_000,
        initialDelayMs: 0,
        successCondition: 'result[0] <= 0.5',
        failureCondition: null,
        count: null,
        failureLimit: 0,
        inconclusiveLimit: 0,
        consecutiveErrorLimit: 4,
        consecutiveSuccessLimit: 0,
      } as const,
    ].map((rule) => ({ rule, tolerance: null, limit: null, warmUpMs: 0, role: 'required' })),
  );
  const late = policy({ checks: [{ name: 'f', metric: { errors: {} }, flagger: { min: 99 }, warmUp: '30s' }] });
  assert.equal(late.checks[0]?.warmUpMs, 30_000);
});

test('a check of Kayenta is required, with the starting values of Kayenta', () => {
  const metrics = [
    { name: 'errors', metric: { errors: {} }, methods: ['POST'], critical: true },
    { name: 'p95', metric: { latency: { quantile: 0.95 } }, group: 'speed' },
  ];
  const [check] = policy({ checks: [{ name: 'k', metric: { kayenta: { metrics } } }] }).checks;
  const common = { direction: 'either', nanStrategy: 'remove', mustHaveData: false } as const;
  assert.deepEqual(check?.metric, {
    kind: 'kayenta',
    config: {
      metrics: [
        {
          ...common,
          name: 'errors',
          metric: { kind: 'errors' },
          selector: { routes: null, methods: ['POST'] },
          group: 'default',
          critical: true,
        },
        {
          ...common,
          name: 'p95',
          metric: { kind: 'latency', quantile: 0.95 },
          selector: { routes: null, methods: null },
          group: 'speed',
          critical: false,
        },
      ],
      groupWeights: {},
      pass: 95,
      marginal: 75,
      stepMs: 60_000,
      intervalMs: 3_600_000,
      lifetimeMs: 10_800_000,
      lookbackMs: 0,
    },
  });
  assert.deepEqual([check?.role, check?.tolerance, check?.rule], ['required', null, null]);
});

function compiledTolerance(tolerance: object) {
  const spec = {
    workload: { processes: { template: { command: 'x' } } },
    onDeadline: 'accept',
    checks: [{ name: 'errors', metric: { errors: {} }, tolerance }],
  };
  const head = { apiVersion: 'haldane.dev/v1alpha1', kind: 'ReleasePolicy', metadata: { name: 'shop' } };
  const result = compilePolicy({ ...head, spec }, hash);
  return result.kind === 'ok' ? result.policy.checks[0]?.tolerance : null;
}

test('whatever three margins are written, what is taken nests: harm < margin < the wider one at the deadline', () => {
  const shares = ['0%', '0.05%', '0.1%', '0.2%', '0.3%', '1%', '40%', '50%'];
  const some = [undefined, ...shares];
  const triples = some.flatMap((margin) =>
    some.flatMap((harmMargin) => shares.map((atDeadline) => ({ margin, harmMargin, atDeadline }))),
  );
  for (const triple of triples) {
    const { harmMargin = '0%', margin = '0.2%', atDeadline } = triple;
    const [low = 0, middle = 0, high = 0] = [harmMargin, margin, atDeadline].map(Number.parseFloat);
    const read = compiledTolerance(JSON.parse(JSON.stringify(triple)));
    assert.equal(read !== null, low < middle && middle < high, JSON.stringify(triple));
    if (read !== null) assert.ok(read && read.harmMargin < read.margin && read.margin < (read.atDeadline ?? 0));
  }
  assert.equal(triples.length, 648);
});
