import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  change,
  releaseOf,
  SPEC,
  StoreTrial,
  stateOf,
  step,
  template,
  versionOf,
} from '../../../../test/support/kubernetes-store-trial.ts';
import { ANNOTATION, FINALIZER, type Lock } from '../../../cluster/names.ts';
import type { Version } from '../../../core/model/version.ts';
import {
  DEPLOYMENTS,
  KubeError,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
  REPLICA_SETS,
} from '../../../kubernetes/index.ts';
import type { Declaration } from '../../../ports/index.ts';

const AT = { namespace: 'a', name: 'shop' };
const V1 = versionOf('app:v1').revision;
const V2 = versionOf('app:v2').revision;

type Context = { after: (end: () => Promise<void>) => void };

async function opened(context: Context, trial = new StoreTrial()) {
  const instance = await trial.open();
  context.after(() => instance.stop());
  return { trial, ...instance };
}

async function declared(context: Context) {
  const trial = new StoreTrial();
  await trial.deployment();
  await trial.policy();
  const instance = await opened(context, trial);
  await instance.store.declaration('a/shop');
  return instance;
}

function versionIn(declaration: Declaration | null): Version {
  return (JSON.parse(declaration?.document ?? '{}') as { version: Version }).version;
}

async function changeSpec(trial: StoreTrial, spec: object): Promise<void> {
  await trial.api.patch(RELEASE_POLICIES, AT, { type: 'merge', body: { spec } });
  await trial.heard();
}

async function annotate(trial: StoreTrial, lock: Lock): Promise<void> {
  const body = { metadata: { annotations: { [ANNOTATION.lock]: JSON.stringify(lock) } } };
  await trial.api.patch(DEPLOYMENTS, AT, { type: 'merge', body });
}

function conditionOf(resource: Awaited<ReturnType<StoreTrial['read']>>, type: string): string {
  const found = resource?.status?.conditions?.find((condition) => condition.type === type);
  return `${found?.status} ${found?.reason}`;
}

