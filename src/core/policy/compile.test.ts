import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { ReleasePolicy } from '../model/policy.ts';
import { type CompiledPolicy, compilePolicy } from './parse.ts';
import { PRESETS } from './presets.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

function compiled(spec: object, template: object = { version: 'v1', command: 'node server.js' }): CompiledPolicy {
  const result = compilePolicy(
    {
      apiVersion: 'haldane.dev/v1alpha1',
      kind: 'ReleasePolicy',
      metadata: { name: 'shop' },
      spec: { workload: { processes: { template } }, ...spec },
    },
    hash,
  );
  if (result.kind !== 'ok') throw new assert.AssertionError({ message: JSON.stringify(result.errors, null, 1) });
  return result;
}

function policy(spec: object): ReleasePolicy {
  return compiled(spec).policy;
}

test('the shortest policy has every default, and they are these', () => {
  assert.deepEqual(policy({}), {
    name: 'shop',
    workload: {
      kind: 'processes',
      replicas: 1,
      ready: null,
      live: null,
      stopMs: 30_000,
      restart: { initialMs: 1_000, maxMs: 30_000 },
      logs: { maxBytes: 10_485_760, files: 5 },
    },
    router: {
      kind: 'gateway',
      listen: { host: '127.0.0.1', port: 8080 },
      timeouts: { connectMs: 5_000, responseMs: 60_000, idleMs: 75_000, headMs: 10_000 },
      limits: { headBytes: 16_384, bodyBytes: 1_073_741_824, connections: 10_000 },
      accessLog: null,
    },
    ramp: { kind: 'adaptive', name: 'default', firstWeightPercent: 1, maxWeightPercent: 20, gates: [] },
    analysis: 'checks',
    checks: [
      {
        name: 'errors',
        metric: { kind: 'errors' },
        selector: { routes: null, methods: null },
        role: 'required',
        tolerance: { ratio: 1.1, margin: 0.002, harmMargin: 0, atDeadline: null, bucketShift: 0 },
        limit: null,
        direction: 'increase',
        weight: 5,
        warmUpMs: 60_000,
        noDataMs: 120_000,
        clusterCap: 1,
        rule: null,
      },
      {
        name: 'latency',
        metric: { kind: 'latency', quantile: 0.99 },
        selector: { routes: null, methods: null },
        role: 'required',
        tolerance: { ratio: 1.1, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 },
        limit: null,
        direction: 'increase',
        weight: 3,
        warmUpMs: 60_000,
        noDataMs: 120_000,
        clusterCap: 1,
        rule: null,
      },
    ],
    errors: {
      statusClasses: ['5xx'],
      statusCodes: [],
      endings: ['connect-failed', 'timeout', 'reset', 'no-endpoint'],
      routes: null,
      methods: null,
      exceptRoutes: ['health'],
      retryHeader: null,
    },
    routes: [
      '/health',
      '/health/*',
      '/healthz',
      '/healthcheck',
      '/livez',
      '/readyz',
      '/-/healthy',
      '/-/ready',
      '/_health',
      '/ping',
    ].map((pattern) => ({ name: 'health', pattern })),
    decision: 'automatic',
    userKey: null,
    affinity: null,
    audience: [],
    canary: { minReplicas: 1, ratio: 1 },
    exposure: { badPerInterval: 10, totalRequests: null },
    alphas: { abort: 0.01, promote: 0.05 },
    leastBakeMs: 300_000,
    deadlines: { startMs: 600_000, releaseMs: 86_400_000, gateMs: 86_400_000, drainMs: 30_000 },
    onDeadline: 'hold',
    onAbort: 'retire',
    intervalMs: 10_000,
    notify: [{ kind: 'log' }],
    historyLimit: 20,
    metrics: { kind: 'gateway' },
  } satisfies ReleasePolicy);
});

