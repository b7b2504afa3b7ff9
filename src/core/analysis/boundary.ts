// Which latency counts as slow: a bucket boundary taken from stable's history before anything is compared
// (statistics 2.4). Chosen once per release; choosing it from the data it then judges would void the guarantee.
import { LATENCY_BUCKETS, latencyBoundary } from '../model/latency-buckets.ts';

export type BucketCounts = readonly (readonly [index: number, count: number])[];

/** Slow requests stable must have shown before its quantile is believed. */
export const ENOUGH_SLOW = 20;

/**
 * The tail is looked at from further in, too: where stable leaves this many times 1 - quantile. A past with a stall in it
 * (a busy machine, an incident) moves the outermost line far out; these stay near where most slow requests are.
 */
const WIDER_TAILS = [2.5, 6];
/** Beyond half of all requests it is no tail any more. */
const WIDEST = 0.5;

/** The lines further in than `boundary`, outermost first, each once. */
export function widerBoundaries(counts: BucketCounts, quantile: number, boundary: number): readonly number[] {
  const chosen = WIDER_TAILS.filter((factor) => factor * (1 - quantile) <= WIDEST)
    .map((factor) => chooseBoundary(counts, 1 - factor * (1 - quantile)))
    .filter((wider): wider is number => wider !== null && wider < boundary);
  return [...new Set(chosen)];
}

/** Requests in buckets above `boundary`, i.e. slower than its upper boundary. */
export function slowerThan(counts: BucketCounts, boundary: number): number {
  return counts.reduce((sum, [index, count]) => (index > boundary ? sum + count : sum), 0);
}

export function totalOf(counts: BucketCounts): number {
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

/**
 * The bucket whose upper boundary leaves a tail nearest to 1 - quantile (by ratio); null while fewer than `enoughSlow`
 * requests lie in such a tail.
 */
export function chooseBoundary(counts: BucketCounts, quantile: number, enoughSlow = ENOUGH_SLOW): number | null {
  const total = totalOf(counts);
  const wanted = 1 - quantile;
  if (total * wanted < enoughSlow) return null;
  const sorted = [...counts].sort(([a], [b]) => b - a);
  let best: { boundary: number; distance: number } | null = null;
  let tail = 0;
  for (const [index, count] of sorted) {
    tail += count;
    const distance = Math.abs(Math.log(tail / total / wanted));
    // The tail is what lies in this bucket and above, so the line is the upper boundary of the bucket below it.
    if (index > 0 && (best === null || distance < best.distance)) best = { boundary: index - 1, distance };
  }
  return best?.boundary ?? null;
}

/** The bucket for an absolute limit: its first boundary at or above it, so that nothing faster is called slow. */
export function boundaryAtLeast(seconds: number): number {
  let index = 0;
  while (index < LATENCY_BUCKETS - 1 && latencyBoundary(index) < seconds) index++;
  return index;
}
