// Evidence on the odds ratio of the two arms' bad events, exact for events of any frequency: what one tick is worth to
// a bet on k times the tolerated odds ratio r. Refuses weighted counts, and knows nothing of rates or excesses.
//
//   log F_k = x_c·log k + log G(r) − log G(r·k),   G(ψ) = mean of ψ^X, X hypergeometric given n_c, n_s and m = x_c + x_s
//
// Given the margins, x_c follows Fisher's noncentral hypergeometric law P(x; ω) ∝ C(n_c,x)·C(n_s,m−x)·ω^x, ω the true
// odds ratio, so F = P(x; r·k)/P(x; r) has mean 1 at ω = r. That law has monotone likelihood ratio in ω, so the mean is
// at most 1 for every ω <= r if k > 1, and for every ω >= r if k < 1. (Fisher 1935, "The logic of inductive inference";
// Lehmann & Romano, Testing Statistical Hypotheses, 4.5.) If requests are split by independent coins and the version
// changes nothing, ω = 1 holds by design, whatever the dependence between requests. A margin without freedom (no traffic
// on an arm, nothing or everything bad) leaves F = 1 exactly.

import type { TickCounts } from './counts.ts';
import { logMeanPowers } from './hypergeometric.ts';

/** log F_k for each multiple k > 0 of the tolerated odds ratio. */
export function logOddsFactors(counts: TickCounts, toleranceOdds: number, multiples: readonly number[]): number[] {
  const { canaryTotal, canaryBad, stableTotal, stableBad } = counts;
  const bad = canaryBad + stableBad;
  const least = Math.max(0, bad - stableTotal);
  if (least === Math.min(bad, canaryTotal)) return multiples.map(() => 0);
  const psis = [toleranceOdds, ...multiples.map((k) => k * toleranceOdds)];
  const [atTolerance = 0, ...means] = logMeanPowers({ canaryTotal, stableTotal, bad }, psis);
  return means.map((mean, j) => canaryBad * Math.log(multiples[j] ?? 1) + atTolerance - mean);
}
