// How noisy the place is, read from stable's replicas before the release: how much more they scatter than independent
// requests would (evidence is divided by it), and whether one of them would look harmful beside the others although they
// are the same version (statistics 2.6). Refuses to look at the release itself: estimated in it, alpha would not hold.
import type { Check } from '../model/check.ts';
import type { ReplicaTally } from '../model/measurement.ts';
import { estimateDispersion, placebo } from '../statistics/index.ts';

interface Tick {
  readonly alpha: number;
  readonly tickMs: number;
}

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

export function noiseFrom(
  slices: readonly (readonly ReplicaTally[])[] | undefined,
  ratio: number | null,
  tick: Tick,
): Noise {
  if (slices === undefined) return UNKNOWN_NOISE;
  const estimate = estimateDispersion(slices);
  if (estimate === undefined || !estimate.isEnough) return UNKNOWN_NOISE;
  const dispersion = estimate.phi > CLUSTERED ? estimate.upper : estimate.phi;
  return {
    dispersion,
    isMeasured: true,
    quietRatio: ratio === null ? null : quietRatio(slices, ratio, { ...tick, dispersion }),
  };
}

/**
 * From here on errors plainly come in clusters, and phi's own error counts: what is divided by is the upper estimate. Below,
 * scatter is hardly told from chance, and the upper estimate would cost independent requests 3 to 6 % of their evidence.
 */
const CLUSTERED = 1.5;

/** Slices that are looked at for it: ten minutes say enough, and a release should start at once. */
const PLACEBO_SLICES = 60;

/** The declared ratio if every stable replica is quiet at it, else the smallest wider one at which all are. */
function quietRatio(
  slices: readonly (readonly ReplicaTally[])[],
  ratio: number,
  options: Tick & { readonly dispersion: number },
): number | null {
  const replicas = slices.at(-1)?.length ?? 0;
  const like = slices.filter((slice) => slice.length === replicas).slice(-PLACEBO_SLICES);
  if (placebo(like, { ...options, ratios: [ratio] })?.quietRatio === ratio) return ratio;
  return placebo(like, { ...options, ratios: WIDER.filter((wider) => wider > ratio) })?.quietRatio ?? null;
}

const WIDER = [1.25, 1.5, 2, 3];

/** The place is too noisy for the tolerance: said with the verdict, decided by nobody but the reader. */
export function noiseWarning(noise: Noise | null, ratio: number | null): string | null {
  if (noise === null || !noise.isMeasured || ratio === null) return null;
  if (noise.quietRatio !== null && noise.quietRatio <= ratio) return null;
  const wider = noise.quietRatio === null ? 'a wider ratio, or more replicas' : `ratio ${noise.quietRatio}`;
  return `stable's own replicas differ by more than ${ratio} x; ${wider} would be quiet here`;
}
