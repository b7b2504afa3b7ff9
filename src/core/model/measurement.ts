// One aligned window, all versions together: counts or bucket counts, never a lone percentage.
import type { Revision } from './split.ts';

export type Sample =
  /** total >= bad >= 0 requests (or trials) in the window. */
  | { readonly kind: 'proportion'; readonly total: number; readonly bad: number }
  /**
   * Requests per latency bucket in the window, sparse. `boundaries`: upper ends in seconds, ascending, the last Infinity
   * (classic histograms, or raw values put into buckets); absent: those of latency-buckets.ts.
   */
  | {
      readonly kind: 'latency';
      readonly counts: readonly (readonly [index: number, count: number])[];
      readonly boundaries?: readonly number[];
    }
  /** Events and the replica-seconds in which they could happen. */
  | { readonly kind: 'count'; readonly events: number; readonly seconds: number }
  /** How many requests or users brought how much: pairs of value and count, in the metric's own unit. */
  | { readonly kind: 'values'; readonly counts: readonly (readonly [value: number, count: number])[] }
  /** Users first given this version in the window, and those who converted in it, by age in windows. */
  | {
      readonly kind: 'cohort';
      readonly exposed: number;
      readonly converted: readonly (readonly [ageWindows: number, count: number])[];
    }
  /** Now, not summed over the window: one value per replica. */
  | { readonly kind: 'gauge'; readonly values: readonly number[] };

export type Reading =
  | { readonly kind: 'samples'; readonly byRevision: Readonly<Record<Revision, Sample>> }
  /** The source answered, and has nothing for it. */
  | { readonly kind: 'no-data'; readonly message: string }
  /** The source failed, or what it said cannot be a reading (NaN, several series, ...). */
  | { readonly kind: 'error'; readonly message: string };

/** Where reading stopped, in the source's own words; kept in the record with the evidence so that no window counts twice. */
export type Cursor = string;

export interface Measurement {
  /** Monotonic milliseconds the window spans. */
  readonly spanMs: number;
  /** By check name. */
  readonly readings: Readonly<Record<string, Reading>>;
  /** Requests in the window by revision, whatever the checks select: what exposure is counted in. */
  readonly requests: Readonly<Record<Revision, number>>;
  /** Of these, the ones that chance sent there, not a rule: what the shares are tested with. Absent: not known. */
  readonly drawn?: Readonly<Record<Revision, number>>;
  /** Distinct users seen so far, where the source can tell. */
  readonly users: Readonly<Record<Revision, number>>;
  /** Where this window ends. */
  readonly cursor: Cursor;
}

export type MeasurementResult =
  | { readonly kind: 'measurement'; readonly measurement: Measurement }
  /** Nothing to fold in yet; the cursor stands. */
  | { readonly kind: 'none' }
  | { readonly kind: 'error'; readonly message: string };

/** Bad and all requests of one replica in one slice of time. */
export interface ReplicaTally {
  readonly total: number;
  readonly bad: number;
}

/** Stable's past, by check name: what latency lines, the rule for common events and the dispersion are taken from. */
export interface History {
  readonly readings: Readonly<Record<string, Reading>>;
  /** Per check, slices of time (10 s or so, at most an hour back), each with one entry per replica. Absent: not known. */
  readonly replicas?: Readonly<Record<string, readonly (readonly ReplicaTally[])[]>>;
}
