// One metric judged in Kayenta's way: early exits, then the Mann-Whitney interval against a band around no shift, then
// the size of the effect (NetflixACAJudge.scala and MannWhitneyClassifier.scala of spinnaker/kayenta, a69573b). Refuses
// to score: that is score.ts. Labels and their rules are Kayenta's, weaknesses included; the test beside this file shows
// them.

import { type LocationShift, mannWhitneyShift, normalQuantile } from '../../statistics/index.ts';
import type { KayentaConfig, KayentaMetric, KayentaSeries } from './config.ts';
import { effectSizeOf, meanRatio } from './effect-size.ts';
import { prepareSeries } from './prepare.ts';

/** High and Low are harm, by the metric's direction; Error is Kayenta's word for a judgement that broke. */
export type KayentaLabel = 'Pass' | 'High' | 'Low' | 'Nodata' | 'NodataFailMetric' | 'Error';

export interface KayentaClassification {
  readonly metric: string;
  readonly groups: readonly string[];
  readonly label: KayentaLabel;
  readonly reason: string;
  /** Set only where the label itself is critical: this alone makes the score 0. */
  readonly critical: boolean;
  readonly muted: boolean;
  /** Points per arm that were judged. */
  readonly controlCount: number;
  readonly experimentCount: number;
  /** Interval and estimate of the canary's shift, which Kayenta computes and does not show; null if none was needed. */
  readonly shift: LocationShift | null;
  /** Ratio of means; null where a mean is 0. */
  readonly meanRatio: number | null;
  readonly effectSize: number | null;
}

/** Both literals of NetflixACAJudge.scala. */
const TOLERANCE_FRACTION = 0.25;
const CONFIDENCE = 0.98;
/** Constants against constants get noise of this part of their value. */
const NOISE_FRACTION = 1e-5;

type Finding = Pick<KayentaClassification, 'label' | 'reason' | 'critical'> &
  Partial<Pick<KayentaClassification, 'shift' | 'meanRatio' | 'effectSize'>>;

interface Arms {
  readonly control: readonly number[];
  readonly experiment: readonly number[];
}

export function classifyKayentaMetric(
  metric: KayentaMetric,
  series: KayentaSeries,
  config: Pick<KayentaConfig, 'toleranceFraction' | 'confidence' | 'noise'> = {},
): KayentaClassification {
  const arms = {
    control: prepareSeries(series.control, metric),
    experiment: prepareSeries(series.experiment, metric),
  };
  const { name, groups, muted = false } = metric;
  return {
    metric: name,
    groups,
    muted,
    controlCount: arms.control.length,
    experimentCount: arms.experiment.length,
    shift: null,
    meanRatio: 1,
    effectSize: null,
    ...(withoutTest(metric, arms) ?? byTest(metric, arms, config)),
  };
}

/** What needs no test: no data, or nothing to tell apart. */
function withoutTest(metric: KayentaMetric, { control, experiment }: Arms): Finding | undefined {
  const { name, nanStrategy = 'remove', critical = false, mustHaveData = false } = metric;
  if (control.length === 0 || experiment.length === 0) {
    const arm = experiment.length === 0 ? 'the canary' : 'the control';
    const reason = `${name}: no data for ${arm}`;
    if (nanStrategy === 'replace') return { label: 'Pass', reason: `${reason}, taken for nothing`, critical: false };
    if (mustHaveData && !critical) return { label: 'NodataFailMetric', reason, critical: false };
    return { label: 'Nodata', reason, critical };
  }
  if (sameValues(control, experiment)) {
    return { label: 'Pass', reason: `${name}: the values of both arms are identical`, critical: false };
  }
  if (new Set([...control, ...experiment]).size === 1) {
    return { label: 'Pass', reason: `${name}: one and the same value everywhere`, critical: false };
  }
  return undefined;
}

