// What the rule of a peer reads: counts of one version, summed over one of its intervals, and the one value made of them
// at the end. Refuses to average values: a rate of sums and a quantile of summed buckets, as a query over the interval.
import { LATENCY_BOUNDARIES } from '../model/latency-buckets.ts';
import type { Sample } from '../model/measurement.ts';
import { quantileOfCounts } from './thresholds/index.ts';

export interface PeerSums {
  readonly total: number;
  readonly bad: number;
  /** Latency: requests per bucket, sparse, ascending. */
  readonly counts: readonly (readonly [index: number, count: number])[];
  /** Finite upper ends of the buckets in seconds (Infinity is no JSON); null: our own buckets, or none seen yet. */
  readonly ends: readonly number[] | null;
}

export const NO_SUMS: PeerSums = { total: 0, bad: 0, counts: [], ends: null };

/** Null if the buckets are not those that were summed so far. */
export function addSample(sums: PeerSums, sample: Sample | undefined): PeerSums | null {
  switch (sample?.kind) {
    case 'proportion':
      return { ...sums, total: sums.total + sample.total, bad: sums.bad + sample.bad };
    case 'latency': {
      const ends = sample.boundaries?.slice(0, -1) ?? null;
      if (sums.total > 0 && String(ends) !== String(sums.ends)) return null;
      const counts = new Map(sums.counts);
      let { total } = sums;
      for (const [index, count] of sample.counts) {
        counts.set(index, (counts.get(index) ?? 0) + count);
        total += count;
      }
      return { total, bad: 0, counts: [...counts].sort(([a], [b]) => a - b), ends };
    }
    default:
      return sums;
  }
}

/** Part of the requests that were bad; null without a request. */
export function badFraction({ total, bad }: PeerSums): number | null {
  return total === 0 ? null : bad / total;
}

/** The quantile as a dashboard would show it, in seconds; null without a request. */
export function quantileSeconds({ total, counts, ends }: PeerSums, quantile: number): number | null {
  if (total === 0) return null;
  const boundaries = ends === null ? LATENCY_BOUNDARIES : [...ends, Number.POSITIVE_INFINITY];
  const dense = new Array<number>(boundaries.length).fill(0);
  for (const [index, count] of counts) dense[index] = count;
  const seconds = quantileOfCounts(quantile, boundaries, dense.slice(0, boundaries.length));
  return Number.isFinite(seconds) ? seconds : null;
}
