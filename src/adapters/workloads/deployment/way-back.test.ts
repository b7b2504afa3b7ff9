import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NAMESPACE, podTemplate } from '../../../cluster/doubles/rolling-cluster.ts';
import { ANNOTATION } from '../../../cluster/names.ts';
import { DEPLOYMENTS, REPLICA_SETS } from '../../../kubernetes/index.ts';
import { inWorld, type World } from './test-world.ts';

const refused = (code: string) => ({ code });

describe('the way back', () => {
  const aborted = async (world: World) => {
    const stable = await world.adopt();
    const next = await world.apply('app:v2');
    await world.ask(next);
    await world.cluster.pass(3);
    assert.deepEqual(new Set(await world.images()), new Set(['app:v1', 'app:v2']));
    await world.until(stable);
    return { stable, next };
  };

  test('row 23: an abort in mid-roll gives stable its place back, then the template waits again as it was written', () =>
    inWorld(async (world) => {
      await aborted(world);
      assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
      const { spec, metadata } = await world.cluster.deployment();
      assert.deepEqual([spec.paused, spec.template], [true, podTemplate('app:v2')]);
      assert.deepEqual(metadata.annotations, { [ANNOTATION.hold]: 'true', [ANNOTATION.held]: 'true' });
      const sets = await world.cluster.setsOf(await world.cluster.deployment());
      assert.equal(sets.length, 1);
      assert.equal((await world.place()).isSettled, true);
    }));

  test('the same version can be tried and promoted after that', () =>
    inWorld(async (world) => {
      const { next } = await aborted(world);
      await world.until(next);
      assert.deepEqual(await world.images(), ['app:v2', 'app:v2', 'app:v2']);
    }));

  test('a restore is finished though another version is wanted meanwhile', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const next = await world.apply('app:v2');
      await world.ask(next);
      await world.cluster.pass(2);
      await world.ask(stable);
      assert.equal((await world.place()).heading, stable.revision);
      await world.until(next);
      assert.deepEqual(await world.images(), ['app:v2', 'app:v2', 'app:v2']);
    }));

  test('after a promotion the version before comes back from its Release, its set long gone', () =>
    inWorld(async (world) => {
      const first = await world.adopt();
      const second = await world.apply('app:v2');
      await world.promote(second);
      for (const set of await world.cluster.setsOf(await world.cluster.deployment())) {
        if (set.spec.replicas === 0) await world.cluster.api.delete(REPLICA_SETS, set.metadata);
      }
      await world.cluster.pass();
      await world.until(first);
      assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
      assert.deepEqual((await world.cluster.deployment()).spec.template, podTemplate('app:v2'));
    }));

  test('pods of a version that was restarted are not started anew by an abort', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const restarted = podTemplate('app:v1');
      await world.cluster.setTemplate({
        ...restarted,
        metadata: { ...restarted.metadata, annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } },
      });
      await world.cluster.pass(10);
      assert.equal((await world.place()).isSettled, true);
      const before = (await world.cluster.pods()).map(({ metadata }) => metadata.uid);
      const next = await world.apply('app:v2');
      await world.ask(next);
      await world.cluster.pass();
      await world.until(stable);
      const after = (await world.cluster.pods()).map(({ metadata }) => metadata.uid);
      assert.deepEqual(after, before);
    }));

  test('a template that got past the lock waits, and what is on its way arrives', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const next = await world.apply('app:v2');
      await world.ask(next);
      const seen = await world.cluster.deployment();
      await world.cluster.api.replace(DEPLOYMENTS, {
        ...seen,
        spec: { ...seen.spec, template: podTemplate('app:v3') },
      });
      await world.cluster.pass();
      await world.until(next);
      const { spec } = await world.cluster.deployment();
      assert.deepEqual([spec.paused, spec.template], [true, podTemplate('app:v3')]);
      assert.notEqual(stable.revision, next.revision);
    }));

  test('row 30: a waiting template that nobody knows any more keeps no lock in place', () =>
    inWorld(async (world) => {
      const { stable, next } = { stable: await world.adopt(), next: await world.apply('app:v2') };
      await world.ask(next);
      await world.cluster.pass();
      await world.ask(stable);
      world.kept.clear();
      const sets = await world.cluster.setsOf(await world.cluster.deployment());
      for (const set of sets) {
        if (set.spec.template.spec.containers[0]?.image === 'app:v2') {
          await world.cluster.api.delete(REPLICA_SETS, set.metadata);
        }
      }
      await world.cluster.pass(2);
      await world.until(stable);
      assert.equal((await world.cluster.deployment()).metadata.annotations?.[ANNOTATION.lock], undefined);
    }));

  test('row 30: a lock that cannot be read is taken away, and said', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const body = { metadata: { annotations: { [ANNOTATION.lock]: '{"to":' } } };
      await world.cluster.api.patch(DEPLOYMENTS, { namespace: NAMESPACE, name: 'shop' }, { type: 'merge', body });
      await world.cluster.pass();
      assert.match((await world.place()).trouble ?? '', /cannot be read/);
      await world.until(stable);
    }));
});

