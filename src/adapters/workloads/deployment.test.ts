import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NAMESPACE, podTemplate } from '../../cluster/doubles/rolling-cluster.ts';
import { ANNOTATION } from '../../cluster/names.ts';
import { DEPLOYMENTS } from '../../kubernetes/index.ts';
import { workloadConformance } from '../../ports/conformance/index.ts';
import { inWorld, versionOf, World } from './deployment/test-world.ts';

workloadConformance('Deployments', async () => {
  const world = new World();
  await world.cluster.start();
  await world.cluster.deploy(podTemplate('app:v1'), 1);
  const stable = world.known('app:v1');
  world.cluster.broken.add('app:broken');
  const { cluster, workload, policy } = world;
  return {
    workload,
    policy,
    stable,
    canary: world.known('app:v2'),
    broken: world.known('app:broken'),
    sizes: false,
    until: async (what, condition) => {
      for (let turn = 0; turn < 20; turn += 1) {
        if (await condition()) return;
        await cluster.pass();
      }
      assert.fail(`never: ${what}`);
    },
    blind: () => cluster.silence(600_000),
    nextAgent: async () => world.agent(),
    end: () => world.end(),
  };
});

const refused = (code: string) => ({ code });

describe('a Deployment is taken up', () => {
  test('row 6: a live one is adopted with one mark, and neither its template nor a pod changes', () =>
    inWorld(async (world) => {
      await world.cluster.start();
      await world.cluster.deploy(podTemplate('app:v1'));
      const [before, pods] = [await world.cluster.deployment(), await world.cluster.pods()];
      const stable = versionOf(before.spec.template);
      assert.equal((await world.place()).isSettled, false);
      await world.until(stable);
      const after = await world.cluster.deployment();
      assert.deepEqual(after.spec, before.spec);
      assert.equal(after.metadata.annotations?.[ANNOTATION.hold], 'true');
      assert.deepEqual(
        (await world.cluster.pods()).map(({ metadata }) => metadata.uid),
        pods.map(({ metadata }) => metadata.uid),
      );
    }));

  test('at rest nothing is written', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      world.cluster.api.calls.length = 0;
      await world.ask(stable);
      await world.place();
      assert.deepEqual(world.cluster.api.calls, []);
    }));

  test('while suspended the mark is off, and new templates pass', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      world.isSuspended = true;
      await world.until(stable);
      await world.apply('app:v2');
      const { spec, metadata } = await world.cluster.deployment();
      assert.equal(spec.paused, undefined);
      assert.equal(metadata.annotations?.[ANNOTATION.hold], undefined);
    }));

  test('a pause of its owner, while nothing waits, stays', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      await world.cluster.write((seen) => ({ ...seen, spec: { ...seen.spec, paused: true } }));
      assert.equal((await world.place()).isSettled, true);
      await world.ask(stable);
      assert.equal((await world.cluster.deployment()).spec.paused, true);
    }));
});

