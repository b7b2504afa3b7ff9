// What every MetricSource must do, as tests: each request counted once for good, whatever is asked when; versions apart;
// and no data told apart from failure. A harness brings traffic: it sends requests, some of them bad.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Check, COUNTED_EVENTS, type CountedEvent } from '../../core/model/check.ts';
import type { History, Measurement } from '../../core/model/measurement.ts';
import type { Revision } from '../../core/model/split.ts';
import type { MeasureQuery, MetricSource } from '../metric-source.ts';

export interface MetricSourceUnderTest {
  readonly source: MetricSource;
  /** `checks` holds at least one of kind errors, called "errors"; the cursor is left to the suite. */
  readonly query: Omit<MeasureQuery, 'cursor'> & { readonly stable: Revision };
  /** Resolves when these requests have been answered and counted. */
  send(revision: Revision, requests: { readonly good: number; readonly bad: number }): Promise<void>;
  /** As many good requests, sent to the version by a rule; null if the source knows of no rules. */
  readonly sendByRule: ((revision: Revision, requests: number) => Promise<void>) | null;
  /** So many replicas of stable answer in turn, and history tells them apart; null if it does not. */
  readonly replicas: number | null;
  /** Replicas of the version have ended by themselves and were started again, so often; null if the source sees none. */
  readonly crash: ((revision: Revision, times: number) => Promise<void>) | null;
  /** Events it sees besides; absent: none. */
  readonly sees?: readonly CountedEvent[];
  /** From now on the source cannot be read; null if that cannot be brought about. */
  readonly blind: (() => Promise<void>) | null;
  /** The data plane that counts starts anew, from 0; null if that cannot be brought about. */
  readonly restart: (() => Promise<void>) | null;
  end(): Promise<void>;
}

type Trial = (title: string, body: (under: MetricSourceUnderTest) => Promise<void>) => void;

export function metricSourceConformance(name: string, make: () => Promise<MetricSourceUnderTest>): void {
  const trial: Trial = (title, body) =>
    test(title, async () => {
      const under = await make();
      try {
        await body(under);
      } finally {
        await under.end();
      }
    });
  describe(`${name} as a MetricSource`, () => {
    countingTrials(trial);
    selectionTrials(trial);
    lifeTrials(trial);
    honestyTrials(trial);
  });
}

/** The measurement since the cursor; one without requests if there is none yet. */
async function measure(under: MetricSourceUnderTest, cursor: string | null): Promise<Measurement> {
  const result = await under.source.measure({ ...under.query, cursor });
  if (result.kind === 'none') return { spanMs: 0, readings: {}, requests: {}, users: {}, cursor: cursor ?? '' };
  assert.equal(result.kind, 'measurement');
  assert.ok(result.kind === 'measurement');
  return result.measurement;
}

function countsOf(measurement: Measurement, revision: Revision, name = 'errors'): { total: number; bad: number } {
  const reading = measurement.readings[name];
  if (reading?.kind !== 'samples') return { total: 0, bad: 0 };
  const sample = reading.byRevision[revision];
  return sample?.kind === 'proportion' ? { total: sample.total, bad: sample.bad } : { total: 0, bad: 0 };
}

