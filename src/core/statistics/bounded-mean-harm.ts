// Evidence of harm to a mean score beyond a tolerance: the canary's mean is worse than r times stable's by more than δ_H.
// label-tilt.ts is sharper but knows no tolerance: with much traffic it calls a change of one per cent harm. Refuses to be
// the no-harm side or to give bounds; those are bounded-mean.ts, whose contrast, bets and proof these are.
//
//   decrease is harm: refutes d >= −δ_H by  log(1 − λZ) summed over events, − λ·n·δ_H
//   increase is harm: refutes d <= δ_H by   log(1 + λZ) summed over events, − λ·n·δ_H,     d = mean_c − r·mean_s
//
// Capped per tick (min(F, c) <= F) and mixed over onset times, as all evidence of harm in this room is.

import { BET_GRID, logCapital } from './bounded-mean.ts';
import { contrastOf, contrastValues } from './bounded-mean-contrast.ts';
import { checkEvidence, type EvidenceOptions } from './counts.ts';
import { checkHarm, type HarmfulChange } from './label-tilt.ts';
import { checkLevels, checkScoreTick, type ScoreTick, splits, totals } from './label-tilt-scores.ts';
import { logMixtureE, type OnsetMixture, startOnsetMixture, stepOnsetMixture } from './mixture.ts';

export interface MeanHarmOptions extends EvidenceOptions {
  readonly harm: HarmfulChange;
  /** r: at most 1 where a decrease is harm, at least 1 where an increase is. */
  readonly toleranceRatio: number;
  /** δ_H: a difference on top that is not called harm, in parts of the largest score. Default 0. */
  readonly harmMargin?: number;
  /** The scores that are counted, ascending; events of score 0 must be counted too. */
  readonly levels: readonly number[];
}

/** Plain data, the same after a trip through JSON, bit for bit. */
export interface MeanHarmState {
  readonly harm: HarmfulChange;
  readonly toleranceRatio: number;
  readonly harmMargin: number;
  /** Ticks with a bet: all but the first, which only sets the centre. */
  readonly ticks: number;
  readonly stableEvents: number;
  readonly stableScore: number;
  readonly onset: OnsetMixture;
  readonly peakLogHarmE: number;
}

/** @example startMeanHarm({ harm: 'decrease', toleranceRatio: 0.95, levels: evenLevels(33), tickMs: 15_000 }) */
export function startMeanHarm(options: MeanHarmOptions): MeanHarmState {
  const { harm, toleranceRatio, harmMargin = 0 } = options;
  checkHarm(harm);
  const isTolerant = harm === 'decrease' ? toleranceRatio <= 1 : toleranceRatio >= 1;
  if (!(toleranceRatio >= 1e-6 && toleranceRatio <= 1e6 && isTolerant)) {
    const side = harm === 'decrease' ? 'between 1e-6 and 1' : 'between 1 and 1e6';
    throw new RangeError(`toleranceRatio must be ${side} where ${harm} is harm, but got ${toleranceRatio}`);
  }
  if (!(harmMargin >= 0 && harmMargin <= 1)) {
    throw new RangeError(`harmMargin must lie between 0 and 1, but got ${harmMargin}`);
  }
  checkLevels(options.levels);
  checkEvidence(options);
  return {
    harm,
    toleranceRatio,
    harmMargin,
    ticks: 0,
    stableEvents: 0,
    stableScore: 0,
    onset: startOnsetMixture(BET_GRID),
    peakLogHarmE: 0,
  };
}

/** The state after one more tick. A tick in which one version was asked to take everything changes nothing. */
export function addMeanHarmTick(state: MeanHarmState, tick: ScoreTick, options: MeanHarmOptions): MeanHarmState {
  checkScoreTick(tick, options.levels);
  checkSameHypothesis(state, options);
  const evidence = checkEvidence(options);
  if (!splits(tick.share)) return state;
  const { events, score } = totals(tick.stable, options.levels);
  const seen = { ...state, stableEvents: state.stableEvents + events, stableScore: state.stableScore + score };
  if (state.stableEvents < 1) return seen;
  const factors = harmLogs(state, tick, options.levels);
  const onset = stepOnsetMixture(
    state.onset,
    factors.map((log) => Math.min(log / evidence.temper, evidence.capNats)),
    { first: state.ticks === 0, tickMs: evidence.tickMs, lateOnset: evidence.lateOnset },
  );
  const peakLogHarmE = Math.max(state.peakLogHarmE, logMixtureE(onset, BET_GRID));
  return { ...seen, ticks: state.ticks + 1, onset, peakLogHarmE };
}

/** What each bet gains in a tick, before tempering and cap. */
function harmLogs(state: MeanHarmState, tick: ScoreTick, levels: readonly number[]): readonly number[] {
  const center = Math.min(1, state.stableScore / state.stableEvents);
  const contrast = contrastOf(tick.share, state.toleranceRatio, center);
  const values = contrastValues(contrast, tick, levels);
  const events = values.reduce((sum, [, count]) => sum + count, 0);
  const most = state.harm === 'decrease' ? -1 / contrast.highest : -1 / contrast.lowest;
  return BET_GRID.ratios.map((fraction) => {
    const bet = fraction * most;
    return logCapital(values, bet) - Math.abs(bet) * events * state.harmMargin;
  });
}

function checkSameHypothesis(state: MeanHarmState, { harm, toleranceRatio, harmMargin = 0 }: MeanHarmOptions): void {
  if (harm !== state.harm || toleranceRatio !== state.toleranceRatio || harmMargin !== state.harmMargin) {
    throw new RangeError(
      `this evidence was started for harm by ${state.harm}, toleranceRatio ${state.toleranceRatio} and harmMargin ` +
        `${state.harmMargin}; it cannot go on with ${harm}, ${toleranceRatio} and ${harmMargin}. Start new evidence instead`,
    );
  }
}

/** ln E against "the mean is no worse than tolerated in every tick". Harm is shown at level α once this reaches ln(1/α). */
export function logMeanHarmE(state: MeanHarmState): number {
  return logMixtureE(state.onset, BET_GRID);
}
