/**
 * Rules of a check in Kayenta's way: metrics with names of their own, group weights that make up the whole score, times
 * that fit into each other, a score that can fail. The judgement itself is `core/analysis`.
 */
import type { CheckAt, RuleContext } from './rule-report.ts';
import { refuseTwice, refuseUnknown } from './rule-report.ts';
import { refuseUneven, unusedRules } from './rules-peers.ts';
import type { ReadSpec } from './schema.ts';
import type { Holes } from './walk.ts';

type Kayenta = Holes<NonNullable<NonNullable<ReadSpec['checks']>[number]['metric']['kayenta']>>;

export function kayentaRules(context: RuleContext, one: CheckAt): void {
  const { report } = context;
  const { check, path } = one;
  for (const key of ['tolerance', 'limit', 'flagger', 'argo'] as const) {
    report.refuseIf(
      check[key] !== undefined,
      [...path, key],
      'the judge of Kayenta has lines of its own',
      `take ${key} out, or write a check of its own for it`,
    );
  }
  unusedRules(context, one, 'kayenta');
  const at = { ...one, path: [...path, 'metric', 'kayenta'] };
  const kayenta = check.metric?.kayenta ?? {};
  metricsRules(context, at, kayenta);
  groupRules(context, at, kayenta);
  timeRules(context, at, kayenta);
  const { pass = 100, marginal = 0 } = kayenta;
  report.refuseIf(
    marginal > pass,
    [...at.path, 'marginal'],
    `${marginal} is above pass ${pass}: a score between them passes and fails`,
    'write marginal at most pass',
  );
  report.refuseIf(marginal === 100, [...at.path, 'marginal'], 'at 100 every score fails', 'write less, as in 75');
}

function metricsRules({ report }: RuleContext, { path }: CheckAt, { metrics }: Kayenta): void {
  report.refuseIf(
    metrics?.length === 0,
    [...path, 'metrics'],
    'is an empty list, so nothing could fail',
    'write at least one metric, as in - {name: errors, metric: {errors: {}}}',
  );
  const seen = new Set<string>();
  for (const [index, metric] of (metrics ?? []).entries()) {
    const at = [...path, 'metrics', index];
    const name = metric?.name;
    if (name !== undefined) {
      report.refuseIf(
        seen.has(name),
        [...at, 'name'],
        `a metric called "${name}" is there already`,
        'give each metric its own name',
      );
      seen.add(name);
    }
    report.refuseIf(
      metric?.metric?.latency !== undefined && metric.methods !== undefined,
      [...at, 'methods'],
      'latency by method is not available here yet',
      'take methods out, or give the requests a route of their own',
    );
    for (const key of ['routes', 'methods'] as const) {
      const names = metric?.[key];
      report.refuseIf(names?.length === 0, [...at, key], 'is an empty list', `take the line out for all ${key}`);
      refuseTwice(report, [...at, key], names ?? [], key.slice(0, -1));
    }
  }
}

function groupRules({ report }: RuleContext, { path }: CheckAt, { metrics, groupWeights = {} }: Kayenta): void {
  const at = [...path, 'groupWeights'];
  const groups = (metrics ?? []).map((metric) => metric?.group);
  const names = [...new Set(groups.filter((group) => group !== undefined))];
  // A metric with a hole may be of any group.
  if (metrics === undefined || names.length === 0 || groups.includes(undefined)) return;
  for (const group of Object.keys(groupWeights)) {
    refuseUnknown(report, [...at, group], group, { what: 'group', names });
  }
  const weights = Object.values(groupWeights).map((weight) => weight ?? Number.NaN);
  const sum = Number(weights.reduce((total, weight) => total + weight, 0).toPrecision(12));
  const missing = names.filter((group) => !Object.hasOwn(groupWeights, group));
  if (weights.length === 0 || Number.isNaN(sum)) return;
  if (sum > 100) report.refuse(at, `add up to ${sum}, more than the whole score`, 'make them add up to 100');
  else if (missing.length === 0 && sum < 100) {
    report.refuse(at, `add up to ${sum}, and no group is left for the rest`, 'make them add up to 100');
  } else if (missing.length > 0 && sum === 100) {
    const problem = `leave nothing of the score for ${missing.join(', ')}`;
    report.refuse(at, problem, 'make them add up to less, or take those metrics out');
  }
}

const MINUTE_MS = 60_000;

function timeRules(context: RuleContext, { path }: CheckAt, kayenta: Kayenta): void {
  const { spec, report } = context;
  const { step, interval, lifetime, lookback } = kayenta;
  refuseUneven(context, [...path, 'step'], { ms: step, unitMs: spec.interval, of: 'spec.interval' });
  refuseUneven(context, [...path, 'interval'], { ms: interval, unitMs: step, of: 'step' });
  refuseUneven(context, [...path, 'lookback'], { ms: lookback, unitMs: step, of: 'step' });
  for (const key of ['interval', 'lookback'] as const) {
    const ms = kayenta[key] ?? 0;
    report.refuseIf(ms % MINUTE_MS !== 0, [...path, key], 'Kayenta counts whole minutes', 'write minutes, as in 30m');
  }
  if (interval === undefined || lifetime === undefined) return;
  if (lifetime < interval) {
    report.refuse(
      [...path, 'lifetime'],
      'is shorter than interval, so nothing would be judged',
      'write at least interval',
    );
  } else refuseUneven(context, [...path, 'lifetime'], { ms: lifetime, unitMs: interval, of: 'interval' });
}
