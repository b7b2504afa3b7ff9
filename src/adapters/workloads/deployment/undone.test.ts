import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNOTATION, EXEMPT_ACCOUNT } from '../../../cluster/names.ts';
import type { Deployment } from '../../../cluster/objects.ts';
import { templateRevision } from '../../../cluster/revision.ts';
import { DEPLOYMENTS, type KubeObject, type Resource } from '../../../kubernetes/index.ts';
import { HaldaneError } from '../../../lib/errors.ts';
import { inWorld, type World } from './test-world.ts';

/** haldane-hold and haldane-keep, to whom they do not exempt. */
function asToStrangers(resource: Resource, before: KubeObject | null, after: KubeObject): KubeObject {
  if (resource !== DEPLOYMENTS || before === null) return after;
  const [was, is] = [before as Deployment, after as Deployment];
  const old = was.metadata.annotations ?? {};
  const kept = [ANNOTATION.lock, ANNOTATION.hold].flatMap((name) => (name in old ? [[name, old[name] ?? '']] : []));
  const { [ANNOTATION.lock]: _lock, [ANNOTATION.hold]: _hold, ...rest } = is.metadata.annotations ?? {};
  const isNew = templateRevision(was.spec.template) !== templateRevision(is.spec.template);
  const waits = isNew || (was.spec.paused === true && old[ANNOTATION.held] === 'true');
  const annotations = { ...rest, ...Object.fromEntries(kept), ...(waits ? { [ANNOTATION.held]: 'true' } : {}) };
  return {
    ...is,
    metadata: { ...is.metadata, annotations },
    spec: { ...is.spec, ...(waits ? { paused: true } : {}) },
  };
}

const undone = (...what: readonly string[]) => {
  return (error: unknown) => {
    assert.ok(error instanceof HaldaneError);
    assert.equal(error.code, 'deployment-undone');
    assert.ok(error.fix?.includes(EXEMPT_ACCOUNT), error.fix);
    for (const each of what) assert.ok(error.message.includes(each), error.message);
    return true;
  };
};

describe('a write that admission undoes', () => {
  const waiting = async (world: World) => {
    const stable = await world.adopt();
    const next = await world.apply('app:v2');
    world.cluster.api.admit = asToStrangers;
    return { stable, next };
  };
  const writes = (world: World) => world.cluster.api.calls.filter((call) => call === 'patch deployments shop/shop');

  test('a mark that is not kept is an error that names the account', () =>
    inWorld(async (world) => {
      world.cluster.api.admit = asToStrangers;
      await assert.rejects(world.adopt(), undone(ANNOTATION.hold));
    }));

  test('a promotion that is held again is an error after one write, and nothing rolls', () =>
    inWorld(async (world) => {
      const { next } = await waiting(world);
      world.cluster.api.calls.length = 0;
      await assert.rejects(world.ask(next), undone('paused', ANNOTATION.held, ANNOTATION.lock));
      assert.equal(writes(world).length, 1);
      await world.cluster.pass(3);
      assert.deepEqual(await world.images(), ['app:v1', 'app:v1', 'app:v1']);
    }));

  test('row 7: what was not given back is not taken for given back', () =>
    inWorld(async (world) => {
      const { stable } = await waiting(world);
      await assert.rejects(world.workload.handBack(world.policy, stable), undone('paused', ANNOTATION.hold));
      world.cluster.api.admit = (_resource, _before, after) => after;
      await world.workload.handBack(world.policy, stable);
      const { metadata, spec } = await world.cluster.deployment();
      assert.deepEqual([metadata.annotations, spec.paused], [{}, undefined]);
    }));
});
