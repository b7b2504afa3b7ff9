import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Check } from '../../core/model/check.ts';
import type { GatewaySnapshot } from '../../core/model/gateway.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Clock } from '../../ports/clock.ts';
import { Gauges } from './gateway/gauges.ts';
import { GatewayMetrics, type GatewayMetricsOptions } from './gateway.ts';

let nowMs = 0;
const clock: Clock = { now: () => ({ monotonicMs: nowMs, epoch: 'e', wallTime: '' }), sleep: async () => {} };

const check = (name: string, metric: Check['metric']) =>
  ({ name, metric, selector: { routes: null, methods: null } }) as unknown as Check;
const ERRORS = check('errors', { kind: 'errors' });
const LATENCY = check('latency', { kind: 'latency', quantile: 0.99 });
const MEMORY = check('memory', { kind: 'gauge', reading: 'residentMemoryBytes' });
const policy = {
  name: 'shop',
  checks: [ERRORS, LATENCY, MEMORY],
  errors: { routes: null, methods: null, exceptRoutes: [], statusClasses: ['5xx'], statusCodes: [], endings: [] },
} as unknown as ReleasePolicy;

function snapshot(ok: number, failed: number, instance = 'g1'): GatewaySnapshot {
  const cell = (ended: number, count: number) => ({ revision: 'v1', route: 'other', method: 'GET', ended, count });
  return {
    instance,
    pid: 1,
    generation: 1,
    upMs: 1 + ok + failed,
    draining: false,
    cells: [cell(200, ok), cell(500, failed)],
    latency: [{ revision: 'v1', route: 'other', counts: [[40, ok + failed]], sumSeconds: 1 }],
    inFlight: {},
    endpoints: {},
    users: { v1: 7 },
  };
}

function source(now: () => readonly GatewaySnapshot[], more: Partial<GatewayMetricsOptions> = {}): GatewayMetrics {
  return new GatewayMetrics({
    clock,
    readInstances: async () => now().map((one) => ({ snapshot: one, ended: false, partial: false })),
    readReplicas: async () => [{ revision: 'v1', pid: process.pid }],
    readPasts: async () => [],
    readLives: async () => null,
    ...more,
  });
}

const query = { policy, stable: 'v1', canary: 'v2', checks: policy.checks };

