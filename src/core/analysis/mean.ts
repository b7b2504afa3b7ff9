// Values per user or request (revenue, items) against stable. Values are capped, put on a fixed ladder of levels, and
// judged exactly whatever their distribution (statistics 2.5). Harm: with a tolerance of none, label-tilt evidence; with
// one, bets on the bounded means, which alone know of a tolerance. No harm: the bounded means.
import type { Check } from '../model/check.ts';
import type { Sample } from '../model/measurement.ts';
import {
  addMeanHarmTick,
  addMeanTick,
  addScores,
  type BoundedMeanState,
  type EvidenceOptions,
  geometricLevels,
  type HarmfulChange,
  type LabelTiltState,
  logMeanHarmE,
  logScoreHarmE,
  logScoreNoHarmE,
  lowerDifference,
  type MeanHarmState,
  meanDifference,
  nearestLevel,
  startBoundedMean,
  startLabelTilt,
  startMeanHarm,
  upperDifference,
} from '../statistics/index.ts';

export interface MeanEvidence {
  readonly harm: HarmfulChange;
  /** What the largest score stands for, in the metric's unit. */
  readonly cap: number;
  readonly margin: number;
  /** Where no tolerance is declared; else null. */
  readonly tilt: LabelTiltState | null;
  /** Where one is declared; else null. */
  readonly beyond: MeanHarmState | null;
  readonly bounded: BoundedMeanState;
}

/** Neighbouring levels differ by 20 %: rounding is the same for both arms and costs no validity. */
const LEVELS = geometricLevels(33);

type Values = Extract<Sample, { kind: 'values' }>;

export function startMean(check: Check, { intervalMs }: { readonly intervalMs: number }): MeanEvidence | null {
  if (check.metric.kind !== 'mean' || check.tolerance === null) return null;
  const { ratio, margin, harmMargin } = check.tolerance;
  const harm = check.direction;
  const isTolerant = ratio > 1 || harmMargin > 0;
  const toleranceRatio = harm === 'decrease' ? Math.max(1e-6, 2 - ratio) : ratio;
  const options = { harm, levels: LEVELS, tickMs: intervalMs };
  return {
    harm,
    cap: check.metric.cap,
    margin,
    tilt: isTolerant ? null : startLabelTilt(options),
    beyond: isTolerant ? startMeanHarm({ ...options, toleranceRatio, harmMargin }) : null,
    bounded: startBoundedMean({ toleranceRatio, levels: LEVELS }),
  };
}

export interface MeanWindow {
  readonly canary: Values;
  readonly stable: Values;
  /** Percent that chance drew with; null if it moved: such a window says nothing. */
  readonly weightPercent: number | null;
}

export function addMean(mean: MeanEvidence, window: MeanWindow, evidence: EvidenceOptions): MeanEvidence {
  if (window.weightPercent === null) return mean;
  const tick = {
    share: window.weightPercent / 100,
    canary: scores(window.canary, mean.cap),
    stable: scores(window.stable, mean.cap),
  };
  const { toleranceRatio } = mean.bounded;
  return {
    ...mean,
    tilt: mean.tilt && addScores(mean.tilt, tick, { ...evidence, harm: mean.harm, levels: LEVELS }),
    beyond:
      mean.beyond &&
      addMeanHarmTick(mean.beyond, tick, {
        ...evidence,
        harm: mean.harm,
        levels: LEVELS,
        toleranceRatio,
        harmMargin: mean.beyond.harmMargin,
      }),
    bounded: addMeanTick(mean.bounded, tick, { ...evidence, toleranceRatio, levels: LEVELS }),
  };
}

function scores({ counts }: Values, cap: number): readonly number[] {
  const perLevel = LEVELS.map(() => 0);
  for (const [value, count] of counts) {
    const level = nearestLevel(Math.min(1, Math.max(0, value / cap)), LEVELS);
    perLevel[level] = (perLevel[level] ?? 0) + count;
  }
  return perLevel;
}

export function logMeanHarm({ tilt, beyond }: MeanEvidence): number {
  if (tilt !== null) return logScoreHarmE(tilt);
  return beyond === null ? 0 : logMeanHarmE(beyond);
}

export function logMeanNoHarm({ bounded, harm, margin }: MeanEvidence, at = margin): number {
  return logScoreNoHarmE(bounded, harm, at);
}

/** Harm as a positive number, in parts of the cap: how far the mean is beyond the tolerated one. */
export function meanBounds({ bounded, harm }: MeanEvidence, alpha: number) {
  const difference = meanDifference(bounded) ?? null;
  const lower = lowerDifference(bounded, alpha);
  const upper = upperDifference(bounded, alpha);
  if (harm === 'increase') return { excess: difference, lower, upper };
  return { excess: difference === null ? null : -difference, lower: -upper, upper: -lower };
}