describe('a Deployment that cannot be released', () => {
  const withSpec = (spec: object) => async (world: World) => {
    await world.cluster.start();
    await world.cluster.deploy(podTemplate('app:v1'));
    await world.cluster.write((seen) => ({ ...seen, spec: { ...seen.spec, ...spec } }));
  };

  for (const [what, spec] of [
    ['Recreate', { strategy: { type: 'Recreate' } }],
    ['maxUnavailable 100 %', { strategy: { rollingUpdate: { maxUnavailable: '100%' } } }],
    ['maxUnavailable of all its replicas', { strategy: { rollingUpdate: { maxUnavailable: 3 } } }],
  ] as const) {
    test(`${what} is refused with the fix`, () =>
      inWorld(async (world) => {
        await withSpec(spec)(world);
        await assert.rejects(world.ask(world.known('app:v1')), refused('deployment-strategy'));
      }));
  }

  for (const kind of ['missing', 'unknown', 'stranger'] as const) {
    const admission = { kind, why: 'it is so' } as const;

    test(`row 74: where the hold is ${kind} nothing new is tried, promoted or taken up`, () =>
      inWorld(async (world) => {
        await world.adopt();
        const next = await world.apply('app:v2');
        world.admission = admission;
        await assert.rejects(world.tryOut(next), refused(`admission-${kind}`));
        await assert.rejects(world.ask(next), refused(`admission-${kind}`));
        await inWorld(async (fresh) => {
          fresh.admission = admission;
          await fresh.cluster.start();
          await fresh.cluster.deploy(podTemplate('app:v1'));
          await assert.rejects(fresh.ask(fresh.known('app:v1')), refused(`admission-${kind}`));
          assert.equal((await fresh.cluster.deployment()).metadata.annotations, undefined);
          await fresh.workload.handBack(fresh.policy, null);
        });
      }));

    test(`row 74: where the hold is ${kind} the way back goes on: rollback, restore, hand-back (I3)`, () =>
      inWorld(async (world) => {
        const first = await world.adopt();
        const second = await world.apply('app:v2');
        await world.promote(second);
        world.admission = admission;
        await world.until(first);
        assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
        await world.workload.handBack(world.policy, first);
        const { metadata, spec } = await world.cluster.deployment();
        assert.deepEqual([metadata.annotations, spec.paused], [{}, undefined]);
      }));
  }

  test('one that something else runs is refused', () =>
    inWorld(async (world) => {
      const owner = { apiVersion: 'v1', kind: 'Application', name: 'shop', uid: 'other', controller: true };
      await world.cluster.start();
      await world.cluster.deploy(podTemplate('app:v1'), 3, { ownerReferences: [owner] });
      await assert.rejects(world.ask(world.known('app:v1')), refused('deployment-owned'));
    }));

  test('rows 71 and 78: without its Deployment there is no place, and a canary that is still there is no absence', () =>
    inWorld(async (world) => {
      await world.adopt();
      const next = await world.apply('app:v2');
      await world.tryOut(next);
      await world.cluster.pass(2);
      await world.cluster.api.delete(DEPLOYMENTS, { namespace: NAMESPACE, name: 'shop' });
      await world.cluster.pass();
      const alone = await world.workload.observe(world.policy);
      assert.equal(alone.place, undefined);
      assert.deepEqual(
        alone.versions.map(({ revision, wanted, ready }) => [revision, wanted, ready]),
        [[next.revision, 1, 1]],
      );
      await world.workload.retire(world.policy, [next.revision]);
      await world.cluster.pass();
      assert.deepEqual(await world.workload.observe(world.policy), { versions: [] });
    }));

  test('I3: a canary whose labels somebody took off is still the canary, and goes with the release', () =>
    inWorld(async (world) => {
      await world.adopt();
      const next = await world.apply('app:v2');
      await world.tryOut(next);
      await world.cluster.pass(2);
      const labels = { 'haldane.dev/policy': null, 'haldane.dev/revision': null, 'haldane.dev/role': null };
      const at = { namespace: NAMESPACE, name: 'shop-canary' };
      await world.cluster.api.patch(DEPLOYMENTS, at, { type: 'merge', body: { metadata: { labels } } });
      await world.cluster.pass();
      const { versions } = await world.workload.observe(world.policy);
      assert.deepEqual(versions.find(({ revision }) => revision === next.revision)?.ready, 1);
      await world.workload.retire(world.policy, [next.revision]);
      await world.cluster.pass();
      assert.equal(await world.cluster.api.get(DEPLOYMENTS, at), null);
    }));

  test('a Deployment of somebody else with the canary’s name is left alone', () =>
    inWorld(async (world) => {
      await world.adopt();
      const next = await world.apply('app:v2');
      const spec = { replicas: 1, selector: {}, template: podTemplate('other:v1') };
      await world.cluster.api.create(DEPLOYMENTS, { metadata: { namespace: NAMESPACE, name: 'shop-canary' }, spec });
      await world.cluster.pass();
      await assert.rejects(world.tryOut(next), refused('canary-name-taken'));
      assert.ok((await world.workload.observe(world.policy)).place?.isSettled, 'stable is seen all the same');
      assert.deepEqual((await world.cluster.deployment('shop-canary')).spec.template, podTemplate('other:v1'));
    }));
});

test('metric sources learn the pods of each version', () =>
  inWorld(async (world) => {
    const stable = await world.adopt();
    const next = await world.apply('app:v2');
    await world.tryOut(next);
    await world.cluster.pass(2);
    const seen = world.workload.podsOf(world.policy);
    assert.deepEqual([seen.namespace, seen.stable, seen.canary], [NAMESPACE, stable.revision, next.revision]);
    assert.deepEqual([seen.byRevision[stable.revision]?.length, seen.byRevision[next.revision]?.length], [3, 1]);
  }));
