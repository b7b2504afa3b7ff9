// Where measurements come from. Counts of all versions over one window, from one reading.
import type { Check } from '../core/model/check.ts';
import type { Cursor, History, Measurement, MeasurementResult } from '../core/model/measurement.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Revision } from '../core/model/split.ts';

export interface MeasureQuery {
  readonly policy: ReleasePolicy;
  readonly stable: Revision | null;
  readonly canary: Revision;
  readonly checks: readonly Check[];
  /** Where the last recorded window ended; null starts a window here and yields none. */
  readonly cursor: Cursor | null;
}

export interface MetricSource {
  /** Everything since the cursor, once. The same cursor again yields the same or a longer window, never less. */
  measure(query: MeasureQuery): Promise<MeasurementResult>;
  /** Stable's past as the source knows it: what latency lines and the dispersion are taken from. */
  history(query: Omit<MeasureQuery, 'cursor' | 'canary'>): Promise<History>;
}

/** A source's first answer: no window yet, only where the first one starts. */
export function openingMeasurement(cursor: Cursor): Measurement {
  return { spanMs: 0, readings: {}, requests: {}, users: {}, cursor };
}