describe('a Deployment is given back', () => {
  const held = async (world: World) => {
    const stable = await world.adopt();
    await world.apply('app:v2');
    await world.until(stable);
    return stable;
  };
  const bare = async (world: World, image: string) => {
    const { spec, metadata } = await world.cluster.deployment();
    assert.deepEqual([spec.paused, spec.template], [undefined, podTemplate(image)]);
    assert.deepEqual(metadata.annotations, {});
  };

  test('row 7: at rest only the mark goes, and every pod stays', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const before = await world.cluster.pods();
      await world.workload.handBack(world.policy, stable);
      await world.cluster.pass(3);
      await bare(world, 'app:v1');
      assert.deepEqual(await world.cluster.pods(), before);
    }));

  test('restore: stable’s template stands in it, and nothing rolls', () =>
    inWorld(async (world) => {
      const stable = await held(world);
      await world.workload.handBack(world.policy, stable);
      await world.cluster.pass(3);
      await bare(world, 'app:v1');
      assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
    }));

  test('letGo: what waits is let go', () =>
    inWorld(
      async (world) => {
        const stable = await held(world);
        await world.workload.handBack(world.policy, stable);
        await world.cluster.pass(10);
        await bare(world, 'app:v2');
        assert.deepEqual(await world.images(), ['app:v2', 'app:v2', 'app:v2']);
      },
      { onRemoval: 'letGo' },
    ));

  test('row 78: in the midst of a restore that cannot end it is given back all the same', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      await world.ask(await world.apply('app:v2'));
      await world.cluster.pass(3);
      world.cluster.broken.add('app:v1');
      await world.ask(stable);
      await world.workload.handBack(world.policy, stable);
      await bare(world, 'app:v1');
    }));

  test('row 78: without its Deployment the canary goes, and it is given back; again and again', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      await world.tryOut(await world.apply('app:v2'));
      await world.cluster.api.delete(DEPLOYMENTS, { namespace: NAMESPACE, name: 'shop' });
      await world.cluster.pass(2);
      for (let again = 0; again < 3; again += 1) await world.workload.handBack(world.policy, stable);
      await world.cluster.pass(2);
      assert.equal(await world.cluster.deployment('shop-canary'), undefined);
    }));

  test('row 1: the canary stays while stable has nothing that serves', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      await world.tryOut(await world.apply('app:v2'));
      await world.cluster.pass(2);
      const seen = await world.cluster.deployment();
      const body = { status: { ...seen.status, availableReplicas: 0 } };
      await world.cluster.api.patch(DEPLOYMENTS, seen.metadata, { type: 'merge', body }, { subresource: 'status' });
      await world.cluster.api.get(DEPLOYMENTS, seen.metadata);
      await new Promise((resolve) => setTimeout(resolve, 5));
      await assert.rejects(world.workload.handBack(world.policy, stable), refused('not-given-back'));
      await world.cluster.pass(2);
      await world.workload.handBack(world.policy, stable);
      await world.cluster.pass(2);
      assert.equal(await world.cluster.deployment('shop-canary'), undefined);
    }));
});
