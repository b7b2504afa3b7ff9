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
  | { readonly kind: 'gauge'; readonly reading: 'residentMemoryBytes' | 'cpuPercent' }
  /** Events per second of replica life: restarts, out-of-memory kills, throttled periods. */
  | { readonly kind: 'count'; readonly event: CountedEvent }
  /** A value per request or user (revenue, items), capped at `cap`: its mean is compared. */
  | { readonly kind: 'mean'; readonly cap: number }
  /** Users who convert some time after they were given a version, compared by cohort and age. */
  | { readonly kind: 'conversion'; readonly horizonMs: number }
  /** The judge of Kayenta, for those who come from it: several metrics, one score. */
  | { readonly kind: 'kayenta'; readonly config: KayentaCheck };

export const COUNTED_EVENTS = ['restarts', 'oomKills', 'throttledPeriods'] as const;
export type CountedEvent = (typeof COUNTED_EVENTS)[number];

/** Largest harm accepted against stable: p_canary <= ratio x p_stable + margin. A mean: at least (2 - ratio) x stable's. */
export interface Tolerance {
  /** r >= 1. Latency: of the odds of a slow request. */
  readonly ratio: number;
  /** delta_P as a fraction of requests: worse than ratio x stable + margin must be refuted (the no-harm side). */
  readonly margin: number;
  /** delta_H < delta_P: an excess on top of the ratio that is not called harm yet. Between the two lies indifference. */
  readonly harmMargin: number;
  /** A wider margin that is enough once the deadline has passed; null if none is declared. */
  readonly atDeadline: number | null;
  /** Latency: the canary is counted at a line this many buckets slower than stable's. */
  readonly bucketShift: number;
}

/** The rule of a peer, with its exact semantics and without its anytime-valid counterpart: for people who migrate. */
export type PeerRule =
  /** One value per interval inside [min, max]; failed checks add up and are never forgotten. */
  | {
      readonly kind: 'flagger';
      readonly intervalMs: number;
      readonly min: number | null;
      readonly max: number | null;
      /** The release aborts at the look after this many failed checks. */
      readonly failures: number;
      /** Their way; ours is to hold. */
      readonly emptyIsFailure: boolean;
    }
  | {
      readonly kind: 'argo';
      readonly intervalMs: number;
      readonly initialDelayMs: number;
      /** Conditions over `result`; null if not written. At least one is. */
      readonly successCondition: string | null;
      readonly failureCondition: string | null;
      readonly count: number | null;
      readonly failureLimit: number;
      readonly inconclusiveLimit: number;
      readonly consecutiveErrorLimit: number;
      readonly consecutiveSuccessLimit: number;
    };

export interface KayentaMetric {
  readonly name: string;
  readonly metric: { readonly kind: 'errors' } | { readonly kind: 'latency'; readonly quantile: number };
  readonly selector: RequestSelector;
  readonly group: string;
  readonly direction: 'increase' | 'decrease' | 'either';
  readonly critical: boolean;
  readonly nanStrategy: 'remove' | 'replace';
  readonly mustHaveData: boolean;
}

export interface KayentaCheck {
  readonly metrics: readonly KayentaMetric[];
  /** Percent by group; groups without one share what is left. */
  readonly groupWeights: Readonly<Record<string, number>>;
  readonly pass: number;
  readonly marginal: number;
  readonly stepMs: number;
  readonly intervalMs: number;
  readonly lifetimeMs: number;
  /** 0: from the start each time. */
  readonly lookbackMs: number;
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
  /** The most bad events that one independent unit (session, retry chain) can cause; evidence is divided by it. */
  readonly clusterCap: number;
  /** Judged by a peer's rule instead of evidence; null for all others. Carries no alpha. */
  readonly rule: PeerRule | null;
}
