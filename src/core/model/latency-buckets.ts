// The fixed latency buckets every histogram of the embedded gateway uses: exponential, as in Prometheus native
// histograms of schema 3 (each boundary is 2^(1/8) = 9 % above the one before), so that two histograms always line up.

/** Buckets per doubling. */
const PER_DOUBLING = 8;
/** The upper boundary of bucket 0. */
const FIRST_SECONDS = 2 ** -14; // 61 microseconds
/** The last bucket takes everything slower: boundary(LAST - 1) is 128 s. */
export const LATENCY_BUCKETS = 21 * PER_DOUBLING + 2;

/** Upper boundary of a bucket in seconds; Infinity for the last. */
export function latencyBoundary(index: number): number {
  return index >= LATENCY_BUCKETS - 1 ? Number.POSITIVE_INFINITY : FIRST_SECONDS * 2 ** (index / PER_DOUBLING);
}

/** The bucket a latency falls into: the first whose upper boundary is not below it. */
export function latencyBucket(seconds: number): number {
  if (!(seconds > FIRST_SECONDS)) return 0;
  const index = Math.ceil(Math.log2(seconds / FIRST_SECONDS) * PER_DOUBLING - 1e-9);
  return Math.min(index, LATENCY_BUCKETS - 1);
}

/** Upper boundaries of all buckets, ascending; the last is Infinity. */
export const LATENCY_BOUNDARIES: readonly number[] = Array.from({ length: LATENCY_BUCKETS }, (_, index) =>
  latencyBoundary(index),
);
