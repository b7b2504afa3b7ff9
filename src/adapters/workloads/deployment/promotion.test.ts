import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NAMESPACE, podTemplate } from '../../../cluster/doubles/rolling-cluster.ts';
import { ANNOTATION, LABEL } from '../../../cluster/names.ts';
import { templateRevision } from '../../../cluster/revision.ts';
import { spareRevision } from '../../../core/model/observed.ts';
import { DEPLOYMENTS, PODS } from '../../../kubernetes/index.ts';
import { inWorld } from './test-world.ts';

const forbidden = { status: 403 };
const refused = (code: string) => ({ code });

describe('a new template waits', () => {
  test('set again and again, it waits; what serves goes on, and its owner’s fields are as written', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      for (const image of ['app:v2', 'app:v3', 'app:v3']) {
        await world.apply(image);
        await world.ask(stable);
        await world.cluster.pass(2);
        assert.deepEqual((await world.cluster.deployment()).spec.template, podTemplate(image));
        assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
        assert.deepEqual(await world.place(), {
          serving: stable.revision,
          heading: stable.revision,
          isSettled: true,
          progress: '',
          trouble: null,
        });
      }
    }));

  test('a revert to what serves lifts the hold, and nothing rolls', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      await world.apply('app:v2');
      await world.cluster.setTemplate(podTemplate('app:v1'));
      assert.equal((await world.place()).isSettled, false);
      await world.until(stable);
      const { spec, metadata } = await world.cluster.deployment();
      assert.equal(spec.paused, undefined);
      assert.equal(metadata.annotations?.[ANNOTATION.held], undefined);
    }));

  test('row 74: one that slipped through is held within a look, before any pod of it', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const slip = world.known('app:v2');
      const seen = await world.cluster.deployment();
      await world.cluster.api.replace(DEPLOYMENTS, {
        ...seen,
        spec: { ...seen.spec, template: podTemplate('app:v2') },
      });
      await world.cluster.pass(0);
      await world.until(stable);
      assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
      const { spec, metadata } = await world.cluster.deployment();
      assert.deepEqual([spec.paused, metadata.annotations?.[ANNOTATION.held]], [true, 'true']);
      assert.equal(templateRevision(spec.template), slip.revision);
    }));

  test('row 74: one that slipped through and has pods is taken back, and waits; no Release has its template', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const seen = await world.cluster.deployment();
      await world.cluster.api.replace(DEPLOYMENTS, {
        ...seen,
        spec: { ...seen.spec, template: podTemplate('app:v2') },
      });
      await world.cluster.pass(3);
      assert.ok((await world.images()).includes('app:v2'));
      await world.until(stable);
      assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
      const { spec } = await world.cluster.deployment();
      assert.deepEqual([spec.paused, spec.template], [true, podTemplate('app:v2')]);
    }));

  test('held, scaled to 0 and back, stable’s version comes up: also when the waiting one has an older set', () =>
    inWorld(async (world) => {
      const first = await world.adopt();
      const second = await world.apply('app:v2');
      await world.promote(second);
      await world.apply('app:v1');
      await world.until(second);
      await world.cluster.scale(0);
      await world.cluster.pass(2);
      assert.deepEqual(await world.images(), []);
      assert.equal((await world.place()).serving, second.revision);
      await world.cluster.scale(3);
      await world.cluster.pass(2);
      assert.deepEqual(await world.images(), ['app:v2', 'app:v2', 'app:v2']);
      assert.notEqual(first.revision, second.revision);
    }));

  test('an evicted pod that is still listed keeps nothing from coming to rest', () =>
    inWorld(async (world) => {
      await world.adopt();
      const [pod] = await world.cluster.pods();
      const second = await world.apply('app:v2');
      await world.cluster.api.create(PODS, {
        metadata: { ...pod?.metadata, name: 'evicted', namespace: NAMESPACE },
        spec: pod?.spec,
        status: { phase: 'Failed', reason: 'Evicted' },
      });
      const names = async () => (await world.workload.observe(world.policy)).versions.map(({ label }) => label);
      await world.until(second).catch(() => {});
      assert.ok(!(await names()).includes('app:v1'));
    }));
});

