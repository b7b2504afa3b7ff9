// Sample-ratio mismatch: do the requests each arm got agree with the weights asked? Window by window, evidence against
// "each request was sent to the canary with the probability asked", valid at every moment. Refuses to say why not.
//
//   log F_k = n_c·log a + n_s·log b,   a = k/(1+(k−1)w), b = 1/(1+(k−1)w),  w the weight asked: E[F] = 1 exactly, because
//   each request contributes w·a + (1−w)·b = 1 on average. Mixed over odds multiples k on both sides of 1.
// Lindon & Malek, arXiv 2011.03567, with a grid as prior, so that w may move.

import { logSumExp } from './log-space.ts';

const MULTIPLES: readonly number[] = [1 / 1.5, 1 / 1.2, 1 / 1.08, 1 / 1.03, 1.03, 1.08, 1.2, 1.5];

export interface SampleRatioState {
  readonly canary: number;
  readonly total: number;
  readonly expectedCanary: number;
  /** Σ log F per multiple. */
  readonly logs: readonly number[];
}

export interface DrawnCounts {
  readonly canary: number;
  readonly stable: number;
  /** w: the probability asked, above 0 and below 1. */
  readonly canaryWeight: number;
}

export function startSampleRatio(): SampleRatioState {
  return { canary: 0, total: 0, expectedCanary: 0, logs: MULTIPLES.map(() => 0) };
}

export function addSampleRatioTick(state: SampleRatioState, counts: DrawnCounts, dispersion = 1): SampleRatioState {
  const { canary, stable, canaryWeight } = counts;
  if (!(canaryWeight > 0 && canaryWeight < 1)) {
    throw new RangeError(`canaryWeight must lie between 0 and 1, but got ${canaryWeight}`);
  }
  if (!(canary >= 0 && stable >= 0)) throw new RangeError(`counts must be >= 0, but got ${canary} and ${stable}`);
  if (!(dispersion >= 1)) throw new RangeError(`dispersion must be >= 1, but got ${dispersion}`);
  const total = canary + stable;
  return {
    canary: state.canary + canary,
    total: state.total + total,
    expectedCanary: state.expectedCanary + total * canaryWeight,
    logs: MULTIPLES.map((k, j) => {
      const log = canary * Math.log(k) - total * Math.log1p((k - 1) * canaryWeight);
      return (state.logs[j] ?? 0) + log / dispersion;
    }),
  };
}

/** ln E against "the shares are those asked". */
export function logSampleRatioE({ logs }: SampleRatioState): number {
  return logSumExp(logs) - Math.log(MULTIPLES.length);
}
