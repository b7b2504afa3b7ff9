/**
 * Rules of checks: each must be able to fail (row 51), say which way is harm, and use a unit that fits its metric.
 * A check without tolerance and limit is refused where no default exists (row 45).
 */
import { DEFAULT_DIRECTION, DEFAULT_ROLE, type MetricKind, metricKindOf } from './defaults.ts';
import { listed } from './describe-value.ts';
import type { Quantity } from './quantity.ts';
import { type RuleContext, refuseTwice } from './rule-report.ts';
import type { ReadSpec } from './schema.ts';
import type { Holes } from './walk.ts';

type HoledCheck = Holes<NonNullable<ReadSpec['checks']>[number]>;
interface One {
  readonly check: HoledCheck;
  readonly kind: MetricKind;
  readonly path: readonly (string | number)[];
}

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

function oneCheck(context: RuleContext, one: One): void {
  toleranceRules(context, one);
  limitRules(context, one);
  selectorRules(context, one);
  const { spec, report } = context;
  const { check, kind, path } = one;
  if (kind === 'gauge' && spec.workload?.upstreams !== undefined) {
    report.refuse(
      [...path, 'metric', 'gauge'],
      'replicas of upstreams are run by someone else and cannot be read',
      'take the check out, or use spec.workload.processes',
    );
  }
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

function toleranceRules({ report }: RuleContext, { check, kind, path }: One): void {
  if (kind === 'business' || kind === 'gauge') {
    if (check.tolerance !== undefined) {
      report.refuse(
        [...path, 'tolerance'],
        `comparing ${kind === 'gauge' ? 'a gauge' : 'a business rate'} with stable is not available here yet`,
        'write a limit instead',
      );
    }
    if (check.limit === undefined) {
      const example = kind === 'gauge' ? 'limit: {above: 512MiB}' : 'limit: {below: 20%}';
      report.refuse(path, `a ${kind} check without a limit asks nothing`, `add a limit, for example ${example}`);
    }
    return;
  }
  const margin = check.tolerance?.margin;
  if (margin !== undefined && margin <= 0) {
    report.refuse(
      [...path, 'tolerance', 'margin'],
      'at a margin of 0 promotion could never be proven',
      'write a small margin such as 0.2%',
    );
  }
  if (margin !== undefined && margin > 0.5) {
    report.refuse(
      [...path, 'tolerance', 'margin'],
      'a margin above 50% accepts any harm',
      'write a small margin such as 0.2%',
    );
  }
}

const UNITS: Readonly<Record<MetricKind, { readonly unit: Quantity['unit']; readonly words: string }>> = {
  errors: { unit: 'fraction', words: 'a percentage such as 2%' },
  business: { unit: 'fraction', words: 'a percentage such as 20%' },
  latency: { unit: 'duration', words: 'a duration such as 500ms' },
  gauge: { unit: 'bytes', words: 'a size such as 512MiB' },
};

function limitRules({ report }: RuleContext, { check, kind, path }: One): void {
  const direction = check.direction ?? DEFAULT_DIRECTION[kind];
  if (check.direction === 'decrease' && (kind === 'errors' || kind === 'latency')) {
    report.refuse(
      [...path, 'direction'],
      `fewer ${kind === 'errors' ? 'errors' : 'slow requests'} are no harm`,
      'take direction out',
    );
    return;
  }
  for (const bound of ['above', 'below'] as const) {
    const line = check.limit?.[bound];
    if (line?.unit === undefined) continue;
    const at = [...path, 'limit', bound];
    const harm = direction === 'increase' ? 'above' : 'below';
    if (bound !== harm) {
      report.refuse(
        at,
        `harm is ${direction === 'increase' ? 'an' : 'a'} ${direction}, and the limit is on the other side`,
        `write ${harm}: ${line.text}${kind === 'gauge' || kind === 'business' ? ', or change direction' : ''}`,
      );
      continue;
    }
    const isCpu = check.metric?.gauge?.reading === 'cpu';
    const wanted = isCpu ? ({ unit: 'fraction', words: 'a percentage of one core such as 80%' } as const) : UNITS[kind];
    if (line.unit !== wanted.unit) {
      report.refuse(at, `${line.text} does not fit ${isCpu ? 'CPU' : `the ${kind} metric`}`, `write ${wanted.words}`);
    } else if (!canFail(line as Quantity, isCpu)) {
      report.refuse(at, `a line at ${line.text} cannot tell harm from health`, `write ${wanted.words}`);
    }
  }
}

/** A line that every value is beyond, or none, is no question (row 51). */
function canFail(line: Quantity, isCpu: boolean): boolean {
  switch (line.unit) {
    case 'fraction':
      return line.fraction > 0 && (isCpu ? line.fraction <= 1_000 : line.fraction < 1);
    case 'duration':
      return line.durationMs > 0;
    case 'bytes':
      return line.bytes > 0;
  }
}

function selectorRules({ report }: RuleContext, { check, kind, path }: One): void {
  for (const key of ['routes', 'methods'] as const) {
    const listedHere = check[key];
    if (listedHere === undefined) continue;
    if (kind === 'gauge')
      report.refuse([...path, key], 'a gauge is read of replicas, not of requests', `take ${key} out`);
    else if (kind === 'business') {
      report.refuse(
        [...path, key],
        'a business check names its requests in metric.business',
        `move ${key} to metric.business.from and .to`,
      );
    } else if (kind === 'latency' && key === 'methods') {
      report.refuse(
        [...path, key],
        'latency by method is not available here yet',
        'take methods out, or give the requests a route of their own',
      );
    } else if (listedHere.length === 0)
      report.refuse([...path, key], 'is an empty list', `take the line out for all ${key}`);
    else refuseTwice(report, [...path, key], listedHere, key === 'routes' ? 'route' : 'method');
  }
  if (kind === 'business') businessRules({ report }, { check, kind, path });
}

function businessRules({ report }: Pick<RuleContext, 'report'>, { check, path }: One): void {
  const { from, to } = check.metric?.business ?? {};
  for (const [side, step] of [
    ['from', from],
    ['to', to],
  ] as const) {
    for (const key of ['routes', 'methods'] as const) {
      const names = step?.[key];
      const at = [...path, 'metric', 'business', side, key];
      if (names === undefined) continue;
      if (names.length === 0) {
        report.refuse(
          at,
          'is an empty list',
          key === 'routes' ? 'name at least one route' : 'take the line out for all methods',
        );
      }
      refuseTwice(report, at, names, key === 'routes' ? 'route' : 'method');
    }
  }
  if (
    from !== undefined &&
    to !== undefined &&
    JSON.stringify(from) === JSON.stringify(to) &&
    from.routes !== undefined
  ) {
    report.refuse(
      [...path, 'metric', 'business', 'to'],
      'is the same as from, so the rate is always 100%',
      `name the requests that should follow ${listed(from.routes.map((name) => name ?? ''))}`,
    );
  }
}
