// How noisy the place is, read from stable's replicas before the release: how much more they scatter than independent
// requests would (evidence is divided by it), and whether one of them would look harmful beside the others although they
// are the same version (statistics 2.6). Refuses to look at the release itself: estimated in it, alpha would not hold.
import type { Check } from '../model/check.ts';
import type { ReplicaTally } from '../model/measurement.ts';
import { dispersionOfReplicas } from '../statistics/index.ts';

export interface Noise {
  /** phi >= 1; 1 where nothing is known of it. */
  readonly dispersion: number;
  /** Whether phi was measured; false means that requests are taken as independent. */
  readonly isMeasured: boolean;
  /** The smallest tolerance ratio at which no stable replica looked harmful; null if none was asked or none is quiet. */
  readonly quietRatio: number | null;
}

export const UNKNOWN_NOISE: Noise = { dispersion: 1, isMeasured: false, quietRatio: null };

/** Whether stable's scatter is to be read for this check at all. */
export function hasNoise(check: Check): boolean {
  return check.rule === null && (check.tolerance !== null || check.limit !== null) && check.metric.kind === 'errors';
}

export function noiseFrom(slices: readonly (readonly ReplicaTally[])[] | undefined, ratio: number | null): Noise {
  if (slices === undefined) return UNKNOWN_NOISE;
  const dispersion = dispersionOfReplicas(slices);
  if (dispersion === undefined) return UNKNOWN_NOISE;
  return { dispersion, isMeasured: true, quietRatio: ratio };
}

/** The place is too noisy for the tolerance: said with the verdict, decided by nobody but the reader. */
export function noiseWarning(noise: Noise | null, ratio: number | null): string | null {
  if (noise === null || !noise.isMeasured || ratio === null) return null;
  if (noise.quietRatio !== null && noise.quietRatio <= ratio) return null;
  const wider = noise.quietRatio === null ? 'a wider ratio, or more replicas' : `ratio ${noise.quietRatio}`;
  return `stable's own replicas differ by more than ${ratio} x; ${wider} would be quiet here`;
}
