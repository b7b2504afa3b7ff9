// Promotion in stable's own place, as Deployments do it (ADR 0051): the same decisions, another way of carrying them out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spareRevision } from '../../src/core/model/observed.ts';
import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import { PlaceModel } from './place-model.ts';
import { policy, version, World } from './world.ts';

function deploymentPolicy(changes: Partial<ReleasePolicy> = {}): ReleasePolicy {
  return policy({
    workload: {
      kind: 'deployment',
      deployment: 'shop',
      container: null,
      pods: 'isolated',
      label: null,
      onRemoval: 'restore',
    },
    ...changes,
  });
}

function placeWorld(changes: Partial<ReleasePolicy> = {}): World {
  const world = new World(version('v1'), deploymentPolicy(changes));
  world.place = new PlaceModel(version('v1'), 3);
  world.runUntil((w) => w.state.stable?.label === 'v1');
  return world;
}

const kinds = (world: World) => world.effects.map(({ kind }) => kind);

test('row 6: a live Deployment is adopted without being rolled, sized or retired', () => {
  const world = placeWorld();
  assert.deepEqual(world.place?.told, []);
  assert.equal(world.share('rev-v1'), 100);
  world.effects.length = 0;
  world.runFor(60_000);
  assert.deepEqual(kinds(world), [], 'at rest there is nothing to do');
});

test('a good version is tried beside stable, rolled out in its place, and the tried one is retired last (I2)', () => {
  const world = placeWorld();
  world.declared = version('v2');
  let told = 0;
  world.runUntil((w) => {
    told = w.state.release?.phase.kind === 'testing' ? (w.place?.told.length ?? 0) : told;
    return w.state.release?.phase.kind === 'promoting';
  });
  assert.equal(told, 0, 'nothing is rolled before the verdict (I4)');
  const tried = world.share('rev-v2');
  assert.ok(tried > 0 && tried < 100);
  world.runUntil((w) => w.state.stable?.label === 'v2');
  assert.deepEqual(world.place?.told, ['v2']);
  world.runUntil((w) => w.place?.canary === null);
  const last = world.effects.filter((effect) => effect.kind === 'retire').at(-1);
  assert.deepEqual(last?.kind === 'retire' ? last.revisions : [], [spareRevision('rev-v2')]);
  assert.equal(world.share('rev-v2'), 100);
});

test('while its place is rolled the canary keeps the weight it was tried at', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.state.release?.phase.kind === 'promoting');
  const tried = world.share('rev-v2');
  world.runUntil((w) => w.place?.replicas.some((revision) => revision === 'rev-v2') === true);
  assert.equal(world.share('rev-v2'), tried);
  assert.notEqual(world.place?.canary, null);
});

test('row 24, I3: an abort in the middle of the roll gives stable its place back, and ends only when it has it', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.place?.replicas.includes('rev-v2') === true);
  world.command('abort', { reason: 'complaints' });
  world.step();
  assert.equal(world.share('rev-v2'), 0, 'the weight is gone in the same decision');
  world.runUntil((w) => w.outcome !== null);
  assert.equal(world.outcome?.kind, 'aborted');
  assert.deepEqual(world.place?.told, ['v2', 'v1']);
  assert.deepEqual(world.place?.replicas, ['rev-v1', 'rev-v1', 'rev-v1']);
  assert.equal(world.place?.canary, null);
  world.runFor(60_000);
  assert.equal(world.state.waiting?.version.label, 'v2', 'it waits and is not tried again by itself');
  assert.equal(world.place?.serving, 'rev-v1');
});

test('row 1: a version that does not get ready in its place is taken back at the deadline', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.state.release?.phase.kind === 'promoting');
  if (world.place !== null) world.place.stuck = 'CrashLoopBackOff: exit code 1';
  world.runUntil((w) => w.state.release?.phase.kind === 'aborting');
  if (world.place !== null) world.place.stuck = null;
  world.runUntil((w) => w.outcome !== null);
  assert.match(world.outcome?.sentence ?? '', /CrashLoopBackOff/);
  assert.equal(world.place?.serving, 'rev-v1');
});

test('a bad version never reaches stable’s place', () => {
  const world = placeWorld();
  world.behaviour.set('rev-v2', { errorRate: 0.05 });
  world.declared = version('v2');
  world.runUntil((w) => w.outcome?.kind === 'aborted');
  assert.deepEqual(world.place?.told, []);
  assert.equal(world.place?.canary, null);
});

test('rollback after promotion gives the earlier version the place, without a canary', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.state.stable?.label === 'v2' && w.place?.canary === null);
  world.command('rollback', { reason: 'late complaints' });
  world.step();
  world.runUntil((w) => w.state.stable?.label === 'v1' && w.place?.serving === 'rev-v1');
  assert.equal(world.place?.canary, null);
});

