// Killed after each of its writes, the answer unheard, and gone on with by another process: the end is the same (I6).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Died, dyingAfter } from '../../../cluster/doubles/rolling-cluster.ts';
import { spareRevision } from '../../../core/model/observed.ts';
import type { Version } from '../../../core/model/version.ts';
import { inWorld, type World } from './test-world.ts';

/** Asks again, as the controller does, and as another process once one died. */
async function surviving(world: World, ask: () => Promise<void>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    world.workload = world.agent();
    await world.cluster.pass(0);
    return false;
  }
}

async function untilSurviving(world: World, version: Version): Promise<void> {
  for (let look = 0; look < 60; look += 1) {
    const place = await world.place();
    if (place.serving === version.revision && place.heading === version.revision && place.isSettled) return;
    await surviving(world, () => world.ask(version));
    await world.cluster.pass();
  }
  assert.fail(`never came to rest with ${version.label}: ${JSON.stringify(await world.place())}`);
}

async function persistently(world: World, ask: () => Promise<void>): Promise<void> {
  while (!(await surviving(world, ask)));
}

const JOURNEYS: Readonly<Record<string, (world: World) => Promise<void>>> = {
  'a promotion, and what was tried is retired': async (world) => {
    const next = await world.apply('app:v2');
    await persistently(world, () => world.tryOut(next, 2));
    await world.cluster.pass(2);
    await untilSurviving(world, next);
    await persistently(world, () => world.workload.retire(world.policy, [spareRevision(next.revision)]));
  },
  'an abort in mid-roll': async (world) => {
    const stable = world.known('app:v1');
    const next = await world.apply('app:v2');
    await persistently(world, () => world.ask(next));
    await world.cluster.pass(2);
    await untilSurviving(world, stable);
  },
  'a rollback after the promotion': async (world) => {
    await untilSurviving(world, await world.apply('app:v2'));
    await untilSurviving(world, world.known('app:v1'));
  },
  'a hand-back while a template waits': async (world) => {
    const stable = world.known('app:v1');
    await persistently(world, () => world.tryOut(versionTried));
    await world.apply('app:v2');
    await persistently(world, () => world.workload.handBack(world.policy, stable));
    await world.cluster.pass(3);
    await persistently(world, () => world.workload.handBack(world.policy, stable));
  },
};

let versionTried: Version;

interface End {
  readonly writes: number;
  readonly state: unknown;
}

async function endOf(journey: (world: World) => Promise<void>, killedAt: number): Promise<End> {
  let end: End = { writes: 0, state: null };
  await inWorld(async (world) => {
    await world.adopt();
    versionTried = world.known('app:v2');
    const dying = dyingAfter(world.cluster.api, killedAt);
    world.workload = world.agent(dying.api);
    await journey(world);
    await world.cluster.pass(8);
    const { spec, metadata } = await world.cluster.deployment();
    const canary = await world.cluster.deployment('shop-canary');
    const sets = (await world.cluster.setsOf(await world.cluster.deployment())).map((set) => [
      set.spec.template.spec.containers[0]?.image,
      set.spec.replicas,
    ]);
    const state = { spec, annotations: metadata.annotations, canary: canary?.spec, sets, pods: await world.images() };
    end = { writes: dying.writes(), state };
  });
  return end;
}

describe('row 22, I6: killed after each write', () => {
  for (const [name, journey] of Object.entries(JOURNEYS)) {
    test(`${name} ends as it would have`, async () => {
      const whole = await endOf(journey, 0);
      assert.ok(whole.writes >= 3, `${whole.writes} writes`);
      for (let at = 1; at <= whole.writes; at += 1) {
        const { state } = await endOf(journey, at);
        assert.deepEqual(state, whole.state, `killed after write ${at} of ${whole.writes}`);
      }
    });
  }
});