function countingTrials(trial: Trial): void {
  trial('without a cursor a window starts here: what came before is not in it', async (under) => {
    await under.send(under.query.stable, { good: 5, bad: 0 });
    const opening = await measure(under, null);
    assert.deepEqual(opening.readings, {});
    await under.send(under.query.stable, { good: 3, bad: 0 });
    const next = await measure(under, opening.cursor);
    assert.deepEqual(countsOf(next, under.query.stable), { total: 3, bad: 0 });
  });

  trial('row 50: requests are counted per version, good and bad, over the same window', async (under) => {
    const { stable, canary } = under.query;
    const { cursor } = await measure(under, null);
    await under.send(stable, { good: 7, bad: 1 });
    await under.send(canary, { good: 2, bad: 3 });
    const window = await measure(under, cursor);
    assert.deepEqual(countsOf(window, stable), { total: 8, bad: 1 });
    assert.deepEqual(countsOf(window, canary), { total: 5, bad: 3 });
    assert.equal(window.requests[stable], 8);
    assert.equal(window.requests[canary], 5);
    assert.ok(window.spanMs >= 0);
  });

  trial('I6: the same cursor again yields the same or a longer window, never less', async (under) => {
    const { canary } = under.query;
    const { cursor } = await measure(under, null);
    await under.send(canary, { good: 4, bad: 0 });
    assert.deepEqual(countsOf(await measure(under, cursor), canary), { total: 4, bad: 0 });
    await under.send(canary, { good: 2, bad: 1 });
    assert.deepEqual(countsOf(await measure(under, cursor), canary), { total: 7, bad: 1 });
  });

  trial('windows that follow each other count every request exactly once', async (under) => {
    const { canary } = under.query;
    let { cursor } = await measure(under, null);
    let total = 0;
    for (const good of [3, 0, 5, 1]) {
      await under.send(canary, { good, bad: 0 });
      const window = await measure(under, cursor);
      total += countsOf(window, canary).total;
      cursor = window.cursor;
    }
    assert.equal(total, 9);
  });

  trial('a data plane that started anew from 0 never makes a negative or a doubled count', async (under) => {
    if (under.restart === null) return;
    const { canary } = under.query;
    const { cursor } = await measure(under, null);
    await under.send(canary, { good: 6, bad: 0 });
    await under.restart();
    await under.send(canary, { good: 2, bad: 0 });
    const { total } = countsOf(await measure(under, cursor), canary);
    assert.ok(total >= 0 && total <= 8, `${total} requests of 8`);
  });
}

/** A check of several metrics, with one part. */
function kayenta(like: Check): Check {
  const errors = {
    name: 'errors',
    metric: { kind: 'errors' },
    selector: like.selector,
    group: 'all',
    direction: 'increase',
    critical: true,
    nanStrategy: 'remove',
    mustHaveData: true,
  } as const;
  const spans = { stepMs: 1_000, intervalMs: 10_000, lifetimeMs: 60_000, lookbackMs: 0 };
  const config = { metrics: [errors], groupWeights: {}, pass: 95, marginal: 75, ...spans };
  return { ...like, name: 'aca', metric: { kind: 'kayenta', config }, tolerance: null };
}

function selectionTrials(trial: Trial): void {
  trial('what a rule sent is exposure, and is neither drawn nor compared', async (under) => {
    if (under.sendByRule === null) return;
    const { stable, canary } = under.query;
    const { cursor } = await measure(under, null);
    await under.send(canary, { good: 3, bad: 1 });
    await under.sendByRule(canary, 5);
    const window = await measure(under, cursor);
    assert.equal(window.requests[canary], 9);
    assert.deepEqual(window.drawn, { [stable]: 0, [canary]: 4 });
    assert.deepEqual(countsOf(window, canary), { total: 4, bad: 1 });
  });

  trial('a check of several metrics is read metric by metric, under the names of both', async (under) => {
    const { checks, canary } = under.query;
    const query = { ...under.query, checks: [...checks, ...checks.slice(0, 1).map(kayenta)] };
    const { cursor } = await measure({ ...under, query }, null);
    await under.send(canary, { good: 2, bad: 1 });
    const window = await measure({ ...under, query }, cursor);
    assert.deepEqual(countsOf(window, canary, 'aca/errors'), { total: 3, bad: 1 });
    assert.equal(window.readings.aca, undefined);
    assert.deepEqual(countsOf(window, canary), { total: 3, bad: 1 }, 'others are read as before');
  });
}

function restartsOf(measurement: Measurement, revision: Revision): number {
  const reading = measurement.readings.restarts;
  if (reading?.kind !== 'samples') return 0;
  const sample = reading.byRevision[revision];
  assert.ok(sample?.kind === 'count' && sample.seconds >= 0);
  return sample.events;
}

function counting(under: MetricSourceUnderTest, event: CountedEvent): MetricSourceUnderTest {
  const { checks, policy } = under.query;
  const [like] = checks;
  assert.ok(like !== undefined);
  const check: Check = { ...like, name: event, metric: { kind: 'count', event } };
  const all = [...checks, check];
  return { ...under, query: { ...under.query, checks: all, policy: { ...policy, checks: all } } };
}

