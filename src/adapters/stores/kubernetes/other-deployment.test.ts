import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SPEC, StoreTrial, step, versionOf } from '../../../../test/support/kubernetes-store-trial.ts';
import type { Version } from '../../../core/model/version.ts';
import { DEPLOYMENTS, RELEASE_POLICIES } from '../../../kubernetes/index.ts';
import type { Declaration } from '../../../ports/index.ts';

const AT = { namespace: 'a', name: 'shop' };
const V1 = versionOf('app:v1').revision;
const V2 = versionOf('app:v2').revision;

type Context = { after: (end: () => Promise<void>) => void };

/** A policy that has released `shop`, and is then pointed at `web`, which runs something else. */
async function moved(context: Context, phase: 'testing' | 'ended') {
  const trial = new StoreTrial();
  await trial.deployment();
  await trial.deployment('web', 'web:v7');
  await trial.policy();
  const instance = await trial.open();
  context.after(() => instance.stop());
  const { store } = instance;
  await store.declaration('a/shop');
  if (phase === 'testing') await trial.setImage('app:v2');
  await store.record(step(0, { number: 1, to: phase === 'testing' ? 'app:v2' : 'app:v1', phase }));
  await point(trial, 'web');
  return { trial, ...instance };
}

async function point(trial: StoreTrial, name: string): Promise<void> {
  const body = { spec: { workload: { deployment: { name } } } };
  await trial.api.patch(RELEASE_POLICIES, AT, { type: 'merge', body });
  await trial.heard();
}

function contentOf(declaration: Declaration | null) {
  const { policy, version } = JSON.parse(declaration?.document ?? '{}') as {
    policy: { workload: { deployment: string } };
    version: Version;
  };
  return { deployment: policy.workload.deployment, revision: version.revision };
}

describe('row 63: a policy that is pointed at another Deployment', () => {
  test('is refused with a sentence and a fix, and goes on with its own: the other one is never asked for a version', async (context) => {
    const { trial, store } = await moved(context, 'ended');
    const next = await trial.open();
    context.after(() => next.stop());
    for (const each of [store, next.store]) {
      assert.deepEqual(contentOf(await each.declaration('a/shop')), { deployment: 'shop', revision: V1 });
      assert.match(each.refusal('a/shop') ?? '', /^spec\.workload\.deployment\.name: .*shop and cannot go over to web/);
      assert.match(each.refusal('a/shop') ?? '', /write shop again; for web make another policy of another name/);
    }
    await trial.setImage('app:v2');
    await trial.setImage('web:v8', 'web');
    await trial.heard();
    assert.deepEqual(contentOf(await store.declaration('a/shop')), { deployment: 'shop', revision: V1 });
  });

  test('ends what is under way where it began, by the policy it began with', async (context) => {
    const { trial, store } = await moved(context, 'testing');
    assert.deepEqual(contentOf(await store.declaration('a/shop')), { deployment: 'shop', revision: V2 });
    await trial.setImage('app:v1');
    await trial.heard();
    assert.deepEqual(contentOf(await store.declaration('a/shop')), { deployment: 'shop', revision: V1 });
  });

  test('takes new templates again once it is pointed back', async (context) => {
    const { trial, store } = await moved(context, 'ended');
    await store.declaration('a/shop');
    await point(trial, 'shop');
    await trial.setImage('app:v2');
    await trial.heard();
    assert.deepEqual(contentOf(await store.declaration('a/shop')), { deployment: 'shop', revision: V2 });
    assert.equal(store.refusal('a/shop'), null);
  });

  test('is withdrawn from its own Deployment when it is deleted, or when that one is gone', async (context) => {
    const { trial, store } = await moved(context, 'ended');
    await trial.api.delete(RELEASE_POLICIES, AT);
    await trial.heard();
    const declaration = await store.declaration('a/shop');
    assert.equal(declaration?.removed, true);
    assert.equal(contentOf(declaration).deployment, 'shop');

    const other = await moved(context, 'ended');
    await other.trial.api.delete(DEPLOYMENTS, AT);
    await other.trial.heard();
    const gone = await other.store.declaration('a/shop');
    assert.equal(gone?.removed, true);
    assert.equal(contentOf(gone).deployment, 'shop');
  });

  test('may be pointed anywhere as long as nothing was released by it', async (context) => {
    const trial = new StoreTrial();
    await trial.deployment('web', 'web:v7');
    await trial.policy('shop', SPEC);
    const { store, stop } = await trial.open();
    context.after(stop);
    assert.equal(await store.declaration('a/shop'), null);
    await point(trial, 'web');
    assert.equal(contentOf(await store.declaration('a/shop')).deployment, 'web');
  });
});
