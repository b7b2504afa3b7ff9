// From evidence to a verdict: may weight rise (exposure), may it be promoted (promotion), is it harm. Statistics 3.
// Refuses to answer yes without data: silence and broken readings answer no-data and error to both questions.
import type { Check } from '../model/check.ts';
import type { Answer, Outcome, Verdict, VerdictNumbers } from '../model/verdict.ts';
import { logAddExp } from '../statistics/index.ts';
import type { AnalysisSettings, Evidence } from './evidence.ts';
import { GAUGE_READINGS, needsLines } from './fold.ts';
import { isLeaking, msToLimit, rankText } from './gauge.ts';
import { noiseWarning } from './noise.ts';
import { logHarm, numbersOf, riskBound } from './numbers.ts';
import { peerAnswers } from './peer-answers.ts';
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

/** Evidence that was stopped at its line stands there but for rounding. */
const ROUNDING = 1e-9;

/** Requests of the canary in warm-up, and the part of them bad, that no warm-up excuses. */
const HARD_FAILURE = { requests: 10, rate: 0.5 };

export function judge(check: Check, evidence: Evidence, context: JudgeContext): Verdict {
  const numbers = numbersOf(check, evidence, context);
  const harm = harmAnswer(check, evidence, numbers);
  const held = harm ?? heldAnswer(check, evidence);
  const exposure = held ?? exposureAnswer(check, evidence, context, numbers);
  const promotion = held ?? promotionAnswer(check, evidence, numbers, context.settings);
  const outcome: Outcome = held?.outcome ?? promotion.outcome;
  const reason = held?.reason ?? promotion.reason;
  const verdict = { check: check.name, outcome, reason, message: '', exposure, promotion, numbers };
  return {
    ...verdict,
    message: explainVerdict(check, verdict, noiseWarning(evidence.noise, check.tolerance?.ratio ?? null)),
  };
}

/**
 * Shares v of the abort evidence, summing to 1 over the checks that carry evidence. An average of e-processes is an
 * e-process whatever their dependence (Vovk & Wang 1912.06116), so nothing else is needed for many checks.
 */
export function evidenceShares(checks: readonly Check[]): ReadonlyMap<string, number> {
  const carrying = checks.filter((check) => check.role !== 'informational' && carriesEvidence(check));
  const total = carrying.reduce((sum, check) => sum + check.weight, 0);
  return new Map(checks.map((check) => [check.name, carrying.includes(check) ? check.weight / total : 0]));
}

/** Gauges and peers' rules decide without odds. */
function carriesEvidence({ metric, rule }: Check): boolean {
  return rule === null && metric.kind !== 'gauge' && metric.kind !== 'kayenta';
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

/** Kinds whose risk bound is a rate of bad requests; the others say nothing about how many a weight would cost. */
const BOUNDS_REQUESTS: ReadonlySet<string> = new Set(['errors', 'latency', 'business']);

/** The most weight at which the risk bound still fits the exposure budget, in percent; 0 if any needed check holds. */
export function provenWeightPercent(
  check: Check,
  evidence: Evidence,
  { badPerInterval, settings }: Pick<JudgeContext, 'badPerInterval' | 'settings'>,
): number {
  // No rate is bound by it: what it says of rising is its exposure answer alone.
  if (evidence.peer != null) return peerAnswers(check, evidence.peer).exposure.outcome === 'fail' ? 0 : 100;
  if (heldAnswer(check, evidence) !== null) return 0;
  if (!BOUNDS_REQUESTS.has(check.metric.kind)) return 100;
  return weightWithin(badPerInterval, riskBound(check, evidence, settings), evidence);
}

/** The weight at which U x requests per interval is B. */
function weightWithin(badPerInterval: number, riskBound: number, evidence: Evidence): number {
  const risk = riskBound * requestsPerInterval(evidence);
  return risk <= 0 ? 100 : Math.min(100, (100 * badPerInterval) / risk);
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
  if (evidence.peer != null) {
    const { exposure } = peerAnswers(check, evidence.peer);
    return exposure.outcome === 'fail' ? exposure : null;
  }
  if (numbers.logHarm < numbers.logHarmLine - ROUNDING) return null;
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
  if (evidence.peer != null) return null;
  if (check.metric.kind === 'gauge') {
    const enough = (evidence.gauge?.readings ?? 0) >= GAUGE_READINGS;
    return enough ? null : { outcome: 'undecided', reason: 'TooFewReadings', message: 'it was read too few times yet' };
  }
  if (needsLines(check, evidence)) {
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
  if (evidence.peer != null) return peerAnswers(check, evidence.peer).exposure;
  if (check.metric.kind === 'gauge') return gaugeAnswer(check, evidence, context.settings);
  // With one question only, its bound is the one that was just made for people; making it is half of a judgement's cost.
  if (!BOUNDS_REQUESTS.has(check.metric.kind)) {
    return { outcome: 'pass', reason: 'NoHarmShown', message: 'it bounds no requests, and no harm is shown' };
  }
  const isOne = evidence.relative !== null && evidence.absolute === null;
  const bound = isOne && numbers.upper !== null ? numbers.upper : riskBound(check, evidence, context.settings);
  const proven = weightWithin(context.badPerInterval, bound, evidence);
  const passes = proven >= context.nextWeightPercent;
  return {
    outcome: passes ? 'pass' : 'undecided',
    reason: passes ? 'RiskWithinBudget' : 'RiskAboveBudget',
    message: `the risk bound allows a weight of ${Math.floor(proven * 100) / 100} %`,
  };
}

function promotionAnswer(
  check: Check,
  evidence: Evidence,
  numbers: VerdictNumbers,
  settings: AnalysisSettings,
): Answer {
  if (evidence.peer != null) return peerAnswers(check, evidence.peer).promotion;
  if (check.metric.kind === 'gauge') return gaugeAnswer(check, evidence, settings);
  const passes = numbers.logNoHarm >= numbers.logNoHarmLine;
  return {
    outcome: passes ? 'pass' : 'undecided',
    reason: passes ? 'NoWorseThanTolerated' : 'NotProvenYet',
    message: passes ? 'harm beyond the tolerance is refuted' : 'harm beyond the tolerance is not refuted yet',
  };
}

function gaugeAnswer(check: Check, { gauge }: Evidence, { intervalMs }: AnalysisSettings): Answer {
  if ((gauge?.over ?? 0) > 0) {
    return { outcome: 'undecided', reason: 'OverLimitOnce', message: 'its last reading was over the limit' };
  }
  if (gauge !== null && isLeaking(check, gauge, intervalMs)) {
    const minutes = Math.round((msToLimit(check, gauge, intervalMs) ?? 0) / 60_000);
    const message = `it rises steadily and would be at its limit in about ${minutes} min`;
    return { outcome: 'undecided', reason: 'Rising', message };
  }
  const rank = gauge === null ? null : rankText(check, gauge);
  const message = `its last reading was within the limit${rank === null ? '' : `; ${rank} (a guardrail, not evidence)`}`;
  return { outcome: 'pass', reason: 'WithinLimit', message };
}

/** Requests of both versions that the check looks at, per counted window. */
function requestsPerInterval(evidence: Evidence): number {
  return (evidence.canary.total + evidence.stable.total) / Math.max(1, evidence.windows);
}
