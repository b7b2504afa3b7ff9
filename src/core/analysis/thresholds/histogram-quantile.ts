// A quantile of a classic histogram, interpolated exactly as Prometheus' histogram_quantile does it (promql/quantile.go
// of prometheus/prometheus, v3). For thresholds that must agree with a dashboard. Refuses to be an estimate with an
// error: between two boundaries it is a guess, and in the last bucket it is the boundary below, however slow requests
// were.

export interface Bucket {
  /** Upper boundary, inclusive. The highest must be Infinity. */
  readonly upperBound: number;
  /** Requests up to this boundary: cumulative, as Prometheus counts them. */
  readonly count: number;
}

/** Differences of counts below this part of them are rounding. */
const ROUNDING = 1e-12;
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * The q-quantile; NaN without observations, with fewer than two boundaries, or where the highest boundary is not
 * Infinity. q below 0 gives −Infinity and above 1 Infinity.
 *
 * @example histogramQuantile(0.5, [{ upperBound: 1, count: 4 }, { upperBound: Infinity, count: 8 }]) // 1
 */
export function histogramQuantile(q: number, given: readonly Bucket[]): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const buckets = monotonic(coalesced(given));
  const last = buckets.at(-1);
  const secondLast = buckets.at(-2);
  if (last === undefined || secondLast === undefined || last.upperBound !== Number.POSITIVE_INFINITY) return Number.NaN;
  if (last.count === 0) return Number.NaN;
  const rank = q * last.count;
  const index = buckets.findIndex(({ count }) => count >= rank);
  const bucket = buckets[index];
  if (bucket === undefined || index === buckets.length - 1) return secondLast.upperBound;
  if (index === 0 && bucket.upperBound <= 0) return bucket.upperBound;
  // The first bucket is taken to begin at 0.
  const below = buckets[index - 1] ?? { upperBound: 0, count: 0 };
  const part = (rank - below.count) / (bucket.count - below.count);
  return below.upperBound + (bucket.upperBound - below.upperBound) * part;
}

/**
 * The same from requests per bucket, not cumulative, with their upper boundaries.
 *
 * @example quantileOfCounts(0.99, [0.1, 0.5, Infinity], [98, 2, 0]) // 0.3
 */
export function quantileOfCounts(q: number, boundaries: readonly number[], counts: readonly number[]): number {
  if (boundaries.length !== counts.length) {
    throw new RangeError(`a histogram needs one count per boundary, but got ${counts.length} for ${boundaries.length}`);
  }
  let total = 0;
  return histogramQuantile(
    q,
    boundaries.map((upperBound, i) => {
      total += counts[i] ?? 0;
      return { upperBound, count: total };
    }),
  );
}

/** In order of boundaries, each once: counts of equal boundaries add up. */
function coalesced(buckets: readonly Bucket[]): Bucket[] {
  const merged: Bucket[] = [];
  for (const bucket of [...buckets].sort((a, b) => (a.upperBound < b.upperBound ? -1 : 1))) {
    const last = merged.at(-1);
    if (last?.upperBound === bucket.upperBound) {
      merged[merged.length - 1] = { upperBound: last.upperBound, count: last.count + bucket.count };
    } else {
      merged.push(bucket);
    }
  }
  return merged;
}

/** A count below the one before it, or above it by rounding alone, becomes that one. */
function monotonic(buckets: readonly Bucket[]): Bucket[] {
  let before = Number.NEGATIVE_INFINITY;
  return buckets.map(({ upperBound, count }) => {
    if (count > before && !isRounding(before, count)) before = count;
    return { upperBound, count: before };
  });
}

/** Prometheus' almost.Equal. */
function isRounding(a: number, b: number): boolean {
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < ROUNDING * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < ROUNDING;
}
