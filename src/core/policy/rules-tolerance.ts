/**
 * Rules of what a check is held to: the tolerance against stable with its indifference zone, and the absolute limit.
 * Each must be able to fail (row 51), and a margin must leave something that can be proven (statistics 3, margins).
 */
import { DEFAULT_DIRECTION, defaultMargin, type MetricKind } from './defaults.ts';
import type { Margin, Quantity } from './quantity.ts';
import type { CheckAt, RuleContext } from './rule-report.ts';

const COMPARED: Readonly<Partial<Record<MetricKind, string>>> = {
  errors: 'errors',
  latency: 'latency',
  count: 'events',
  mean: 'a mean',
  conversion: 'a conversion',
};

export function toleranceRules(context: RuleContext, one: CheckAt): void {
  const { report } = context;
  const { check, kind, path } = one;
  if (kind === 'business' || kind === 'gauge') {
    limitOnlyRules(context, one);
    return;
  }
  const { ratio, buckets } = check.tolerance ?? {};
  const at = [...path, 'tolerance'];
  report.refuseIf(
    kind === 'mean' && ratio !== undefined && ratio >= 2,
    [...at, 'ratio'],
    `the mean must be at least (2 - ratio) times stable's, and at ${ratio} that is nothing`,
    'write a ratio below 2, as in 1.1',
  );
  report.refuseIf(
    buckets !== undefined && kind !== 'latency',
    [...at, 'buckets'],
    `${COMPARED[kind]} has no latency buckets`,
    'take buckets out',
  );
  marginRules(context, one);
}

const MARGINS = ['margin', 'harmMargin', 'atDeadline'] as const;

function marginRules({ report }: RuleContext, { check, kind, path }: CheckAt): void {
  const at = [...path, 'tolerance'];
  const isCount = kind === 'count';
  const small = isCount ? 'write a rate per replica such as 1/h' : 'write a small margin such as 0.2%';
  let isSound = true;
  for (const key of MARGINS) {
    const margin = check.tolerance?.[key] as Margin | undefined;
    if (margin === undefined) continue;
    const isFitting = (margin.unit === 'perSecond') === isCount;
    const isZero = key === 'margin' && margin.value <= 0;
    const isAll = !isCount && margin.value > 0.5;
    if (!isFitting) report.refuse([...at, key], `${margin.text} does not fit ${COMPARED[kind]}`, small);
    else if (isZero) report.refuse([...at, key], 'at a margin of 0 promotion could never be proven', small);
    else if (isAll) report.refuse([...at, key], 'a margin above 50% accepts any harm', small);
    isSound &&= isFitting && !isZero && !isAll;
  }
  if (isSound) nestingRules({ report }, { check, kind, path });
}

/** delta_H < delta_P < the wider one: between the first two lies indifference, and the last must accept more. */
function nestingRules({ report }: Pick<RuleContext, 'report'>, { check, kind, path }: CheckAt): void {
  const { margin, harmMargin, atDeadline } = (check.tolerance ?? {}) as Partial<Record<string, Margin>>;
  const least = margin?.value ?? defaultMargin(check);
  if (least === null) return;
  const byDefault = kind === 'count' ? `${round(least * 3_600)}/h` : `${round(least * 100)}%`;
  const shown = margin?.text ?? `${byDefault} of the default`;
  const example =
    kind === 'count' ? 'as in harmMargin: 1/d and margin: 1/h' : 'as in harmMargin: 0.1% and margin: 0.2%';
  report.refuseIf(
    harmMargin !== undefined && harmMargin.value >= least,
    [...path, 'tolerance', 'harmMargin'],
    `${harmMargin?.text} is not below margin (${shown}): an excess between the two could be shown neither harmful nor harmless, so a release would never end`,
    `write a smaller harmMargin or a larger margin, ${example}`,
  );
  report.refuseIf(
    atDeadline !== undefined && atDeadline.value <= least,
    [...path, 'tolerance', 'atDeadline'],
    `${atDeadline?.text} is not wider than margin (${shown}): what it accepts was accepted before the deadline`,
    'write a wider margin than margin, or take atDeadline out',
  );
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

function limitOnlyRules({ report }: RuleContext, { check, kind, path }: CheckAt): void {
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

/** What one unit can cause is asked where bad events are counted. */
export function clusterRules({ report }: RuleContext, { check, kind, path }: CheckAt): void {
  if (check.clusterCap === undefined || !['gauge', 'mean', 'conversion'].includes(kind)) return;
  const counted = kind === 'gauge' ? 'a gauge counts no events' : `a ${kind} counts each user once`;
  report.refuse([...path, 'clusterCap'], counted, 'take clusterCap out');
}

interface Unit {
  readonly unit: Quantity['unit'];
  readonly fits: string;
  readonly write: string;
}

const UNITS: Readonly<Record<'errors' | 'business' | 'latency' | 'gauge' | 'cpu', Unit>> = {
  errors: { unit: 'fraction', fits: 'the errors metric', write: 'write a percentage such as 2%' },
  business: { unit: 'fraction', fits: 'the business metric', write: 'write a percentage such as 20%' },
  latency: { unit: 'duration', fits: 'the latency metric', write: 'write a duration such as 500ms' },
  gauge: { unit: 'bytes', fits: 'memory', write: 'write a size such as 512MiB' },
  cpu: { unit: 'fraction', fits: 'CPU', write: 'write a percentage of one core such as 80%' },
};

export function limitRules({ report }: RuleContext, { check, kind, path }: CheckAt): void {
  const wrong = wrongDirection(kind, check.direction);
  if (wrong !== null) return report.refuse([...path, 'direction'], wrong, 'take direction out');
  if (!isLimited(kind)) {
    const problem = `an absolute line for ${COMPARED[kind] ?? kind} is not available here yet`;
    return report.refuseIf(check.limit !== undefined, [...path, 'limit'], problem, 'write a tolerance instead');
  }
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
  if (kind === 'mean' || kind === 'conversion') return `a ${kind} that must not rise is not available here yet`;
  return kind === 'count' ? 'fewer events are no harm' : 'fewer errors or slow requests are no harm';
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

type Limited = 'errors' | 'business' | 'latency' | 'gauge';

function isLimited(kind: MetricKind): kind is Limited {
  return kind === 'errors' || kind === 'business' || kind === 'latency' || kind === 'gauge';
}
