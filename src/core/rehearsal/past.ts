// Stable's past as the engine is told of it. One place, because what the engine asks of the past may grow.
import type { Check } from '../model/check.ts';
import { latencyBucket } from '../model/latency-buckets.ts';
import type { History, Reading, ReplicaTally } from '../model/measurement.ts';
import type { TrueArm } from './truth.ts';
import { latencySampleOf } from './windows.ts';

/** What stable did before the release. */
export interface Past {
  readonly stable: TrueArm;
  /** As in the truth. */
  readonly boundaries: readonly number[] | null;
  /** Stable's replicas in slices of time; absent if the source does not tell them apart. */
  readonly replicas?: readonly (readonly ReplicaTally[])[];
}

export function historyOf(checks: readonly Check[], past: Past | null, stable: string): History | null {
  if (past === null) return null;
  const bucketOf = past.boundaries?.map((seconds) => latencyBucket(seconds)) ?? [];
  const readings: Record<string, Reading> = {};
  for (const { name, metric } of checks) {
    if (metric.kind === 'latency') {
      if (past.stable.latency === null) continue;
      readings[name] = { kind: 'samples', byRevision: { [stable]: latencySampleOf(past.stable.latency, bucketOf) } };
    } else if (metric.kind !== 'gauge') {
      const { total, bad } = past.stable;
      readings[name] = { kind: 'samples', byRevision: { [stable]: { kind: 'proportion', total, bad } } };
    }
  }
  const { replicas } = past;
  if (replicas === undefined) return { readings };
  const counted = checks.filter(({ metric }) => metric.kind === 'errors');
  return { readings, replicas: Object.fromEntries(counted.map(({ name }) => [name, replicas])) };
}
