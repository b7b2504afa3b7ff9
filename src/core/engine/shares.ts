// Compares the shares seen with the weights asked, window by window (sample-ratio mismatch). Only windows in which chance
// drew each request by itself can be compared: users kept on their version bring their habits with them.
import { addShares, type SampleRatio } from '../analysis/index.ts';
import type { Measurement } from '../model/measurement.ts';
import type { Release } from './state.ts';

export function foldShares(release: Release, measurement: Measurement, weightPercent: number | null): SampleRatio {
  const { policy, from, to, sampleRatio } = release;
  const { drawn } = measurement;
  const isDrawnSingly = policy.userKey === null && policy.affinity === null;
  if (!isDrawnSingly || weightPercent === null || weightPercent <= 0 || drawn === undefined || from === null)
    return sampleRatio;
  return addShares(sampleRatio, {
    canary: drawn[to.revision] ?? 0,
    stable: drawn[from.revision] ?? 0,
    weightPercent,
    intervalMs: policy.intervalMs,
  });
}