function lifeTrials(trial: Trial): void {
  trial(
    'row 50: restarts are counted per version, over the time of its replicas, and not those before',
    async (plain) => {
      if (plain.crash === null) return;
      const under = counting(plain, 'restarts');
      const { stable, canary } = under.query;
      await plain.crash(canary, 4);
      const { cursor } = await measure(under, null);
      await plain.crash(canary, 2);
      await plain.crash(stable, 1);
      const window = await measure(under, cursor);
      assert.deepEqual([restartsOf(window, canary), restartsOf(window, stable)], [2, 1]);
      const reading = window.readings.restarts;
      const sample = reading?.kind === 'samples' ? reading.byRevision[canary] : undefined;
      assert.ok(sample?.kind === 'count' && sample.seconds > 0);
    },
  );

  trial('I6: every restart is counted exactly once, and the same cursor again yields no less', async (plain) => {
    if (plain.crash === null) return;
    const under = counting(plain, 'restarts');
    const { canary } = under.query;
    let { cursor } = await measure(under, null);
    let total = 0;
    for (const times of [1, 0, 3]) {
      await plain.crash(canary, times);
      const once = restartsOf(await measure(under, cursor), canary);
      assert.equal(once, times);
      await plain.crash(canary, 1);
      const window = await measure(under, cursor);
      assert.equal(restartsOf(window, canary), times + 1);
      total += restartsOf(window, canary);
      cursor = window.cursor;
    }
    assert.equal(total, 7);
  });

  trial('events that the source cannot see are no data, with the reason, never 0', async (plain) => {
    for (const event of COUNTED_EVENTS) {
      if ((event === 'restarts' && plain.crash !== null) || plain.sees?.includes(event)) continue;
      const under = counting(plain, event);
      const { cursor } = await measure(under, null);
      await plain.send(under.query.canary, { good: 1, bad: 0 });
      const reading = (await measure(under, cursor)).readings[event];
      assert.ok(reading?.kind === 'no-data' && reading.message !== '', event);
    }
  });
}

function tallied(history: History): { total: number; bad: number } {
  const found = (history.replicas?.errors ?? []).flat();
  return {
    total: found.reduce((sum, { total }) => sum + total, 0),
    bad: found.reduce((sum, { bad }) => sum + bad, 0),
  };
}

function honestyTrials(trial: Trial): void {
  trial('row 33: a version without requests has a count of 0 or no data, never an error', async (under) => {
    const { stable, canary } = under.query;
    const { cursor } = await measure(under, null);
    await under.send(stable, { good: 2, bad: 0 });
    const window = await measure(under, cursor);
    assert.notEqual(window.readings.errors?.kind, 'error');
    assert.equal(countsOf(window, canary).total, 0);
  });

  trial('row 34: a source that cannot be read says error or rejects; it never counts 0', async (under) => {
    if (under.blind === null) return;
    const { cursor } = await measure(under, null);
    await under.send(under.query.canary, { good: 2, bad: 0 });
    await under.blind();
    const result = await under.source.measure({ ...under.query, cursor }).catch(() => ({ kind: 'error' }));
    assert.equal(result.kind, 'error');
  });

  trial('history tells the replicas of stable apart, slice by slice, for checks of errors', async (under) => {
    if (under.replicas === null) return;
    const { policy, stable, canary, checks } = under.query;
    const before = tallied(await under.source.history({ policy, stable, checks }));
    await under.send(stable, { good: 40, bad: 20 });
    await under.send(canary, { good: 9, bad: 9 });
    const history = await under.source.history({ policy, stable, checks });
    for (const slice of history.replicas?.errors ?? []) {
      assert.ok(slice.length >= 2 && slice.length <= (under.replicas ?? 0), `${slice.length} replicas`);
      for (const { total, bad } of slice) assert.ok(Number.isSafeInteger(bad) && bad >= 0 && bad <= total && total > 0);
    }
    const after = tallied(history);
    // A slice that only one replica was asked in says nothing and is left out: where slices meet, one request may be.
    const [total, bad] = [after.total - before.total, after.bad - before.bad];
    assert.ok(total >= 59 && total <= 60 && bad >= 19 && bad <= 20, `${bad} of ${total}`);
    const others = checks.filter(({ metric }) => metric.kind !== 'errors');
    for (const { name } of others) assert.equal(history.replicas?.[name], undefined, name);
  });

  trial('history answers for each check, with samples, no data or an error', async (under) => {
    const { policy, stable, checks } = under.query;
    const history = await under.source.history({ policy, stable, checks });
    for (const { name } of checks) {
      assert.ok(['samples', 'no-data', 'error'].includes(history.readings[name]?.kind ?? 'missing'), name);
    }
  });
}
