import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyView } from '../../controller/index.ts';
import type { MeasurementResult } from '../../core/model/measurement.ts';
import type { Clock, MeasureQuery, MetricSource } from '../../ports/index.ts';
import { MeasuredTraffic, percentSeen } from './measured-traffic.ts';

class World {
  #ms = 0;
  #next: MeasurementResult = { kind: 'none' };
  readonly traffic = new MeasuredTraffic({
    now: () => ({ monotonicMs: this.#ms, epoch: 'boot', wallTime: '2026-01-01T00:00:00Z' }),
  } as Clock);
  readonly source = this.traffic.watching({ measure: async () => this.#next } as unknown as MetricSource);

  splitIs(weightPercent: number): void {
    const value = { split: { weights: [{ revision: 'new', weightPercent }] } };
    this.traffic.note({ name: 'shop/web', seen: { router: { kind: 'seen', value } } } as unknown as PolicyView);
  }

  async measures(old: number, fresh: number, spanMs = 5_000): Promise<void> {
    this.#ms += spanMs;
    const measurement = { spanMs, requests: { old, new: fresh }, readings: {}, users: {}, cursor: '' };
    this.#next = { kind: 'measurement', measurement };
    const query = { policy: { name: 'shop/web' } } as unknown as MeasureQuery;
    assert.equal(await this.source.measure(query), this.#next);
  }

  passes(ms: number): void {
    this.#ms += ms;
  }

  seen(): number | null {
    return percentSeen(this.traffic.of('shop/web'), 'new');
  }
}

test('the share is of what was counted in the last minute, whatever was asked', async () => {
  const world = new World();
  world.splitIs(25);
  world.passes(5_000);
  await world.measures(300, 100);
  await world.measures(100, 0);
  assert.equal(world.seen(), 20);
  assert.deepEqual(world.traffic.of('shop/web'), {
    spanMs: 10_000,
    ageMs: 0,
    requests: { old: 400, new: 100 },
    inFlight: {},
  });
  world.passes(58_000);
  assert.equal(world.seen(), 0);
  world.passes(3_000);
  assert.equal(world.seen(), null, 'nothing was counted lately');
});

test('counts of the split before, and of the seconds in which proxies change over, are not taken for this one', async () => {
  const world = new World();
  world.splitIs(5);
  world.passes(5_000);
  await world.measures(950, 50);
  assert.equal(world.seen(), 5);
  world.splitIs(50);
  assert.equal(world.seen(), null);
  await world.measures(700, 300);
  assert.equal(world.seen(), null, 'this window began with the change');
  await world.measures(500, 500);
  assert.equal(world.seen(), 50);
});

test('before anything was measured, and without requests, there is no share', async () => {
  const world = new World();
  assert.equal(world.seen(), null);
  world.splitIs(5);
  world.passes(5_000);
  await world.measures(0, 0);
  assert.equal(world.seen(), null);
});
