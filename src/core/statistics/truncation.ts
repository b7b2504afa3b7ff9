// What evidence gains by stopping at its line. A test that acts at E >= line has no use for what goes beyond it; the
// overshoot is probability thrown away. If a tick's factor F is cut off at what is left to the line, its mean under the
// hypothesis falls below 1, and the factor may be raised until the mean is 1 again:
//
//   F' = min(b·F, c),  c = line / E so far,  b >= the largest with  Σ_x P(x)·min(b·F(x), c) <= 1
//
// so that the product of F' is an e-process that reaches its line sooner (Fischer & Ramdas 2024, "Improving the sequential
// probability ratio test by avoiding overshoot", arXiv 2410.16076). b depends on the past and on the tick's margins alone:
// how many requests each arm had and how many of all were bad. Given these, the canary's bad ones follow Fisher's noncentral
// hypergeometric law with the true odds ratio; F' rises with x and that law with the odds ratio, so the hypothesis' largest
// odds ratio is the worst case. Refuses to guess at that law: without whole counts there is no gain.

import type { Margins } from './hypergeometric.ts';
import { logAddExp, logSumExp } from './log-space.ts';

/** A tick's bets: log F_j(x) = x·slope + offset, capped; each with ln of what is staked on it, weight included. */
export interface TickBets {
  readonly logStakes: readonly number[];
  /** ln of what is not staked in this tick: it stays as it is. */
  readonly logRest: number;
  readonly slopes: readonly number[];
  readonly offsets: readonly number[];
  readonly capNats: number;
}

/** Terms of the law below this part of the mode are left out: cut off at e^room they cannot be felt. */
const NEGLIGIBLE = 1e-13;
const STEPS = 40;

/**
 * ln b, for a law with this largest odds ratio and a factor that is cut off at e^room; 0 where the tick can say nothing or
 * nothing is left to gain.
 */
export function logTruncationGain(bets: TickBets, margins: Margins, largestOdds: number, room: number): number {
  if (!(room > 1e-9)) return 0;
  const law = lawOf(margins, largestOdds);
  if (law.length === 1) return 0;
  const logBefore = logAddExp(logSumExp(bets.logStakes), bets.logRest);
  const factors = law.map(([x]) => Math.exp(logFactor(bets, x) - logBefore));
  const top = Math.exp(room);
  const mean = (raised: number): number => {
    let sum = 0;
    for (let i = 0; i < law.length; i++) sum += (law[i]?.[1] ?? 0) * Math.min(raised * (factors[i] ?? 0), top);
    return sum;
  };
  // The mean is concave in b: from below, a secant through 0 never passes the root, so the answer errs to the safe side.
  let raised = 0;
  let value = mean(1e-9) / 1e-9;
  raised = Math.min(1 / value, top);
  for (let step = 0; step < STEPS; step++) {
    value = mean(raised);
    const missing = 1 - value;
    if (missing <= 1e-12) break;
    const slope = slopeAt(law, factors, { raised, top });
    if (slope <= 0) break;
    raised += missing / slope;
  }
  while (mean(raised) > 1) raised *= 1 - 1e-12;
  return Math.log(raised);
}

/** Right derivative of the mean: the part that is not cut off. */
function slopeAt(
  law: readonly (readonly [number, number])[],
  factors: readonly number[],
  { raised, top }: { readonly raised: number; readonly top: number },
): number {
  let slope = 0;
  for (let i = 0; i < law.length; i++) {
    const factor = factors[i] ?? 0;
    if (raised * factor < top) slope += (law[i]?.[1] ?? 0) * factor;
  }
  return slope;
}

function logFactor({ logStakes, logRest, slopes, offsets, capNats }: TickBets, x: number): number {
  let high = logRest;
  const logs = logStakes.map((stake, j) => {
    const log = stake + Math.min(capNats, x * (slopes[j] ?? 0) + (offsets[j] ?? 0));
    if (log > high) high = log;
    return log;
  });
  let sum = Math.exp(logRest - high);
  for (const log of logs) sum += Math.exp(log - high);
  return high + Math.log(sum);
}

/** [x, P(x)] of Fisher's noncentral hypergeometric law around its mode, summing to 1. */
function lawOf({ canaryTotal, stableTotal, bad }: Margins, odds: number): readonly (readonly [number, number])[] {
  const least = Math.max(0, bad - stableTotal);
  const most = Math.min(bad, canaryTotal);
  const ratio = (x: number): number => (odds * (canaryTotal - x) * (bad - x)) / ((x + 1) * (stableTotal - bad + x + 1));
  let mode = Math.min(most, Math.max(least, Math.floor(bad * (canaryTotal / (canaryTotal + stableTotal)))));
  while (mode < most && ratio(mode) > 1) mode += 1;
  while (mode > least && ratio(mode - 1) < 1) mode -= 1;
  const above: [number, number][] = [];
  for (let [x, term] = [mode, 1]; x < most; x++) {
    term *= ratio(x);
    if (term < NEGLIGIBLE) break;
    above.push([x + 1, term]);
  }
  const below: [number, number][] = [];
  for (let [x, term] = [mode, 1]; x > least; x--) {
    term /= ratio(x - 1);
    if (term < NEGLIGIBLE) break;
    below.push([x - 1, term]);
  }
  const terms = [...below.reverse(), [mode, 1] as [number, number], ...above];
  const total = terms.reduce((sum, [, term]) => sum + term, 0);
  return terms.map(([x, term]) => [x, term / total] as const);
}
