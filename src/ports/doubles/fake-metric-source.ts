// A MetricSource in memory: tests add windows, and each is given out once per cursor. A cursor is the number of windows
// read, so that asking again with the same cursor gives the same and what came since.
import type { CountedEvent } from '../../core/model/check.ts';
import { measuredChecks } from '../../core/model/check-expansion.ts';
import type {
  History,
  Measurement,
  MeasurementResult,
  Reading,
  ReplicaTally,
  Sample,
} from '../../core/model/measurement.ts';
import type { Revision } from '../../core/model/split.ts';
import { type MeasureQuery, type MetricSource, openingMeasurement } from '../metric-source.ts';
import { Mishaps } from './mishaps.ts';

/** Counts by check name (of a check of several metrics: `<check>/<metric>`), by revision. */
export interface FakeWindow {
  readonly spanMs: number;
  /** Restarts, by revision; one replica of each lives all the time. */
  readonly restarts?: Readonly<Record<Revision, number>>;
  /** Requests that a rule sent, by revision: in no count, but in the exposure. */
  readonly ruled?: Readonly<Record<Revision, number>>;
  readonly counts: Readonly<
    Record<string, Readonly<Record<Revision, { readonly total: number; readonly bad: number }>>>
  >;
}

export class FakeMetricSource implements MetricSource {
  readonly mishaps = new Mishaps();
  /** How many replicas share the requests of each window evenly, the bad ones at the first; null: not told apart. */
  replicas: number | null = null;
  readonly #windows: FakeWindow[] = [];

  add(window: FakeWindow): void {
    this.#windows.push(window);
  }

  async measure(query: MeasureQuery): Promise<MeasurementResult> {
    await this.mishaps.meet('measure');
    const cursor = String(this.#windows.length);
    if (query.cursor === null) return { kind: 'measurement', measurement: openingMeasurement(cursor) };
    const windows = this.#windows.slice(Number(query.cursor));
    if (windows.length === 0) return { kind: 'none' };
    return { kind: 'measurement', measurement: merge(query, windows, cursor) };
  }

  async history(query: Omit<MeasureQuery, 'cursor' | 'canary'>): Promise<History> {
    await this.mishaps.meet('history');
    const none: Reading = { kind: 'no-data', message: 'this source keeps no history' };
    const checks = measuredChecks(query.checks);
    const readings = Object.fromEntries(checks.map(({ name }) => [name, none]));
    const { stable } = query;
    const replicas = this.replicas;
    if (stable === null || replicas === null) return { readings };
    const ofErrors = checks.filter(({ metric }) => metric.kind === 'errors');
    const slices = (name: string) =>
      this.#windows.flatMap(({ counts }) => {
        const found = counts[name]?.[stable];
        return found === undefined ? [] : [spread(found, replicas)];
      });
    return { readings, replicas: Object.fromEntries(ofErrors.map(({ name }) => [name, slices(name)])) };
  }
}

function merge(query: MeasureQuery, windows: readonly FakeWindow[], cursor: string): Measurement {
  const revisions = [query.canary, ...(query.stable === null ? [] : [query.stable])];
  const readings: Record<string, Reading> = {};
  const drawn: Record<Revision, number> = Object.fromEntries(revisions.map((revision) => [revision, 0]));
  for (const { name, metric } of measuredChecks(query.checks)) {
    if (metric.kind === 'count') {
      readings[name] = restartsIn(windows, revisions, metric.event);
      continue;
    }
    const byRevision: Record<Revision, Sample> = {};
    for (const revision of revisions) {
      const counts = windows.map((window) => window.counts[name]?.[revision] ?? { total: 0, bad: 0 });
      const total = counts.reduce((sum, count) => sum + count.total, 0);
      const bad = counts.reduce((sum, count) => sum + count.bad, 0);
      byRevision[revision] = { kind: 'proportion', total, bad };
      drawn[revision] = Math.max(drawn[revision] ?? 0, total);
    }
    readings[name] = { kind: 'samples', byRevision };
  }
  const requests = Object.fromEntries(
    revisions.map((revision) => [
      revision,
      windows.reduce((sum, { ruled }) => sum + (ruled?.[revision] ?? 0), drawn[revision] ?? 0),
    ]),
  );
  const spanMs = windows.reduce((sum, window) => sum + window.spanMs, 0);
  return { spanMs, readings, requests, drawn, users: {}, cursor };
}

function spread({ total, bad }: ReplicaTally, replicas: number): readonly ReplicaTally[] {
  const share = Math.floor((total - bad) / replicas);
  return Array.from({ length: replicas }, (_, index) =>
    index === 0 ? { total: total - share * (replicas - 1), bad } : { total: share, bad: 0 },
  );
}

function restartsIn(windows: readonly FakeWindow[], revisions: readonly Revision[], event: CountedEvent): Reading {
  if (event !== 'restarts') return { kind: 'no-data', message: `this source counts no ${event}` };
  const seconds = windows.reduce((sum, { spanMs }) => sum + spanMs / 1_000, 0);
  return {
    kind: 'samples',
    byRevision: Object.fromEntries(
      revisions.map((revision) => [
        revision,
        { kind: 'count', seconds, events: windows.reduce((sum, one) => sum + (one.restarts?.[revision] ?? 0), 0) },
      ]),
    ),
  };
}
