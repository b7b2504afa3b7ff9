// A plan as people read it: the stages, a healthy version, what can be detected at all, what a bad version costs. Says
// plainly where the traffic is not enough.
import { percent } from '../core/analysis/index.ts';
import type { Ends, Plan, PlannedCheck, PlannedHarm, Times } from '../core/rehearsal/index.ts';
import { countText, percentText, spanText } from '../core/views/index.ts';
import { tableText } from './common.ts';

export function planText(plan: Plan): string {
  const parts = [
    `${plan.policy} at ${numberText(plan.requestsPerSecond)} requests/s, windows of ${spanText(plan.intervalMs)}, decided within ${spanText(plan.deadlineMs)}`,
    stagesText(plan),
    healthyText(plan),
    ...(plan.checks.length === 0 ? ['no check judges requests: nothing can be detected'] : [checksText(plan)]),
    ...(plan.harms.length === 0 ? [] : [harmsText(plan)]),
    promisesText(plan),
    ...plan.notes.map((note) => `note: ${note}`),
  ];
  return parts.join('\n\n');
}

function stagesText({ stages }: Plan): string {
  const rows = stages.map(({ weightPercent, perWindow, perMinute, bakeMs, reached, left }) => [
    `  ${percentText(weightPercent)} %`,
    numberText(perWindow),
    numberText(perMinute),
    bakeMs > 0 ? spanText(bakeMs) : '–',
    reachedText(reached, left),
    timesText(left),
  ]);
  return tableText(['  WEIGHT', 'CANARY A WINDOW', 'A MINUTE', 'BAKE', 'REACHED (90 % BY)', 'LEFT (90 % BY)'], rows);
}

/** An adaptive ramp promotes as soon as harm is refuted, whatever weight it has got to. */
function reachedText(reached: Times, left: Times): string {
  if (reached.medianMs === null) return left.medianMs === null ? timesText(reached) : 'promoted before';
  if (reached.p90Ms === null && left.p90Ms !== null) return `${spanText(reached.medianMs)} (or promoted)`;
  return timesText(reached);
}

function healthyText({ healthy, notPromoted, checks, deadlineMs }: Plan): string {
  const lines = [`A version as good as stable (${healthy.runs} rehearsals): ${endsText(healthy)}.`];
  if (notPromoted !== null) lines.push(`  ${notPromoted.runs} not promoted: ${notPromoted.because}`);
  const slowest = checks
    .filter(({ role }) => role === 'required')
    .reduce<PlannedCheck | null>(
      (most, each) => (most === null || each.refutesInMs > most.refutesInMs ? each : most),
      null,
    );
  if (slowest !== null && slowest.refutesInMs > deadlineMs) {
    const needs = Number.isFinite(slowest.refutesInMs) ? `about ${longText(slowest.refutesInMs)}` : 'for ever';
    lines.push(
      `  Too little traffic: to refute harm, ${slowest.check} needs ${needs} at the largest weight, and the deadline is ${spanText(deadlineMs)}.`,
      '  fix: a later deadlines.release, more weight, or a wider tolerance; or let a person decide.',
    );
  }
  return lines.join('\n');
}

function checksText(plan: Plan): string {
  return ['What this canary can detect:', ...plan.checks.map((check) => checkText(check, plan))].join('\n');
}

function checkText(check: PlannedCheck, { deadlineMs }: Plan): string {
  const { smallestRate, shownRate, acceptedRate, baseRate, confirmed } = check;
  const name = `  ${check.check} (${percent(baseRate)} now)`;
  if (check.role === 'informational') return `${name}: it is informational and never ends a release`;
  if (smallestRate === null || shownRate === null) {
    return `${name}: nothing. Not even a version that fails every request is shown within ${spanText(deadlineMs)}`;
  }
  const limited =
    smallestRate > acceptedRate
      ? `nothing under ${percent(smallestRate)}: the tolerance is ${percent(acceptedRate)}, but the traffic until the deadline shows no less`
      : `${percent(smallestRate)} and more; up to there the tolerance accepts it (${percent(shownRate)} could be shown by the deadline)`;
  return `${name}: ${limited}\n      rehearsed at ${percent(smallestRate)}: ${confirmed === null ? '–' : endsText(confirmed)}`;
}

function harmsText({ harms }: Plan): string {
  const rows = harms.map(({ check, baseRate, canaryRate, isAccepted, ends }: PlannedHarm) => [
    `  ${check}`,
    `${percent(baseRate)} → ${percent(canaryRate)}${isAccepted ? ' (tolerated)' : ''}`,
    partText(ends, 'aborted'),
    timesText(ends.abortedTimes),
    partText(ends, 'promoted'),
    numberText(ends.canaryRequests),
    numberText(ends.canaryBad),
    `${percentText(ends.largestWeightPercent)} %`,
  ]);
  const heads = [
    '  CHECK',
    'BAD',
    'TAKEN BACK',
    'AFTER (90 % BY)',
    'PROMOTED',
    'CANARY REQUESTS',
    'BAD ONES',
    'MOST WEIGHT',
  ];
  return `A bad version, until it is decided (means of the rehearsals; the most weight is the part of the users it met):\n${tableText(heads, rows)}`;
}

function promisesText({ promises }: Plan): string {
  return `By design, at any traffic: at most ${percent(promises.falseAbort)} of versions as good as stable are taken back on evidence, and at most ${percent(promises.falsePromotion)}\nof versions that are worse than the tolerance of a required check are promoted.`;
}

function endsText(ends: Ends): string {
  const parts: string[] = [];
  if (ends.promoted > 0) parts.push(`promoted in ${partText(ends, 'promoted')}${afterText(ends.promotedTimes)}`);
  if (ends.aborted > 0) parts.push(`taken back in ${partText(ends, 'aborted')}${afterText(ends.abortedTimes)}`);
  if (ends.undecided > 0) parts.push(`undecided in ${partText(ends, 'undecided')}`);
  return parts.join(', ');
}

/** Of few runs the count is more honest than a percentage. */
function partText(ends: Ends, which: 'promoted' | 'aborted' | 'undecided'): string {
  const count = Math.round(ends[which] * ends.runs);
  return ends.runs < 50 ? `${count} of ${ends.runs}` : `${percentText((100 * count) / ends.runs)} %`;
}

function afterText({ medianMs, p90Ms }: Times): string {
  if (medianMs === null) return '';
  return p90Ms === null
    ? ` (median ${spanText(medianMs)})`
    : ` (median ${spanText(medianMs)}, 90 % by ${spanText(p90Ms)})`;
}

function timesText({ medianMs, p90Ms }: Times): string {
  if (medianMs === null) return 'not by the deadline';
  return `${spanText(medianMs)} (${p90Ms === null ? 'not by the deadline' : spanText(p90Ms)})`;
}

function numberText(value: number): string {
  if (value === 0 || value >= 9.95) return countText(value);
  return String(Number(value.toPrecision(2)));
}

/** Past a hundred days nobody counts hours. */
function longText(ms: number): string {
  const days = ms / 86_400_000;
  return days > 3 ? `${Math.ceil(days)} days` : spanText(ms);
}
