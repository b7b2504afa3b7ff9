// The rate ratio of events that are common: what one tick is worth to a bet that the canary's rate is k times the
// tolerated one, exact where the bound 1 + z <= e^z of rate-ratio.ts throws most of the evidence away. Refuses weighted
// counts.
//
// The hypothesis p_c <= r·p_s + δ is not one of odds, but chance can make it one. First r: keep each bad canary event with
// probability 1/r (if r < 1: each of stable's with probability r); with δ' = δ·min(1, 1/r) it reads p_c' <= p_s' + δ'.
// Then δ', if >= 0: with d = δ'/(1 + δ'), call each bad canary request good and each good stable request bad, with
// probability d; since (p + δ')(1 − d) = p + (1 − p)·d for every p, it reads p_c'' <= p_s''. If δ' < 0, the arms change
// roles. Now it is an odds ratio of at most 1, so Φ = k^x''/G(m'') has mean at most 1 whatever p_s is, where G(m) is the
// mean of k^X given m bad ones (hypergeometric.ts). The hypothesis p_c >= r·p_s + δ goes the same way, with k < 1.
//
// The chance is then taken out again: Λ(m) = ln G(m) is concave (Newton's inequality for the symmetric means of n_c
// numbers k and n_s numbers 1), also when drawn straight between whole m; so Φ is convex in (x'', x_s''), and by Jensen
// its value at the counts that chance leaves on average is at most its mean:
//
//   log F_k = x''·log k − Λ(x'' + x_s'')
//   x' = x_c·min(1, 1/r),  x_s' = x_s·min(1, r);  δ >= 0: x'' = x'·(1 − d),  x_s'' = x_s' + (n_s − x_s')·d
//                                                 δ < 0:  x_s'' = x_s'·(1 − d),  x'' = x' + (n_c − x')·d
//
// For bounds, log F must be known for all δ at once: Λ lies below its tangent at m' = x' + x_s', which makes log F linear
// in d and, if anything, smaller.
//
// At r = 1, δ = 0, F is never below the factor of rate-ratio.ts, because a draw without replacement is smaller in
// convex order than one with (Hoeffding 1963). At other r thinning keeps (1/r)/(1 − p) of what that factor keeps, p the
// rate of bad events: it pays where p > 1 − 1/r.

import type { TickCounts } from './counts.ts';
import { logMeanPowers } from './hypergeometric.ts';
import { LOG_ZERO } from './log-space.ts';

/** Below this rate of bad events the plain factors lose too little to pay for the exact ones. */
const COMMON_FROM = 0.05;

/**
 * Whether events at this pooled rate, 0 to 1, are common enough for the exact factors. At r = 1 they are never worse,
 * whatever the rate; at other r they cost a part 1 − 1/r of the evidence (1 − r below 1), which the rate of bad events has
 * to make up for.
 */
export function isCommonRate(pooled: number, toleranceRatio: number): boolean {
  return pooled >= Math.max(COMMON_FROM, 1 - Math.min(toleranceRatio, 1 / toleranceRatio));
}

/** d for an excess δ of either sign: the chance with which requests change sides. */
export function swapChance(excess: number, toleranceRatio: number): number {
  const scaled = Math.abs(excess) * Math.min(1, 1 / toleranceRatio);
  return scaled / (1 + scaled);
}

/** Λ at m, drawn straight between whole m, and its slope to the right of m (to the left at the end). */
interface Mean {
  readonly log: number;
  readonly slope: number;
}

function logMeans(counts: TickCounts, bad: number, multiples: readonly number[]): Mean[] {
  const { canaryTotal, stableTotal } = counts;
  const whole = Math.min(Math.floor(bad), canaryTotal + stableTotal - 1);
  const part = bad - whole;
  const low = logMeanPowers({ canaryTotal, stableTotal, bad: whole }, multiples);
  const high = logMeanPowers({ canaryTotal, stableTotal, bad: whole + 1 }, multiples);
  return low.map((log, j) => {
    const slope = (high[j] ?? 0) - log;
    return { log: part === 0 ? log : log + part * slope, slope };
  });
}

interface Thinned {
  readonly canaryBad: number;
  readonly stableBad: number;
}

function thin({ canaryBad, stableBad }: TickCounts, toleranceRatio: number): Thinned {
  return { canaryBad: canaryBad * Math.min(1, 1 / toleranceRatio), stableBad: stableBad * Math.min(1, toleranceRatio) };
}

/** log F_k at an excess δ = harmMargin >= 0 per multiple k > 1 of the tolerated rate. */
export function logCommonHarmFactors(
  counts: TickCounts,
  { toleranceRatio, harmMargin }: { readonly toleranceRatio: number; readonly harmMargin: number },
  multiples: readonly number[],
): number[] {
  const { canaryTotal, stableTotal } = counts;
  const thinned = thin(counts, toleranceRatio);
  const d = swapChance(harmMargin, toleranceRatio);
  const canaryBad = thinned.canaryBad * (1 - d);
  const bad = Math.min(
    canaryBad + thinned.stableBad + (stableTotal - thinned.stableBad) * d,
    canaryTotal + stableTotal,
  );
  return logMeans(counts, bad, multiples).map((mean, j) => canaryBad * Math.log(multiples[j] ?? 1) - mean.log);
}

/** log F_k as a function of the excess δ, by way of d = swapChance(δ). */
export interface CommonNoHarmFactor {
  /** log F_k at δ = 0; LOG_ZERO once k = 0 has met a bad canary event. */
  readonly log: number;
  /** What log F_k gains per unit of d where δ > 0. */
  readonly above: number;
  /** What log F_k loses per unit of d where δ < 0; −LOG_ZERO is all. */
  readonly below: number;
}

/** The no-harm factors, for k from 0 to below 1. */
export function commonNoHarmFactors(
  counts: TickCounts,
  toleranceRatio: number,
  multiples: readonly number[],
): CommonNoHarmFactor[] {
  const { canaryTotal, stableTotal } = counts;
  const { canaryBad, stableBad } = thin(counts, toleranceRatio);
  const stableGood = stableTotal - stableBad;
  const bad = Math.min(canaryBad + stableBad, canaryTotal + stableTotal);
  return logMeans(counts, bad, multiples).map(({ log, slope }, j) => {
    const k = multiples[j] ?? 1;
    if (k === 0) {
      // Where stable has no good request left, the slope is that of an event which is impossible with k = 0.
      const above = stableGood === 0 ? 0 : -slope * stableGood;
      return canaryBad > 0 ? { log: LOG_ZERO, above: 0, below: 0 } : { log: -log, above, below: -LOG_ZERO };
    }
    const stake = Math.log(k);
    return {
      log: canaryBad * stake - log,
      above: Math.max(0, -canaryBad * stake - slope * (stableGood - canaryBad)),
      below: Math.max(0, slope * (canaryTotal - canaryBad - stableBad) - (canaryTotal - canaryBad) * stake),
    };
  });
}
