// The label-tilt e-process: evidence, valid at every moment and for outcomes of any distribution, that the canary's
// scores are worse than stable's. For revenue and other heavy-tailed outcomes. Refuses to estimate: it trusts the
// probability with which events were assigned, and knows nothing else about them.
//
//   log E(λ) = Σ over events of  λ·g·A − log(1 − ρ + ρ·e^(λ·g)),   A = 1 for the canary, ρ = P(A = 1), g ∈ [0, 1]
//
// If the version does not change outcomes, g is fixed before the coin falls, and the mean of e^(λgA) over the coin is
// exactly the denominator: E has mean 1, whatever the scores, their tails and their dependence. One-sided: the factor is
// 1/(ρ + (1−ρ)·e^(−λg)) for a canary event and 1/(1 − ρ + ρ·e^(λg)) for a stable one. For λ < 0 the first falls and the
// second rises with g, so if the canary's scores are stochastically no smaller, the mean can only shrink. λ < 0 asks
// whether a decrease does harm, λ > 0 whether an increase does.
//
// Tempering divides the log by φ·c; E[F^(1/φ)] <= E[F]^(1/φ). A unit that brings up to c events to one arm: log(1 − ρ +
// ρ·e^(λg)) is convex in g and 0 at g = 0, so a unit with scores g_1 … g_c is one event of score Σ g/c, conservatively.
// Ville 1939 for the alarm at E >= 1/α. Rate-ratio evidence with r = 1, δ = 0 is the case g ∈ {0, 1}, ψ = e^λ.
// Events of score 0 add nothing and need not be counted. A tick of which one arm is missing must be left out by the
// caller, because here "none" is evidence.

import { checkEvidence, type EvidenceOptions } from './counts.ts';
import { checkLevels, checkScoreTick, type ScoreTick, splits, totals } from './label-tilt-scores.ts';
import {
  type BetGrid,
  logMixtureE,
  makeBetGrid,
  type OnsetMixture,
  startOnsetMixture,
  stepOnsetMixture,
} from './mixture.ts';

/** Which change of the score is harm. */
export type HarmfulChange = 'decrease' | 'increase';

export interface LabelTiltOptions extends EvidenceOptions {
  readonly harm: HarmfulChange;
  /** The scores that are counted, ascending. The rule from outcome to level must be fixed before the release. */
  readonly levels: readonly number[];
}

/** |λ|: 0.05 … 8, evenly spaced in the logarithm, each with weight 1/12. */
const TILT_GRID: BetGrid = makeBetGrid(12, 0.05, 8, 0);

export const LABEL_TILTS: readonly number[] = TILT_GRID.ratios;

/** Plain data: finite numbers and arrays of them, the same after a trip through JSON, bit for bit. */
export interface LabelTiltState {
  readonly harm: HarmfulChange;
  readonly ticks: number;
  readonly canaryEvents: number;
  readonly canaryScore: number;
  readonly stableEvents: number;
  readonly stableScore: number;
  /** Σ stable's score · ρ/(1−ρ): what the canary would have scored if the version made no difference. */
  readonly expectedCanaryScore: number;
  readonly onset: OnsetMixture;
  readonly peakLogHarmE: number;
}

/** @example startLabelTilt({ harm: 'decrease', levels: evenLevels(33), tickMs: 15_000 }) */
export function startLabelTilt(options: LabelTiltOptions): LabelTiltState {
  checkHarm(options.harm);
  checkLevels(options.levels);
  checkEvidence(options);
  return {
    harm: options.harm,
    ticks: 0,
    canaryEvents: 0,
    canaryScore: 0,
    stableEvents: 0,
    stableScore: 0,
    expectedCanaryScore: 0,
    onset: startOnsetMixture(TILT_GRID),
    peakLogHarmE: 0,
  };
}

/** The state after one more tick. A tick in which one version was asked to take everything changes nothing. */
export function addScores(state: LabelTiltState, tick: ScoreTick, options: LabelTiltOptions): LabelTiltState {
  checkScoreTick(tick, options.levels);
  if (options.harm !== state.harm) {
    throw new RangeError(
      `this evidence was started for harm by ${state.harm}; it cannot go on with ${options.harm}. Start new evidence instead`,
    );
  }
  const evidence = checkEvidence(options);
  if (!splits(tick.share)) return state;
  const sign = state.harm === 'decrease' ? -1 : 1;
  const logFactors = LABEL_TILTS.map((tilt) =>
    Math.min(logFactor(sign * tilt, tick, options.levels) / evidence.temper, evidence.capNats),
  );
  const onset = stepOnsetMixture(state.onset, logFactors, {
    first: state.ticks === 0,
    tickMs: evidence.tickMs,
    lateOnset: evidence.lateOnset,
  });
  const canary = totals(tick.canary, options.levels);
  const stable = totals(tick.stable, options.levels);
  return {
    harm: state.harm,
    ticks: state.ticks + 1,
    canaryEvents: state.canaryEvents + canary.events,
    canaryScore: state.canaryScore + canary.score,
    stableEvents: state.stableEvents + stable.events,
    stableScore: state.stableScore + stable.score,
    expectedCanaryScore: state.expectedCanaryScore + (stable.score * tick.share) / (1 - tick.share),
    onset,
    peakLogHarmE: Math.max(state.peakLogHarmE, logMixtureE(onset, TILT_GRID)),
  };
}

/** Σ over the tick's events of λ·g·A − log(1 − ρ + ρ·e^(λg)). */
function logFactor(tilt: number, tick: ScoreTick, levels: readonly number[]): number {
  let log = 0;
  for (let k = 0; k < levels.length; k++) {
    const lean = tilt * (levels[k] ?? 0);
    const canary = tick.canary[k] ?? 0;
    const both = canary + (tick.stable[k] ?? 0);
    if (both > 0) log += canary * lean - both * Math.log1p(tick.share * Math.expm1(lean));
  }
  return log;
}

export function checkHarm(harm: HarmfulChange): void {
  if (harm !== 'decrease' && harm !== 'increase') {
    throw new RangeError(`harm must be "decrease" or "increase", but got ${JSON.stringify(harm)}`);
  }
}

/** ln E against "the canary's scores are no worse". Harm is shown at level α once this reaches ln(1/α). */
export function logScoreHarmE(state: LabelTiltState): number {
  return logMixtureE(state.onset, TILT_GRID);
}

/** The canary's total score over what it would have been without a difference; undefined while stable scored nothing. */
export function scoreRatio(state: LabelTiltState): number | undefined {
  return state.expectedCanaryScore > 0 ? state.canaryScore / state.expectedCanaryScore : undefined;
}
