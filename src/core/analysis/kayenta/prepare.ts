// What happens to an arm's values before they are compared: values that are no number, and outliers by the
// interquartile range, as Kayenta's Transforms.scala and IQRDetector.scala have it. Refuses to judge anything.

import type { KayentaMetric } from './config.ts';

const OUTLIER_FACTOR = 3;

export function prepareSeries(values: readonly number[], { nanStrategy, outliers }: KayentaMetric): readonly number[] {
  const numbers =
    nanStrategy === 'replace'
      ? values.map((value) => (Number.isNaN(value) ? 0 : value))
      : values.filter((value) => !Number.isNaN(value));
  return outliers?.strategy === 'remove' ? withoutOutliers(numbers, outliers.factor ?? OUTLIER_FACTOR, true) : numbers;
}

/**
 * Values inside the fences Q1 − f·IQR and Q3 + f·IQR (Tukey). With less sensitivity, which the judge always asks for,
 * the fences are never inside the 1st and 99th percentile.
 */
export function withoutOutliers(values: readonly number[], factor: number, lessSensitive: boolean): readonly number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const [q1, q3] = [percentileOf(sorted, 25), percentileOf(sorted, 75)];
  let low = q1 - factor * (q3 - q1);
  let high = q3 + factor * (q3 - q1);
  if (lessSensitive) {
    low = Math.min(low, percentileOf(sorted, 1));
    high = Math.max(high, percentileOf(sorted, 99));
  }
  return values.filter((value) => !(value > high || value < low));
}

/** The estimate R-7 (Hyndman & Fan 1996): linear between order statistics at 1 + p(n − 1). NaN of nothing. */
export function percentileOf(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = 1 + (percent / 100) * (sorted.length - 1);
  const rank = Math.floor(position);
  const lower = sorted[rank - 1] ?? Number.NaN;
  const upper = sorted[rank] ?? lower;
  return lower + (position - rank) * (upper - lower);
}
