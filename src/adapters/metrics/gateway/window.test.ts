import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Check, ErrorDefinition } from '../../../core/model/check.ts';
import type { Ending, GatewaySnapshot } from '../../../core/model/gateway.ts';
import type { Instant } from '../../../core/model/time.ts';
import { formatCursor, type GatewayCursor, parseCursor } from './cursor.ts';
import {
  type InstanceSnapshot,
  openingCursor,
  readingOf,
  type Window,
  type WindowQuery,
  windowSince,
} from './window.ts';

const ERRORS: ErrorDefinition = {
  routes: null,
  methods: null,
  exceptRoutes: ['health'],
  statusClasses: ['5xx'],
  statusCodes: [429],
  endings: ['reset'],
  retryHeader: null,
};

function check(name: string, metric: Check['metric']): Check {
  return {
    name,
    metric,
    selector: { routes: null, methods: null },
    role: 'required',
    tolerance: { ratio: 1.5, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 },
    limit: null,
    direction: 'increase',
    weight: 1,
    warmUpMs: 0,
    noDataMs: 60_000,
    clusterCap: 1,
    rule: null,
  };
}

const only = (routes: string[]) => ({ routes, methods: null });
const CHECKS = [
  check('errors', { kind: 'errors' }),
  check('latency', { kind: 'latency', quantile: 0.99 }),
  check('orders', { kind: 'business', from: only(['cart']), to: only(['order']) }),
];
const QUERY: WindowQuery = { revisions: ['v1', 'v2'], checks: CHECKS, errors: ERRORS };
const NOW: Instant = { monotonicMs: 0, epoch: 'e', wallTime: '2026-01-01T00:00:00Z' };

interface Answered {
  readonly revision: string;
  readonly route: string;
  readonly ended: number | Ending;
  readonly bucket: number;
}

/** A gateway process as the world knows it: it counts, flushes now and then, and ends with or without last words. */
class World {
  readonly answered: Answered[] = [];
  readonly lost: Answered[] = [];
  flushed: Answered[] = [];
  upMs = 1;
  flushedMs = 0;
  state: 'alive' | 'ended' | 'crashed' = 'alive';
  readonly instance: string;

  constructor(instance: string) {
    this.instance = instance;
  }

  seen(): InstanceSnapshot | null {
    if (this.state === 'crashed') {
      if (this.flushedMs === 0) return null;
      return { snapshot: snapshot(this.instance, this.flushed, this.flushedMs), ended: true, partial: true };
    }
    return {
      snapshot: snapshot(this.instance, this.answered, this.upMs),
      ended: this.state === 'ended',
      partial: false,
    };
  }
}

function snapshot(instance: string, answered: readonly Answered[], upMs: number): GatewaySnapshot {
  const cells = new Map<
    string,
    { revision: string; route: string; method: string; ended: number | Ending; count: number }
  >();
  const latency = new Map<string, { revision: string; route: string; counts: Map<number, number> }>();
  for (const { revision, route, ended, bucket } of answered) {
    const cell = cells.get(`${revision} ${route} ${ended}`) ?? { revision, route, method: 'GET', ended, count: 0 };
    cells.set(`${revision} ${route} ${ended}`, { ...cell, count: cell.count + 1 });
    const timed = latency.get(`${revision} ${route}`) ?? { revision, route, counts: new Map() };
    timed.counts.set(bucket, (timed.counts.get(bucket) ?? 0) + 1);
    latency.set(`${revision} ${route}`, timed);
  }
  return {
    instance,
    pid: 1,
    generation: 1,
    upMs,
    draining: false,
    cells: [...cells.values()],
    latency: [...latency.values()].map((cell) => ({ ...cell, counts: [...cell.counts], sumSeconds: 0 })),
    inFlight: {},
    endpoints: {},
    users: {},
  };
}

interface Totals {
  requests: number;
  total: number;
  bad: number;
  slow: number;
  carts: number;
  notDone: number;
}

const nothing = (): Totals => ({ requests: 0, total: 0, bad: 0, slow: 0, carts: 0, notDone: 0 });

function add(totals: Totals, window: Window, revision: string): void {
  const [errors, latency, orders] = CHECKS.map((one) => {
    const reading = readingOf(window, one);
    return reading.kind === 'samples' ? reading.byRevision[revision] : undefined;
  });
  totals.requests += window.tally.revisions[revision]?.requests ?? 0;
  if (errors?.kind === 'proportion') {
    totals.total += errors.total;
    totals.bad += errors.bad;
  }
  if (latency?.kind === 'latency') totals.slow += latency.counts.reduce((sum, [, count]) => sum + count, 0);
  if (orders?.kind === 'proportion') {
    assert.ok(orders.bad <= orders.total && orders.bad >= 0);
    totals.carts += orders.total;
    totals.notDone += orders.bad;
  }
}

function counted(answered: readonly Answered[], revision: string): Totals {
  const mine = answered.filter((one) => one.revision === revision);
  const looked = mine.filter(({ route, ended }) => route !== 'health' && ended !== 'client-closed');
  return {
    requests: mine.length,
    total: looked.length,
    bad: looked.filter(({ ended }) => ended === 500 || ended === 429 || ended === 'reset').length,
    slow: mine.filter(({ route }) => route !== 'health').length,
    carts: mine.filter(({ route }) => route === 'cart').length,
    notDone: 0,
  };
}

