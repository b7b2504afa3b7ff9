import assert from 'node:assert/strict';
import { it } from 'node:test';
import { stableWorld, version, type World } from '../../test/engine/world.ts';
import { encodeBody, withClock } from '../controller/index.ts';
import { MemoryStore } from '../ports/doubles/index.ts';
import { declareVersion } from './new-version.ts';

async function storeOf(world: World): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.declare('shop', JSON.stringify({ policy: world.policy, version: world.declared }));
  const state = withClock(encodeBody(world.state), world.state.clock);
  const none = { journal: [], releases: [], answers: [] };
  await store.record({ policy: 'shop', expectedVersion: 0, state, ...none, keepReleases: 1 });
  return store;
}

const withErrors = { ...version('bad'), template: { ...version('bad').template, env: { ERRORS: '0.3' } } } as never;

it('a version by command starts from stable where the declared one was taken back', async () => {
  const world = stableWorld();
  world.behaviour.set('rev-bad', { errorRate: 0.3 });
  world.declared = withErrors;
  world.runUntil((w) => w.state.waiting !== null);
  const store = await storeOf(world);
  assert.equal((await declareVersion(store, 'shop', { version: 'v2' })).before, 'v1');
  const document = JSON.parse((await store.declaration('shop'))?.document ?? '{}');
  assert.deepEqual(document.version.template.env, {});
});

it('and from the declared one where it is on trial or promoted', async () => {
  const world = stableWorld();
  world.declared = withErrors;
  world.runFor(20_000);
  const store = await storeOf(world);
  assert.equal((await declareVersion(store, 'shop', { version: 'v2' })).before, 'bad');
});