test('an adaptive ramp brings its first and largest weight and its exposure budget', () => {
  const shown = (['cautious', 'default', 'bold'] as const).map((adaptive) => {
    const { ramp, exposure } = policy({ ramp: { adaptive } });
    return ramp.kind === 'adaptive' ? [exposure.badPerInterval, ramp.firstWeightPercent, ramp.maxWeightPercent] : [];
  });
  assert.deepEqual(shown, [
    [5, 0.5, 10],
    [10, 1, 20],
    [20, 5, 50],
  ]);
  assert.equal(policy({ ramp: { adaptive: 'bold' }, exposure: { badPerInterval: 3 } }).exposure.badPerInterval, 3);
});

test('a stage of 100 means promote: it is dropped as a stage, and the warnings say so (decision 5)', () => {
  const { policy: read, warnings } = compiled({ stages: [{ weight: '5%', bake: '1m' }, { weight: 100 }] });
  assert.deepEqual(read.ramp, {
    kind: 'stages',
    stages: [{ weightPercent: 5, bakeMs: 60_000, checks: null, gates: [], advance: 'exposure' }],
  });
  assert.match(warnings[0]?.problem ?? '', /100 means promote/);
  assert.equal(warnings[0]?.path, 'spec.stages[1].weight');
});

test('leastBake is five minutes, but never longer than the stages together', () => {
  assert.equal(
    policy({
      stages: [
        { weight: 5, bake: '1m' },
        { weight: 50, bake: '1m' },
      ],
    }).leastBakeMs,
    120_000,
  );
  assert.equal(policy({ preset: 'slow' }).leastBakeMs, 300_000);
  assert.equal(policy({ preset: 'fast', leastBake: '1h' }).leastBakeMs, 3_600_000);
});

test('the release deadline is a day, or twice the bake times where they are long', () => {
  assert.equal(policy({ preset: 'slow' }).deadlines.releaseMs, 86_400_000);
  assert.equal(policy({ stages: [{ weight: 5, bake: '2d' }] }).deadlines.releaseMs, 4 * 86_400_000);
});

test('every preset compiles to rising weights of at most 95, with and without the prefix of CodeDeploy', () => {
  for (const { name, stages } of PRESETS) {
    const analysis = stages.length === 0 ? 'none' : 'checks';
    const own = ['fast', 'slow', 'soak'].includes(name);
    const { ramp } = policy({ preset: name, analysis });
    if (!own) assert.deepEqual(policy({ preset: `CodeDeployDefault.${name}`, analysis }).ramp, ramp);
    const weights = ramp.kind === 'stages' ? ramp.stages.map((stage) => stage.weightPercent) : [];
    assert.deepEqual(
      weights,
      [...weights].sort((a, b) => a - b),
    );
    assert.ok(
      weights.every((weight) => weight > 0 && weight <= 95),
      name,
    );
  }
});

test('the presets of CodeDeploy keep their numbers', () => {
  const stages = (preset: string) => {
    const { ramp } = policy({ preset });
    return ramp.kind === 'stages' ? ramp.stages.map((stage) => [stage.weightPercent, stage.bakeMs / 60_000]) : [];
  };
  assert.deepEqual(stages('LambdaCanary10Percent30Minutes'), [[10, 30]]);
  assert.deepEqual(stages('ECSCanary10Percent15Minutes'), [[10, 15]]);
  const linear = stages('LambdaLinear10PercentEvery3Minutes');
  assert.deepEqual(
    linear,
    [10, 20, 30, 40, 50, 60, 70, 80, 90].map((weight) => [weight, 3]),
  );
  assert.deepEqual(stages('soak'), [[10, 30]]);
  assert.deepEqual(stages('fast'), [
    [5, 10],
    [25, 10],
    [50, 10],
  ]);
  assert.deepEqual(stages('slow'), [
    [1, 60],
    [5, 60],
    [10, 60],
    [25, 60],
    [50, 60],
  ]);
});

