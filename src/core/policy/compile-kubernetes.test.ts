import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { compileObject, compilePolicy, lintPolicy, parsePolicyText } from './index.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

const SHARE = {
  workload: { deployment: { name: 'shop' } },
  router: { replicaShare: { service: 'shop' } },
  metrics: { pods: {} },
};
const ROUTE = {
  workload: { deployment: { name: 'shop' } },
  router: { gatewayApi: { service: 'shop', route: { owned: { parents: [{ name: 'web' }] } } } },
  metrics: { prometheus: { address: 'http://prometheus:9090', counters: { traefik: {} } } },
};

/** As the API server gives it: with a status, and with metadata that nobody wrote. */
function object(spec: object, namespace = 'web') {
  return {
    apiVersion: 'haldane.dev/v1alpha1',
    kind: 'ReleasePolicy',
    metadata: {
      name: 'shop',
      namespace,
      uid: '1',
      resourceVersion: '7',
      generation: 2,
      managedFields: [{ manager: 'kubectl' }],
      finalizers: ['haldane.dev/hand-back'],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
    spec,
    status: { share: '5 %' },
  };
}

function compiled(spec: object) {
  const result = compileObject(object(spec), { hash });
  assert.equal(result.kind, 'ok', JSON.stringify(result));
  if (result.kind !== 'ok') throw new Error('refused');
  return result.policy;
}

test('an object of the API server compiles by its name and its spec alone', () => {
  const policy = compiled(SHARE);
  assert.equal(policy.name, 'web/shop');
  assert.deepEqual(policy.workload, {
    kind: 'deployment',
    deployment: 'shop',
    container: null,
    pods: 'shared',
    label: null,
    onRemoval: 'restore',
  });
  assert.deepEqual(policy.router, { kind: 'replicaShare', service: 'shop' });
  assert.deepEqual(policy.metrics, {
    kind: 'pods',
    port: null,
    path: '/metrics',
    counters: {
      kind: 'pods',
      requests: 'http_requests_total',
      statusLabel: 'code',
      latency: 'http_request_duration_seconds',
    },
    timeoutMs: 2_000,
  });
});

test('an object that is wrong is refused with every mistake, below spec', () => {
  const result = compileObject(object({ ...SHARE, metrics: undefined, userKey: { cookie: 'id' } }), { hash });
  assert.deepEqual(result.kind === 'refused' ? result.errors.map(({ path }) => path) : [], [
    'spec.metrics',
    'spec.userKey',
  ]);
});

test('an audience is told by a header or by a cookie, where the route is Haldane’s own', () => {
  const audience = [{ cookie: { name: 'beta', value: 'yes' } }, { header: { name: 'canary', value: 'true' } }];
  assert.deepEqual(compiled({ ...ROUTE, audience }).audience, audience);
});

test('an owned route is named after the Deployment and takes every path', () => {
  const { workload, router, metrics } = compiled(ROUTE);
  assert.equal(workload.kind === 'deployment' && workload.pods, 'isolated');
  assert.deepEqual(router.kind === 'gatewayApi' && router.route, {
    kind: 'owned',
    name: 'shop',
    parents: [{ name: 'web', namespace: null, sectionName: null, port: null }],
    hostnames: [],
    matches: [{ path: '/', type: 'PathPrefix' }],
  });
  assert.deepEqual(metrics.kind === 'prometheus' && metrics.counters, { kind: 'traefik' });
});

test('only the embedded gateway tells paths apart, so nothing is said about routes on Kubernetes', () => {
  const { routes, errors } = compiled(ROUTE);
  assert.deepEqual([routes, errors.exceptRoutes], [[], []]);
});

test('the version of a Deployment does not stand in the document', () => {
  const head = { apiVersion: 'haldane.dev/v1alpha1', kind: 'ReleasePolicy', metadata: { name: 'shop' } };
  const result = compilePolicy({ ...head, spec: SHARE }, hash);
  assert.equal(result.kind === 'ok' && result.version, null);
  assert.equal(result.kind === 'ok' && result.policy.name, 'shop', 'without a namespace given, the name is plain');
});

const document = (name: string, namespace: string, deployment: string) => `
apiVersion: haldane.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {workload: {deployment: {name: ${deployment}}}, router: {replicaShare: {service: shop}}, metrics: {pods: {}}}
`;

test('two policies for one Deployment are refused, and two of one name in two namespaces are not (row 63)', () => {
  const same = parsePolicyText(`${document('a', 'web', 'shop')}---${document('b', 'web', 'shop')}`, { hash });
  assert.match(same.kind === 'refused' ? (same.errors[0]?.problem ?? '') : '', /"a" releases deployment shop already/);
  const apart = parsePolicyText(`${document('a', 'web', 'shop')}---${document('a', 'mobile', 'shop')}`, { hash });
  assert.equal(apart.kind, 'ok', JSON.stringify(apart));
});

const codes = (spec: object, context = {}) => lintPolicy(compiled(spec), context).map(({ code }) => code);

test('stages finer than a pod are advised against, with the number of replicas they need', () => {
  const stages = [
    { weight: 5, bake: '10m' },
    { weight: 25, bake: '10m' },
  ];
  const findings = lintPolicy(compiled({ ...SHARE, stages }), { replicas: 4 });
  const [finding] = findings.filter(({ code }) => code === 'stage-finer-than-a-pod');
  assert.equal(finding?.path, 'spec.stages[0].weight');
  assert.equal(finding?.problem, '5 % is finer than a pod: 1 pod beside 4 of stable is 20 %');
  assert.match(finding?.fix ?? '', /at least 19 replicas/);
  assert.ok(!codes({ ...SHARE, stages }, { replicas: 19 }).includes('stage-finer-than-a-pod'));
});

test('how often Prometheus scrapes is told as what the policy says, since nobody has asked the Prometheus', () => {
  const said = (more: object, interval: string) => {
    const prometheus = { address: 'http://prometheus.monitoring:9090', ...more };
    const findings = lintPolicy(compiled({ ...ROUTE, metrics: { prometheus }, interval }), {});
    return findings.find(({ code }) => code === 'interval-shorter-than-scrape');
  };
  assert.match(said({}, '10s')?.problem ?? '', /spec\.metrics\.prometheus\.scrape says 15s \(the default\)$/);
  assert.match(
    said({}, '10s')?.fix ?? '',
    /if your Prometheus scrapes more or less often, write its interval as scrape/,
  );
  assert.match(said({ scrape: '30s' }, '10s')?.problem ?? '', /scrape says 30s$/);
  assert.equal(said({}, '15s'), undefined);
});

test('what a Deployment cannot have is not asked of it', () => {
  const found = codes(SHARE);
  for (const code of ['no-health-probe', 'no-user-key', 'no-retry-header']) assert.ok(!found.includes(code), code);
  assert.ok(codes(ROUTE).includes('no-user-key'), 'an owned route can keep users by a cookie');
  assert.ok(!codes({ ...ROUTE, affinity: {} }).includes('no-user-key'));
});
