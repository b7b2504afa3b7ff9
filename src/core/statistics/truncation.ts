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

import type { CheckedEvidence } from './counts.ts';
import { type Margins, modeOf } from './hypergeometric.ts';
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

/** One tick: what was bet, its margins, and the largest odds ratio its law may have under the hypothesis. */
export interface LawfulTick {
  readonly bets: TickBets;
  readonly margins: Margins;
  readonly largestOdds: number;
}

/** Beyond this, bad events come in clusters, and the law of independent ones is not theirs. */
export const MOST_TEMPER = 1.5;

/**
 * The gain after one more tick, cut off at what one tick may add and at the line itself. `before` is ln E with its gain
 * before the tick, `after` the mixture alone after it. Tempered evidence is worth at most the 1/φ-th power of the
 * untempered mixture (Jensen), so its gain is, too.
 */
export function gainToLine(
  gain: number,
  tick: LawfulTick,
  { before, after }: { readonly before: number; readonly after: number },
  { logLine, capNats, temper }: Pick<CheckedEvidence, 'logLine' | 'capNats' | 'temper'>,
): number {
  const room = Math.min(logLine - before, capNats);
  const raised = gain + logTruncationGain(tick.bets, tick.margins, tick.largestOdds, room * temper) / temper;
  return Math.min(raised, logLine - after, before + room - after);
}

/** Terms of the law below this part of the mode are left out; what they could add is taken off the mean allowed. */
const NEGLIGIBLE = 1e-11;
const MOST_STEPS = 60;

/** Above this the terms might not fit into the room there is for them: nothing is gained then. */
const MOST_REQUESTS = 2e9;

/** Room for the terms on either side of the mode; 8 standard deviations of 2e9 requests are 9e4 of them. */
const HALF = 1 << 17;
const SIDES = new Float64Array(2 * HALF);
const MASSES = new Float64Array(2 * HALF);
const FACTORS = new Float64Array(2 * HALF);

/** Fisher's noncentral hypergeometric law around its mode: P(first), P(first + 1), ... in MASSES, summing to 1. */
interface Law {
  readonly first: number;
  readonly terms: number;
}

/**
 * ln b, for a law with this largest odds ratio and a factor that is cut off at e^room; 0 where the tick can say nothing or
 * nothing is left to gain.
 */
export function logTruncationGain(bets: TickBets, margins: Margins, largestOdds: number, room: number): number {
  if (!(room > 1e-9) || margins.canaryTotal + margins.stableTotal > MOST_REQUESTS) return 0;
  const law = lawOf(margins, largestOdds);
  if (law.terms === 1) return 0;
  fillFactors(bets, law);
  const top = Math.exp(room);
  // Two tails of terms below NEGLIGIBLE, each falling faster than geometrically: less than ten times their largest.
  const allowed = 1 - Math.min(0.5, 20 * NEGLIGIBLE * top);
  return Math.log(largestRaise(law.terms, top, allowed));
}

/**
 * The largest b with Σ P·min(b·F, top) <= allowed. The sum is concave in b and its right derivative is that of the terms
 * not cut off, so that Newton's steps from below stay below.
 */
function largestRaise(terms: number, top: number, allowed: number): number {
  let raised = 0;
  for (let step = 0; step < MOST_STEPS; step++) {
    let mean = 0;
    let slope = 0;
    for (let i = 0; i < terms; i++) {
      const mass = MASSES[i] as number;
      const factor = FACTORS[i] as number;
      if (raised * factor < top) {
        mean += mass * raised * factor;
        slope += mass * factor;
      } else {
        mean += mass * top;
      }
    }
    const missing = allowed - mean;
    if (missing <= 1e-12 || slope <= 0) break;
    raised += missing / slope;
  }
  return raised * (1 - 1e-11);
}

/** F(x) over the law's support: what is staked earns its factor, each bet at most its cap; the rest stays. */
function fillFactors({ logStakes, logRest, slopes, offsets, capNats }: TickBets, { first, terms }: Law): void {
  const logBefore = logAddExp(logSumExp(logStakes), logRest);
  FACTORS.fill(Math.exp(logRest - logBefore), 0, terms);
  for (let j = 0; j < logStakes.length; j++) {
    const stake = (logStakes[j] as number) - logBefore;
    const slope = slopes[j] as number;
    const log = first * slope + (offsets[j] as number);
    const most = Math.exp(stake + capNats);
    const growth = Math.exp(slope);
    let value = Math.min(most, Math.exp(stake + log));
    for (let i = 0; i < terms; i++) {
      FACTORS[i] = (FACTORS[i] as number) + value;
      value = Math.min(most, value * growth);
    }
  }
}

function lawOf({ canaryTotal, stableTotal, bad }: Margins, odds: number): Law {
  const least = Math.max(0, bad - stableTotal);
  const most = Math.min(bad, canaryTotal);
  const spare = stableTotal - bad;
  const mode = Math.min(most, Math.max(least, Math.floor(modeOf({ canaryTotal, stableTotal, bad }, odds))));
  let above = 0;
  let term = mode < most ? (odds * (canaryTotal - mode) * (bad - mode)) / ((mode + 1) * (spare + mode + 1)) : 0;
  for (let x = mode; x < most && term >= NEGLIGIBLE; ) {
    SIDES[above++] = term;
    x += 1;
    term *= (odds * (canaryTotal - x) * (bad - x)) / ((x + 1) * (spare + x + 1));
  }
  let below = 0;
  term = mode > least ? (mode * (spare + mode)) / (odds * (canaryTotal - mode + 1) * (bad - mode + 1)) : 0;
  for (let x = mode; x > least && term >= NEGLIGIBLE; ) {
    SIDES[HALF + below++] = term;
    x -= 1;
    term *= (x * (spare + x)) / (odds * (canaryTotal - x + 1) * (bad - x + 1));
  }
  const terms = below + 1 + above;
  let total = 1;
  for (let i = 0; i < below; i++) total += MASSES[below - 1 - i] = SIDES[HALF + i] as number;
  MASSES[below] = 1;
  for (let i = 0; i < above; i++) total += MASSES[below + 1 + i] = SIDES[i] as number;
  for (let i = 0; i < terms; i++) MASSES[i] = (MASSES[i] as number) / total;
  return { first: mode - below, terms };
}