test('a check with a limit alone is not compared with stable; with neither it gets the default tolerance', () => {
  const { checks } = policy({
    checks: [
      { name: 'a', metric: { errors: {} }, limit: { above: '2%' } },
      { name: 'b', metric: { errors: {} }, limit: { above: '2%' }, tolerance: {} },
      { name: 'c', metric: { latency: {} }, limit: { above: '500ms' } },
      { name: 'd', metric: { gauge: { reading: 'cpu' } }, limit: { above: '150%' } },
      { name: 'e', metric: { gauge: { reading: 'residentMemory' } }, limit: { above: '1MiB' } },
    ],
  });
  const shown = checks.map(({ tolerance, limit, role }) => [tolerance?.margin ?? null, limit?.value, role]);
  assert.deepEqual(shown, [
    [null, 0.02, 'required'],
    [0.002, 0.02, 'required'],
    [null, 0.5, 'required'],
    [null, 150, 'guardrail'],
    [null, 1_048_576, 'guardrail'],
  ]);
});

test('the health route comes first, gives way to a route of the same path, and holds the paths of the probes', () => {
  const probes = { template: { command: 'x' }, ready: { path: '/up' }, live: { path: '/' } };
  const result = policy({
    workload: { processes: probes },
    routes: [
      { name: 'status', path: '/healthz' },
      { name: 'all', path: '/*' },
    ],
  });
  const health = result.routes.filter((route) => route.name === 'health').map((route) => route.pattern);
  assert.ok(health.includes('/up') && !health.includes('/healthz') && !health.includes('/'));
  assert.deepEqual(
    result.routes.slice(-2).map((route) => route.name),
    ['status', 'all'],
  );
  const own = policy({ routes: [{ name: 'health', path: '/me' }] });
  assert.deepEqual(own.routes, [{ name: 'health', pattern: '/me' }]);
});

test('a change of the label alone is a new version; a change elsewhere is not (people expect it)', () => {
  const one = compiled({}).version;
  assert.ok(one);
  assert.equal(one.revision.length, 12);
  assert.notEqual(compiled({}, { version: 'v2', command: 'node server.js' }).version?.revision, one.revision);
  assert.equal(compiled({ interval: '5s' }).version?.revision, one.revision);
  assert.equal(compiled({}, { command: ['node', 'server.js'], version: 'v1' }).version?.revision, one.revision);
  const bare = compiled({}, { command: 'node server.js' }).version;
  assert.ok(bare);
  assert.equal(bare.label, bare.revision);
});

test('the hash of a policy is that of how it releases: the version and the way of writing do not count', () => {
  const one = compiled({ interval: '60s' });
  assert.equal(compiled({ interval: '1m' }, { version: 'v2', command: 'x' }).policyHash, one.policyHash);
  assert.equal(compiled({ interval: '1m', historyLimit: 20 }).policyHash, one.policyHash);
  assert.notEqual(compiled({ interval: '61s' }).policyHash, one.policyHash);
});

test('all mistakes are told at once, those between fields as well', () => {
  const result = compilePolicy(
    {
      apiVersion: 'x',
      kind: 'ReleasePolicy',
      metadata: {},
      spec: { interval: 5, stages: [{ weight: 50, bke: '1m' }, { weight: 5 }] },
    },
    hash,
  );
  assert.equal(result.kind, 'refused');
  if (result.kind !== 'refused') return;
  assert.deepEqual(result.errors.map((error) => error.path).sort(), [
    'apiVersion',
    'metadata.name',
    'spec.interval',
    'spec.stages[0].bke',
    'spec.stages[1].weight',
    'spec.workload',
  ]);
});

test('what is no plain data is refused, never run', () => {
  class Sneaky {
    get spec(): never {
      throw new Error('was run');
    }
  }
  for (const value of [undefined, null, 5, 'x', [], new Sneaky(), new Map(), () => 5, Symbol('x'), 5n]) {
    assert.equal(compilePolicy(value, hash).kind, 'refused');
  }
  const getter = Object.defineProperty({}, 'spec', { enumerable: true, get: () => assert.fail('was run') });
  assert.equal(compilePolicy(getter, hash).kind, 'refused');
  const loop: Record<string, unknown> = { apiVersion: 'haldane.dev/v1alpha1' };
  loop.spec = loop;
  assert.equal(compilePolicy(loop, hash).kind, 'refused');
});
