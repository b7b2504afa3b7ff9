// For display only: a band for the difference of two arms' mean scores, d = mean_c − r·mean_s, that may be looked at at
// any moment and is narrower than the exact one. It holds in the limit of many events, not at any finite number: for
// heavy-tailed revenue of one visit in twenty, looked at from 1000 visits to 100 000, it left out the truth in 11 to 26 %
// at nominal 1 % and shares of 5 to 10 %. Refuses to decide, which is why it offers no evidence: decisions are made by
// label-tilt.ts, bounded-mean.ts and bounded-mean-harm.ts.
//
// Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024 (Annals of Statistics 52; arXiv 2103.06476v7):
//   two-sided, eq. 9:   Z̄ ± σ̂·√( 2(nρ²+1)/(n²ρ²) · log(√(nρ²+1)/α) )
//   one-sided, eq. 134: the logarithm is log(1 + √(nρ²+1)/(2α))
//   tuned to be narrowest at n*, eq. 161: ρ² = (u + log(u+1))/n*, u = −2 log α (2α in place of α for one side)
// Z is the inverse-probability contrast of bounded-mean-contrast.ts, centred on stable's mean in earlier ticks; σ̂ is its
// standard deviation, ρ above is theirs (a tuning constant) and not the share.

import { contrastOf, contrastValues } from './bounded-mean-contrast.ts';
import { checkAlpha } from './counts.ts';
import { checkLevels, checkScoreTick, type ScoreTick, splits, totals } from './label-tilt-scores.ts';

export interface AsymptoticMeanOptions {
  /** r: the canary's mean is compared with r times stable's. Default 1. */
  readonly toleranceRatio?: number;
  /** The scores that are counted, ascending; events of score 0 must be counted too. */
  readonly levels: readonly number[];
}

/** Plain data, the same after a trip through JSON, bit for bit. */
export interface AsymptoticMeanState {
  readonly toleranceRatio: number;
  readonly stableEvents: number;
  readonly stableScore: number;
  /** Events after the first tick, which only sets the centre; the mean of their Z, and Σ (Z − mean)². */
  readonly events: number;
  readonly mean: number;
  readonly squares: number;
}

/** @example startAsymptoticMean({ levels: evenLevels(33) }) */
export function startAsymptoticMean(options: AsymptoticMeanOptions): AsymptoticMeanState {
  const { toleranceRatio = 1 } = options;
  if (!(toleranceRatio >= 1e-6 && toleranceRatio <= 1e6)) {
    throw new RangeError(`toleranceRatio must be a number between 1e-6 and 1e6, but got ${toleranceRatio}`);
  }
  checkLevels(options.levels);
  return { toleranceRatio, stableEvents: 0, stableScore: 0, events: 0, mean: 0, squares: 0 };
}

/** The state after one more tick. A tick in which one version was asked to take everything changes nothing. */
export function addAsymptoticTick(
  state: AsymptoticMeanState,
  tick: ScoreTick,
  options: AsymptoticMeanOptions,
): AsymptoticMeanState {
  checkScoreTick(tick, options.levels);
  if (!splits(tick.share)) return state;
  const stable = totals(tick.stable, options.levels);
  const seen = {
    ...state,
    stableEvents: state.stableEvents + stable.events,
    stableScore: state.stableScore + stable.score,
  };
  if (state.stableEvents < 1) return seen;
  const contrast = contrastOf(tick.share, state.toleranceRatio, Math.min(1, state.stableScore / state.stableEvents));
  let { events, mean, squares } = state;
  // Chan, Golub & LeVeque 1983: a value that occurred count times is merged at once, without cancellation.
  for (const [value, count] of contrastValues(contrast, tick, options.levels)) {
    const gap = value - mean;
    const merged = events + count;
    mean += (gap * count) / merged;
    squares += gap * gap * count * (events / merged);
    events = merged;
  }
  return { ...seen, events, mean, squares };
}

export type Sides = 'both' | 'lower' | 'upper';

export interface AsymptoticBandOptions {
  readonly alpha: number;
  /** n*: the number of events at which the band is narrowest; chosen before the release. */
  readonly tuneTo: number;
  /** No band before this many events. Default 1000. */
  readonly burnIn?: number;
  /** 'lower' or 'upper' give one bound with all of alpha; the other one is infinite. Default 'both'. */
  readonly sides?: Sides;
  /** Overdispersion φ >= 1: the variance is multiplied by it. Default 1. */
  readonly dispersion?: number;
}

export interface AsymptoticBand {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  /** Always true: says with the numbers that they are for display. */
  readonly approximate: true;
}

/** The band, or undefined during the burn-in and while all scores are alike. */
export function asymptoticBand(state: AsymptoticMeanState, options: AsymptoticBandOptions): AsymptoticBand | undefined {
  const { alpha, tuneTo, burnIn = 1000, sides = 'both', dispersion = 1 } = options;
  if (!(burnIn >= 1)) throw new RangeError(`burnIn must be a number of events >= 1, but got ${burnIn}`);
  if (!(dispersion >= 1)) throw new RangeError(`dispersion must be a finite number >= 1, but got ${dispersion}`);
  const factor = halfWidthFactor(Math.max(1, state.events), { alpha, tuneTo, sides });
  if (state.events < burnIn || !(state.squares > 0)) return undefined;
  const half = Math.sqrt((dispersion * state.squares) / state.events) * factor;
  return {
    estimate: state.mean,
    lower: sides === 'upper' ? Number.NEGATIVE_INFINITY : state.mean - half,
    upper: sides === 'lower' ? Number.POSITIVE_INFINITY : state.mean + half,
    approximate: true,
  };
}

/** The half width in units of σ̂ after n events. */
export function halfWidthFactor(
  n: number,
  { alpha, tuneTo, sides }: { readonly alpha: number; readonly tuneTo: number; readonly sides: Sides },
): number {
  checkAlpha(alpha);
  if (!(tuneTo >= 1 && tuneTo <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`tuneTo must be a number of events >= 1, but got ${tuneTo}`);
  }
  // One side spends what two sides of twice the alpha would; past ½ the tuning has no meaning and stays at its limit.
  const u = -2 * Math.log(sides === 'both' ? alpha : Math.min(2 * alpha, 0.99));
  const spread = (n * (u + Math.log1p(u))) / tuneTo;
  const log =
    sides === 'both' ? 0.5 * Math.log1p(spread) - Math.log(alpha) : Math.log1p(Math.sqrt(spread + 1) / (2 * alpha));
  return Math.sqrt(((2 * (spread + 1)) / (n * spread)) * log);
}
