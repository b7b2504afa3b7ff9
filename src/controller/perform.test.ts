import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyNamed, scripted, Trial } from '../../test/support/controller-trial.ts';
import type { Effect } from '../core/model/effect.ts';
import { FakeGates, sampleSplit, sampleVersion } from '../ports/doubles/index.ts';

const stable = sampleVersion('v1');
const canary = sampleVersion('v2');
const backends = [stable, canary].map(({ revision, label }) => ({
  revision,
  label,
  endpoints: [{ host: '127.0.0.1', port: 1 }],
}));

const ensureWorkload: Effect = { kind: 'ensureWorkload', wanted: [{ version: stable, replicas: 1, role: 'stable' }] };
const ensureSplit: Effect = { kind: 'ensureSplit', split: sampleSplit(stable.revision), backends };
const retire: Effect = { kind: 'retire', revisions: [canary.revision] };
const runGate: Effect = {
  kind: 'runGate',
  request: {
    key: 'shop-1/0/load',
    gate: { kind: 'job', name: 'load', command: ['true'], timeoutMs: 1_000 },
    release: 'shop-1',
    revision: canary.revision,
    stage: 0,
  },
};
const news: Effect = {
  kind: 'notify',
  message: { key: 'shop-1/started', kind: 'started', release: 'shop-1', sentence: 'it starts' },
};

/** A controller that asks for these effects at every look, and the calls that changed something, in order. */
async function performing(effects: () => readonly Effect[]): Promise<{ trial: Trial; calls: string[] }> {
  const calls: string[] = [];
  const trial = new Trial(scripted(() => ({ effects: effects(), lookAgainMs: 60_000 })));
  const note = (port: 'workload' | 'router' | 'gates' | 'notifier') => {
    const { mishaps } = trial[port];
    const push = mishaps.calls.push.bind(mishaps.calls);
    mishaps.calls.push = (...names) => {
      for (const name of names) if (!['observe', 'answer'].includes(name)) calls.push(`${port}.${name}`);
      return push(...names);
    };
  };
  note('workload');
  note('router');
  note('gates');
  note('notifier');
  return { trial, calls };
}

test('effects are performed in their order', async () => {
  const { trial, calls } = await performing(() => [ensureWorkload, ensureSplit, retire, runGate, news]);
  await trial.start(policyNamed('shop'));
  assert.deepEqual(calls.slice(0, 5), [
    'workload.ensure',
    'router.ensure',
    'workload.retire',
    'gates.run',
    'notifier.notify',
  ]);
  await trial.controller.stop();
});

for (const failing of ['workload', 'router'] as const) {
  test(`I2: after a failed ${failing}.ensure no capacity is removed and no gate is run, and news still go out`, async () => {
    const { trial, calls } = await performing(() => [ensureWorkload, ensureSplit, retire, runGate, news]);
    trial[failing].mishaps.fail('ensure', new Error('no'), 1);
    await trial.start(policyNamed('shop'));
    assert.deepEqual(calls, ['workload.ensure', 'router.ensure', 'notifier.notify']);
    const owed = trial.controller.view('shop')?.owed ?? [];
    assert.deepEqual(
      owed.map(({ message }) => message),
      ['no'],
    );
    await trial.clock.advance(2_000);
    assert.ok(calls.includes('workload.retire') && calls.includes('gates.run'));
    assert.deepEqual(trial.controller.view('shop')?.owed, []);
    await trial.controller.stop();
  });
}

test('I3, row 23: a workload that fails does not keep traffic from going to stable', async () => {
  const { trial } = await performing(() => [ensureWorkload, ensureSplit]);
  trial.workload.mishaps.fail('ensure');
  await trial.start(policyNamed('shop'));
  assert.deepEqual(trial.router.splitOf(policyNamed('shop')), sampleSplit(stable.revision));
  await trial.controller.stop();
});

