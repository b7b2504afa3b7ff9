/**
 * Rules of checks: each must be able to fail (row 51), say which way is harm, and use a unit that fits its metric.
 * A check without tolerance and limit is refused where no default exists (row 45).
 */
import { canonicalJson } from './canonical.ts';
import { DEFAULT_ROLE, type MetricKind, metricKindOf } from './defaults.ts';
import { type CheckAt, type HoledCheck, type Report, type RuleContext, refuseTwice } from './rule-report.ts';
import { kayentaRules } from './rules-kayenta.ts';
import { peerRules } from './rules-peers.ts';
import { checkSourceRules } from './rules-source.ts';
import { clusterRules, limitRules, toleranceRules } from './rules-tolerance.ts';

export function checksRules(context: RuleContext): void {
  const { spec, report, isWritten } = context;
  const checks = spec.checks;
  if (spec.analysis === 'none') {
    if (isWritten('checks')) {
      report.refuse(['checks'], 'analysis: none never asks checks', 'take the checks out, or take analysis: none out');
    }
    return;
  }
  if (checks === undefined) return;
  if (checks.length === 0) {
    report.refuse(
      ['checks'],
      'is an empty list, so nothing could be proven',
      'take the line out for the default checks, or write analysis: none',
    );
    return;
  }
  refuseTwiceNamed(context, checks);
  for (const [index, check] of checks.entries()) {
    const kind = metricKindOf(check);
    if (check !== undefined && kind !== undefined) oneCheck(context, { check, kind, path: ['checks', index] });
  }
  const roles = checks.map((check) => roleOf(check));
  if (roles.every((role) => role !== undefined && role !== 'required')) {
    report.refuse(['checks'], 'no check is required, so nothing could be proven', 'give one check role: required');
  }
}

function refuseTwiceNamed({ report }: RuleContext, checks: readonly (HoledCheck | undefined)[]): void {
  const seen = new Set<string>();
  for (const [index, check] of checks.entries()) {
    if (check?.name === undefined) continue;
    if (seen.has(check.name)) {
      report.refuse(
        ['checks', index, 'name'],
        `a check called "${check.name}" is there already`,
        'give each check its own name',
      );
    }
    seen.add(check.name);
  }
}

function roleOf(check: HoledCheck | undefined): string | undefined {
  const kind = metricKindOf(check);
  return check?.role ?? (kind === undefined ? undefined : DEFAULT_ROLE[kind]);
}

function oneCheck(context: RuleContext, one: CheckAt): void {
  const { spec, report } = context;
  const { check, kind, path } = one;
  checkSourceRules(context, one);
  if (kind === 'kayenta') kayentaRules(context, one);
  else if (check.flagger !== undefined || check.argo !== undefined) peerRules(context, one);
  else {
    toleranceRules(context, one);
    limitRules(context, one);
    clusterRules(context, one);
  }
  selectorRules(context, one);
  if (check.noData !== undefined && spec.interval !== undefined && check.noData < spec.interval) {
    report.refuse([...path, 'noData'], 'is shorter than one measurement interval', 'write at least spec.interval');
  }
  if (check.weight !== undefined && check.role === 'informational') {
    report.refuse(
      [...path, 'weight'],
      'an informational check carries no evidence',
      'take weight out, or change the role',
    );
  }
}

function selectorRules({ report }: RuleContext, one: CheckAt): void {
  for (const key of ['routes', 'methods'] as const) {
    const names = one.check[key];
    if (names === undefined) continue;
    const at = [...one.path, key];
    const unusable = unusableSelector(one.kind, key);
    if (unusable !== null) report.refuse(at, unusable.problem, unusable.fix);
    else {
      report.refuseIf(names.length === 0, at, 'is an empty list', `take the line out for all ${key}`);
      refuseTwice(report, at, names, key.slice(0, -1));
    }
  }
  if (one.kind === 'business') businessRules(report, one);
}

/** A selection that the metric would not heed is refused, not dropped (row 84). */
function unusableSelector(kind: MetricKind, key: 'routes' | 'methods'): { problem: string; fix: string } | null {
  switch (kind) {
    case 'errors':
      return null;
    case 'latency':
      if (key === 'routes') return null;
      return {
        problem: 'latency by method is not available here yet',
        fix: 'take methods out, or give the requests a route of their own',
      };
    case 'business':
      return {
        problem: 'a business check names its requests in metric.business',
        fix: `move ${key} to metric.business.from and .to`,
      };
    case 'gauge':
      return { problem: 'a gauge is read of replicas, not of requests', fix: `take ${key} out` };
    case 'count':
      return { problem: 'events are counted of replicas, not of requests', fix: `take ${key} out` };
    case 'mean':
    case 'conversion':
      return { problem: `a ${kind} takes what was recorded under its name`, fix: `take ${key} out` };
    case 'kayenta':
      return {
        problem: 'a kayenta check names the requests of each metric',
        fix: `move ${key} to metric.kayenta.metrics`,
      };
  }
}

function businessRules(report: Report, { check, path }: CheckAt): void {
  const { from, to } = check.metric?.business ?? {};
  for (const side of ['from', 'to'] as const) {
    const step = check.metric?.business?.[side];
    for (const key of ['routes', 'methods'] as const) {
      const at = [...path, 'metric', 'business', side, key];
      const names = step?.[key];
      const fix = key === 'routes' ? 'name at least one route' : 'take the line out for all methods';
      report.refuseIf(names?.length === 0, at, 'is an empty list', fix);
      refuseTwice(report, at, names ?? [], key.slice(0, -1));
    }
  }
  report.refuseIf(
    from?.routes !== undefined && canonicalJson(from) === canonicalJson(to),
    [...path, 'metric', 'business', 'to'],
    'is the same as from, so the rate is always 100%',
    'name the requests that should follow',
  );
}
