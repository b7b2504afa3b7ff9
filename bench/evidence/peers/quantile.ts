// Prometheus' histogram_quantile over one window's bucket counts: linear inside the bucket the rank falls into.
import type { ArmCounts, World } from '../contestant.ts';

/** Seconds; NaN without observations, and the last finite boundary if the rank falls into the open bucket. */
export function histogramQuantile(quantile: number, { latency }: ArmCounts, { boundaries }: World): number {
  if (latency === null || boundaries === null) return Number.NaN;
  const total = latency.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  const rank = quantile * total;
  let below = 0;
  for (let i = 0; i < latency.length; i++) {
    const count = latency[i] ?? 0;
    if (below + count < rank || count === 0) {
      below += count;
      continue;
    }
    const end = boundaries[i] ?? Number.POSITIVE_INFINITY;
    const start = i === 0 ? 0 : (boundaries[i - 1] ?? 0);
    if (end === Number.POSITIVE_INFINITY) return start;
    return start + (end - start) * ((rank - below) / count);
  }
  return boundaries.at(-2) ?? Number.NaN;
}
