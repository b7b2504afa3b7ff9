// Native (exponential) histograms of Prometheus as the classic ones they stand for: one cumulative series per boundary of our
// own latency buckets, which are those of schema 3, so that nothing is split or interpolated. Finer schemas are merged into
// them. Refuses a histogram whose resolution changed on the way: its buckets cannot be told apart any more.
import { LATENCY_BOUNDARIES, latencyBucket } from '../../core/model/latency-buckets.ts';
import type { Series } from './prometheus-body.ts';
import { badData } from './recorded.ts';

/** As in the HTTP API: [rule, left, right, count], numbers as texts. */
type NativeBucket = readonly [rule: number, left: string, right: string, count: string];
type NativePoint = readonly [seconds: number, histogram: { readonly buckets?: readonly NativeBucket[] }];

export function classicSeries(
  labels: Readonly<Record<string, string>>,
  points: readonly NativePoint[],
  file: string,
): readonly Series[] {
  const counted = points.map(([seconds, { buckets = [] }]) => ({
    atMs: Math.round(seconds * 1_000),
    counts: countsOf(buckets),
  }));
  const used = [...new Set(counted.flatMap(({ counts }) => [...counts.keys()]))].sort((a, b) => a - b);
  const last = LATENCY_BOUNDARIES.length - 1;
  if (used.at(-1) !== last) used.push(last);
  const cumulative = counted.map(({ atMs, counts }) => ({ atMs, upTo: cumulate(used, counts) }));
  refuseChange(cumulative, labels, file);
  return used.map((bucket, i) => {
    const seconds = LATENCY_BOUNDARIES[bucket] ?? Number.POSITIVE_INFINITY;
    const le = seconds === Number.POSITIVE_INFINITY ? '+Inf' : String(seconds);
    return { labels: { ...labels, le }, values: new Map(cumulative.map(({ atMs, upTo }) => [atMs, upTo[i] ?? 0])) };
  });
}

/** Negative latencies and the zero bucket are as fast as can be told. */
function countsOf(buckets: readonly NativeBucket[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const [, , right, count] of buckets) {
    // A schema's boundary may come a rounding above ours.
    const bucket = latencyBucket(Number(right) * (1 - 1e-9));
    counts.set(bucket, (counts.get(bucket) ?? 0) + Number(count));
  }
  return counts;
}

function cumulate(used: readonly number[], counts: ReadonlyMap<number, number>): readonly number[] {
  let sum = 0;
  return used.map((bucket) => {
    sum += counts.get(bucket) ?? 0;
    return sum;
  });
}

/** All requests went on, and those below a boundary fell: buckets were merged between two scrapes. */
function refuseChange(
  points: readonly { readonly upTo: readonly number[] }[],
  labels: Readonly<Record<string, string>>,
  file: string,
): void {
  for (let i = 1; i < points.length; i++) {
    const before = points[i - 1]?.upTo ?? [];
    const after = points[i]?.upTo ?? [];
    const isReset = (after.at(-1) ?? 0) < (before.at(-1) ?? 0);
    if (isReset || after.every((count, bucket) => count >= (before[bucket] ?? 0))) continue;
    throw badData(
      { file, line: null },
      `the native histogram ${labels.__name__ ?? ''} changed its resolution within the range`,
      'ask for a range in which it did not, or raise native_histogram_bucket_limit',
    );
  }
}
