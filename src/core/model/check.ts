// One question about harm, and what counts as an error. Percentages people write are fractions in [0, 1] here.
import type { Ending } from './gateway.ts';

/** Which requests are looked at: route names (of the policy's `routes`, or "other") and methods; null means all. */
export interface RequestSelector {
  readonly routes: readonly string[] | null;
  readonly methods: readonly string[] | null;
}

/** What counts as an error, and which requests count at all. */
export interface ErrorDefinition extends RequestSelector {
  /** Route names left out, e.g. health paths. */
  readonly exceptRoutes: readonly string[];
  /** "5xx", "4xx", ... */
  readonly statusClasses: readonly string[];
  readonly statusCodes: readonly number[];
  readonly endings: readonly Ending[];
  /** A header that names one user request, so that its retries count once; null if there is none. */
  readonly retryHeader: string | null;
}

export type Metric =
  /** Proportion of requests that count as errors. */
  | { readonly kind: 'errors' }
  /** Proportion of requests slower than a boundary; the boundary comes from stable's own history at `quantile`. */
  | { readonly kind: 'latency'; readonly quantile: number }
  /** Users' steps: of the requests that match `from`, how many `to` follow in the same window. */
  | { readonly kind: 'business'; readonly from: RequestSelector; readonly to: RequestSelector }
  /** A reading of the replicas: the worst replica counts. */
  | { readonly kind: 'gauge'; readonly reading: 'residentMemoryBytes' | 'cpuPercent' };

/** Largest harm accepted against stable: p_canary <= ratio x p_stable + margin. */
export interface Tolerance {
  /** r >= 1 */
  readonly ratio: number;
  /** delta as a fraction of requests; the harm side uses 0, the no-harm side this (indifference zone, statistics 3). */
  readonly margin: number;
}

/** An absolute line. Errors and business: fraction. Latency: seconds at the metric's quantile. Gauge: its unit. */
export interface Limit {
  readonly bound: 'above' | 'below';
  readonly value: number;
}

export type CheckRole = 'required' | 'guardrail' | 'informational';

export interface Check {
  readonly name: string;
  readonly metric: Metric;
  readonly selector: RequestSelector;
  readonly role: CheckRole;
  /** Against stable; null if only the limit is asked. */
  readonly tolerance: Tolerance | null;
  /** Absolute; null if only the comparison is asked. At least one of the two is there. */
  readonly limit: Limit | null;
  /** Which way is harm. */
  readonly direction: 'increase' | 'decrease';
  /** Share v of the abort evidence, relative to the other checks' (normalised when used). */
  readonly weight: number;
  /** A canary replica's first seconds are shown and not counted. */
  readonly warmUpMs: number;
  /** Without any reading for this long the verdict is no-data. */
  readonly noDataMs: number;
}
