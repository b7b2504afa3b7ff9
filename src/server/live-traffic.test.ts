import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instant } from '../core/model/time.ts';
import type { Clock } from '../ports/index.ts';
import { LiveTraffics } from './live-traffic.ts';

function bench() {
  let nowMs = 0;
  const counts: Record<string, number> = { v1: 0, v2: 0 };
  const now = (): Instant => ({ monotonicMs: nowMs, epoch: 'boot', wallTime: '' });
  const clock: Clock = { now, sleep: async () => {} };
  let fails = false;
  const live = new LiveTraffics(clock, async () => {
    if (fails) throw new Error('no answer');
    return { requests: { ...counts }, inFlight: {} };
  });
  return {
    live,
    pass: (ms: number, v1: number, v2: number) => {
      nowMs += ms;
      counts.v1 = (counts.v1 ?? 0) + v1;
      counts.v2 = (counts.v2 ?? 0) + v2;
    },
    fail: () => {
      fails = true;
    },
  };
}

describe('traffic of the last seconds', () => {
  it('is what was counted since a look some seconds ago', async () => {
    const { live, pass } = bench();
    await live.look('shop', 'a');
    pass(5_000, 90, 10);
    assert.deepEqual((await live.of('shop', 'a'))?.requests, { v1: 90, v2: 10 });
    pass(20_000, 500, 500);
    const later = await live.of('shop', 'a');
    assert.deepEqual([later?.spanMs, later?.requests.v1], [20_000, 500]);
  });

  it('begins anew when the split changes: shares of two splits have nothing in common', async () => {
    const { live, pass } = bench();
    await live.look('shop', 'a');
    pass(5_000, 100, 0);
    assert.equal((await live.of('shop', 'b'))?.requests.v1, 0);
    pass(1_000, 5, 5);
    assert.deepEqual((await live.of('shop', 'b'))?.requests, { v1: 5, v2: 5 });
  });

  it('keeps the last counts, with their age, when a look fails', async () => {
    const { live, pass, fail } = bench();
    await live.look('shop', 'a');
    pass(2_000, 10, 0);
    await live.of('shop', 'a');
    fail();
    pass(9_000, 10, 0);
    const old = await live.of('shop', 'a');
    assert.deepEqual([old?.ageMs, old?.requests.v1], [9_000, 10]);
  });

  it('is nothing while there is no gateway', async () => {
    const clock: Clock = { now: () => ({ monotonicMs: 0, epoch: 'b', wallTime: '' }), sleep: async () => {} };
    assert.equal(await new LiveTraffics(clock, async () => null).of('shop', 'a'), null);
  });
});