describe('what is declared with objects', () => {
  test('the version is the template in the Deployment, and a generation is another only if something changed', async (context) => {
    const { trial, store } = await declared(context);
    const first = await store.declaration('a/shop');
    assert.deepEqual(versionIn(first), versionOf('app:v1'));
    await trial.api.patch(DEPLOYMENTS, AT, { type: 'merge', body: { metadata: { labels: { team: 'x' } } } });
    await trial.heard();
    assert.equal(await store.declaration('a/shop'), first);
    await trial.setImage('app:v2');
    await trial.heard();
    const second = await store.declaration('a/shop');
    assert.equal(versionIn(second).revision, V2);
    assert.ok((second?.generation ?? 0) > (first?.generation ?? 0));
    await changeSpec(trial, { historyLimit: 4 });
    assert.ok(((await store.declaration('a/shop'))?.generation ?? 0) > (second?.generation ?? 0));
  });

  test('at rest no look costs a call of the API server', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2', phase: 'ended' }));
    await trial.heard();
    trial.memory.calls.length = 0;
    for (let look = 0; look < 100; look += 1) {
      await Promise.all([
        store.declarations(),
        store.declaration('a/shop'),
        store.readState('a/shop'),
        store.pendingCommands('a/shop'),
        store.health(),
      ]);
    }
    assert.deepEqual(trial.memory.calls, []);
  });

  test('a policy without its Deployment is no error: nothing is declared, it is said once, and the Deployment is taken when it comes', async (context) => {
    const { trial, store } = await opened(context);
    await trial.policy();
    await trial.heard();
    const told: string[] = [];
    const stop = store.watch((policy) => told.push(policy));
    for (let look = 0; look < 3; look += 1) assert.equal(await store.declaration('a/shop'), null);
    assert.equal(conditionOf(await trial.read(), 'Ready'), 'False DeploymentMissing');
    assert.equal(trial.memory.calls.filter((call) => call.startsWith('patch')).length, 2);
    await trial.deployment();
    await trial.heard();
    stop();
    assert.ok(told.includes('a/shop'));
    assert.equal(versionIn(await store.declaration('a/shop')).revision, V1);
  });

  test('a Deployment that goes after something was released is a policy withdrawn, and one that comes back is declared again', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    await trial.command({ verb: 'pause' });
    await trial.api.delete(DEPLOYMENTS, AT);
    await trial.heard();
    const gone = await store.declaration('a/shop');
    assert.equal(gone?.removed, true);
    assert.equal(versionIn(gone).revision, V2);
    await store.finish('a/shop');
    assert.deepEqual((await trial.read())?.metadata.finalizers, [FINALIZER]);
    assert.equal((await store.pendingCommands('a/shop')).length, 1);
    await trial.deployment();
    await trial.heard();
    assert.equal((await store.declaration('a/shop'))?.removed, false);
  });

  test('while a template is restored, the one that waits is what is wanted, wherever it is still known from', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    await annotate(trial, { verb: 'restore', serving: V2, to: V1, waiting: V2 });
    const next = await opened(context, trial);
    assert.equal(versionIn(await next.store.declaration('a/shop')).revision, V2);
    // In no Release and in no record: only its ReplicaSet still has it.
    const deployment = await trial.api.get(DEPLOYMENTS, AT);
    const { uid = '' } = deployment?.metadata ?? {};
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid, controller: true };
    await trial.api.create(REPLICA_SETS, {
      metadata: { namespace: 'a', name: 'shop-x', ownerReferences: [owner] },
      spec: { replicas: 1, template: template('shop', 'app:v3', { 'pod-template-hash': 'x' }) },
    });
    const V3 = versionOf('app:v3').revision;
    await annotate(trial, { verb: 'restore', serving: V3, to: V1, waiting: V3 });
    await trial.heard();
    assert.equal(versionIn(await next.store.declaration('a/shop')).revision, V3);
    assert.deepEqual(next.store.templates.get('a/shop', V3), template('shop', 'app:v3'));
  });

  test('while the lock lets a template go, what stands in the Deployment is what is wanted', async (context) => {
    const { trial, store } = await declared(context);
    await annotate(trial, { verb: 'promote', serving: V1, to: V2, waiting: null });
    await trial.setImage('app:v2');
    await trial.heard();
    assert.equal(versionIn(await store.declaration('a/shop')).revision, V2);
  });

  test('a template outlives the Deployment and its ReplicaSets in the Release that brought it', async (context) => {
    const { trial, store } = await declared(context);
    await trial.setImage('app:v2');
    await trial.heard();
    await store.declaration('a/shop');
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    await trial.setImage('app:v3');
    const next = await opened(context, trial);
    assert.deepEqual(next.store.templates.get('a/shop', V2), template('shop', 'app:v2'));
    assert.equal(next.store.templates.get('a/shop', 'unknown'), null);
  });

  test('declaring and withdrawing are for kubectl', async (context) => {
    const { store } = await declared(context);
    await assert.rejects(store.declare(), { code: 'declared-elsewhere' });
    await assert.rejects(store.withdraw(), { code: 'declared-elsewhere' });
  });
});

describe('a spec that is refused', () => {
  test('is an error with path and fix while nothing was ever released by it, and stops no other policy', async (context) => {
    const { trial, store } = await opened(context);
    await trial.deployment();
    await trial.deployment('blog');
    await trial.policy('shop', { ...SPEC, refused: 'weights must rise' });
    await trial.policy('blog', { ...SPEC, workload: { deployment: { name: 'blog' } } });
    await trial.heard();
    await assert.rejects(store.declaration('a/shop'), { code: 'policy-refused', path: 'spec', fix: 'mend it' });
    assert.match(store.refusal('a/shop') ?? '', /weights must rise/);
    assert.deepEqual(
      (await store.declarations()).map(({ policy }) => policy),
      ['a/blog'],
    );
  });

  test('does not stop what is under way, which goes on by its own policy, also after a restart', async (context) => {
    const { trial, store } = await declared(context);
    await trial.setImage('app:v2');
    await store.record(step(0, { number: 7, to: 'app:v2' }));
    await changeSpec(trial, { refused: 'weights must rise' });
    for (const each of [store, (await opened(context, trial)).store]) {
      const declaration = await each.declaration('a/shop');
      assert.equal(versionIn(declaration).revision, V2);
      assert.match(declaration?.document ?? '', /"frozen":7/);
      assert.match(each.refusal('a/shop') ?? '', /weights must rise/);
    }
    await trial.setImage('app:v1');
    await trial.heard();
    assert.equal(versionIn(await store.declaration('a/shop')).revision, V1);
  });

  test('starts nothing new: a template that comes meanwhile waits until the spec is mended', async (context) => {
    const { trial, store } = await declared(context);
    const ended = releaseOf({ number: 1, to: 'app:v1', phase: 'ended' });
    await store.record(change(0, { state: stateOf(ended) }));
    await changeSpec(trial, { refused: 'weights must rise' });
    await trial.setImage('app:v2');
    await trial.heard();
    assert.equal(versionIn(await store.declaration('a/shop')).revision, V1);
    await changeSpec(trial, { refused: null });
    assert.equal(versionIn(await store.declaration('a/shop')).revision, V2);
    assert.equal(store.refusal('a/shop'), null);
  });

  test('is compiled once for each generation', async (context) => {
    const { trial, store } = await declared(context);
    let times = 0;
    const { compile } = trial;
    trial.compile = (object) => {
      times += 1;
      return compile(object);
    };
    await changeSpec(trial, { refused: 'no' });
    for (let look = 0; look < 5; look += 1) store.refusal('a/shop');
    assert.equal(times, 1);
  });
});

