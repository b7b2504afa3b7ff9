// The simulated source of measurements: reads the data plane's counters with a lag, with gaps, outages, partial
// windows and resets, and keeps what it really delivered, so that a claim of evidence can be held against the truth.
import type { Check, CountedEvent } from '../../core/model/check.ts';
import { measuredChecks } from '../../core/model/check-expansion.ts';
import { LATENCY_BUCKETS } from '../../core/model/latency-buckets.ts';
import type { History, MeasurementResult, Reading, Sample } from '../../core/model/measurement.ts';
import type { VersionLife } from '../../core/model/observed.ts';
import type { MeasureQuery } from '../../ports/metric-source.ts';
import { type Counters, type DataPlane, LATENCY_CLASSES } from './data-plane.ts';
import type { ReplicaWorld } from './replicas.ts';
import type { Truth } from './truth.ts';

type Row = readonly [total: number, bad: number, ruled: number, ...classes: number[]];

/** What the cursor says: everything needed to take the difference, so that the source remembers nothing. */
interface Mark {
  readonly epoch: number;
  readonly atMs: number;
  readonly rows: Readonly<Record<string, Row>>;
  readonly lives: readonly VersionLife[];
}

/** One window as it was delivered, chained by its cursors. */
export interface Delivered {
  readonly canary: string;
  readonly stable: string | null;
  readonly from: string;
  readonly to: string;
  /** What checks may count, and with what rules sent, what exposure counts. */
  readonly canaryTotal: number;
  readonly canaryRequests: number;
  readonly canaryBad: number;
  readonly stableTotal: number;
  readonly stableBad: number;
  /** False if a part of what was asked for was missing or unreadable: no evidence can come of it. */
  readonly usable: boolean;
}

export type MetricTrouble = 'none' | 'outage' | 'gap' | 'partial' | 'unreadable';

export interface MetricsOptions {
  readonly nowMs: () => number;
  readonly plane: DataPlane;
  readonly replicas: () => ReplicaWorld;
  readonly truthOf: (revision: string) => Truth;
  readonly lagMs: number;
  readonly trouble: () => MetricTrouble;
  readonly delivered: (window: Delivered) => void;
}

export interface MetricsWorld {
  measure(query: MeasureQuery): MeasurementResult;
  history(query: Omit<MeasureQuery, 'cursor' | 'canary'>): History;
}

