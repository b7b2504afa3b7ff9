/**
 * Defaults that depend on other fields, each in one place: the schema says them in words, the compiler uses them.
 */
import type { ReadSpec } from './schema.ts';
import type { Holes } from './walk.ts';

type ReadCheck = NonNullable<ReadSpec['checks']>[number];
const METRIC_KINDS = ['errors', 'latency', 'business', 'gauge', 'count', 'mean', 'conversion', 'kayenta'] as const;
export type MetricKind = (typeof METRIC_KINDS)[number];

/** Adaptive ramps: B of the exposure budget, first weight and largest weight (statistics 3). */
export const ADAPTIVE = {
  cautious: { badPerInterval: 5, firstWeightPercent: 0.5, maxWeightPercent: 10 },
  default: { badPerInterval: 10, firstWeightPercent: 1, maxWeightPercent: 20 },
  bold: { badPerInterval: 20, firstWeightPercent: 5, maxWeightPercent: 50 },
} as const;

/** What a Prometheus is taken to do where the policy says nothing. */
export const DEFAULT_SCRAPE = '15s';
/** B where fixed stages are written. */
export const STAGES_BAD_PER_INTERVAL = 10;
export const DEFAULT_BAKE_MS = 300_000;
export const DEFAULT_LEAST_BAKE_MS = 300_000;
export const DEFAULT_RELEASE_DEADLINE_MS = 86_400_000;
export const DEFAULT_RATIO = 1.1;
export const DEFAULT_WARM_UP_MS = 60_000;
/** delta_P: above 0, so that promotion can be proven at zero errors (statistics 3, margins). Counts: per replica-second. */
export const DEFAULT_MARGIN = {
  errors: 0.002,
  latency: 0.01,
  mean: 0.002,
  conversion: 0.005,
  restarts: 1 / 3_600,
  oomKills: 1 / 3_600,
  throttledPeriods: 0.1,
} as const;
/** Shares of the abort evidence, errors .5, latency .3, others .2 (statistics 3). */
export const DEFAULT_EVIDENCE_WEIGHT = {
  errors: 5,
  latency: 3,
  business: 2,
  gauge: 2,
  count: 2,
  mean: 2,
  conversion: 2,
  kayenta: 2,
} as const;
export const DEFAULT_ROLE = {
  errors: 'required',
  latency: 'required',
  business: 'guardrail',
  gauge: 'guardrail',
  count: 'guardrail',
  mean: 'guardrail',
  conversion: 'guardrail',
  kayenta: 'required',
} as const;
export const DEFAULT_DIRECTION = {
  errors: 'increase',
  latency: 'increase',
  business: 'decrease',
  gauge: 'increase',
  count: 'increase',
  mean: 'decrease',
  conversion: 'decrease',
  kayenta: 'increase',
} as const;

/** With checks, a share of stable remains to compare with (decision 5). */
export const MAX_CHECKED_WEIGHT_PERCENT = 95;

/** Where no checks are written. */
export const DEFAULT_CHECKS: readonly ReadCheck[] = [
  { name: 'errors', metric: { errors: {} }, noData: 120_000 },
  { name: 'latency', metric: { latency: { quantile: 0.99 } }, noData: 120_000 },
];

/** The built-in route `health`: paths that probes and load balancers ask, whose errors are no user's. */
export const HEALTH_ROUTE = 'health';
export const HEALTH_PATHS = [
  '/health',
  '/health/*',
  '/healthz',
  '/healthcheck',
  '/livez',
  '/readyz',
  '/-/healthy',
  '/-/ready',
  '/_health',
  '/ping',
] as const;

export function metricKindOf(check: Holes<ReadCheck> | undefined): MetricKind | undefined {
  return METRIC_KINDS.find((kind) => check?.metric?.[kind] !== undefined);
}

/** null where stable is not compared, or the event is not known. */
export function defaultMargin(check: Holes<ReadCheck>): number | null {
  const kind = metricKindOf(check);
  const key = kind === 'count' ? check.metric?.count?.event : kind;
  return key !== undefined && Object.hasOwn(DEFAULT_MARGIN, key)
    ? DEFAULT_MARGIN[key as keyof typeof DEFAULT_MARGIN]
    : null;
}

/** Paths of the probes, which are left out of errors as well; `/` is many services' front page and stays in. */
export function probePaths(workload: Holes<ReadSpec['workload']> | undefined): string[] {
  const probes = [workload?.processes?.ready, workload?.processes?.live, workload?.upstreams?.ready];
  return probes.map((probe) => probe?.path).filter((path): path is string => path !== undefined && path !== '/');
}
