import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { change, SPEC, StoreTrial, stateOf, step } from '../../../../test/support/kubernetes-store-trial.ts';
import { ANNOTATION, FINALIZER } from '../../../cluster/names.ts';
import type { Deployment } from '../../../cluster/objects.ts';
import { DEPLOYMENTS, KubeError, RELEASE_POLICIES } from '../../../kubernetes/index.ts';

const REFUSED = { ...SPEC, refused: 'weights must rise' };

type Context = { after: (end: () => Promise<void>) => void };

async function opened(context: Context) {
  const trial = new StoreTrial();
  const instance = await trial.open();
  context.after(() => instance.stop());
  await trial.deployment();
  return { trial, store: instance.store };
}

/** As the admission policies leave a Deployment whose template waits. */
async function hold(trial: StoreTrial, name = 'shop'): Promise<void> {
  const metadata = { annotations: { [ANNOTATION.held]: 'true', [ANNOTATION.hold]: 'true', 'its.owner/own': 'x' } };
  const body = { metadata, spec: { paused: true } };
  await trial.api.patch(DEPLOYMENTS, { namespace: 'a', name }, { type: 'merge', body });
  await trial.heard();
}

async function marksOf(trial: StoreTrial, name = 'shop') {
  const deployment = await trial.api.get<Deployment>(DEPLOYMENTS, { namespace: 'a', name });
  return { paused: deployment?.spec.paused ?? false, annotations: Object.keys(deployment?.metadata.annotations ?? {}) };
}

async function remove(trial: StoreTrial, name = 'shop'): Promise<void> {
  await trial.api.delete(RELEASE_POLICIES, { namespace: 'a', name });
  await trial.heard();
}

const FREE = { paused: false, annotations: ['its.owner/own'] };

describe('row 78: a policy that goes and never released anything', () => {
  test('goes though it was refused from the start, and nothing stays paused for ever', async (context) => {
    const { trial, store } = await opened(context);
    await trial.policy('shop', REFUSED);
    await trial.heard();
    await assert.rejects(store.declaration('a/shop'), { code: 'policy-refused' });
    await hold(trial);
    await remove(trial);
    assert.deepEqual((await trial.read())?.metadata.finalizers, [FINALIZER]);
    assert.equal(await store.declaration('a/shop'), null);
    assert.equal(await trial.read(), null);
    assert.deepEqual(await marksOf(trial), FREE);
  });

  test('a pause of its owner’s own, which carries no mark, stays', async (context) => {
    const { trial, store } = await opened(context);
    await trial.policy();
    await trial.heard();
    await store.declaration('a/shop');
    await trial.api.patch(
      DEPLOYMENTS,
      { namespace: 'a', name: 'shop' },
      { type: 'merge', body: { spec: { paused: true } } },
    );
    await remove(trial);
    assert.equal(await store.declaration('a/shop'), null);
    assert.equal((await marksOf(trial)).paused, true);
  });

  test('row 63: leaves the Deployment alone that another policy names or releases', async (context) => {
    const { trial, store } = await opened(context);
    await trial.policy('first');
    await trial.policy('second');
    await trial.heard();
    await store.declaration('a/first');
    await store.declaration('a/second');
    await hold(trial);
    const held = await marksOf(trial);
    await remove(trial, 'second');
    assert.equal(await store.declaration('a/second'), null);
    assert.equal(await trial.read('second'), null);
    assert.deepEqual(await marksOf(trial), held);

    // It has released shop, though its spec names another one by now; and it is going, which gives shop back.
    await store.record({ ...step(0, { number: 1, to: 'app:v1', phase: 'ended' }), policy: 'a/first' });
    const body = { spec: { workload: { deployment: { name: 'web' } } } };
    await trial.api.patch(RELEASE_POLICIES, { namespace: 'a', name: 'first' }, { type: 'merge', body });
    await remove(trial, 'first');
    await trial.policy('third');
    await trial.heard();
    await store.declaration('a/third');
    await remove(trial, 'third');
    assert.equal(await store.declaration('a/third'), null);
    assert.deepEqual(await marksOf(trial), held);
  });

  test('of two that go at once, neither waits for the other to let go', async (context) => {
    const { trial, store } = await opened(context);
    for (const name of ['first', 'second']) {
      await trial.policy(name);
      await trial.heard();
      await store.declaration(`a/${name}`);
    }
    await hold(trial);
    await remove(trial, 'first');
    await remove(trial, 'second');
    // They may be in each other's way: one of them then comes back to it.
    await Promise.allSettled([store.declaration('a/first'), store.declaration('a/second')]);
    assert.deepEqual(await Promise.all([store.declaration('a/first'), store.declaration('a/second')]), [null, null]);
    assert.deepEqual(await marksOf(trial), FREE);
  });

  test('stays until the Deployment is let go, which is tried again', async (context) => {
    const { trial, store } = await opened(context);
    await trial.policy('shop', REFUSED);
    await trial.heard();
    await assert.rejects(store.declaration('a/shop'), { code: 'policy-refused' });
    await hold(trial);
    await remove(trial);
    trial.memory.intercept = (verb) => {
      if (verb === 'patch') throw new KubeError('patch', 500, { message: 'not now' });
    };
    await assert.rejects(store.declaration('a/shop'), /not now/);
    assert.deepEqual((await trial.read())?.metadata.finalizers, [FINALIZER]);
    trial.memory.intercept = () => {};
    assert.equal(await store.declaration('a/shop'), null);
    assert.deepEqual(await marksOf(trial), FREE);
  });

  test('goes as well when something was recorded, but nothing released', async (context) => {
    const { trial, store } = await opened(context);
    await trial.policy();
    await trial.heard();
    await store.declaration('a/shop');
    await store.record(change(0, { state: stateOf(null, { stable: null }) }));
    await trial.api.patch(
      RELEASE_POLICIES,
      { namespace: 'a', name: 'shop' },
      { type: 'merge', body: { spec: REFUSED } },
    );
    await remove(trial);
    assert.equal(await store.declaration('a/shop'), null);
    assert.equal(await trial.read(), null);
  });
});

test('row 63: a policy that was pointed at another Deployment lets that one go, once its own is given back', async (context) => {
  const { trial, store } = await opened(context);
  await trial.deployment('web', 'web:v7');
  await trial.policy();
  await trial.heard();
  await store.declaration('a/shop');
  await store.record(step(0, { number: 1, to: 'app:v1', phase: 'ended' }));
  const body = { spec: { workload: { deployment: { name: 'web' } } } };
  await trial.api.patch(RELEASE_POLICIES, { namespace: 'a', name: 'shop' }, { type: 'merge', body });
  await hold(trial);
  await hold(trial, 'web');
  await remove(trial);
  assert.equal((await store.declaration('a/shop'))?.removed, true);
  assert.equal((await marksOf(trial, 'web')).paused, true);
  await store.finish('a/shop');
  assert.deepEqual(await marksOf(trial, 'web'), FREE);
  // Its own is for the workload to give back, which the store was not told of here.
  assert.equal((await marksOf(trial)).paused, true);
  assert.equal(await trial.read(), null);
});
