import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changedState, commandOf, policyNamed, scripted, Trial } from '../../test/support/controller-trial.ts';
import { initialState, type State } from '../core/engine/index.ts';
import type { Effect } from '../core/model/effect.ts';
import { weightOf } from '../core/model/split.ts';
import { FakeRouter, FakeWorkload, sampleSplit, sampleVersion } from '../ports/doubles/index.ts';
import { submitCommand } from './commands.ts';
import { harmlessEffects } from './unrecorded.ts';

const policy = policyNamed('shop');
const [v1, v2] = [sampleVersion('v1'), sampleVersion('v2')];
const at = { monotonicMs: 0, epoch: 'boot-1', wallTime: '2026-01-01T00:00:00.000Z' };
const serving: State = { ...initialState('shop', at), stable: v1 };

function splitTo(canaryPercent: number): Extract<Effect, { kind: 'ensureSplit' }> {
  const endpoints = [{ host: '127.0.0.1', port: 1 }];
  const backends = [v1, v2].map(({ revision, label }) => ({ revision, label, endpoints }));
  const split = sampleSplit(v1.revision, { revision: v2.revision, weightPercent: canaryPercent });
  return { kind: 'ensureSplit', split, backends };
}

/** What a workload and a router that run v1 and v2 with this weight report. */
async function seenAt(canaryPercent: number) {
  const workload = new FakeWorkload();
  const router = new FakeRouter();
  await workload.ensure(policy, [
    { version: v1, replicas: 2, role: 'stable' },
    { version: v2, replicas: 1, role: 'canary' },
  ]);
  const { split, backends } = splitTo(canaryPercent);
  await router.ensure(policy, split, backends);
  return {
    workload: { kind: 'seen', value: await workload.observe(policy) },
    router: { kind: 'seen', value: await router.observe(policy) },
  } as const;
}

test('I7: what is done without a record never raises the weight of anything but stable', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), async (now, asked) => {
      const kept = harmlessEffects([splitTo(asked)], serving, await seenAt(now));
      if (asked > now) assert.deepEqual(kept, []);
      else assert.deepEqual(kept, [splitTo(asked)]);
    }),
  );
});

test('without a record, and without a look at the router, only the way to stable is open', async () => {
  const blind = { ...(await seenAt(50)), router: { kind: 'error', message: 'no' } } as const;
  assert.deepEqual(harmlessEffects([splitTo(1)], serving, blind), []);
  assert.equal(harmlessEffects([splitTo(0)], serving, blind).length, 1);
});

test('without a record nothing is started, enlarged, removed, run or told; stable is kept at its size', async () => {
  const wanted = [
    { version: v1, replicas: 5, role: 'stable' },
    { version: v2, replicas: 4, role: 'canary' },
    { version: sampleVersion('v3'), replicas: 1, role: 'canary' },
  ] as const;
  const message = { key: 'k', kind: 'started', release: null, sentence: 's' } as const;
  const effects: Effect[] = [
    { kind: 'ensureWorkload', wanted },
    { kind: 'retire', revisions: [v1.revision] },
    { kind: 'notify', message },
  ];
  const [kept, ...more] = harmlessEffects(effects, serving, await seenAt(10));
  assert.deepEqual(more, []);
  assert.deepEqual(kept?.kind === 'ensureWorkload' ? kept.wanted : [], [wanted[0], { ...wanted[1], replicas: 1 }]);
});

test('a full disk stops a new release with a clear message, and never what serves', async () => {
  const trial = new Trial();
  await trial.start(policy);
  await trial.clock.advance(60_000);
  await trial.declare(policy, 'v2');
  trial.store.fillUp('the disk is full: 0 MiB are free');
  await trial.clock.advance(120_000);
  assert.deepEqual(trial.workload.revisions(policy), ['rev-v1']);
  assert.equal(trial.router.splitOf(policy)?.weights[0]?.revision, 'rev-v1');
  const view = trial.controller.view('shop');
  assert.match(`${view?.trouble} ${view?.decision?.because}`, /disk is full/);
  trial.store.fillUp(null);
  await trial.clock.advance(120_000);
  assert.equal(trial.controller.view('shop')?.trouble, null);
  assert.ok(trial.workload.revisions(policy).includes('rev-v2'));
  await trial.controller.stop();
});

test('I3: abort reaches stable though the disk is so full that not even the command can be stored', async () => {
  const trial = new Trial();
  const unanalysed = policyNamed('shop', { analysis: 'none' });
  await trial.start(unanalysed);
  await trial.clock.advance(60_000);
  await trial.declare(unanalysed, 'v2');
  await trial.clock.advance(10_000);
  assert.equal(weightOf(trial.router.splitOf(policy) ?? sampleSplit('none'), 'rev-v2'), 10);
  trial.store.fillUp('the disk is full');
  const answer = await submitCommand(trial, commandOf('abort'), 1_000);
  assert.match(answer?.message ?? '', /not recorded: the disk is full/);
  await trial.clock.advance(5_000);
  assert.equal(weightOf(trial.router.splitOf(policy) ?? sampleSplit('none'), 'rev-v2'), 0);
  await assert.rejects(submitCommand(trial, commandOf('promote'), 1_000), /disk is full/);

  trial.store.fillUp(null);
  await trial.clock.advance(120_000);
  const { state } = trial.controller.view('shop') ?? {};
  assert.equal(state?.release?.phase.kind, 'ended');
  assert.equal(state?.stable?.label, 'v1');
  assert.deepEqual(trial.workload.revisions(policy), ['rev-v1']);
  await trial.controller.stop();
});

test('a store that fails, rather than being full, is as careful, and the loop goes on by itself', async () => {
  const trial = new Trial(
    scripted(({ state }) => ({
      state: changedState(state),
      effects: [{ kind: 'retire', revisions: ['rev-v1'] }],
    })),
  );
  const record = trial.store.record.bind(trial.store);
  trial.store.record = async () => {
    throw new Error('input/output error');
  };
  await trial.start(policy);
  await trial.clock.advance(10_000);
  assert.equal(trial.workload.mishaps.count('retire'), 0);
  assert.match(trial.controller.view('shop')?.trouble ?? '', /nothing could be recorded.*input\/output error/);
  trial.store.record = record;
  await trial.clock.advance(31_000);
  assert.ok(trial.workload.mishaps.count('retire') > 0);
  assert.equal(trial.controller.view('shop')?.trouble, null);
  await trial.controller.stop();
});

test('a write whose outcome is unknown is found out by reading, not done twice', async () => {
  const trial = new Trial(scripted(({ state }) => ({ state: state.releases === 0 ? changedState(state) : state })));
  const record = trial.store.record.bind(trial.store);
  trial.store.record = async (change) => {
    await record(change);
    trial.store.record = record;
    throw new Error('written, but the answer was lost');
  };
  await trial.start(policy);
  await trial.clock.advance(60_000);
  assert.equal((await trial.store.readState('shop'))?.version, 1);
  await trial.controller.stop();
});
