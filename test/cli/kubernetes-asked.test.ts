// kubectl haldane where more than a view is asked: the doctor, adopting.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReleaseView } from '../../src/core/views/index.ts';
import { KINDS } from '../../src/main/kubernetes-client.ts';
import { KubernetesWorld, NAMESPACE, SPEC, seen, V2, viewOf } from './kubernetes-world.ts';

const OPERATOR = 'system:serviceaccount:haldane-system:haldane';
const exempting = (account: string) => ({
  matchConditions: [{ name: 'not-haldane', expression: `request.userInfo.username != '${account}'` }],
});

async function healthy(): Promise<KubernetesWorld> {
  const world = new KubernetesWorld();
  const view = viewOf('promoted');
  await world.policy({ view, status: seen(1, V2, view) });
  await world.deploy('app:v2');
  world.wallMs = Date.parse((JSON.parse(view) as ReleaseView).now);
  await world.api.create(KINDS.leases, {
    metadata: { namespace: 'haldane-system', name: 'haldane' },
    spec: { holderIdentity: 'haldane-1', renewTime: new Date(world.wallMs - 2_000).toISOString() },
  });
  await world.api.create(KINDS.services, {
    metadata: { namespace: NAMESPACE, name: 'checkout' },
    spec: { selector: { app: 'checkout' } },
  });
  await world.api.create(KINDS.routes, {
    metadata: { namespace: NAMESPACE, name: 'checkout' },
    spec: { rules: [{ backendRefs: [{ name: 'checkout', weight: 100 }] }] },
    status: { parents: [{ parentRef: { name: 'web' }, conditions: [{ type: 'Accepted', status: 'True' }] }] },
  });
  for (const name of ['hold', 'hold-marked', 'keep', 'floor', 'actor'].map((each) => `haldane-${each}`)) {
    await world.api.create(KINDS.mutatingPolicies, { metadata: { name }, spec: exempting(OPERATOR) });
    await world.api.create(KINDS.mutatingBindings, { metadata: { name }, spec: { policyName: name } });
  }
  for (const name of ['haldane-lock', 'haldane-verbs']) {
    await world.api.create(KINDS.validatingPolicies, { metadata: { name } });
    const spec = { policyName: name, validationActions: ['Deny'] };
    await world.api.create(KINDS.validatingBindings, { metadata: { name }, spec });
  }
  return world;
}