describe('a canary beside stable', () => {
  test('runs the waiting template under a label of its own, and only as many as asked', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const next = await world.apply('app:v2');
      await world.tryOut(next, 2);
      await world.cluster.pass(3);
      assert.deepEqual(await world.images('shop-canary'), ['app:v2', 'app:v2']);
      const { metadata, spec } = await world.cluster.deployment('shop-canary');
      assert.equal(metadata.ownerReferences, undefined);
      assert.deepEqual(spec.template.metadata?.labels, {
        app: 'shop-canary',
        [LABEL.policy]: 'shop',
        [LABEL.role]: 'canary',
        [LABEL.revision]: next.revision,
      });
      const { versions } = await world.workload.observe(world.policy);
      assert.deepEqual(
        versions.map(({ revision, label, wanted, running, ready }) => [revision, label, wanted, running, ready]),
        [
          [stable.revision, 'v1', 3, 3, 3],
          [next.revision, 'v2', 2, 2, 2],
        ],
      );
    }));

  test('another version in its place is not overwritten: it goes first', () =>
    inWorld(async (world) => {
      await world.adopt();
      const second = await world.apply('app:v2');
      await world.tryOut(second);
      const third = await world.apply('app:v3');
      await world.tryOut(third);
      await world.cluster.pass(2);
      assert.deepEqual(await world.images('shop-canary'), ['app:v2']);
      await world.workload.retire(world.policy, [second.revision]);
      await world.tryOut(third);
      await world.cluster.pass(3);
      assert.deepEqual(await world.images('shop-canary'), ['app:v3']);
    }));

  test('I4: what a hand changed in it is put right at the next look at its size', () =>
    inWorld(async (world) => {
      await world.adopt();
      const next = await world.apply('app:v2');
      await world.tryOut(next);
      const seen = await world.cluster.deployment('shop-canary');
      await world.cluster.api.replace(DEPLOYMENTS, {
        ...seen,
        spec: { ...seen.spec, template: podTemplate('app:evil') },
      });
      await world.cluster.pass();
      await world.tryOut(next);
      const { containers } = (await world.cluster.deployment('shop-canary')).spec.template.spec;
      assert.equal(containers[0]?.image, 'app:v2');
    }));
});

describe('promotion in place', () => {
  test('the waiting template rolls under the lock, and serving flips when the last pod is new', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const next = await world.apply('app:v2');
      await world.tryOut(next);
      await world.cluster.pass(2);
      await world.ask(next);
      assert.equal((await world.place()).serving, stable.revision);
      await assert.rejects(world.apply('app:v3'), forbidden);
      await world.until(next);
      assert.deepEqual(await world.images(), ['app:v2', 'app:v2', 'app:v2']);
      const { versions } = await world.workload.observe(world.policy);
      assert.deepEqual(
        versions.map(({ revision }) => revision),
        [next.revision, spareRevision(next.revision)],
      );
      const { metadata, spec } = await world.cluster.deployment();
      assert.equal(spec.paused, undefined);
      assert.deepEqual(Object.keys(metadata.annotations ?? {}), [ANNOTATION.hold]);
      await world.workload.retire(world.policy, [spareRevision(next.revision)]);
      await world.cluster.pass(2);
      assert.equal(await world.cluster.deployment('shop-canary'), undefined);
    }));

  test('row 52: what was applied in the moment of promotion is not promoted', () =>
    inWorld(async (world) => {
      await world.adopt();
      const next = await world.apply('app:v2');
      const { api } = world.cluster;
      api.intercept = async (verb, resource) => {
        if (verb !== 'get' || resource !== DEPLOYMENTS) return;
        api.intercept = () => {};
        await world.apply('app:v3');
      };
      await assert.rejects(world.ask(next), refused('deployment-changed'));
      const { spec } = await world.cluster.deployment();
      assert.deepEqual([spec.paused, spec.template], [true, podTemplate('app:v3')]);
    }));

  test('I4: a tag that was moved since the analysis stops the roll, for ever, and abort takes it back', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      const next = await world.apply('app:v2');
      await world.tryOut(next);
      await world.cluster.pass(3);
      world.cluster.moved.set('app:v2', 'another build');
      for (let look = 0; look < 8; look += 1) {
        await world.ask(next);
        await world.cluster.pass();
      }
      const place = await world.place();
      assert.equal(place.serving, stable.revision);
      assert.match(place.trouble ?? '', /the tag of app moved: analysed was [0-9a-f]{12}, started is [0-9a-f]{12}/);
      assert.ok((await world.images()).includes('app:v1'));
      // Not even without the canary that knows what was analysed.
      await world.workload.retire(world.policy, [next.revision]);
      await world.cluster.pass(2);
      await world.ask(next);
      assert.equal((await world.place()).trouble, place.trouble);
      await world.until(stable);
      assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
    }));

  test('I4: of one replica, too, nothing is promoted from a moved tag', () =>
    inWorld(async (world) => {
      const stable = await world.adopt('app:v1', 1);
      const next = await world.apply('app:v2');
      await world.tryOut(next);
      await world.cluster.pass(3);
      world.cluster.moved.set('app:v2', 'another build');
      for (let look = 0; look < 8; look += 1) {
        await world.cluster.pass(3);
        await world.ask(next);
      }
      assert.equal((await world.place()).serving, stable.revision);
      await world.until(stable);
      assert.deepEqual(await world.images(), ['app:v1']);
    }));

  test('row 1: a version that does not start is named as trouble, and stable’s pods stay', () =>
    inWorld(async (world) => {
      const stable = await world.adopt();
      world.cluster.broken.add('app:v2');
      const next = await world.apply('app:v2');
      for (let look = 0; look < 6; look += 1) {
        await world.ask(next);
        await world.cluster.pass();
      }
      const place = await world.place();
      assert.equal(place.serving, stable.revision);
      assert.match(place.trouble ?? '', /app ImagePullBackOff/);
      const { versions } = await world.workload.observe(world.policy);
      assert.equal(versions.find(({ revision }) => revision === stable.revision)?.ready, 3);
    }));
});
