// The rate ratio of events that are common: what one tick is worth to a bet that the canary's rate is k times the
// tolerated one, exact where the bound 1 + z <= e^z of rate-ratio.ts throws most of the evidence away. Refuses weighted
// counts.
//
// The hypothesis p_c <= r·p_s is not one of odds, but thinning makes it one: keep each bad canary event with probability
// 1/r (if r < 1: each of stable's with probability r), and it reads p_c' <= p_s', an odds ratio of at most 1. So
// Φ(x', m') = k^x'/G(m'), G(m') the mean of k^X given m' bad ones (hypergeometric.ts), has mean at most 1 whatever p_s is.
// Chance need not be added: ln G(m') is concave in m' (Newton's inequality for the symmetric means of n_c numbers k
// and n_s numbers 1), also when drawn straight between whole m'; so Φ is convex in (x', x_s'), and by Jensen its value
// at the thinned counts' means is at most its mean over the thinning. That value is the factor:
//
//   log F_k = x'·log k − log G(x' + x_s'),   x' = x_c·min(1, 1/r),   x_s' = x_s·min(1, r)
//
// k > 1 bets on harm. k < 1 bets on no harm, with an excess δ >= 0: calling each good stable request bad with
// probability d = δ·min(1, 1/r) adds at most d to p_s', so p_c >= r·p_s + δ still gives p_c' >= p_s'; the tangent of
// ln G at m' bounds what the added (n_s − x_s')·d do to it, so that log F grows in proportion to δ.
//
// At r = 1, δ = 0, F is never below the factor of rate-ratio.ts, because a draw without replacement is smaller in
// convex order than one with (Hoeffding 1963). At other r thinning keeps (1/r)/(1 − p) of what that factor keeps, p the
// rate of bad events: it pays where p > 1 − 1/r.

import type { TickCounts } from './counts.ts';
import { logMeanPowers } from './hypergeometric.ts';
import { LOG_ZERO } from './log-space.ts';

interface Thinned {
  readonly canaryTotal: number;
  readonly stableTotal: number;
  readonly canaryBad: number;
  readonly stableBad: number;
  /** The whole number of bad events below m' = x' + x_s', and how far m' is above it. */
  readonly whole: number;
  readonly part: number;
}

function thin({ canaryTotal, canaryBad, stableTotal, stableBad }: TickCounts, toleranceRatio: number): Thinned {
  const kept = canaryBad * Math.min(1, 1 / toleranceRatio);
  const keptStable = stableBad * Math.min(1, toleranceRatio);
  const bad = Math.min(kept + keptStable, canaryTotal + stableTotal);
  const whole = Math.floor(bad);
  return { canaryTotal, stableTotal, canaryBad: kept, stableBad: keptStable, whole, part: bad - whole };
}

/** log F_k at δ = 0 per multiple k > 1 of the tolerated rate. */
export function logCommonHarmFactors(
  counts: TickCounts,
  toleranceRatio: number,
  multiples: readonly number[],
): number[] {
  const thinned = thin(counts, toleranceRatio);
  const low = logMeanPowers(marginsAt(thinned, thinned.whole), multiples);
  const high = thinned.part > 0 ? logMeanPowers(marginsAt(thinned, thinned.whole + 1), multiples) : low;
  return multiples.map((k, j) => {
    const mean = (1 - thinned.part) * (low[j] ?? 0) + thinned.part * (high[j] ?? 0);
    return thinned.canaryBad * Math.log(k) - mean;
  });
}

export interface CommonNoHarmFactor {
  /** log F_k at δ = 0; LOG_ZERO for good once k = 0 has met a bad canary event. */
  readonly log: number;
  /** What log F_k gains per unit of δ. */
  readonly perExcess: number;
}

/** log F_k, for k from 0 to below 1, as a function of the excess δ >= 0. */
export function commonNoHarmFactors(
  counts: TickCounts,
  toleranceRatio: number,
  multiples: readonly number[],
): CommonNoHarmFactor[] {
  const thinned = thin(counts, toleranceRatio);
  const { canaryTotal, stableTotal, canaryBad, stableBad, whole, part } = thinned;
  const low = logMeanPowers(marginsAt(thinned, whole), multiples);
  const all = canaryTotal + stableTotal;
  const high = whole < all ? logMeanPowers(marginsAt(thinned, whole + 1), multiples) : low;
  const flipped = (stableTotal - stableBad) * Math.min(1, 1 / toleranceRatio);
  return multiples.map((k, j) => {
    if (k === 0 && canaryBad > 0) return { log: LOG_ZERO, perExcess: 0 };
    const atLow = low[j] ?? 0;
    const slope = (high[j] ?? 0) - atLow;
    const gained = canaryBad === 0 ? 0 : canaryBad * Math.log(k);
    // Where nothing is left to call bad, the slope is that of no such request (with k = 0, of an impossible one).
    return {
      log: gained - atLow - (part === 0 ? 0 : part * slope),
      perExcess: flipped === 0 ? 0 : -slope * flipped,
    };
  });
}

function marginsAt(
  { canaryTotal, stableTotal }: Thinned,
  bad: number,
): {
  canaryTotal: number;
  stableTotal: number;
  bad: number;
} {
  return { canaryTotal, stableTotal, bad };
}