export function createMetricsWorld(options: MetricsOptions): MetricsWorld {
  const ring: Mark[] = [];

  /** The newest reading that is old enough to have arrived. */
  function scrape(): Mark {
    options.plane.advance();
    const nowMs = options.nowMs();
    const fresh = {
      epoch: options.plane.epoch,
      atMs: nowMs,
      rows: rowsOf(options.plane.counters),
      lives: options.replicas().lives(),
    };
    if (options.lagMs === 0) return fresh;
    ring.push(fresh);
    while (ring.length > 1 && (ring[1] as Mark).atMs <= nowMs - options.lagMs) ring.shift();
    return ring[0] as Mark;
  }

  function measure(query: MeasureQuery): MeasurementResult {
    const trouble = options.trouble();
    if (trouble === 'outage') return { kind: 'error', message: 'the metric source does not answer' };
    const mark = scrape();
    const cursor = JSON.stringify(mark);
    if (query.cursor === null) {
      return { kind: 'measurement', measurement: { spanMs: 0, readings: {}, requests: {}, users: {}, cursor } };
    }
    if (trouble === 'gap') return { kind: 'none' };
    const since = JSON.parse(query.cursor) as Mark;
    if (mark.atMs <= since.atMs) return { kind: 'none' };
    return window(query, { since, mark, cursor, trouble });
  }

  function window(
    query: MeasureQuery,
    { since, mark, cursor, trouble }: { since: Mark; mark: Mark; cursor: string; trouble: MetricTrouble },
  ): MeasurementResult {
    const increase = (revision: string): Row => difference(mark, since, revision);
    const seen = [query.canary, ...(query.stable === null || trouble === 'partial' ? [] : [query.stable])];
    const readings: Record<string, Reading> = {};
    for (const check of measuredChecks(query.checks)) {
      readings[check.name] =
        trouble === 'unreadable'
          ? { kind: 'error', message: 'NaN' }
          : check.metric.kind === 'count'
            ? events(check.metric.event, seen, { mark, since })
            : {
                kind: 'samples',
                byRevision: Object.fromEntries(seen.map((one) => [one, sample(check, one, increase)])),
              };
    }
    const canary = increase(query.canary);
    const stable = query.stable === null ? ([0, 0, 0] as const) : increase(query.stable);
    options.delivered({
      canary: query.canary,
      stable: query.stable,
      from: query.cursor as string,
      to: cursor,
      canaryTotal: canary[0],
      canaryRequests: canary[0] + canary[2],
      canaryBad: canary[1],
      stableTotal: stable[0],
      stableBad: stable[1],
      usable: trouble === 'none' || trouble === 'gap',
    });
    const drawn: Record<string, number> = { [query.canary]: canary[0] };
    const requests: Record<string, number> = { [query.canary]: canary[0] + canary[2] };
    if (query.stable !== null) {
      drawn[query.stable] = stable[0];
      requests[query.stable] = stable[0] + stable[2];
    }
    const users = { ...requests };
    return {
      kind: 'measurement',
      measurement: { spanMs: mark.atMs - since.atMs, readings, requests, drawn, users, cursor },
    };
  }

  function sample(check: Check, revision: string, increase: (revision: string) => Row): Sample {
    const row = increase(revision);
    switch (check.metric.kind) {
      case 'errors':
      case 'business':
        return { kind: 'proportion', total: row[0], bad: row[1] };
      case 'latency':
        return { kind: 'latency', counts: bucketsOf(row, options.truthOf(revision).slowness) };
      case 'count':
      case 'mean':
      case 'conversion':
      case 'kayenta':
        throw new Error(`the simulated data plane does not measure ${check.metric.kind}`);
      case 'gauge': {
        const value = options.truthOf(revision).residentBytes;
        return {
          kind: 'gauge',
          values: options
            .replicas()
            .ready(revision)
            .map(() => value),
        };
      }
    }
  }

  function pastReading(check: Check, stable: string, mark: Mark): Reading {
    const since: Mark = { epoch: mark.epoch, atMs: 0, rows: {}, lives: [] };
    if (check.metric.kind === 'count') return events(check.metric.event, [stable], { mark, since });
    const now = sample(check, stable, (one) => difference(mark, since, one));
    return { kind: 'samples', byRevision: { [stable]: now } };
  }

  function history(query: Omit<MeasureQuery, 'cursor' | 'canary'>): History {
    if (options.trouble() === 'outage') throw new Error('the metric source does not answer');
    const mark = scrape();
    const readings: Record<string, Reading> = {};
    for (const check of measuredChecks(query.checks)) {
      readings[check.name] =
        query.stable === null
          ? { kind: 'no-data', message: 'there is no stable version' }
          : pastReading(check, query.stable, mark);
    }
    return query.stable === null ? { readings } : { readings, replicas: replicasOf(query.stable, query.checks) };
  }

  function replicasOf(stable: string, checks: readonly Check[]): NonNullable<History['replicas']> {
    const slices = options.plane.slices.of(stable, options.nowMs());
    const ofErrors = measuredChecks(checks).filter(({ metric }) => metric.kind === 'errors');
    return Object.fromEntries(ofErrors.map(({ name }) => [name, slices]));
  }

  return { measure, history };
}

/** Restarts over replica-seconds; the simulated machines count nothing else. */
function events(
  event: CountedEvent,
  revisions: readonly string[],
  { mark, since }: { readonly mark: Mark; readonly since: Mark },
): Reading {
  if (event !== 'restarts') return { kind: 'no-data', message: `the simulated machines count no ${event}` };
  const byRevision: Record<string, Sample> = {};
  for (const revision of revisions) {
    const now = mark.lives.find((life) => life.revision === revision);
    const then = since.lives.find((life) => life.id === now?.id);
    byRevision[revision] = {
      kind: 'count',
      events: (now?.restarts ?? 0) - (then?.restarts ?? 0),
      seconds: ((now?.replicaMs ?? 0) - (then?.replicaMs ?? 0)) / 1_000,
    };
  }
  return { kind: 'samples', byRevision };
}

function rowsOf(counters: ReadonlyMap<string, Counters>): Record<string, Row> {
  const rows: Record<string, Row> = {};
  for (const [revision, { total, bad, ruled, classes }] of counters) {
    rows[revision] = classes.every((count) => count === 0) ? [total, bad, ruled] : [total, bad, ruled, ...classes];
  }
  return rows;
}

/** Increase since a mark; after a reset everything counted since the reset (what came before it is lost, not guessed). */
function difference(mark: Mark, since: Mark, revision: string): Row {
  const now = mark.rows[revision] ?? [0, 0, 0];
  const then = (mark.epoch === since.epoch ? since.rows[revision] : undefined) ?? [0, 0, 0];
  return now.map((value, index) => value - (then[index] ?? 0)) as unknown as Row;
}

function bucketsOf(row: Row, slowness: number): [number, number][] {
  // Eight buckets per doubling, see core/model/latency-buckets.ts.
  const shift = Math.round(8 * Math.log2(slowness));
  const counts: [number, number][] = [];
  for (const [index, { bucket }] of LATENCY_CLASSES.entries()) {
    const count = row[index + 3] ?? 0;
    if (count > 0) counts.push([Math.min(LATENCY_BUCKETS - 1, bucket + shift), count]);
  }
  return counts;
}
