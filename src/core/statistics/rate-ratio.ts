// The rate-ratio e-process: evidence, valid at every moment somebody looks, on whether the canary's bad-event rate p_c
// exceeds r · p_s + δ, p_s being stable's. It needs no knowledge of p_s, no constancy over time and no configured
// weight. Refuses to pool: every tick is its own stratum, so changing weights and common outages cannot mislead it.
//
//   log F_ψ = x_c·log(ψ/r) − (x_c+x_s)·log1p((ψ−r)·n_c/(r·n_c+n_s)) − δ·n_c·(a−1)
//   a = (ψ/r)·(r·n_c+n_s)/(ψ·n_c+n_s),  b = 1 − r·(n_c/n_s)·(a−1)
//
// Given the past, E[a^x_c b^x_s] <= exp(n_c·p_c·(a−1) + n_s·p_s·(b−1)) = exp(n_c·(a−1)·(p_c − r·p_s)), because
// 1 + z <= e^z; so E[F] <= 1 when p_c <= r·p_s + δ and a > 1 (harm), or p_c >= r·p_s + δ and a < 1 (no harm).
// Alarm at E >= 1/α: Ville 1939, "Étude critique de la notion de collectif". The likelihood ratio is that of Lindon &
// Malek (arXiv 2011.03567) with observed shares and a grid as prior. Proof and limits: docs/statistics.md.

import { checkCounts, checkEvidence, type EvidenceOptions, NO_TRAFFIC } from './counts.ts';
import { isLogZero, LOG_ZERO } from './log-space.ts';
import {
  HARM_LOG_RATIOS,
  HARM_RATIOS,
  logMixtureE,
  NO_HARM_RATIOS,
  type OnsetMixture,
  startOnsetMixture,
  stepOnsetMixture,
} from './mixture.ts';

export interface RateRatioOptions extends EvidenceOptions {
  /** r: the canary's rate may be this many times stable's. 1 means "not worse at all". */
  readonly toleranceRatio: number;
  /** δ_H: an excess rate on top that is not called harm. Default 0. */
  readonly harmMargin?: number;
}

/** What both arms did in one tick, from the same scrape. */
export interface TickCounts {
  readonly canaryTotal: number;
  readonly canaryBad: number;
  readonly stableTotal: number;
  readonly stableBad: number;
}

/** Plain data: finite numbers and arrays of them, the same after a trip through JSON, bit for bit. */
export interface RateRatioState {
  readonly toleranceRatio: number;
  readonly harmMargin: number;
  /** Ticks in which both arms had traffic; the others say nothing about a comparison and are left out. */
  readonly ticks: number;
  readonly canaryTotal: number;
  readonly canaryBad: number;
  readonly stableTotal: number;
  readonly stableBad: number;
  /** Σ n_c·x_s/n_s: the bad events the canary would have had at stable's rate, tick by tick. */
  readonly expectedCanaryBad: number;
  /** The deciding evidence of harm: capped, mixed over onset times. */
  readonly onset: OnsetMixture;
  readonly peakLogHarmE: number;
  /** Σ log F_ψ at δ = 0 per harm ratio, uncapped and from the first tick; with harmExposure it gives the lower bound. */
  readonly harm: readonly number[];
  /** D_j = Σ n_c·(a_j − 1). */
  readonly harmExposure: readonly number[];
  /** S_a = Σ (x_c·log a + x_s·log b) per no-harm bet. */
  readonly noHarm: readonly number[];
  /** Σ n_c, tempered as the evidence is. */
  readonly noHarmExposure: number;
}

/**
 * An empty state: E = 1, nothing known.
 *
 * @example startRateRatio({ toleranceRatio: 1.1, tickMs: 15_000 })
 */
export function startRateRatio(options: RateRatioOptions): RateRatioState {
  const { toleranceRatio, harmMargin = 0 } = options;
  if (!(toleranceRatio >= 1e-6 && toleranceRatio <= 1e6)) {
    throw new RangeError(`toleranceRatio must be a number between 1e-6 and 1e6, but got ${toleranceRatio}`);
  }
  if (!(harmMargin >= 0 && harmMargin <= 1)) {
    throw new RangeError(`harmMargin must be a rate between 0 and 1, but got ${harmMargin}`);
  }
  checkEvidence(options);
  return {
    toleranceRatio,
    harmMargin,
    ticks: 0,
    canaryTotal: 0,
    canaryBad: 0,
    stableTotal: 0,
    stableBad: 0,
    expectedCanaryBad: 0,
    onset: startOnsetMixture(),
    peakLogHarmE: 0,
    harm: HARM_RATIOS.map(() => 0),
    harmExposure: HARM_RATIOS.map(() => 0),
    noHarm: NO_HARM_RATIOS.map(() => 0),
    noHarmExposure: 0,
  };
}