test('row 17: a refused split is owed with its reason, and nothing that relies on it is done', async () => {
  const empty: Effect = { kind: 'ensureSplit', split: sampleSplit(stable.revision), backends: [] };
  const { trial, calls } = await performing(() => [empty, retire]);
  await trial.start(policyNamed('shop'));
  assert.match(trial.controller.view('shop')?.owed[0]?.message ?? '', /would get traffic and has no endpoint/);
  assert.ok(!calls.includes('workload.retire'));
  await trial.controller.stop();
});

test('a failing effect is tried again with back-off, doubled up to its maximum, never given up', async () => {
  const { trial } = await performing(() => [ensureSplit]);
  trial.router.mishaps.fail('ensure');
  await trial.start(policyNamed('shop'));
  await trial.clock.advance(10_000);
  const early = trial.router.mishaps.count('ensure');
  assert.ok(early >= 4 && early <= 8, `${early} tries in 10 s`);
  await trial.clock.advance(600_000);
  const late = trial.router.mishaps.count('ensure') - early;
  assert.ok(late >= 18 && late <= 42, `${late} tries in 10 min`);
  trial.router.mishaps.heal('ensure');
  await trial.clock.advance(31_000);
  assert.deepEqual(trial.controller.view('shop')?.owed, []);
  await trial.controller.stop();
});

test('I3: an effect that changed does not wait for the back-off of the one before', async () => {
  let effect: Effect = {
    kind: 'ensureSplit',
    split: sampleSplit('rev-v1', { revision: 'rev-v2', weightPercent: 10 }),
    backends,
  };
  const { trial } = await performing(() => [effect]);
  trial.router.mishaps.fail('ensure', new Error('no'), 8);
  await trial.start(policyNamed('shop'));
  await trial.clock.advance(60_000);
  const before = trial.router.mishaps.count('ensure');
  trial.router.mishaps.heal('ensure');
  effect = ensureSplit;
  trial.controller.wake('shop');
  await trial.clock.advance(0);
  assert.equal(trial.router.mishaps.count('ensure'), before + 1);
  assert.deepEqual(trial.router.splitOf(policyNamed('shop')), sampleSplit(stable.revision));
  await trial.controller.stop();
});

test('row 77: news that could not be handed over are tried again though they are asked for once', async () => {
  let asked: readonly Effect[] = [news];
  const { trial } = await performing(() => {
    const now = asked;
    asked = [];
    return now;
  });
  trial.notifier.mishaps.fail('notify', new Error('nobody listens'), 3);
  await trial.start(policyNamed('shop'));
  assert.equal(trial.notifier.delivered.length, 0);
  await trial.clock.advance(60_000);
  assert.deepEqual(
    trial.notifier.delivered.map(({ key }) => key),
    ['shop-1/started'],
  );
  assert.deepEqual(trial.controller.view('shop')?.owed, []);
  await trial.controller.stop();
});

test('row 76: a gate that is asked for at every look runs once', async () => {
  const { trial } = await performing(() => [runGate]);
  await trial.start(policyNamed('shop'));
  for (let look = 0; look < 5; look += 1) {
    trial.controller.wake('shop');
    await trial.clock.advance(100);
  }
  assert.deepEqual(trial.gates.runs, ['shop-1/0/load']);
  assert.ok(trial.gates.mishaps.count('run') > 1);
  await trial.controller.stop();
});

test('row 41: a gate whose answer cannot be read is an error in what is seen, never a yes', async () => {
  const statuses: string[] = [];
  const engine = scripted(({ observation }) => {
    statuses.push(...Object.values(observation.gates).map(({ status }) => status));
    return {};
  });
  const trial = new Trial({ ...engine, lookFor: () => ({ measure: null, history: null, gates: ['k'] }) });
  trial.gates.mishaps.fail('answer', new Error('cut short'), 1);
  await trial.start(policyNamed('shop'));
  trial.gates.decide('k', { status: 'yes', message: 'ok' });
  await trial.clock.advance(100);
  assert.deepEqual(statuses, ['error', 'yes']);
  assert.ok(trial.gates instanceof FakeGates);
  await trial.controller.stop();
});
