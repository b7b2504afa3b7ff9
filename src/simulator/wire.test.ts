import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createScheduler } from './scheduler.ts';
import { type CallFault, createLife, type Life, NO_FAULT } from './wire.ts';

function setUp(fault: Partial<CallFault>) {
  const scheduler = createScheduler();
  const done: string[] = [];
  const life: Life = createLife({
    number: 1,
    scheduler,
    plan: { call: () => ({ ...NO_FAULT, latencyMs: 10, ...fault }), event: () => ({ delayMs: 5, times: 2 }) },
    count: () => 1,
    note: () => {},
    died: () => done.push('died'),
  });
  return { scheduler, life, done };
}

describe('the wire between a controller and its world', () => {
  it('a crash before a call: it takes no effect, and the controller never goes on', async () => {
    const { scheduler, life, done } = setUp({ crash: 'before' });
    void life.call('store.record', 'write', () => done.push('effect')).then(() => done.push('went on'));
    await scheduler.run(1_000, () => false);
    assert.deepEqual(done, ['died']);
  });

  it('a crash after a call: it took effect, and the controller never goes on', async () => {
    const { scheduler, life, done } = setUp({ crash: 'after' });
    void life.call('store.record', 'write', () => done.push('effect')).then(() => done.push('went on'));
    await scheduler.run(1_000, () => false);
    assert.deepEqual(done, ['effect', 'died']);
    assert.equal(life.alive, false);
  });

  it('a call that fails after its effect: the caller is told of a failure, and it was done', async () => {
    const { scheduler, life, done } = setUp({ fail: 'after' });
    void life.call('router.ensure', 'write', () => done.push('effect')).catch(() => done.push('failed'));
    await scheduler.run(1_000, () => false);
    assert.deepEqual(done, ['effect', 'failed']);
  });

  it('a stale read is as old as the read before, but never older than the last write', async () => {
    const { scheduler, life } = setUp({ stale: true });
    const answers: number[] = [];
    let value = 1;
    const read = (): void => {
      void life.observe('workload.observe', 'workload', () => value).then((seen) => answers.push(seen.value));
    };
    scheduler.at(0, read);
    scheduler.at(100, () => {
      value = 2;
      read();
    });
    scheduler.at(200, () => {
      life.wrote('workload');
      read();
    });
    await scheduler.run(1_000, () => false);
    assert.deepEqual(answers, [1, 1, 2]);
  });

  it('a notice may come late and twice, and never to a dead controller', async () => {
    const { scheduler, life, done } = setUp({});
    const ring = life.notice('workload', () => done.push(`rings at ${scheduler.nowMs}`));
    scheduler.at(0, ring);
    scheduler.at(100, () => {
      ring();
      life.kill();
    });
    await scheduler.run(1_000, () => false);
    assert.deepEqual(done, ['rings at 5', 'rings at 10', 'died']);
  });

  it('sleep ends at its time, or at once when it is aborted', async () => {
    const { scheduler, life, done } = setUp({});
    const abort = new AbortController();
    scheduler.at(0, () => {
      void life.sleep(50, undefined).then(() => done.push(`slept until ${scheduler.nowMs}`));
      void life.sleep(500, abort.signal).then(() => done.push(`woken at ${scheduler.nowMs}`));
    });
    scheduler.at(70, () => abort.abort());
    await scheduler.run(1_000, () => false);
    assert.deepEqual(done, ['slept until 50', 'woken at 70']);
  });
});