/**
 * The state after one more tick. A tick without traffic on either arm changes nothing. The hypotheses (r and δ_H) are
 * those the state was started with; options that name others are refused, because changing them after looking would
 * void the guarantee.
 *
 * @example addTick(state, { canaryTotal: 50, canaryBad: 1, stableTotal: 950, stableBad: 2 }, options)
 */
export function addTick(state: RateRatioState, counts: TickCounts, options: RateRatioOptions): RateRatioState {
  const { canaryTotal, canaryBad, stableTotal, stableBad } = counts;
  checkCounts('canary', canaryTotal, canaryBad);
  checkCounts('stable', stableTotal, stableBad);
  checkSameHypothesis(state, options);
  const evidence = checkEvidence(options);
  if (canaryTotal < NO_TRAFFIC || stableTotal < NO_TRAFFIC) return state;

  const { logFactors, exposures } = harmFactors(counts, state.toleranceRatio, evidence.temper);
  const capped = logFactors.map((log, j) => Math.min(log - state.harmMargin * (exposures[j] ?? 0), evidence.capNats));
  const onset = stepOnsetMixture(state.onset, capped, {
    first: state.ticks === 0,
    tickMs: evidence.tickMs,
    lateOnset: evidence.lateOnset,
  });
  return {
    toleranceRatio: state.toleranceRatio,
    harmMargin: state.harmMargin,
    ticks: state.ticks + 1,
    canaryTotal: state.canaryTotal + canaryTotal,
    canaryBad: state.canaryBad + canaryBad,
    stableTotal: state.stableTotal + stableTotal,
    stableBad: state.stableBad + stableBad,
    expectedCanaryBad: state.expectedCanaryBad + (canaryTotal / stableTotal) * stableBad,
    onset,
    peakLogHarmE: Math.max(state.peakLogHarmE, logMixtureE(onset)),
    harm: sum(state.harm, logFactors),
    harmExposure: sum(state.harmExposure, exposures),
    noHarm: addNoHarm(state.noHarm, counts, state.toleranceRatio, evidence.temper),
    noHarmExposure: state.noHarmExposure + canaryTotal / evidence.temper,
  };
}

function checkSameHypothesis(state: RateRatioState, options: RateRatioOptions): void {
  const { toleranceRatio, harmMargin = 0 } = options;
  if (toleranceRatio !== state.toleranceRatio || harmMargin !== state.harmMargin) {
    throw new RangeError(
      `this evidence was started for toleranceRatio ${state.toleranceRatio} and harmMargin ${state.harmMargin}; ` +
        `it cannot go on with ${toleranceRatio} and ${harmMargin}. Start new evidence instead`,
    );
  }
}

/** log F at δ = 0 and n_c·(a−1) per harm ratio k = ψ/r. With s = r·n_c/(r·n_c+n_s): a = k/(1+(k−1)s), b = 1/(1+(k−1)s). */
function harmFactors(
  counts: TickCounts,
  toleranceRatio: number,
  temper: number,
): { logFactors: number[]; exposures: number[] } {
  const { canaryTotal, canaryBad, stableTotal, stableBad } = counts;
  const scaled = toleranceRatio * canaryTotal + stableTotal;
  const share = (toleranceRatio * canaryTotal) / scaled;
  const rest = stableTotal / scaled;
  const bad = canaryBad + stableBad;
  const logFactors: number[] = [];
  const exposures: number[] = [];
  for (let j = 0; j < HARM_RATIOS.length; j++) {
    const beyond = (HARM_RATIOS[j] ?? 1) - 1;
    const tilt = beyond * share;
    logFactors.push((canaryBad * (HARM_LOG_RATIOS[j] ?? 0) - bad * Math.log1p(tilt)) / temper);
    exposures.push((canaryTotal * beyond * rest) / (1 + tilt) / temper);
  }
  return { logFactors, exposures };
}

/** S_a + (x_c·log a + x_s·log b)/temper with b = 1 + r·(n_c/n_s)·(1−a). The bet a = 0 is lost for good by one bad event. */
function addNoHarm(
  sums: readonly number[],
  counts: TickCounts,
  toleranceRatio: number,
  temper: number,
): readonly number[] {
  const { canaryTotal, canaryBad, stableTotal, stableBad } = counts;
  const odds = (toleranceRatio * canaryTotal) / stableTotal;
  return sums.map((log, i) => {
    const a = NO_HARM_RATIOS[i] ?? 1;
    if (isLogZero(log) || (a === 0 && canaryBad > 0)) return LOG_ZERO;
    const gained = stableBad === 0 ? 0 : stableBad * Math.log1p(odds * (1 - a));
    const lost = canaryBad === 0 ? 0 : canaryBad * Math.log(a);
    return log + (gained + lost) / temper;
  });
}

function sum(left: readonly number[], right: readonly number[]): number[] {
  return left.map((value, j) => value + (right[j] ?? 0));
}
