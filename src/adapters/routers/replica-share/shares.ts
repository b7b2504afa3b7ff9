// Replica share as numbers: how many canary pods a weight is, which ones, and what that is in fact. Pure.

import { TRAFFIC_GATE } from '../../../cluster/names.ts';
import type { Pod } from '../../../cluster/objects.ts';
import { createdAt } from '../../../cluster/places.ts';
import { conditionOf, isStarted } from '../../../cluster/pods.ts';
import type { WeightedRevision } from '../../../core/model/split.ts';

/**
 * So many pods that their part is nearest to the weight and not above it, but one at least: a pod is the smallest part
 * there is.
 */
export function podsFor(weightPercent: number, stableReady: number, canaryStarted: number): number {
  if (weightPercent <= 0 || stableReady === 0) return 0;
  const weight = Math.min(weightPercent, 99.99);
  const pods = Math.floor((weight * stableReady) / (100 - weight) + 1e-9);
  return Math.min(Math.max(pods, 1), canaryStarted);
}

export function isLetIn(pod: Pod): boolean {
  return conditionOf(pod, TRAFFIC_GATE)?.status === 'True';
}

/** Those in stay in; then the oldest. A pod that does not answer takes nobody's place. */
export function chosen(pods: readonly Pod[], count: number): readonly Pod[] {
  const order = (pod: Pod) =>
    `${isLetIn(pod) ? 0 : 1} ${String(createdAt(pod)).padStart(15, '0')} ${pod.metadata.name}`;
  return pods
    .filter(isStarted)
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .slice(0, count);
}

/** Percent of connections, to two digits; of 0 pods, all is stable's. */
export function partOf(canaryIn: number, stableIn: number): number {
  const all = canaryIn + stableIn;
  return all === 0 ? 0 : Math.round((10_000 * canaryIn) / all) / 100;
}

/** "1 of 4 pods: 25 % of connections (asked 5 %)" */
export function partText(canaryIn: number, stableIn: number, askedPercent: number): string {
  const part = partOf(canaryIn, stableIn);
  const pods = `${canaryIn} of ${canaryIn + stableIn} pods: ${part} % of connections`;
  return part === askedPercent ? pods : `${pods} (asked ${askedPercent} %)`;
}

export function weightsOf(stable: string, canary: string | null, canaryPercent: number): readonly WeightedRevision[] {
  const rest = Math.round((100 - canaryPercent) * 100) / 100;
  const weights = [{ revision: stable, weightPercent: rest }];
  return canary === null || canaryPercent <= 0
    ? weights
    : [...weights, { revision: canary, weightPercent: canaryPercent }];
}