test('row 60: when the owner of stable’s size grows it in mid-release, the canary is sized from that', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.share('rev-v2') >= 25);
  const place = world.place;
  assert.ok(place !== null);
  place.replicas = Array.from({ length: 12 }, () => 'rev-v1');
  world.runFor(2_000);
  assert.equal(world.state.release?.baseReplicas, 12);
  assert.equal(place.canary?.wanted, Math.ceil((12 * (world.state.release?.weightPercent ?? 0)) / 100));
});

test('row 53: a third version after the decision waits for its end, and is then tried', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.state.release?.phase.kind === 'promoting');
  world.declared = version('v3');
  world.runUntil((w) => w.state.stable?.label === 'v2');
  world.runUntil((w) => w.state.stable?.label === 'v3');
  assert.deepEqual(world.place?.told, ['v2', 'v3']);
});

test('row 7: a withdrawn policy is given back once nothing is under way', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.share('rev-v2') > 0);
  world.declared = null;
  world.runUntil((w) => w.handBacks > 0);
  assert.equal(world.outcome?.kind, 'aborted');
  assert.equal(world.share('rev-v1'), 100);
});

test('row 3: a version past analysis that cannot start is taken back at the deadline, and stable has served all along', () => {
  const world = placeWorld();
  world.declared = version('v2');
  if (world.place !== null) world.place.stuck = 'ImagePullBackOff';
  world.runUntil((w) => w.share('rev-v2') > 0);
  world.command('promote', { skipAnalysis: true, reason: 'in a hurry' });
  world.runUntil((w) => w.state.release?.phase.kind === 'aborting');
  if (world.place !== null) world.place.stuck = null;
  world.runUntil((w) => w.outcome !== null);
  assert.match(world.outcome?.sentence ?? '', /ImagePullBackOff/);
  assert.equal(world.place?.serving, 'rev-v1');
});

test('row 11: on the way back no weight moves before the place has the version', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.state.stable?.label === 'v2' && w.place?.canary === null);
  world.effects.length = 0;
  world.command('rollback', { reason: 'late complaints' });
  world.step();
  world.runUntil((w) => w.place?.serving === 'rev-v1');
  const splits = world.effects.flatMap((effect) => (effect.kind === 'ensureSplit' ? [effect.split.weights] : []));
  for (const weights of splits)
    assert.ok(weights.every(({ weightPercent }) => weightPercent === 100 || weightPercent === 0));
});

test('row 16: after an abort nothing flaps, whoever sizes the place', () => {
  const world = placeWorld();
  world.behaviour.set('rev-v2', { errorRate: 0.05 });
  world.declared = version('v2');
  world.runUntil((w) => w.outcome?.kind === 'aborted');
  world.runFor(5_000);
  world.effects.length = 0;
  for (const size of [9, 3, 6, 1]) {
    if (world.place !== null) world.place.replicas = Array.from({ length: size }, () => 'rev-v1');
    world.runFor(120_000);
  }
  assert.deepEqual(kinds(world), []);
});

test('row 21: while the data plane does not take the weight away the canary is kept, and that is said', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.share('rev-v2') >= 25);
  const stuck = world.split;
  world.behaviour.set('rev-v2', { errorRate: 0.5 });
  world.runUntil((w) => w.state.release?.phase.kind === 'aborting');
  for (let looks = 0; looks < 600; looks += 1) {
    world.split = stuck;
    world.step();
  }
  assert.notEqual(world.place?.canary, null);
  assert.match(world.last?.because ?? '', /the traffic goes back/);
});

test('row 29: after an abort a later version is tried like any other', () => {
  const world = placeWorld();
  world.behaviour.set('rev-v2', { errorRate: 0.05 });
  world.declared = version('v2');
  world.runUntil((w) => w.outcome?.kind === 'aborted');
  world.declared = version('v3');
  world.runUntil((w) => w.state.stable?.label === 'v3');
  assert.deepEqual(world.place?.told, ['v3']);
});

test('row 78: a Deployment that is gone in mid-release ends it, and the policy can be given back', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.share('rev-v2') > 0);
  world.isGone = true;
  world.declared = null;
  world.runUntil((w) => w.handBacks > 0, 600_000);
  assert.equal(world.outcome?.kind, 'aborted');
});

test('rows 27 and 30: a roll back that does not come to an end ends the release at its deadline, and a fix gets through', () => {
  const world = placeWorld();
  world.declared = version('v2');
  world.runUntil((w) => w.place?.replicas.includes('rev-v2') === true);
  world.command('abort', { reason: 'complaints' });
  world.step();
  if (world.place !== null) world.place.stuck = 'ImagePullBackOff';
  world.runUntil((w) => w.outcome !== null, 1_200_000);
  assert.match(world.outcome?.sentence ?? '', /v1 does not get its place back: ImagePullBackOff/);
  world.declared = version('v3');
  world.runUntil((w) => w.state.release?.to.label === 'v3');
  if (world.place !== null) world.place.stuck = null;
  world.command('promote', { skipAnalysis: true, reason: 'the fix' });
  world.runUntil((w) => w.state.stable?.label === 'v3', 1_200_000);
});
