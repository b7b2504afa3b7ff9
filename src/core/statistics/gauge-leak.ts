// When a gauge that keeps rising will reach its limit: a line through the readings that a third of outliers cannot turn
// (Theil 1950; Sen 1968, JASA 63, 1379). For a hold, not for an abort: refuses to say why it rises, and a cache that fills
// looks like a leak until it is full.

import { checkReadings, median } from './gauge-blocks.ts';

export interface GaugePoint {
  readonly atMs: number;
  readonly value: number;
}

export interface LeakProjection {
  readonly points: number;
  /** The median of the slopes between all pairs of points, in the gauge's unit. */
  readonly slopePerHour: number;
  /** Sen's 95 % limits of it, by Kendall's variance. They assume independent points: give block means, not raw readings. */
  readonly lowerSlopePerHour: number;
  readonly upperSlopePerHour: number;
  /** Where the line stands at the last point. */
  readonly level: number;
  /** Until the line reaches the limit; 0 if it is there; undefined if it does not rise. */
  readonly timeToLimitMs: number | undefined;
  /** The same with the upper slope: not sooner than this, with some confidence. */
  readonly earliestMs: number | undefined;
  /** Whether even the lower slope rises: below that, a rise is no more than noise. */
  readonly isRising: boolean;
}

const HOUR_MS = 3_600_000;
const LEAST_POINTS = 4;
/** All pairs are compared: 512 points are 130 816 slopes. */
const MOST_POINTS = 512;
/** The 97.5 % point of the normal distribution. */
const Z = 1.959963984540054;

/**
 * The line and the time it leaves. Points rise in time; for a gauge that must not fall, give negated values and a negated
 * limit. undefined with fewer than four points.
 *
 * @example projectLeak(points, limitBytes)?.timeToLimitMs
 */
export function projectLeak(points: readonly GaugePoint[], limit: number): LeakProjection | undefined {
  checkPoints(points);
  if (!Number.isFinite(limit)) throw new RangeError(`limit must be a finite number, but got ${limit}`);
  const last = points.at(-1);
  if (points.length < LEAST_POINTS || last === undefined) return undefined;
  const slopes = slopesOf(points);
  const slope = median(slopes);
  const level = median(points.map(({ atMs, value }) => value + slope * ((last.atMs - atMs) / HOUR_MS)));
  const [lower, upper] = limitsOf(slopes, points);
  return {
    points: points.length,
    slopePerHour: slope,
    lowerSlopePerHour: lower,
    upperSlopePerHour: upper,
    level,
    timeToLimitMs: timeTo(limit - level, slope),
    earliestMs: timeTo(limit - level, upper),
    isRising: lower > 0,
  };
}

function timeTo(left: number, slopePerHour: number): number | undefined {
  if (left <= 0) return 0;
  const timeMs = (left / slopePerHour) * HOUR_MS;
  return slopePerHour > 0 && Number.isFinite(timeMs) ? timeMs : undefined;
}

/** Between all pairs of points, ascending. */
function slopesOf(points: readonly GaugePoint[]): readonly number[] {
  const slopes: number[] = [];
  points.forEach((later, i) => {
    for (const earlier of points.slice(0, i)) {
      slopes.push((later.value - earlier.value) / ((later.atMs - earlier.atMs) / HOUR_MS));
    }
  });
  return slopes.sort((a, b) => a - b);
}

/** Sen 1968, eq. 2.6: the slopes whose ranks lie z·σ on either side of the middle, σ² being the variance of Kendall's S. */
function limitsOf(slopes: readonly number[], points: readonly GaugePoint[]): readonly [lower: number, upper: number] {
  const spread = Z * Math.sqrt((kendall(points.length) - tieCorrection(points)) / 18);
  const lower = Math.max(0, Math.round((slopes.length - spread) / 2) - 1);
  const upper = Math.min(slopes.length - 1, Math.round((slopes.length + spread) / 2));
  return [slopes[lower] ?? Number.NaN, slopes[upper] ?? Number.NaN];
}

function kendall(n: number): number {
  return n * (n - 1) * (2 * n + 5);
}

function tieCorrection(points: readonly GaugePoint[]): number {
  const times = new Map<number, number>();
  for (const { value } of points) times.set(value, (times.get(value) ?? 0) + 1);
  return [...times.values()].reduce((sum, n) => sum + kendall(n), 0);
}

function checkPoints(points: readonly GaugePoint[]): void {
  if (points.length > MOST_POINTS) {
    throw new RangeError(`at most ${MOST_POINTS} points are compared, but got ${points.length}: give block means`);
  }
  checkReadings(points.flatMap(({ atMs, value }) => [atMs, value]));
  points.forEach(({ atMs }, i) => {
    const before = points[i - 1];
    if (before !== undefined && atMs <= before.atMs) {
      throw new RangeError(`points must rise in time, but ${atMs} follows ${before.atMs}`);
    }
  });
}
