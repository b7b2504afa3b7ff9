import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { diffPolicies } from './diff.ts';
import { type LintContext, type LintFinding, lintPolicy } from './lint.ts';
import { type CompiledPolicy, compilePolicy } from './parse.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

const SOUND = {
  workload: { processes: { ready: { path: '/healthz' }, template: { version: 'v1', command: 'node server.js' } } },
  userKey: { cookie: 'user_id' },
  errors: { retryHeader: 'x-request-id' },
  onDeadline: 'abort',
  preset: 'fast',
};

function compiled(spec: object): CompiledPolicy {
  const head = { apiVersion: 'haldane.dev/v1alpha1', kind: 'ReleasePolicy', metadata: { name: 'shop' } };
  const result = compilePolicy({ ...head, spec: { ...SOUND, ...spec } }, hash);
  if (result.kind !== 'ok') throw new assert.AssertionError({ message: JSON.stringify(result.errors) });
  return result;
}

function lint(spec: object, context: LintContext = {}): readonly LintFinding[] {
  const { policy, version } = compiled(spec);
  return lintPolicy(policy, { version, ...context });
}

test('a sound policy has no findings', () => {
  assert.deepEqual(lint({}), []);
  assert.deepEqual(lint({}, { requestsPerSecond: 100 }), []);
});

const withEnv = { ...SOUND.workload.processes.template, env: { DB_PASSWORD: 'x' } };

const ANTI_PATTERNS: readonly [code: string, path: string, spec: object, context?: LintContext][] = [
  ['no-checks', 'spec.analysis', { analysis: 'none' }],
  ['straight-to-100', 'spec.stages', { analysis: 'none', preset: 'AllAtOnce' }],
  ['first-weight-large', 'spec.stages[0].weight', { preset: undefined, stages: [{ weight: 50 }] }],
  ['stage-too-short', 'spec.stages[0].bake', { preset: undefined, stages: [{ weight: 5, bake: '20s' }] }],
  ['stage-too-short', 'spec.stages[0].bake', {}, { requestsPerSecond: 1 }],
  ['no-rollback-path', 'spec.historyLimit', { historyLimit: 0 }],
  ['deadline-holds', 'spec.onDeadline', { onDeadline: 'hold' }],
  ['abort-keeps-canary', 'spec.onAbort.canary', { onAbort: { canary: 'keep' } }],
  ['no-health-probe', 'spec.workload.processes.ready', { workload: { processes: { template: { command: 'x' } } } }],
  ['no-user-key', 'spec.userKey', { userKey: undefined }],
  ['same-users-each-time', 'spec.audience', { userKey: undefined, audience: [{ cookie: { name: 'a', value: 'b' } }] }],
  ['errors-not-required', 'spec.checks', { checks: [{ name: 'l', metric: { latency: {} } }] }],
  ['exposure-budget-huge', 'spec.exposure.badPerInterval', { exposure: { badPerInterval: 500 } }],
  ['no-retry-header', 'spec.errors.retryHeader', { errors: {} }],
  [
    'errors-not-compared',
    'spec.checks[0]',
    { checks: [{ name: 'e', metric: { errors: {} }, limit: { above: '1%' } }] },
  ],
  ['peer-rule', 'spec.checks[0]', { checks: [{ name: 'e', metric: { errors: {} }, flagger: { min: 99 } }] }],
  ['only-peer-rules', 'spec.checks', { checks: [{ name: 'e', metric: { errors: {} }, flagger: { min: 99 } }] }],
  [
    'only-peer-rules',
    'spec.checks',
    {
      checks: [
        { name: 'k', metric: { kayenta: { metrics: [{ name: 'errors', metric: { errors: {} } }] } } },
        { name: 'r', metric: { count: { event: 'restarts' } } },
      ],
    },
  ],
  [
    'secret-in-policy',
    'spec.workload.processes.template.env.DB_PASSWORD',
    { workload: { processes: { ready: { path: '/' }, template: withEnv } } },
  ],
  ['canary-undersized', 'spec.canary.ratio', { canary: { ratio: 0.5 } }],
  [
    'variable-not-expanded',
    'spec.workload.processes.template.command',
    { workload: { processes: { ready: { path: '/' }, template: { command: ['node', '--port', '$PORT'] } } } },
  ],
];

for (const [code, path, spec, context] of ANTI_PATTERNS) {
  test(`lint names ${code}${context === undefined ? '' : ' by the traffic'}, with the fix`, () => {
    const found = lint(spec, context).find((finding) => finding.code === code);
    assert.ok(found, JSON.stringify(lint(spec, context)));
    assert.equal(found.path, path);
    assert.ok(found.problem.length > 10 && found.fix.length > 10);
  });
}

test('a rule of a peer beside a required check with evidence is worth knowing, and no warning', () => {
  const checks = [
    { name: 'e', metric: { errors: {} } },
    { name: 'a', metric: { latency: {} }, argo: { interval: '1m', successCondition: 'result[0] < 1' } },
  ];
  assert.deepEqual(
    lint({ checks }).map(({ code, path, severity }) => [code, path, severity]),
    [['peer-rule', 'spec.checks[1]', 'info']],
  );
});

test('a shell is expected to expand its variables', () => {
  const workload = {
    processes: { ready: { path: '/' }, template: { command: ['sh', '-c', 'exec node --port $PORT'] } },
  };
  assert.deepEqual(lint({ workload }), []);
});

test('a difference lists what changes for the engine, and nothing else', () => {
  const before = compiled({}).policy;
  const after = compiled({ interval: '5s', preset: 'soak', userKey: { cookie: 'user_id', header: 'x' } }).policy;
  assert.deepEqual(diffPolicies(before, before), []);
  assert.deepEqual(diffPolicies(before, compiled({ interval: '10s', historyLimit: 20 }).policy), []);
  const kinds = diffPolicies(before, after).map(({ path, kind }) => `${kind} ${path}`);
  assert.deepEqual(kinds, [
    'changed ramp.stages[0].weightPercent',
    'changed ramp.stages[0].bakeMs',
    'removed ramp.stages[1]',
    'removed ramp.stages[2]',
    'added userKey.header',
    'changed intervalMs',
  ]);
});
