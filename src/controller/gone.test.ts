import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changedState, policyNamed, scripted, Trial } from '../../test/support/controller-trial.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';

const { router } = policyNamed('x');
const HERE = { router: { ...router, listen: { host: '127.0.0.1', port: 8_080 } } } as Partial<ReleasePolicy>;

/** A store whose policies can go, as those of a cluster do: nobody declares them any more, and nothing is recorded of them. */
function withGone(trial: Trial): Set<string> {
  const gone = new Set<string>();
  const { store } = trial;
  const [declaration, readState] = [store.declaration.bind(store), store.readState.bind(store)];
  store.declaration = async (policy) => (gone.has(policy) ? null : declaration(policy));
  store.readState = async (policy) => (gone.has(policy) ? null : readState(policy));
  return gone;
}

describe('row 78: a policy that is gone', () => {
  test('row 63: frees its place, and whoever was refused for it has it at once', async () => {
    const trial = new Trial();
    const gone = withGone(trial);
    const [first, second] = [policyNamed('first', HERE), policyNamed('second', HERE)];
    await trial.start(first);
    await trial.clock.advance(10_000);
    await trial.declare(second, 'v1');
    await trial.clock.advance(300_000);
    assert.match(trial.controller.view('second')?.trouble ?? '', /which policy "first" already has/);
    gone.add('first');
    trial.controller.wake('first');
    // Less than the back-off of one that was refused for minutes.
    await trial.clock.advance(100);
    assert.equal(trial.controller.holderOfPlace(first), 'second');
    assert.equal(trial.controller.view('second')?.trouble, null);
    assert.equal(trial.controller.view('second')?.state?.release?.to.label, 'v1');
    await trial.controller.stop();
  });

  test('has no worker and no view any more, and one of the same name begins with nothing', async () => {
    const trial = new Trial();
    const gone = withGone(trial);
    await trial.start(policyNamed('shop'));
    await trial.clock.advance(10_000);
    gone.add('shop');
    trial.controller.wake('shop');
    await trial.clock.advance(1_000);
    assert.deepEqual(trial.controller.views(), []);
    let reads = 0;
    const { pendingCommands } = trial.store;
    trial.store.pendingCommands = async (policy) => {
      reads += 1;
      return pendingCommands.call(trial.store, policy);
    };
    await trial.clock.advance(600_000);
    assert.equal(reads, 0);
    gone.delete('shop');
    await trial.declare(policyNamed('shop'), 'v2');
    await trial.clock.advance(1_000);
    assert.equal(trial.controller.view('shop')?.declared?.label, 'v2');
    await trial.controller.stop();
  });

  test('row 62: one of the same name that comes in the very look that finds it gone is taken up by the same worker', async () => {
    let passes = 0;
    const trial = new Trial(
      scripted(({ state }) => {
        passes += 1;
        return { state: changedState(state) };
      }),
    );
    await trial.start(policyNamed('shop'));
    await trial.clock.advance(1_000);
    const { store } = trial;
    const declaration = store.declaration.bind(store);
    store.declaration = async () => {
      store.declaration = declaration;
      await trial.declare(policyNamed('shop'), 'v2');
      return null;
    };
    passes = 0;
    trial.controller.wake('shop');
    await trial.clock.advance(100);
    assert.equal(passes, 1);
    assert.equal(trial.controller.view('shop')?.declared?.label, 'v2');
    await trial.controller.stop();
  });
});

test('row 78: a policy that is withdrawn is not refused the place that another has: it asks for nothing, and goes', async () => {
  const trial = new Trial();
  await trial.start(policyNamed('first', HERE));
  await trial.clock.advance(10_000);
  await trial.declare(policyNamed('second', HERE), 'v1');
  await trial.clock.advance(10_000);
  assert.match(trial.controller.view('second')?.trouble ?? '', /which policy "first" already has/);
  await trial.store.withdraw('second');
  await trial.clock.advance(10_000);
  assert.equal(trial.controller.view('second')?.trouble, null);
  assert.equal(trial.controller.holderOfPlace(policyNamed('third', HERE)), 'first');
  assert.equal(trial.controller.view('first')?.trouble, null);
  await trial.controller.stop();
});
