// Exact confidence limits for a proportion counted once, at a sample size fixed beforehand: for benchmarks, trials and
// tests. Refuses to be used while peeking; for that there is absolute-rate.ts.

import { incompleteBeta } from './beta.ts';
import { crossingFromAbove, crossingFromBelow } from './boundary.ts';

export interface BinomialInterval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * The two-sided limits of Clopper & Pearson (Biometrika 26, 1934): each side has half of 1 − confidence. For a
 * one-sided 99 % limit ask for 98 %.
 *
 * @example binomialInterval(0, 1000, 0.9).upper // 0.002991 = 1 − 0.05^(1/1000)
 */
export function binomialInterval(successes: number, n: number, confidence: number): BinomialInterval {
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`n must be a whole number >= 1, but got ${n}`);
  if (!Number.isSafeInteger(successes) || successes < 0 || successes > n) {
    throw new RangeError(`successes must be a whole number from 0 to ${n}, but got ${successes}`);
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`confidence must lie between 0 and 1, but got ${confidence}`);
  }
  const tail = (1 - confidence) / 2;
  const seen = successes / n;
  // P(X >= k; p) = I_p(k, n−k+1) rises with p; P(X <= k; p) = I_{1−p}(n−k, k+1) falls with p. The lower limit is rounded
  // down and the upper one up: the interval is never shorter than the exact one.
  const lower =
    successes === 0 ? 0 : crossingFromAbove((p) => -incompleteBeta(p, successes, n - successes + 1), -tail, 0, seen);
  const upper =
    successes === n
      ? 1
      : crossingFromBelow((p) => -incompleteBeta(1 - p, n - successes, successes + 1), -tail, seen, 1);
  return { lower, upper };
}