function byTest(metric: KayentaMetric, arms: Arms, config: Parameters<typeof classifyKayentaMetric>[2] = {}): Finding {
  const { toleranceFraction = TOLERANCE_FRACTION, confidence = CONFIDENCE } = config;
  const { name, critical = false } = metric;
  const { control, experiment } = withNoise(arms, config.noise ?? fixedNoise());
  if (![...control, ...experiment].every(Number.isFinite)) {
    // Kayenta catches any failure of the test here; such a metric is in no score, even if it is critical.
    return { label: 'Error', reason: `${name}: a value is infinite, there is no test for it`, critical: false };
  }
  const shift = mannWhitneyShift(experiment, control, confidence);
  const ratio = meanRatio(control, experiment);
  const effect = effectSizeOf(metric.effectSize?.measure, control, experiment);
  const label = labelOf(metric, shift, toleranceFraction * Math.abs(shift.estimate), effect);
  const isCritical = critical && label !== 'Pass' && isBeyond(label, effect, sizes(metric).critical);
  return {
    label,
    reason: sentence(name, label, shift, isCritical),
    critical: isCritical,
    shift,
    meanRatio: Number.isNaN(ratio) ? null : ratio,
    effectSize: Number.isNaN(effect) ? null : effect,
  };
}

function labelOf(
  metric: KayentaMetric,
  { lower, upper }: LocationShift,
  band: number,
  effect: number,
): 'Pass' | 'High' | 'Low' {
  const { direction = 'either' } = metric;
  const { allowed } = sizes(metric);
  if (direction !== 'decrease' && lower > band && isBeyond('High', effect, allowed)) return 'High';
  if (direction !== 'increase' && upper < -band && isBeyond('Low', effect, allowed)) return 'Low';
  return 'Pass';
}

interface Limits {
  readonly increase: number;
  readonly decrease: number;
}

function sizes({ effectSize = {} }: KayentaMetric): { readonly allowed: Limits; readonly critical: Limits } {
  const none = effectSize.measure === 'cles' ? 0.5 : 1;
  const {
    allowedIncrease = none,
    allowedDecrease = none,
    criticalIncrease = none,
    criticalDecrease = none,
  } = effectSize;
  return {
    allowed: { increase: allowedIncrease, decrease: allowedDecrease },
    critical: { increase: criticalIncrease, decrease: criticalDecrease },
  };
}

/** An effect that cannot be computed counts as large enough. */
function isBeyond(label: 'High' | 'Low', effect: number, limits: Limits): boolean {
  if (Number.isNaN(effect)) return true;
  return label === 'High' ? effect >= limits.increase : effect <= limits.decrease;
}

/** Constants have no interval: Kayenta adds noise to both arms, drawn anew each time. Here the draw is given. */
function withNoise({ control, experiment }: Arms, noise: () => number): Arms {
  if (new Set(control).size !== 1 || new Set(experiment).size !== 1) return { control, experiment };
  const noisy = (values: readonly number[]) => values.map((value) => value + noise() * value * NOISE_FRACTION);
  const [first, second] = [noisy(experiment), noisy(control)];
  return { control: second, experiment: first };
}

/** Normal scores of a golden-ratio sequence: spread like a normal sample, the same each time. */
function fixedNoise(): () => number {
  let turn = 0;
  return () => {
    turn = (turn + 0.6180339887498949) % 1;
    return normalQuantile(turn);
  };
}

function sameValues(control: readonly number[], experiment: readonly number[]): boolean {
  if (control.length !== experiment.length) return false;
  const ordered = [...experiment].sort((a, b) => a - b);
  return [...control].sort((a, b) => a - b).every((value, i) => value === ordered[i]);
}

function sentence(name: string, label: KayentaLabel, { lower, upper }: LocationShift, critical: boolean): string {
  const shift = `the shift lies between ${short(lower)} and ${short(upper)}`;
  return `${name}: ${label}${critical ? ', critical' : ''}; ${shift}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
