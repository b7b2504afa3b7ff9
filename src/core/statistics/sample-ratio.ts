// Sample-ratio mismatch: evidence, valid at every moment, that the shares seen disagree with the weights asked. A reason
// not to trust any comparison, so it blocks a promotion; refuses to say that anything is harmful, because a mismatch has
// innocent causes too (retries after failures, outlier ejection, readiness flaps).
//
// If requests are drawn with P(canary) = w, then for ψ = the factor on the odds
//   log F_ψ = x_c·log ψ − (x_c + x_s)·log1p((ψ − 1)·w)
// is the likelihood ratio of P = ψw/(1 + (ψ−1)w) against w: its mean is exactly 1, whatever came before and however
// many requests there were (the rate-ratio form with the weights as exposures). A split that alternates instead of
// drawing has counts closer to w·n, and less evidence. ψ on both sides of 1; the mixtures are e-processes, alarm at
// E >= 1/α with α = 0.001 by default (Ville 1939).
//
// Requests come in clusters (kept connections, session affinity): count sessions, or divide by the dispersion φ.

import { checkEvidence, type EvidenceOptions } from './counts.ts';
import { splits } from './label-tilt-scores.ts';
import { type BetGrid, logMixtureE, type OnsetMixture, startOnsetMixture, stepOnsetMixture } from './mixture.ts';

/** The false-alarm budget if none is named: a blocked promotion should be rarer than a wrong one. */
export const SAMPLE_RATIO_ALPHA = 0.001;

const POINTS = 8;
const SMALLEST = 0.005;
const LARGEST = Math.log(1.5);

/** ψ with log ψ = ±0.005 … ±log 1.5, eight each at equal ratios, all of weight 1/16. */
export const SHARE_GRID: BetGrid = (() => {
  const sizes = Array.from({ length: POINTS }, (_, j) => SMALLEST * (LARGEST / SMALLEST) ** (j / (POINTS - 1)));
  const logRatios = [...sizes, ...sizes.map((size) => -size)];
  return {
    ratios: logRatios.map((log) => Math.exp(log)),
    logRatios,
    logWeights: logRatios.map(() => -Math.log(logRatios.length)),
  };
})();

/** What one tick asked for and what came. */
export interface ShareTick {
  /** The share of the canary that was asked, 0 to 1. */
  readonly share: number;
  readonly canary: number;
  readonly stable: number;
}

/** Plain data, the same after a trip through JSON, bit for bit. */
export interface SampleRatioState {
  readonly ticks: number;
  readonly canary: number;
  readonly stable: number;
  /** Σ share · requests. */
  readonly expectedCanary: number;
  readonly onset: OnsetMixture;
  readonly peakLogE: number;
}

/** @example startSampleRatio({ tickMs: 15_000 }) */
export function startSampleRatio(options: EvidenceOptions): SampleRatioState {
  checkOptions(options);
  return { ticks: 0, canary: 0, stable: 0, expectedCanary: 0, onset: startOnsetMixture(SHARE_GRID), peakLogE: 0 };
}

/** The state after one more tick. A tick that asked all of one version, or had no requests, changes nothing. */
export function addShareTick(state: SampleRatioState, tick: ShareTick, options: EvidenceOptions): SampleRatioState {
  const { share, canary, stable } = tick;
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share must lie between 0 and 1, but got ${share}`);
  checkRequests('canary', canary);
  checkRequests('stable', stable);
  const evidence = checkOptions(options);
  const requests = canary + stable;
  if (!splits(share) || requests === 0) return state;
  const logFactors = SHARE_GRID.logRatios.map((odds) => {
    const log = canary * odds - requests * Math.log1p(share * Math.expm1(odds));
    return Math.min(log / evidence.temper, evidence.capNats);
  });
  const onset = stepOnsetMixture(state.onset, logFactors, {
    first: state.ticks === 0,
    tickMs: evidence.tickMs,
    lateOnset: evidence.lateOnset,
  });
  return {
    ticks: state.ticks + 1,
    canary: state.canary + canary,
    stable: state.stable + stable,
    expectedCanary: state.expectedCanary + share * requests,
    onset,
    peakLogE: Math.max(state.peakLogE, logMixtureE(onset, SHARE_GRID)),
  };
}

function checkOptions(options: EvidenceOptions): ReturnType<typeof checkEvidence> {
  return checkEvidence({ ...options, alpha: options.alpha ?? SAMPLE_RATIO_ALPHA });
}

function checkRequests(arm: string, count: number): void {
  if (!(count >= 0 && count <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`${arm} requests must be a finite count >= 0 (at most 2^53), but got ${count}`);
  }
}

/** ln E against "requests were drawn with the shares asked". A mismatch is shown at level α once this reaches ln(1/α). */
export function logSampleRatioE(state: SampleRatioState): number {
  return logMixtureE(state.onset, SHARE_GRID);
}