const answered = fc.record({
  revision: fc.constantFrom('v1', 'v2', 'v0'),
  route: fc.constantFrom('cart', 'order', 'health', 'other'),
  ended: fc.constantFrom<number | Ending>(200, 500, 404, 429, 'reset', 'client-closed'),
  bucket: fc.nat(20),
});
const event = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('traffic' as const), requests: fc.array(answered, { maxLength: 12 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('measure' as const), keep: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
);

/** Plays one history; returns what was measured and what the world counted since the opening, per revision. */
function play(events: readonly { kind: string; requests?: readonly Answered[]; keep?: boolean }[]) {
  const worlds = [new World('g0')];
  const read = () => worlds.map((world) => world.seen()).filter((seen) => seen !== null);
  const newest = () => worlds.at(-1) as World;
  const totals = { v1: nothing(), v2: nothing() };
  const answeredAll: Answered[] = [];
  let cursor: GatewayCursor = openingCursor(read(), QUERY, NOW);
  const measure = (keep: boolean) => {
    const window = windowSince(cursor, read(), QUERY, NOW);
    assert.ok(window.sound);
    // A crash of the agent before the record: the window is read again later, from the same cursor.
    if (!keep) return;
    add(totals.v1, window, 'v1');
    add(totals.v2, window, 'v2');
    for (const world of worlds) if (world.state === 'alive') world.lost.length = 0;
    cursor = parseCursor(formatCursor(window.cursor)) as GatewayCursor;
  };
  for (const one of events) {
    const world = newest();
    world.upMs += 1;
    if (one.kind === 'traffic') {
      world.answered.push(...(one.requests ?? []));
      world.lost.push(...(one.requests ?? []));
      answeredAll.push(...(one.requests ?? []));
    } else if (one.kind === 'measure') measure(one.keep === true);
    else if (one.kind === 'flush') {
      world.flushed = [...world.answered];
      world.flushedMs = world.upMs;
      world.lost.length = 0;
    } else {
      world.state = one.kind === 'end' ? 'ended' : 'crashed';
      if (one.kind === 'end') world.lost.length = 0;
      worlds.push(new World(`g${worlds.length}`));
    }
  }
  measure(true);
  measure(true);
  const lost = worlds.filter(({ state }) => state === 'crashed').flatMap((world) => world.lost);
  const known = [...answeredAll];
  for (const one of lost) known.splice(known.indexOf(one), 1);
  return { totals, known };
}

describe('windows of gateway counts', () => {
  test('over any history of traffic, restarts and crashes, every counted request is measured exactly once', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const { totals, known } = play(events);
        for (const revision of ['v1', 'v2'] as const) {
          const { notDone: _, ...measured } = totals[revision];
          const { notDone: __, ...wanted } = counted(known, revision);
          assert.deepEqual(measured, wanted);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('steps that fall into a later window than their starts are not lost', () => {
    const world = new World('g');
    let cursor = openingCursor(
      [world.seen()].filter((seen) => seen !== null),
      QUERY,
      NOW,
    );
    const totals = nothing();
    const step = (route: string, times: number) => {
      for (let i = 0; i < times; i++) world.answered.push({ revision: 'v1', route, ended: 200, bucket: 1 });
      world.upMs += 1;
      const window = windowSince(
        cursor,
        [world.seen()].filter((seen) => seen !== null),
        QUERY,
        NOW,
      );
      add(totals, window, 'v1');
      cursor = window.cursor;
    };
    step('order', 3);
    step('cart', 10);
    step('order', 4);
    assert.equal(totals.carts, 10);
    assert.equal(totals.notDone, 7, 'three of the ten had their step in the window before');
  });

  test('no request that a check looks at is no data, never a zero (row 33)', () => {
    const world = new World('g');
    const seen = [world.seen()].filter((one) => one !== null);
    const window = windowSince(openingCursor(seen, QUERY, NOW), seen, QUERY, NOW);
    for (const one of CHECKS) assert.equal(readingOf(window, one).kind, 'no-data');
  });

  test('a count that is not a number makes the window unsound (rows 46, 48)', () => {
    const good = snapshot('g', [{ revision: 'v1', route: 'cart', ended: 200, bucket: 1 }], 2);
    const opening = openingCursor([{ snapshot: snapshot('g', [], 1), ended: false, partial: false }], QUERY, NOW);
    for (const count of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5]) {
      const broken = { ...good, cells: good.cells.map((cell) => ({ ...cell, count })) };
      const window = windowSince(opening, [{ snapshot: broken, ended: false, partial: false }], QUERY, NOW);
      assert.equal(window.sound, false);
    }
  });

  test('what a crash lost is told once, with the gateway process it was lost with', () => {
    const alive = { snapshot: snapshot('g', [], 5), ended: false, partial: false };
    const flushed = { snapshot: snapshot('g', [], 3), ended: true, partial: true };
    const first = windowSince(openingCursor([alive], QUERY, NOW), [flushed], QUERY, NOW);
    assert.deepEqual(first.lost, ['g']);
    assert.deepEqual(windowSince(first.cursor, [flushed], QUERY, NOW).lost, []);
    const vanished = windowSince(openingCursor([alive], QUERY, NOW), [], QUERY, NOW);
    assert.deepEqual(vanished.lost, ['g']);
    assert.deepEqual(windowSince(vanished.cursor, [], QUERY, NOW).lost, []);
  });

  test('a cursor of somebody else is not read', () => {
    for (const text of ['', '{}', 'null', '[]', '{"schema":2,"instances":{}}', 'gibberish']) {
      assert.equal(parseCursor(text), null);
    }
  });
});
