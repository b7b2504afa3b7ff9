import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createScheduler } from './scheduler.ts';

describe('virtual time', () => {
  it('runs events by time, and those of one moment in the order they were planned', async () => {
    const scheduler = createScheduler();
    const seen: string[] = [];
    scheduler.at(20, () => seen.push('c'));
    scheduler.at(10, () => seen.push('a'));
    scheduler.at(10, () => seen.push('b'));
    await scheduler.run(100, () => false);
    assert.deepEqual(seen, ['a', 'b', 'c']);
    assert.equal(scheduler.nowMs, 100);
  });

  it('never goes back: what is planned for the past happens now', async () => {
    const scheduler = createScheduler();
    const times: number[] = [];
    scheduler.at(50, () => scheduler.at(10, () => times.push(scheduler.nowMs)));
    await scheduler.run(100, () => false);
    assert.deepEqual(times, [50]);
  });

  it('lets every continuation run before the next event, however long the chain', async () => {
    const scheduler = createScheduler();
    const seen: string[] = [];
    scheduler.at(10, () => {
      scheduler.stir();
      void (async () => {
        for (let hop = 0; hop < 500; hop++) await null;
        seen.push('continuation');
      })();
    });
    scheduler.at(10, () => seen.push('next event'));
    await scheduler.run(100, () => false);
    assert.deepEqual(seen, ['continuation', 'next event']);
  });

  it('does not run what was cancelled, and stops when asked to', async () => {
    const scheduler = createScheduler();
    const seen: number[] = [];
    const ticket = scheduler.at(10, () => seen.push(10));
    ticket.cancelled = true;
    scheduler.at(20, () => seen.push(20));
    scheduler.at(30, () => seen.push(30));
    await scheduler.run(100, () => seen.length > 0);
    assert.deepEqual(seen, [20]);
    assert.equal(scheduler.nowMs, 20);
  });

  it('keeps its order over many events in any order of planning', async () => {
    const scheduler = createScheduler();
    const seen: number[] = [];
    for (let index = 0; index < 5_000; index++) {
      const atMs = (index * 7_919) % 5_003;
      scheduler.at(atMs, () => seen.push(atMs));
    }
    await scheduler.run(10_000, () => false);
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    );
    assert.equal(seen.length, 5_000);
  });
});
