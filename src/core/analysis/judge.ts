// From evidence to a verdict: may weight rise (exposure), may it be promoted (promotion), is it harm. Statistics 3.
// Refuses to answer yes without data: silence and broken readings answer no-data and error to both questions.
import type { Check } from '../model/check.ts';
import { latencyBoundary } from '../model/latency-buckets.ts';
import type { Answer, Outcome, Verdict, VerdictNumbers } from '../model/verdict.ts';
import {
  estimate,
  logAbsoluteHarmE,
  logAbsoluteNoHarmE,
  logAddExp,
  logHarmE,
  logNoHarmE,
  logSumExp,
  lowerExcess,
  lowerRate,
  type RateRatioState,
  upperExcess,
  upperRate,
} from '../statistics/index.ts';
import { boundaryAtLeast } from './boundary.ts';
import { type AnalysisSettings, type Counts, type Evidence, limitRate } from './evidence.ts';
import { GAUGE_READINGS, needsHistory } from './fold.ts';
import { explainVerdict } from './sentences.ts';

/** What a verdict needs to know beyond the evidence. */
export interface JudgeContext {
  readonly settings: AnalysisSettings;
  /** The check's part v of the abort evidence, 0..1; 0 for informational checks and gauges. */
  readonly share: number;
  /** The weight that would be asked next. */
  readonly nextWeightPercent: number;
  /** B: bad requests accepted at risk per interval. */
  readonly badPerInterval: number;
}

/** Requests of the canary in warm-up, and the part of them bad, that no warm-up excuses. */
const HARD_FAILURE = { requests: 10, rate: 0.5 };

export function judge(check: Check, evidence: Evidence, context: JudgeContext): Verdict {
  const numbers = numbersOf(check, evidence, context);
  const harm = harmAnswer(check, evidence, numbers);
  const held = harm ?? heldAnswer(check, evidence);
  const exposure = held ?? exposureAnswer(check, evidence, context, numbers);
  const promotion = held ?? promotionAnswer(check, evidence, numbers);
  const outcome: Outcome = held?.outcome ?? promotion.outcome;
  const reason = held?.reason ?? promotion.reason;
  const verdict = { check: check.name, outcome, reason, message: '', exposure, promotion, numbers };
  return { ...verdict, message: explainVerdict(check, verdict) };
}

/** ln of the check's evidence of harm; a check with two questions bets half on each. */
export function logHarm(evidence: Evidence): number {
  const { absolute } = evidence;
  const relative = logRelativeHarm(evidence);
  if (relative === null) return absolute === null ? 0 : logAbsoluteHarmE(absolute);
  return absolute === null ? relative : logAddExp(relative, logAbsoluteHarmE(absolute)) - Math.LN2;
}

/** The mean of the e-processes at all lines of the tail: an e-process, whatever their dependence (statistics 2.4). */
function logRelativeHarm(evidence: Evidence): number | null {
  const states = comparisons(evidence);
  if (states.length === 0) return null;
  return logSumExp(states.map((state) => logHarmE(state))) - Math.log(states.length);
}

/** The comparison with stable at every line, the outermost first. */
function comparisons({ relative, tails }: Evidence): readonly RateRatioState[] {
  return relative === null ? [] : [relative, ...tails.map((tail) => tail.state)];
}

/** ln of the check's evidence of no harm: every question must be answered, so the weakest one counts. */
function logNoHarm(check: Check, evidence: Evidence): number {
  const margin = check.tolerance?.margin ?? 0;
  const relative = comparisons(evidence).map((state) => logNoHarmE(state, margin));
  const absolute = evidence.absolute === null ? [] : [logAbsoluteNoHarmE(evidence.absolute)];
  const least = Math.min(...relative, ...absolute);
  return Number.isFinite(least) ? least : 0;
}

/**
 * Shares v of the abort evidence, summing to 1 over the checks that carry evidence. An average of e-processes is an
 * e-process whatever their dependence (Vovk & Wang 1912.06116), so nothing else is needed for many checks.
 */
export function evidenceShares(checks: readonly Check[]): ReadonlyMap<string, number> {
  const carrying = checks.filter((check) => check.role !== 'informational' && check.metric.kind !== 'gauge');
  const total = carrying.reduce((sum, check) => sum + check.weight, 0);
  return new Map(checks.map((check) => [check.name, carrying.includes(check) ? check.weight / total : 0]));
}

