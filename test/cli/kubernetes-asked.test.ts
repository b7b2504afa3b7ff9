// kubectl haldane where more than a view is asked: the doctor, adopting.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReleaseView } from '../../src/core/views/index.ts';
import { KubeError } from '../../src/kubernetes/index.ts';
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

  it('goes on with what can be seen for a user without any right, and lists what is missing', async () => {
    const world = await healthy();
    world.denied.add('list releasepolicies').add('get releasepolicies').add('create releasecommands');
    const { code, out, err } = await world.run('doctor');
    assert.equal(code, 1);
    assert.equal(err, '');
    assert.match(
      out,
      /✖ rights {3}you may not look on in prod\n +fix: kubectl create rolebinding haldane-viewer-alice/,
    );
    assert.match(out, /✔ operator haldane-1 leads/);
    assert.doesNotMatch(out, /no policy is declared/);
    const ask = world.api.answer;
    world.api.answer = (method, path, body) => {
      if (path.endsWith('selfsubjectreviews')) return ask?.(method, path, body);
      throw new KubeError(path, 403, { reason: 'Forbidden', message: 'no' });
    };
    const blind = await world.run('doctor', 'checkout', '--json');
    assert.equal(blind.code, 1);
    const { cluster } = JSON.parse(blind.out) as { cluster: { findings: { area: string; status: string }[] } };
    assert.ok(cluster.findings.some(({ area, status }) => area === 'rights' && status === 'problem'));
  });

  it('names the right that is missing for one policy, where all may be listed', async () => {
    const world = await healthy();
    world.denied.add('get releasepolicies');
    const { code, out } = await world.run('doctor', 'checkout');
    assert.equal(code, 1);
    assert.match(out, /✖ rights {3}you may not read ReleasePolicies in prod.*\n +fix: ask for the role haldane-viewer/);
  });

  it('says once that the Deployment is not there, as the operator does, and not that the operator is away', async () => {
    const world = new KubernetesWorld();
    const message = 'there is no Deployment ghost in prod; its first version is taken when it comes';
    const conditions = [{ type: 'Ready', status: 'False', reason: 'DeploymentMissing', message }];
    const spec = { ...SPEC, workload: { deployment: { name: 'ghost' } } };
    await world.policy({ name: 'ghost', spec, status: { conditions } });
    const shown = (await world.run('status', 'ghost')).out;
    assert.match(shown, /there is no Deployment ghost in prod; its first version is taken when it comes/);
    assert.doesNotMatch(shown, /has not looked/);
    const { out } = await world.run('doctor', 'ghost');
    assert.match(out, /✖ workload there is no Deployment ghost\n +fix: create it/);
    assert.doesNotMatch(out, /has not looked|first version is taken/);
  });

  /** A release under way whose stable is not counted, after so long under test. */
  async function uncounted(testedMs: number): Promise<string> {
    const world = await healthy();
    const view = viewOf('testing', (each) => ({
      ...each,
      stages: each.stages.map((stage, index) => ({ ...stage, spentMs: index === 0 ? testedMs : null })),
      evidence: each.evidence.map((line) => ({ ...line, stable: { total: 0, bad: 0 } })),
    }));
    await world.setStatus({ view });
    return (await world.run('doctor', 'checkout')).out;
  }

  it('takes a release that has only begun for no fault of its queries', async () => {
    const early = await uncounted(5_000);
    assert.match(early, /! queries {2}errors: not yet: 0 of stable/);
    assert.doesNotMatch(early, /✖ queries/);
    assert.match(await uncounted(600_000), /✖ queries {2}errors: nothing was counted of stable/);
  });

  it('names the address where a source does not answer, and the check once', async () => {
    const world = await healthy();
    const message = 'errors: Prometheus at prometheus:9090: it did not answer (connect ECONNREFUSED).';
    const view = viewOf('testing', (each) => ({
      ...each,
      evidence: each.evidence.map((line) => ({ ...line, outcome: 'error' as const, message })),
    }));
    await world.setStatus({ view });
    const { out } = await world.run('doctor', 'checkout');
    assert.match(out, /✖ queries {2}errors: Prometheus at .*\n +fix: is the address in spec\.metrics right/);
    assert.doesNotMatch(out, /errors: errors|mend the query/);
  });

  it("asks for rights in all namespaces with -A, by a name that is the user's own", async () => {
    const world = await healthy();
    world.denied.add('list releasepolicies');
    const grant = 'kubectl create clusterrolebinding haldane-viewer-alice --clusterrole=haldane-viewer --user=alice';
    assert.ok((await world.run('status', '-A')).err.includes(`in all namespaces: `));
    assert.ok((await world.run('status', '-A')).err.includes(grant));
    assert.ok((await world.run('doctor', '-A')).out.includes(grant));
    world.user = 'system:serviceaccount:ci:Deployer.1';
    assert.match(
      (await world.run('status')).err,
      /create rolebinding haldane-viewer-ci-deployer-1 -n prod --clusterrole=haldane-viewer --serviceaccount=ci:Dep/,
    );
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