describe('kubectl haldane doctor', () => {
  it('finds nothing wrong where nothing is, and ends with 0', async () => {
    const world = await healthy();
    const { code, out } = await world.run('doctor');
    assert.doesNotMatch(out, /✖/);
    assert.equal(code, 0);
    for (const said of [
      /https:\/\/cluster\.example, namespace prod, as alice/,
      /✔ install {2}the admission policies are there and bound everywhere; they take \S+:haldane-system:haldane for the/,
      /✔ install {2}commands are stamped with who gives them/,
      /✔ operator haldane-1 leads/,
      /✔ hold {5}a new template waits: tried in a dry run/,
      /✔ router {3}HTTPRoute checkout is accepted/,
      /✔ queries {2}errors: tells the versions apart: \d+ of stable, \d+ of the new version/,
      /! hold {5}kubectl rollout status hangs while a version waits/,
    ]) {
      assert.match(out, said);
    }
    assert.deepEqual(await world.commands(), [], 'what it tries is a dry run');
  });

  const wrongs: readonly (readonly [what: string, (world: KubernetesWorld) => Promise<unknown>, RegExp])[] = [
    [
      'an operator that is gone',
      (world) => world.api.delete(KINDS.leases, { namespace: 'haldane-system', name: 'haldane' }),
      /✖ operator no operator has ever led here/,
    ],
    [
      'an operator that does not renew its lease',
      async (world) => (world.wallMs += 120_000),
      /✖ operator haldane-1 has not renewed its lease for 122 s: nobody decides/,
    ],
    [
      'admission that is not bound',
      (world) => world.api.delete(KINDS.mutatingBindings, { name: 'haldane-hold' }),
      /✖ install {2}the API server does not do its part: haldane-hold is not bound/,
    ],
    [
      'admission that exempts one account here and another there',
      (world) => {
        const body = { spec: exempting('ann') };
        return world.api.patch(KINDS.mutatingPolicies, { name: 'haldane-keep' }, { type: 'merge', body });
      },
      /they exempt more than one account: ann, system:serviceaccount:haldane-system:haldane/,
    ],
    [
      'admission that is shadowed by a binding to one namespace',
      (world) => {
        const body = { spec: { matchResources: { namespaceSelector: { matchLabels: { team: 'a' } } } } };
        return world.api.patch(KINDS.validatingBindings, { name: 'haldane-lock' }, { type: 'merge', body });
      },
      /haldane-lock is bound to a part of the cluster only/,
    ],
    [
      'templates that do not wait',
      async (world) => (world.api.admit = (_resource, _before, after) => after),
      /✖ hold {5}a new template would roll at once/,
    ],
    [
      'a policy that was changed and not looked at',
      (world) => {
        const at = { namespace: NAMESPACE, name: 'checkout' };
        return world.api.patch(KINDS.policies, at, { type: 'merge', body: { spec: { interval: '5s' } } });
      },
      /✖ policy {3}the operator has not looked at the policy as it stands/,
    ],
    [
      'a route that its Gateway refuses',
      (world) => {
        const conditions = [{ type: 'Accepted', status: 'False', message: 'no such listener' }];
        const body = { status: { parents: [{ parentRef: { name: 'web' }, conditions }] } };
        const at = { namespace: NAMESPACE, name: 'checkout' };
        return world.api.patch(KINDS.routes, at, { type: 'merge', body }, { subresource: 'status' });
      },
      /✖ router {3}HTTPRoute checkout: web: not Accepted \(no such listener\)/,
    ],
    [
      'a query that counted nothing of stable',
      (world) => {
        const view = viewOf('promoted', (each) => ({
          ...each,
          evidence: each.evidence.map((line) => ({ ...line, stable: { total: 0, bad: 0 } })),
        }));
        return world.setStatus({ view });
      },
      /✖ queries {2}errors: nothing was counted of stable/,
    ],
    [
      'rights that are missing',
      async (world) => world.denied.add('watch releases'),
      /✖ rights {3}you may not look on in prod/,
    ],
  ];
  for (const [what, change, said] of wrongs) {
    it(`finds ${what}, and ends with 1`, async () => {
      const world = await healthy();
      await change(world);
      const { code, out } = await world.run('doctor', 'checkout');
      assert.match(out, said);
      assert.equal(code, 1);
    });
  }

  it('names what else waits for the Deployment, and configuration that is changed in place', async () => {
    const world = await healthy();
    world.api.admit = (_resource, _before, after) => after;
    const at = { namespace: NAMESPACE, name: 'checkout' };
    const labels = { 'kustomize.toolkit.fluxcd.io/name': 'shop', 'app.kubernetes.io/managed-by': 'Helm' };
    const envFrom = ['settings', 'settings-5k9g2h7t4c', 'frozen'].map((name) => ({ configMapRef: { name } }));
    const containers = [{ name: 'app', image: 'app:v2', envFrom }];
    const body = { metadata: { labels }, spec: { template: { spec: { containers } } } };
    await world.api.patch(KINDS.deployments, at, { type: 'merge', body });
    await world.api.create(KINDS.configMaps, { metadata: { namespace: NAMESPACE, name: 'frozen' }, immutable: true });
    const { out } = await world.run('doctor', 'checkout', '--plain');
    assert.match(out, /Flux manages it/);
    assert.match(out, /Helm manages it/);
    assert.match(out, /ConfigMap settings may be changed in place/);
    assert.doesNotMatch(out, /ConfigMap (?:settings-5k|frozen)/);
  });

  it('tries what it may not look at, and says so', async () => {
    const world = await healthy();
    world.denied.add('get mutatingadmissionpolicies').add('get leases').add('patch deployments');
    const { code, out } = await world.run('doctor', 'checkout');
    assert.equal(code, 0);
    assert.match(out, /! install {2}the admission policies may not be looked at with your rights/);
    assert.match(out, /! operator whether an operator leads may not be looked at with your rights/);
    assert.match(out, /! hold {5}whether a new template waits may not be tried with your rights/);
  });

  it('says the same as JSON', async () => {
    const world = await healthy();
    const { cluster, policies } = JSON.parse((await world.run('doctor', '--json')).out) as {
      cluster: { user: string; findings: object[] };
      policies: { policy: string }[];
    };
    assert.deepEqual([cluster.user, policies.map(({ policy }) => policy)], ['alice', ['checkout']]);
    assert.ok(cluster.findings.length > 3);
  });
});

describe('kubectl haldane adopt', () => {
  it('makes the owned route and prints what to write into the policy', async () => {
    const world = new KubernetesWorld();
    const route = { adopted: { name: 'web-routes' } };
    const spec = { ...SPEC, router: { gatewayApi: { service: 'checkout', route } } };
    await world.policy({ view: viewOf('promoted'), spec });
    await world.api.create(KINDS.services, {
      metadata: { namespace: NAMESPACE, name: 'checkout' },
      spec: { selector: { app: 'checkout' }, ports: [{ port: 80 }] },
    });
    await world.api.create(KINDS.routes, {
      metadata: { namespace: NAMESPACE, name: 'web-routes' },
      spec: {
        parentRefs: [{ name: 'web' }],
        hostnames: ['checkout.example'],
        rules: [{ backendRefs: [{ name: 'checkout', port: 80 }] }],
      },
    });
    const { code, out, err } = await world.run('adopt', 'checkout');
    assert.equal(code, 0, err);
    assert.match(out, /HTTPRoute web-routes-owned is made; it carries the weights of web-routes/);
    assert.match(out, /owned:\n +name: web-routes-owned\n +parents:\n +- name: web\n/);
    assert.match((await world.run('adopt', 'checkout')).out, /was there already/);
  });

  it('is refused where nothing is adopted', async () => {
    const world = await healthy();
    const { code, err } = await world.run('adopt', 'checkout');
    assert.equal(code, 1);
    assert.match(err, /the policy has no adopted route/);
  });
});