describe('the gateway as a source of measurements', () => {
  test('the first answer opens a window and holds no readings; the next holds what came since', async () => {
    let current = snapshot(100, 1);
    const metrics = source(() => [current]);
    nowMs = 1_000;
    const opening = await metrics.measure({ ...query, cursor: null });
    assert.equal(opening.kind, 'measurement');
    if (opening.kind !== 'measurement') return;
    assert.deepEqual(opening.measurement.readings, {});
    current = snapshot(150, 3);
    nowMs = 6_000;
    const again = await metrics.measure({ ...query, cursor: opening.measurement.cursor });
    assert.equal(again.kind, 'measurement');
    if (again.kind !== 'measurement') return;
    const { measurement } = again;
    assert.equal(measurement.spanMs, 5_000);
    assert.deepEqual(measurement.readings.errors, {
      kind: 'samples',
      byRevision: {
        v1: { kind: 'proportion', total: 52, bad: 2 },
        v2: { kind: 'proportion', total: 0, bad: 0 },
      },
    });
    assert.deepEqual(measurement.requests, { v1: 52, v2: 0 });
    assert.equal(measurement.users.v1, 7);
    assert.equal(measurement.readings.memory?.kind, 'samples');
    const repeated = await metrics.measure({ ...query, cursor: opening.measurement.cursor });
    assert.deepEqual(
      repeated.kind === 'measurement' ? repeated.measurement.readings.errors : null,
      measurement.readings.errors,
      'the same cursor yields the same window (I6)',
    );
  });

  test('a gateway that does not answer is an error: nothing is folded in and the cursor stands (rows 34, 72)', async () => {
    const metrics = source(() => [], {
      readInstances: async () => {
        throw new Error('connection refused');
      },
    });
    const answer = await metrics.measure({ ...query, cursor: null });
    assert.deepEqual(answer, { kind: 'error', message: 'the gateway could not be read: connection refused' });
    assert.equal((await source(() => []).measure({ ...query, cursor: null })).kind, 'error');
    assert.equal((await source(() => [snapshot(1, 1)]).measure({ ...query, cursor: 'somebody else' })).kind, 'error');
    assert.equal((await metrics.history(query)).readings.errors?.kind, 'error');
  });

  test('counts that go backwards are an error, not a reading (row 46)', async () => {
    const metrics = source(() => [snapshot(100, 1)]);
    const opening = await metrics.measure({ ...query, cursor: null });
    assert.ok(opening.kind === 'measurement');
    const fewer = source(() => [{ ...snapshot(50, 1), upMs: 10_000 }]);
    assert.equal((await fewer.measure({ ...query, cursor: opening.measurement.cursor })).kind, 'error');
  });

  test('history is all that is known of stable, over every gateway process; without any it is no data', async () => {
    const metrics = source(() => [snapshot(100, 1), snapshot(10, 0, 'g0')]);
    assert.deepEqual((await metrics.history(query)).readings.latency, {
      kind: 'samples',
      byRevision: { v1: { kind: 'latency', counts: [[40, 111]] } },
    });
    assert.equal((await metrics.history({ ...query, stable: 'v9' })).readings.latency?.kind, 'no-data');
    assert.equal((await metrics.history({ ...query, stable: null })).readings.latency?.kind, 'no-data');
  });

  test('replicas that somebody else runs are not visible: no data, in words', async () => {
    const metrics = source(() => [snapshot(1, 0)], { readReplicas: async () => null });
    const opening = await metrics.measure({ ...query, cursor: null });
    assert.ok(opening.kind === 'measurement');
    const answer = await metrics.measure({ ...query, cursor: opening.measurement.cursor });
    assert.ok(answer.kind === 'measurement');
    assert.deepEqual(answer.measurement.readings.memory, { kind: 'no-data', message: 'not visible for upstreams' });
  });

  test('the cursor stays small: only what the checks need', async () => {
    const many = snapshot(1, 1);
    const cells = Array.from({ length: 400 }, (_, i) => ({ ...many.cells[0], route: `r${i}`, count: 3 }));
    const metrics = source(() => [{ ...many, cells: cells as never }]);
    const opening = await metrics.measure({ ...query, cursor: null });
    assert.ok(opening.kind === 'measurement');
    assert.ok(opening.measurement.cursor.length < 600, opening.measurement.cursor);
  });
});

describe('gauges', () => {
  const replicas = [
    { revision: 'v1', pid: 1 },
    { revision: 'v2', pid: 2 },
  ];
  const CPU = check('cpu', { kind: 'gauge', reading: 'cpuPercent' });

  test('processor time is a share since the last look, since the start at the first', () => {
    let usage = { residentMemoryBytes: 1, cpuSeconds: 1, ageSeconds: 10 };
    const gauges = new Gauges(() => usage);
    const first = gauges.read(CPU, ['v1'], replicas);
    assert.deepEqual(first, { kind: 'samples', byRevision: { v1: { kind: 'gauge', values: [10] } } });
    usage = { residentMemoryBytes: 1, cpuSeconds: 2, ageSeconds: 12 };
    assert.deepEqual(gauges.read(CPU, ['v1'], replicas), {
      kind: 'samples',
      byRevision: { v1: { kind: 'gauge', values: [50] } },
    });
  });

  test('a replica that is gone is left out; none at all is no data; what is not a number is an error', () => {
    const gone = new Gauges((pid) => (pid === 1 ? null : { residentMemoryBytes: 5, cpuSeconds: 0, ageSeconds: 1 }));
    assert.deepEqual(gone.read(MEMORY, ['v1', 'v2'], replicas), {
      kind: 'samples',
      byRevision: { v2: { kind: 'gauge', values: [5] } },
    });
    assert.equal(new Gauges(() => null).read(MEMORY, ['v1'], replicas).kind, 'no-data');
    const broken = new Gauges(() => ({ residentMemoryBytes: Number.NaN, cpuSeconds: 0, ageSeconds: 1 }));
    assert.equal(broken.read(MEMORY, ['v1'], replicas).kind, 'error');
  });

  test('the memory of a process that runs is read from the system', () => {
    const reading = new Gauges().read(MEMORY, ['v1'], [{ revision: 'v1', pid: process.pid }]);
    assert.ok(reading.kind === 'samples');
    const sample = reading.byRevision.v1;
    assert.ok(sample?.kind === 'gauge' && (sample.values[0] ?? 0) > 1_000_000);
  });
});
