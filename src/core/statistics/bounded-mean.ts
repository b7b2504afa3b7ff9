// Exact bounds, valid at every moment, on the difference of two arms' mean scores d = mean_c − r·mean_s, and the evidence
// for "no harm" that a promotion needs. Rests on the drawing of arms alone: any distribution on [0, 1], any drift.
// Refuses to assume a normal distribution, and to count ticks of which one arm is missing (the caller leaves them out).
//
// Z is the event's inverse-probability contrast (bounded-mean-contrast.ts), with mean d over the coin. Bets in two
// directions, λ = f/(−lowest Z) upwards and λ = f/(highest Z) downwards, with fixed fractions f < 1:
//
//   refutes d <= x:  log E(x) = Σ_events log(1 + λZ) − x·Σλ        refutes d >= x:  log E(x) = Σ_events log(1 − λZ) + x·Σλ
//
// Proof. 1 + λZ >= 1 − f > 0. Coins are independent given what each event would score on either arm, so the mean of
// Π(1 + λZ_i) over a tick's n events is Π(1 + λ·d_i) <= e^(λ·Σ d_i) = e^(λ·n·d) with d the tick's average difference;
// if d <= x that is at most e^(λ·n·x), which the second term takes away again. λ, ρ and the centre b are fixed before
// the tick. Averages over f of such products are e-processes; alarm at E >= 1/α (Ville 1939). It is the capital process
// of Waudby-Smith & Ramdas (arXiv 2010.09686) with 1 + y <= e^y spent once, so that x enters by a sum alone: bounds for
// every x come out of 28 sums. The loss, (λx)²/2 per event, is far below what the fixed fractions lose.
//
// The centre b is stable's mean score in earlier ticks; the first tick with stable events only sets it and carries no bet.

import { crossingFromAbove, crossingFromBelow } from './boundary.ts';
import { contrastOf, contrastValues } from './bounded-mean-contrast.ts';
import { checkAlpha, checkEvidence, type EvidenceOptions } from './counts.ts';
import { checkHarm, type HarmfulChange } from './label-tilt.ts';
import { checkLevels, checkScoreTick, type ScoreTick, splits, totals } from './label-tilt-scores.ts';
import { type BetGrid, makeBetGrid, weighBets } from './mixture.ts';

export interface BoundedMeanOptions extends Pick<EvidenceOptions, 'dispersion' | 'clusterCap'> {
  /** r: the canary's mean is compared with r times stable's. 1, or below 1 where a decrease is harm. */
  readonly toleranceRatio: number;
  /** The scores that are counted, ascending; events of score 0 must be counted too. */
  readonly levels: readonly number[];
}

/** f: the part of the largest safe bet, 0.001 … 0.9 at equal ratios, each with weight 1/14. */
export const BET_GRID: BetGrid = makeBetGrid(14, 0.001, 0.9, 0);

export const BET_FRACTIONS: readonly number[] = BET_GRID.ratios;

/** Plain data: finite numbers and arrays of them, the same after a trip through JSON, bit for bit. */
export interface BoundedMeanState {
  readonly toleranceRatio: number;
  readonly canaryEvents: number;
  readonly canaryScore: number;
  readonly stableEvents: number;
  readonly stableScore: number;
  /** Events on which bets were made: all but those of the first tick. */
  readonly weighedEvents: number;
  /** Σ Z over them. */
  readonly contrast: number;
  /** Σ log(1 + λZ) per fraction, and Σ λ/f. */
  readonly up: readonly number[];
  readonly upExposure: number;
  /** Σ log(1 − λZ) per fraction, and Σ λ/f. */
  readonly down: readonly number[];
  readonly downExposure: number;
}

/** @example startBoundedMean({ toleranceRatio: 1, levels: evenLevels(33) }) */
export function startBoundedMean(options: BoundedMeanOptions): BoundedMeanState {
  const { toleranceRatio } = options;
  if (!(toleranceRatio >= 1e-6 && toleranceRatio <= 1e6)) {
    throw new RangeError(`toleranceRatio must be a number between 1e-6 and 1e6, but got ${toleranceRatio}`);
  }
  checkLevels(options.levels);
  return {
    toleranceRatio,
    canaryEvents: 0,
    canaryScore: 0,
    stableEvents: 0,
    stableScore: 0,
    weighedEvents: 0,
    contrast: 0,
    up: BET_FRACTIONS.map(() => 0),
    upExposure: 0,
    down: BET_FRACTIONS.map(() => 0),
    downExposure: 0,
  };
}