/** ln of the weighted evidence of harm of all checks: the release aborts at ln(1 / alpha_R). */
export function combinedLogHarm(
  checks: readonly Check[],
  evidence: Readonly<Record<string, Evidence>>,
  shares: ReadonlyMap<string, number>,
): number {
  let sum = Number.NEGATIVE_INFINITY;
  for (const check of checks) {
    const share = shares.get(check.name) ?? 0;
    const own = evidence[check.name];
    if (share > 0 && own !== undefined) sum = logAddExp(sum, Math.log(share) + logHarm(own));
  }
  return sum === Number.NEGATIVE_INFINITY ? 0 : sum;
}

/** The most weight at which the risk bound still fits the exposure budget, in percent; 0 if any needed check holds. */
export function provenWeightPercent(
  check: Check,
  evidence: Evidence,
  { badPerInterval, settings }: Pick<JudgeContext, 'badPerInterval' | 'settings'>,
): number {
  if (heldAnswer(check, evidence) !== null) return 0;
  return weightWithin(badPerInterval, riskBound(check, evidence, settings), evidence);
}

/** The weight at which U x requests per interval is B. */
function weightWithin(badPerInterval: number, riskBound: number, evidence: Evidence): number {
  const risk = riskBound * requestsPerInterval(evidence);
  return risk <= 0 ? 100 : Math.min(100, (100 * badPerInterval) / risk);
}

function numbersOf(check: Check, evidence: Evidence, { share, settings }: JudgeContext): VerdictNumbers {
  const shown = shownLine(check, evidence);
  return {
    canary: shown.canary,
    stable: shown.stable,
    ...boundsOf(evidence, shown.state, settings.alphaPromote),
    tolerance: check.tolerance !== null ? check.tolerance.margin : (limitRate(check) ?? check.limit?.value ?? null),
    logHarm: logHarm(evidence),
    logNoHarm: logNoHarm(check, evidence),
    logHarmLine: share > 0 ? -Math.log(settings.alphaAbort * share) : Number.MAX_VALUE,
    logNoHarmLine: -Math.log(settings.alphaPromote),
    value: shown.value,
  };
}

interface ShownLine {
  readonly state: RateRatioState | null;
  readonly canary: Counts;
  readonly stable: Counts;
  /** The latency that counts as slow, or a gauge's worst value. */
  readonly value: number | null;
}

/** Of all lines of a latency tail the one people are shown: the one with the most evidence of harm. */
function shownLine(check: Check, evidence: Evidence): ShownLine {
  const { relative, tails, canary, stable } = evidence;
  const outermost = { state: relative, canary, stable, value: shownValue(check, evidence) };
  if (relative === null) return outermost;
  let worst: ShownLine = outermost;
  for (const { state, boundary } of tails) {
    if (worst.state !== null && logHarmE(state) <= logHarmE(worst.state)) continue;
    worst = {
      state,
      canary: { total: state.canaryTotal, bad: state.canaryBad },
      stable: { total: state.stableTotal, bad: state.stableBad },
      value: latencyBoundary(boundary),
    };
  }
  return worst;
}

function boundsOf({ absolute }: Evidence, relative: RateRatioState | null, alpha: number) {
  if (relative !== null) {
    return {
      excess: relative.ticks === 0 ? null : (estimate(relative).excess ?? null),
      lower: lowerExcess(relative, alpha),
      upper: upperExcess(relative, alpha),
    };
  }
  if (absolute === null) return { excess: null, lower: null, upper: null };
  return {
    excess: absolute.total === 0 ? null : absolute.bad / absolute.total,
    lower: lowerRate(absolute, alpha),
    upper: upperRate(absolute, alpha),
  };
}

function shownValue(check: Check, evidence: Evidence): number | null {
  if (check.metric.kind === 'gauge') return evidence.gauge?.worst ?? null;
  if (check.metric.kind !== 'latency') return null;
  if (evidence.boundary !== null) return latencyBoundary(evidence.boundary);
  return check.limit === null ? null : latencyBoundary(boundaryAtLeast(check.limit.value));
}

