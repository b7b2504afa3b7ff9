/**
 * Rules of the release deadline: `accept` needs something wider to accept, and a wider margin needs `accept`. What would
 * never be used is refused, not dropped (row 84).
 */
import { DEFAULT_ROLE, metricKindOf } from './defaults.ts';
import type { HoledCheck, RuleContext } from './rule-report.ts';

export function deadlineRules(context: RuleContext): void {
  const { spec, report } = context;
  if (spec.onDeadline === undefined) return;
  const isAccept = spec.onDeadline === 'accept';
  const at = ['onDeadline'];
  if (isAccept && spec.analysis === 'none') {
    report.refuse(at, 'analysis: none measures nothing that could be accepted', 'write hold or abort');
    return;
  }
  const checks = spec.checks;
  if (checks === undefined) {
    const problem = 'accept needs a wider margin, and the default checks have none';
    const fix = 'write checks, as in {name: errors, metric: {errors: {}}, tolerance: {atDeadline: 1%}}';
    report.refuseIf(isAccept && !context.isWritten('checks'), at, problem, fix);
    return;
  }
  for (const [index, check] of checks.entries()) {
    if (check !== undefined) oneCheck(context, check, index, isAccept);
  }
  const isSure = checks.every((check) => metricKindOf(check) !== undefined);
  report.refuseIf(
    isAccept && isSure && !checks.some((check) => isRequired(check) && isCompared(check)),
    at,
    'no required check is compared with stable, so there is nothing wider to accept',
    'write hold or abort',
  );
}

function oneCheck({ report, isWritten }: RuleContext, check: HoledCheck, index: number, isAccept: boolean): void {
  const at = ['checks', index, 'tolerance', 'atDeadline'];
  const isThere = isWritten(...at);
  if (!isThere) {
    report.refuseIf(
      isAccept && isRequired(check) && isCompared(check),
      at,
      `onDeadline: accept needs a wider margin here: "${check.name ?? index}" has none`,
      'add tolerance: {atDeadline: ...}, wider than margin; or write onDeadline: hold',
    );
  } else if (!isAccept) {
    report.refuse(at, 'is never used without onDeadline: accept', 'write onDeadline: accept, or take atDeadline out');
  } else if (metricKindOf(check) !== undefined && !isRequired(check)) {
    report.refuse(
      at,
      'is never used: only required checks are asked at the deadline',
      'take it out, or write role: required',
    );
  }
}

function isRequired(check: HoledCheck | undefined): boolean {
  const kind = metricKindOf(check);
  return (check?.role ?? (kind === undefined ? undefined : DEFAULT_ROLE[kind])) === 'required';
}

/** With stable: what has a tolerance, written or by default. */
function isCompared(check: HoledCheck | undefined): boolean {
  const kind = metricKindOf(check);
  if (check === undefined || kind === undefined || ['business', 'gauge', 'kayenta'].includes(kind)) return false;
  if (check.flagger !== undefined || check.argo !== undefined) return false;
  return check.tolerance !== undefined || check.limit === undefined;
}
