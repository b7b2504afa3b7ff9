/**
 * Rules of checks: each must be able to fail (row 51), say which way is harm, and use a unit that fits its metric.
 * A check without tolerance and limit is refused where no default exists (row 45).
 */
import { canonicalJson } from './canonical.ts';
import { DEFAULT_DIRECTION, DEFAULT_ROLE, type MetricKind, metricKindOf } from './defaults.ts';
import type { Quantity } from './quantity.ts';
import { type Report, type RuleContext, refuseTwice } from './rule-report.ts';
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

function toleranceRules(context: RuleContext, one: One): void {
  const { report } = context;
  const { check, kind, path } = one;
  if (kind === 'business' || kind === 'gauge') {
    limitOnlyRules(context, one);
    return;
  }
  const at = [...path, 'tolerance', 'margin'];
  const margin = check.tolerance?.margin;
  const fix = 'write a small margin such as 0.2%';
  if (margin === undefined) return;
  report.refuseIf(margin <= 0, at, 'at a margin of 0 promotion could never be proven', fix);
  report.refuseIf(margin > 0.5, at, 'a margin above 50% accepts any harm', fix);
}

function limitOnlyRules({ report }: RuleContext, { check, kind, path }: One): void {
  const what = kind === 'gauge' ? 'a gauge' : 'a business rate';
  report.refuseIf(
    check.tolerance !== undefined,
    [...path, 'tolerance'],
    `comparing ${what} with stable is not available here yet`,
    'write a limit instead',
  );
  const example = kind === 'gauge' ? 'limit: {above: 512MiB}' : 'limit: {below: 20%}';
  report.refuseIf(
    check.limit === undefined,
    path,
    `a ${kind} check without a limit asks nothing`,
    `add a limit, for example ${example}`,
  );
}

interface Unit {
  readonly unit: Quantity['unit'];
  readonly fits: string;
  readonly write: string;
}

const UNITS: Readonly<Record<MetricKind | 'cpu', Unit>> = {
  errors: { unit: 'fraction', fits: 'the errors metric', write: 'write a percentage such as 2%' },
  business: { unit: 'fraction', fits: 'the business metric', write: 'write a percentage such as 20%' },
  latency: { unit: 'duration', fits: 'the latency metric', write: 'write a duration such as 500ms' },
  gauge: { unit: 'bytes', fits: 'memory', write: 'write a size such as 512MiB' },
  cpu: { unit: 'fraction', fits: 'CPU', write: 'write a percentage of one core such as 80%' },
};

function limitRules({ report }: RuleContext, { check, kind, path }: One): void {
  const wrong = wrongDirection(kind, check.direction);
  if (wrong !== null) return report.refuse([...path, 'direction'], wrong, 'take direction out');
  const bound = check.limit?.above === undefined ? 'below' : 'above';
  const line = check.limit?.[bound] as Quantity | undefined;
  if (line?.unit === undefined) return;
  const at = [...path, 'limit', bound];
  const harm = (check.direction ?? DEFAULT_DIRECTION[kind]) === 'increase' ? 'above' : 'below';
  const isCpu = check.metric?.gauge?.reading === 'cpu';
  const wanted = UNITS[isCpu ? 'cpu' : kind];
  if (bound !== harm) {
    const fix = `write ${harm}: ${line.text}${kind === 'gauge' ? ', or change direction' : ''}`;
    report.refuse(at, `the limit is on the other side: harm is a value ${harm} it`, fix);
  } else if (line.unit !== wanted.unit) report.refuse(at, `${line.text} does not fit ${wanted.fits}`, wanted.write);
  else report.refuseIf(!canFail(line, isCpu), at, `a line at ${line.text} cannot tell harm from health`, wanted.write);
}

function wrongDirection(kind: MetricKind, direction: 'increase' | 'decrease' | undefined): string | null {
  if (direction === undefined || kind === 'gauge' || direction === DEFAULT_DIRECTION[kind]) return null;
  if (kind === 'business') return 'a business rate that must not rise is not available here yet';
  return 'fewer errors or slow requests are no harm';
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

function selectorRules({ report }: RuleContext, one: One): void {
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
  }
}

function businessRules(report: Report, { check, path }: One): void {
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