function harmAnswer(check: Check, evidence: Evidence, numbers: VerdictNumbers): Answer | null {
  const { gauge, warmUp } = evidence;
  if (gauge !== null && gauge.over >= GAUGE_READINGS) {
    return { outcome: 'fail', reason: 'OverLimit', message: `over the limit ${gauge.over} readings in a row` };
  }
  if (warmUp.total >= HARD_FAILURE.requests && warmUp.bad >= HARD_FAILURE.rate * warmUp.total && isErrorCheck(check)) {
    return {
      outcome: 'fail',
      reason: 'FailsWhileWarmingUp',
      message: `${warmUp.bad} of ${warmUp.total} requests failed`,
    };
  }
  if (numbers.logHarm < numbers.logHarmLine) return null;
  return { outcome: 'fail', reason: 'WorseThanTolerated', message: 'the evidence of harm reached its line' };
}

function isErrorCheck(check: Check): boolean {
  return check.metric.kind === 'errors';
}

function heldAnswer(check: Check, evidence: Evidence): Answer | null {
  if (evidence.trouble?.outcome === 'error') {
    return { outcome: 'error', reason: 'SourceFailed', message: evidence.trouble.message };
  }
  if (evidence.trouble?.outcome === 'no-data') {
    return { outcome: 'no-data', reason: 'NoData', message: evidence.trouble.message };
  }
  if (check.metric.kind === 'gauge') {
    const enough = (evidence.gauge?.readings ?? 0) >= GAUGE_READINGS;
    return enough ? null : { outcome: 'undecided', reason: 'TooFewReadings', message: 'it was read too few times yet' };
  }
  if (needsHistory(check, evidence)) {
    return {
      outcome: 'undecided',
      reason: 'LearningStable',
      message: "stable's past is too short to say what is slow",
    };
  }
  if (evidence.windows === 0) {
    return { outcome: 'undecided', reason: 'NothingCountedYet', message: 'no window has been counted yet' };
  }
  return null;
}

function exposureAnswer(check: Check, evidence: Evidence, context: JudgeContext, numbers: VerdictNumbers): Answer {
  if (check.metric.kind === 'gauge') return gaugeAnswer(evidence);
  // With one question only, its bound is the one that was just made for people; making it is half of a judgement's cost.
  const isOne = evidence.relative !== null && evidence.absolute === null && evidence.tails.length === 0;
  const bound = isOne && numbers.upper !== null ? numbers.upper : riskBound(check, evidence, context.settings);
  const proven = weightWithin(context.badPerInterval, bound, evidence);
  const passes = proven >= context.nextWeightPercent;
  return {
    outcome: passes ? 'pass' : 'undecided',
    reason: passes ? 'RiskWithinBudget' : 'RiskAboveBudget',
    message: `the risk bound allows a weight of ${Math.floor(proven * 100) / 100} %`,
  };
}

function promotionAnswer(check: Check, evidence: Evidence, numbers: VerdictNumbers): Answer {
  if (check.metric.kind === 'gauge') return gaugeAnswer(evidence);
  const passes = numbers.logNoHarm >= numbers.logNoHarmLine;
  return {
    outcome: passes ? 'pass' : 'undecided',
    reason: passes ? 'NoWorseThanTolerated' : 'NotProvenYet',
    message: passes ? 'harm beyond the tolerance is refuted' : 'harm beyond the tolerance is not refuted yet',
  };
}

function gaugeAnswer(evidence: Evidence): Answer {
  const isOver = (evidence.gauge?.over ?? 0) > 0;
  return {
    outcome: isOver ? 'undecided' : 'pass',
    reason: isOver ? 'OverLimitOnce' : 'WithinLimit',
    message: isOver ? 'its last reading was over the limit' : 'its last reading was within the limit',
  };
}

/** U: the largest rate of excess bad requests the evidence leaves open, at alpha_P. */
function riskBound(check: Check, evidence: Evidence, settings: AnalysisSettings): number {
  const relative = comparisons(evidence).map((state) => upperExcess(state, settings.alphaPromote));
  const limit = limitRate(check) ?? 0;
  const absolute = evidence.absolute === null ? -1 : upperRate(evidence.absolute, settings.alphaPromote) - limit;
  return Math.max(...relative, absolute);
}

/** Requests of both versions that the check looks at, per counted window. */
function requestsPerInterval(evidence: Evidence): number {
  return (evidence.canary.total + evidence.stable.total) / Math.max(1, evidence.windows);
}