describe('the end of a policy', () => {
  test('a policy is claimed once, so that it does not go before its workload is given back', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    await trial.command({ verb: 'pause' });
    await trial.api.delete(RELEASE_POLICIES, AT);
    await trial.heard();
    assert.equal((await store.declaration('a/shop'))?.removed, true);
    await store.finish('a/shop');
    assert.equal(await trial.read(), null);
    assert.equal(await store.declaration('a/shop'), null);
    assert.deepEqual((await trial.api.list(RELEASE_COMMANDS)).items, []);
    await store.finish('a/shop');
  });

  test('row 79: what of it could not be deleted keeps the policy, and is tried again', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    await trial.command({ verb: 'pause' });
    await trial.api.delete(RELEASE_POLICIES, AT);
    await trial.heard();
    trial.memory.intercept = (verb) => {
      if (verb === 'delete') throw new KubeError('delete', 500, { message: 'not now' });
    };
    await assert.rejects(store.finish('a/shop'), /not now/);
    assert.deepEqual((await trial.read())?.metadata.finalizers, [FINALIZER]);
    trial.memory.intercept = () => {};
    await store.finish('a/shop');
    assert.equal(await trial.read(), null);
  });

  test('one that never released anything just goes', async (context) => {
    const { trial, store } = await opened(context);
    await trial.policy();
    await trial.heard();
    assert.equal(await store.declaration('a/shop'), null);
    await trial.api.delete(RELEASE_POLICIES, AT);
    await trial.heard();
    assert.equal(await store.declaration('a/shop'), null);
    assert.equal(await trial.read(), null);
  });

  test('a claim that meets another write is made with the next look', async (context) => {
    const { trial, store, caches } = await opened(context);
    await trial.deployment();
    const { metadata } = await trial.policy();
    await trial.heard();
    let hasMet = false;
    trial.memory.intercept = (verb) => {
      if (verb !== 'patch' || hasMet) return;
      hasMet = true;
      throw new KubeError('patch', 409, { reason: 'Conflict', message: `${metadata.name} has been modified` });
    };
    await assert.rejects(store.declaration('a/shop'), { status: 409 });
    assert.ok((await store.declaration('a/shop')) !== null);
    assert.deepEqual(caches.policies.get('a', 'shop')?.metadata.finalizers, [FINALIZER]);
  });

  test('another policy of the same name begins anew: nothing of the one before is taken for its own', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    await trial.api.delete(RELEASE_POLICIES, AT);
    await trial.heard();
    await store.finish('a/shop');
    await trial.policy();
    await trial.heard();
    assert.equal(await store.readState('a/shop'), null);
    assert.deepEqual(await store.releases('a/shop'), []);
    await store.declaration('a/shop');
    assert.deepEqual(await store.record(step(0, { number: 1, to: 'app:v1' })), { kind: 'recorded', version: 1 });
    const [release, ...others] = (await trial.api.list(RELEASES)).items;
    assert.deepEqual(others, []);
    assert.equal(release?.metadata.ownerReferences?.[0]?.uid, (await trial.read())?.metadata.uid);
    assert.equal((await store.journal({ policy: 'a/shop' })).length, 1);
  });
});