/** The state after one more tick. A tick in which one version was asked to take everything changes nothing. */
export function addMeanTick(state: BoundedMeanState, tick: ScoreTick, options: BoundedMeanOptions): BoundedMeanState {
  checkScoreTick(tick, options.levels);
  if (options.toleranceRatio !== state.toleranceRatio) {
    throw new RangeError(
      `this evidence was started for toleranceRatio ${state.toleranceRatio}; ` +
        `it cannot go on with ${options.toleranceRatio}. Start new evidence instead`,
    );
  }
  const { temper } = checkEvidence({ ...options, tickMs: 1 });
  if (!splits(tick.share)) return state;
  const canary = totals(tick.canary, options.levels);
  const stable = totals(tick.stable, options.levels);
  const seen = {
    ...state,
    canaryEvents: state.canaryEvents + canary.events,
    canaryScore: state.canaryScore + canary.score,
    stableEvents: state.stableEvents + stable.events,
    stableScore: state.stableScore + stable.score,
  };
  if (state.stableEvents < 1) return seen;
  const contrast = contrastOf(tick.share, state.toleranceRatio, Math.min(1, state.stableScore / state.stableEvents));
  const values = contrastValues(contrast, tick, options.levels);
  const events = canary.events + stable.events;
  const most = { up: -1 / contrast.lowest, down: -1 / contrast.highest };
  return {
    ...seen,
    weighedEvents: state.weighedEvents + events,
    contrast: state.contrast + values.reduce((sum, [value, count]) => sum + value * count, 0),
    up: state.up.map((log, j) => log + logCapital(values, (BET_FRACTIONS[j] ?? 0) * most.up) / temper),
    upExposure: state.upExposure + (events * most.up) / temper,
    down: state.down.map((log, j) => log + logCapital(values, (BET_FRACTIONS[j] ?? 0) * most.down) / temper),
    downExposure: state.downExposure - (events * most.down) / temper,
  };
}

/** Σ log(1 + bet · Z); the bet's sign is its direction. */
export function logCapital(values: readonly (readonly [number, number])[], bet: number): number {
  let log = 0;
  for (const [value, count] of values) log += count * Math.log1p(bet * value);
  return log;
}

/** ln E against "mean_c − r·mean_s <= difference in every tick". Falls with the difference. */
export function logAboveE(state: BoundedMeanState, difference: number): number {
  return logAverage(state.up, -difference * state.upExposure);
}

/** ln E against "mean_c − r·mean_s >= difference in every tick". Rises with the difference. */
export function logBelowE(state: BoundedMeanState, difference: number): number {
  return logAverage(state.down, difference * state.downExposure);
}

function logAverage(logs: readonly number[], tilt: number): number {
  return weighBets(
    logs.map((log, j) => log + tilt * (BET_FRACTIONS[j] ?? 0)),
    BET_GRID,
  );
}

/**
 * ln E against harm of the margin δ or more: "mean_c <= r·mean_s − δ" where a decrease is harm, "mean_c >= r·mean_s + δ"
 * where an increase is. No harm is shown at level α once this reaches ln(1/α).
 */
export function logScoreNoHarmE(state: BoundedMeanState, harm: HarmfulChange, margin: number): number {
  checkHarm(harm);
  return harm === 'decrease' ? logAboveE(state, -margin) : logBelowE(state, margin);
}

/** d = mean_c − r·mean_s is below this, with confidence 1 − alpha, at every moment. 1 with no data. */
export function upperDifference(state: BoundedMeanState, alpha: number): number {
  checkAlpha(alpha);
  return crossingFromBelow((at) => logBelowE(state, at), -Math.log(alpha), -state.toleranceRatio, 1);
}

/** d = mean_c − r·mean_s is above this, with confidence 1 − alpha, at every moment. −r with no data. */
export function lowerDifference(state: BoundedMeanState, alpha: number): number {
  checkAlpha(alpha);
  return crossingFromAbove((at) => logAboveE(state, at), -Math.log(alpha), -state.toleranceRatio, 1);
}

/** The unbiased estimate of d, whatever the weights did; undefined before the second tick. */
export function meanDifference(state: BoundedMeanState): number | undefined {
  return state.weighedEvents > 0 ? state.contrast / state.weighedEvents : undefined;
}
