// What traffic and time can show at all, in closed form: from the information limit (statistics 4, Wald 1945) and how near
// to it the shipped evidence comes. For plans, and for the doctor. Refuses to be a promise: a rehearsal confirms it.
import { limitRate } from '../analysis/index.ts';
import type { Check } from '../model/check.ts';
import { klBernoulli, natsPerCanaryRequest } from '../statistics/index.ts';

/** Times the information limit that the evidence needs (statistics 4, targets T1, T3 and T4). */
const EFFICIENCY = { rates: 1.5, latency: 2, noHarm: 1.4 } as const;
/** The evidence of one window is capped below its line: harm takes two windows, however loud. */
export const LEAST_WINDOWS = 2;

export interface Phase {
  readonly weightPercent: number;
  readonly ms: number;
}

/** One check as a plan sees it. */
export interface PlannedQuestion {
  readonly check: Check;
  /** The part of the abort evidence that is its own. */
  readonly evidenceShare: number;
  readonly alphaAbort: number;
  readonly alphaPromote: number;
  /** Requests of both versions that it looks at. */
  readonly requestsPerSecond: number;
  /** Stable's rate of bad ones. */
  readonly baseRate: number;
}

/** The largest rate that the tolerance (or the limit) lets pass, and that a proof of no harm may thus promote. */
export function acceptedRate({ check, baseRate }: PlannedQuestion): number {
  const limit = limitRate(check) ?? 1;
  if (check.tolerance === null) return limit;
  const { ratio, margin } = check.tolerance;
  return Math.min(limit, 1, rateRatio(check, ratio, baseRate) * baseRate + margin);
}

/** Latency is tolerated in odds: as a ratio of rates it is a little less. */
function rateRatio({ metric }: Check, ratio: number, baseRate: number): number {
  return metric.kind === 'latency' ? ratio / (1 - baseRate + ratio * baseRate) : ratio;
}

/** Evidence of harm that one canary request brings on average, against the easiest of the check's questions. */
function harmNats(question: PlannedQuestion, canaryRate: number, weightPercent: number): number {
  const { check, baseRate } = question;
  const limit = limitRate(check);
  const absolute = limit === null || canaryRate <= limit ? 0 : klBernoulli(canaryRate, limit);
  if (check.tolerance === null) return absolute;
  const { ratio, harmMargin } = check.tolerance;
  const toleranceRatio = rateRatio(check, ratio, baseRate);
  if (canaryRate <= toleranceRatio * baseRate + harmMargin) return absolute;
  const share = shareOf(weightPercent);
  const contrast = { canaryRate, stableRate: baseRate, share, toleranceRatio, margin: harmMargin };
  return Math.max(absolute, natsPerCanaryRequest(contrast));
}

function shareOf(weightPercent: number): number {
  return Math.min(0.99, Math.max(1e-6, weightPercent / 100));
}

/** Nats that show harm by this check alone; a check of two questions bets half on each. */
function neededNats({ check, evidenceShare, alphaAbort }: PlannedQuestion): number {
  const questions = check.tolerance !== null && limitRate(check) !== null ? 2 : 1;
  const efficiency = check.metric.kind === 'latency' ? EFFICIENCY.latency : EFFICIENCY.rates;
  return efficiency * Math.log(questions / (alphaAbort * evidenceShare));
}

/** How long a canary that is this bad needs, at one weight, to be shown harmful; Infinity if it never is. */
export function msToShowHarm(
  question: PlannedQuestion,
  canaryRate: number,
  { weightPercent, intervalMs }: { readonly weightPercent: number; readonly intervalMs: number },
): number {
  if (question.evidenceShare <= 0) return Number.POSITIVE_INFINITY;
  const nats = harmNats(question, canaryRate, weightPercent);
  const perMs = (nats * shareOf(weightPercent) * question.requestsPerSecond) / 1_000;
  if (!(perMs > 0)) return Number.POSITIVE_INFINITY;
  const windows = Math.max(LEAST_WINDOWS, Math.ceil(neededNats(question) / perMs / intervalMs));
  return windows * intervalMs;
}

/** The smallest rate of the canary that these phases can show to be harm; null if not even "all bad" can be shown. */
export function smallestShownRate(question: PlannedQuestion, phases: readonly Phase[]): number | null {
  if (question.evidenceShare <= 0) return null;
  const needed = neededNats(question);
  const isShown = (rate: number): boolean => {
    let nats = 0;
    for (const { weightPercent, ms } of phases) {
      const requests = (shareOf(weightPercent) * question.requestsPerSecond * ms) / 1_000;
      nats += requests * harmNats(question, rate, weightPercent);
    }
    return nats >= needed;
  };
  if (!isShown(1)) return null;
  let [below, above] = [question.baseRate, 1];
  for (let step = 0; step < 60; step++) {
    // Halfway between the logs: rates span many powers of ten.
    const middle = Math.sqrt(Math.max(1e-9, below) * above);
    if (isShown(middle)) above = middle;
    else below = middle;
  }
  return above;
}

/** How long a canary as good as stable needs, at one weight, until harm beyond the tolerance is refuted. */
export function msToRefuteHarm(question: PlannedQuestion, weightPercent: number): number {
  const { check, baseRate, alphaPromote, requestsPerSecond } = question;
  const share = shareOf(weightPercent);
  const limit = limitRate(check);
  const absolute = limit === null ? Number.POSITIVE_INFINITY : baseRate < limit ? klBernoulli(baseRate, limit) : 0;
  const relative =
    check.tolerance === null
      ? Number.POSITIVE_INFINITY
      : natsPerCanaryRequest({
          canaryRate: baseRate,
          stableRate: baseRate,
          share,
          toleranceRatio: rateRatio(check, check.tolerance.ratio, baseRate),
          margin: check.tolerance.margin,
        });
  const perMs = (Math.min(absolute, relative) * share * requestsPerSecond) / 1_000;
  return perMs > 0 ? (EFFICIENCY.noHarm * Math.log(1 / alphaPromote)) / perMs : Number.POSITIVE_INFINITY;
}
