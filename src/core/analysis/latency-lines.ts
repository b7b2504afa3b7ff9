// The lines a latency comparison looks at: bucket boundaries taken from stable's past before anything is compared
// (statistics 2.4). Chosen once per release; choosing them from the data they then judge would void the guarantee.
import { LATENCY_BOUNDARIES } from '../model/latency-buckets.ts';
import type { Sample } from '../model/measurement.ts';
import { chooseLines } from '../statistics/index.ts';

export type LatencySample = Extract<Sample, { kind: 'latency' }>;
export type BucketCounts = LatencySample['counts'];

/** Slow requests stable must have shown before its quantile is believed. */
export const ENOUGH_SLOW = 20;

/**
 * Promotion looks at the line of the quantile, and at one further in, where stable leaves this many times as large a
 * tail: a past with a stall in it (a busy machine, an incident) moves the outermost line far out (ADR 0015).
 */
const WIDER_TAIL = 6;
/** Beyond half of all requests it is no tail any more. */
const WIDEST = 0.5;

export interface LatencyLines {
  /** Bucket indexes, ascending: "slow" is slower than the bucket's upper boundary. */
  readonly lines: readonly number[];
  /** The share of stable's requests that was slower than each, in its past. */
  readonly tails: readonly number[];
  /** Which of them promotion and the risk bound look at, as positions in `lines`; the quantile's own line comes first. */
  readonly bound: readonly number[];
}

/** Upper ends of a sample's buckets, in seconds. */
export function boundariesOf(sample: LatencySample): readonly number[] {
  return sample.boundaries ?? LATENCY_BOUNDARIES;
}

/** Requests slower than the upper boundary of bucket `line`. */
export function slowerThan(counts: BucketCounts, line: number): number {
  let slower = 0;
  for (const [index, count] of counts) if (index > line) slower += count;
  return slower;
}

export function totalOf(counts: BucketCounts): number {
  let total = 0;
  for (const [, count] of counts) total += count;
  return total;
}

/** Lines for the check's quantile from what stable did before; null while its past is too short to say what is slow. */
export function linesFrom(sample: LatencySample, quantile: number, enoughSlow = ENOUGH_SLOW): LatencyLines | null {
  const total = totalOf(sample.counts);
  const wanted = 1 - quantile;
  if (total * wanted < enoughSlow) return null;
  const tails = tailsOf(sample);
  const own = nearestLine(tails, wanted);
  if (own === null) return null;
  const wider = WIDER_TAIL * wanted <= WIDEST ? nearestLine(tails, WIDER_TAIL * wanted) : null;
  const bounds = wider === null || wider >= own ? [own] : [own, wider];
  const chosen = chooseLines(
    tails.map(([, tail]) => tail),
    bounds.map((line) => tails.findIndex(([index]) => index === line)),
  ).map((position) => tails[position] ?? ([0, 1] as const));
  const lines = chosen.map(([line]) => line);
  return { lines, tails: chosen.map(([, tail]) => tail), bound: bounds.map((line) => lines.indexOf(line)) };
}

/** [line, share of requests slower than it], ascending, for every line that has requests on both sides or just above. */
function tailsOf(sample: LatencySample): readonly (readonly [line: number, tail: number])[] {
  const { counts } = sample;
  const total = totalOf(counts);
  const open = boundariesOf(sample).length - 1;
  const sorted = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const tails: [number, number][] = [];
  let slower = total;
  for (const [index, count] of sorted) {
    // Where a bucket has requests, the boundaries below and above it are the lines that tell something.
    if (index > 0 && tails.at(-1)?.[0] !== index - 1) tails.push([index - 1, slower / total]);
    slower -= count;
    // Nothing is slower than the end of the open bucket.
    if (index < open) tails.push([index, slower / total]);
  }
  return tails;
}

/** The line whose tail is nearest to `wanted` by ratio. */
function nearestLine(tails: readonly (readonly [number, number])[], wanted: number): number | null {
  let best: { line: number; distance: number } | null = null;
  for (const [line, tail] of tails) {
    if (tail <= 0) continue;
    const distance = Math.abs(Math.log(tail / wanted));
    if (best === null || distance < best.distance) best = { line, distance };
  }
  return best?.line ?? null;
}

/** The line of an absolute limit: the first boundary at or above it, so that nothing faster is called slow. */
export function lineAtLeast(seconds: number, boundaries: readonly number[]): number {
  const index = boundaries.findIndex((boundary) => boundary >= seconds);
  return index < 0 ? boundaries.length - 1 : index;
}
