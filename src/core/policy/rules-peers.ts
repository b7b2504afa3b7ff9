/**
 * Rules of a check that a peer's rule judges: exactly one thing judges a check, nothing that would not be used, a rule
 * that can fail, in whole measurement intervals. The numbers stay the peer's.
 */
import { describeDuration } from '../model/duration.ts';
import { listed } from './describe-value.ts';
import type { CheckAt, RuleContext, SpecPath } from './rule-report.ts';

export function peerRules(context: RuleContext, one: CheckAt): void {
  const { report } = context;
  const { check, kind, path } = one;
  const written = (['tolerance', 'limit', 'flagger', 'argo'] as const).filter((key) => check[key] !== undefined);
  const rule = check.flagger === undefined ? 'argo' : 'flagger';
  for (const other of written.filter((key) => key !== rule)) {
    report.refuse(
      [...path, other],
      `${listed(written, 'and')} are written, and one thing judges a check`,
      `keep ${rule}, or tolerance and limit`,
    );
  }
  unusedRules(context, one, rule);
  if (kind !== 'errors' && kind !== 'latency') {
    report.refuse(
      [...path, rule],
      `this rule reads errors or latency, and the metric is ${kind}`,
      `take ${rule} out, or choose errors or latency`,
    );
    return;
  }
  if (rule === 'flagger') flaggerRules(context, one);
  else argoRules(context, one);
}

/** What the rule of a peer would not heed is refused, not dropped (row 84). */
export function unusedRules({ report }: RuleContext, { check, path }: CheckAt, rule: string): void {
  const why = {
    direction: 'says itself which way is harm',
    weight: 'carries no evidence',
    clusterCap: 'counts no events',
  };
  for (const key of ['direction', 'weight', 'clusterCap'] as const) {
    report.refuseIf(check[key] !== undefined, [...path, key], `${rule} ${why[key]}`, `take ${key} out`);
  }
}

/** Refuses a time that is no multiple of another; `of` names the other. */
export function refuseUneven(
  { report }: RuleContext,
  path: SpecPath,
  times: { readonly ms: number | undefined; readonly unitMs: number | undefined; readonly of: string },
): void {
  const { ms, unitMs, of } = times;
  if (ms === undefined || unitMs === undefined || unitMs <= 0 || ms % unitMs === 0) return;
  const above = Math.ceil(ms / unitMs) * unitMs;
  const near = [above - unitMs, above].filter((each) => each > 0).map((each) => describeDuration(each));
  report.refuse(
    path,
    `${describeDuration(ms)} is not a multiple of ${of} (${describeDuration(unitMs)})`,
    `write ${listed(near)}, or change ${of}`,
  );
}

function flaggerRules(context: RuleContext, { check, kind, path }: CheckAt): void {
  const { spec, report } = context;
  const { interval, min, max } = check.flagger ?? {};
  const at = [...path, 'flagger'];
  refuseUneven(context, [...at, 'interval'], { ms: interval, unitMs: spec.interval, of: 'spec.interval' });
  const example = kind === 'errors' ? 'min: 99' : 'max: 500';
  const written = (['min', 'max'] as const).filter((key) => context.isWritten(...at, key));
  if (written.length === 0) {
    report.refuse(at, 'has neither min nor max, so it could never fail', `add one, for example ${example}`);
  }
  // What is wrong with an end that cannot be read was said.
  if (written.length === 0 || written.some((key) => check.flagger?.[key] === undefined)) return;
  const range = { min: min ?? 0, max: max ?? Number.POSITIVE_INFINITY };
  const wrong = kind === 'errors' ? rateProblem(range) : null;
  if (wrong !== null) report.refuse([...at, wrong.key], wrong.problem, wrong.fix);
  else if (range.min > range.max) {
    report.refuse([...at, 'min'], `${min} is above max ${max}, so every look would fail`, 'exchange them');
  } else if (range.min === 0 && range.max >= (kind === 'errors' ? MOST_PERCENT : Number.POSITIVE_INFINITY)) {
    report.refuse(at, 'every value is inside this range, so it could never fail', `write one, for example ${example}`);
  }
}

const MOST_PERCENT = 100;

function rateProblem(range: { readonly min: number; readonly max: number }) {
  const { min } = range;
  const fix = 'write a percentage, for example min: 99';
  const isAbove = (end: number) => end > MOST_PERCENT && Number.isFinite(end);
  const key = (['min', 'max'] as const).find((each) => isAbove(range[each]));
  if (key !== undefined) return { key, problem: 'a success rate is at most 100 percent', fix };
  if (min === 0 || min > 1) return null;
  const problem = `${min} percent of success fails nothing that works at all: Flagger counts in percent`;
  return { key: 'min', problem, fix: `write ${Number((min * 100).toPrecision(12))}` };
}

function argoRules(context: RuleContext, { check, path }: CheckAt): void {
  const { spec, report } = context;
  const argo = check.argo ?? {};
  const { interval, count, failureLimit, inconclusiveLimit = 0 } = argo;
  const { consecutiveSuccessLimit = 0 } = argo;
  const at = [...path, 'argo'];
  refuseUneven(context, [...at, 'interval'], { ms: interval, unitMs: spec.interval, of: 'spec.interval' });
  report.refuseIf(
    !context.isWritten(...at, 'successCondition') && !context.isWritten(...at, 'failureCondition'),
    at,
    'has neither successCondition nor failureCondition, so it could never fail',
    'add one, for example successCondition: "result[0] >= 0.99"',
  );
  if (count === undefined || failureLimit === undefined) return;
  if (count <= failureLimit) {
    const problem = `it fails with failure ${failureLimit + 1}, and only ${count} are measured`;
    report.refuse([...at, 'count'], problem, `write at least ${failureLimit + 1}, or a smaller failureLimit`);
    return;
  }
  const least = Math.max(inconclusiveLimit, failureLimit + consecutiveSuccessLimit);
  report.refuseIf(
    count < least,
    [...at, 'count'],
    `${count} measurements are too few for these limits`,
    `write at least ${least}, or smaller limits`,
  );
}
