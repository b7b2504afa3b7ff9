// Evidence, valid at every moment, on whether one arm's bad-event rate p is above a fixed limit: "error rate under 2 %"
// judged without a sample size and without a threshold on noise. Refuses to compare arms: a common outage breaks a
// limit, and that is what a limit is for.
//
// Bet on the odds: alternative odds are k times those of the limit p0. Per request F = k^x / (1 + (k−1)·p0), x ∈ [0,1].
// E[k^x] <= 1 + (k−1)·E[x], so E[F] <= 1 for p <= p0 if k > 1 (above) and for p >= p0 if k < 1 (below); requests may
// differ, as long as each one's rate given the past obeys the hypothesis or, for independent requests, their mean does
// (AM-GM). This is the capital process of Waudby-Smith & Ramdas (arXiv 2010.09686) on a fixed grid of bets.

import { crossingFromAbove, crossingFromBelow } from './boundary.ts';
import { checkAlpha, checkCounts, checkEvidence, type EvidenceOptions, NO_TRAFFIC } from './counts.ts';
import { LOG_ZERO } from './log-space.ts';
import {
  HARM_GRID,
  logMixtureE,
  NO_HARM_RATIOS,
  type OnsetMixture,
  startOnsetMixture,
  stepOnsetMixture,
  weighBets,
  weighNoHarm,
} from './mixture.ts';

export interface AbsoluteRateOptions extends EvidenceOptions {
  /** p0: the largest bad-event rate that is accepted, strictly between 0 and 1. */
  readonly limitRate: number;
}

/** Plain data, the same after a trip through JSON, bit for bit. */
export interface AbsoluteRateState {
  readonly limitRate: number;
  readonly ticks: number;
  readonly total: number;
  readonly bad: number;
  /** total and bad, divided tick by tick by the tempering; the bounds are made from these. */
  readonly temperedTotal: number;
  readonly temperedBad: number;
  /** The deciding evidence that the limit is broken: capped, mixed over onset times. */
  readonly onset: OnsetMixture;
  readonly peakLogHarmE: number;
}

/** @example startAbsoluteRate({ limitRate: 0.02, tickMs: 15_000 }) */
export function startAbsoluteRate(options: AbsoluteRateOptions): AbsoluteRateState {
  const { limitRate } = options;
  if (!(limitRate >= 1e-12 && limitRate < 1)) {
    throw new RangeError(`limitRate must be a rate above 0 and below 1, but got ${limitRate}`);
  }
  checkEvidence(options);
  return {
    limitRate,
    ticks: 0,
    total: 0,
    bad: 0,
    temperedTotal: 0,
    temperedBad: 0,
    onset: startOnsetMixture(),
    peakLogHarmE: 0,
  };
}

/** The state after one more tick; a tick without traffic changes nothing. */
export function addAbsoluteTick(
  state: AbsoluteRateState,
  counts: { readonly total: number; readonly bad: number },
  options: AbsoluteRateOptions,
): AbsoluteRateState {
  const { total, bad } = counts;
  checkCounts('request', total, bad);
  if (options.limitRate !== state.limitRate) {
    throw new RangeError(
      `this evidence was started for limitRate ${state.limitRate}; it cannot go on with ${options.limitRate}. ` +
        'Start new evidence instead',
    );
  }
  const evidence = checkEvidence(options);
  if (total < NO_TRAFFIC) return state;
  const factors = harmLogs(total / evidence.temper, bad / evidence.temper, state.limitRate);
  const onset = stepOnsetMixture(
    state.onset,
    factors.map((log) => Math.min(log, evidence.capNats)),
    { first: state.ticks === 0, tickMs: evidence.tickMs, lateOnset: evidence.lateOnset },
  );
  return {
    limitRate: state.limitRate,
    ticks: state.ticks + 1,
    total: state.total + total,
    bad: state.bad + bad,
    temperedTotal: state.temperedTotal + total / evidence.temper,
    temperedBad: state.temperedBad + bad / evidence.temper,
    onset,
    peakLogHarmE: Math.max(state.peakLogHarmE, logMixtureE(onset)),
  };
}

function harmLogs(total: number, bad: number, rate: number): number[] {
  return HARM_GRID.ratios.map((k, j) => bad * (HARM_GRID.logRatios[j] ?? 0) - total * Math.log1p((k - 1) * rate));
}

/** ln E against "p <= limitRate in every tick": the limit is broken at level α once this reaches ln(1/α). */
export function logAbsoluteHarmE(state: AbsoluteRateState): number {
  return logMixtureE(state.onset);
}

/** ln E against "p >= rate in every tick"; with rate = limitRate, the limit is shown to be kept. */
export function logAbsoluteNoHarmE(state: AbsoluteRateState, rate: number = state.limitRate): number {
  const { temperedTotal, temperedBad } = state;
  if (temperedTotal === 0) return 0;
  return weighNoHarm(
    NO_HARM_RATIOS.map((k) => {
      if (k === 0 && temperedBad > 0) return LOG_ZERO;
      const lost = temperedBad === 0 ? 0 : temperedBad * Math.log(k);
      return lost - temperedTotal * Math.log1p((k - 1) * rate);
    }),
  );
}

/** The rate p is below this, with confidence 1 − alpha, at every moment. 1 with no data. */
export function upperRate(state: AbsoluteRateState, alpha: number): number {
  checkAlpha(alpha);
  return crossingFromBelow((rate) => logAbsoluteNoHarmE(state, rate), -Math.log(alpha), 0, 1);
}

/** The rate p is above this, with confidence 1 − alpha, at every moment. 0 with no data. */
export function lowerRate(state: AbsoluteRateState, alpha: number): number {
  checkAlpha(alpha);
  const { temperedTotal, temperedBad } = state;
  return crossingFromAbove((rate) => weighBets(harmLogs(temperedTotal, temperedBad, rate)), -Math.log(alpha), 0, 1);
}
