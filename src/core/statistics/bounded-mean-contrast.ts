// One event's contribution to mean_c − r·mean_s, weighted by the inverse of the probability with which its arm was
// drawn. Refuses nothing; it is arithmetic for bounded-mean.ts and asymptotic-mean.ts.
//
//   Z = A·(g − b)/ρ − r·(1 − A)·(g − b)/(1 − ρ) + b·(1 − r),   A = 1 for the canary, ρ = P(A = 1), g ∈ [0, 1]
//
// Over the coin A the mean of Z is (g_c − b) − r·(g_s − b) + b·(1 − r) = g_c − r·g_s for any b that was fixed before the
// tick, g_c and g_s being what the event would score on either arm (Horvitz & Thompson 1952). b only takes away the noise
// of how many events each arm happened to get; it should be near the usual score.

export interface Contrast {
  /** Z of a canary event with score g is canarySlope · g + canaryAtZero; of a stable one likewise. */
  readonly canarySlope: number;
  readonly canaryAtZero: number;
  readonly stableSlope: number;
  readonly stableAtZero: number;
  /** The least and the greatest value Z can take: always below and above 0. */
  readonly lowest: number;
  readonly highest: number;
}

export function contrastOf(share: number, toleranceRatio: number, center: number): Contrast {
  const canarySlope = 1 / share;
  const stableSlope = -toleranceRatio / (1 - share);
  const shift = center * (1 - toleranceRatio);
  const canaryAtZero = shift - center * canarySlope;
  const stableAtZero = shift - center * stableSlope;
  return {
    canarySlope,
    canaryAtZero,
    stableSlope,
    stableAtZero,
    lowest: Math.min(canaryAtZero, stableAtZero + stableSlope),
    highest: Math.max(canaryAtZero + canarySlope, stableAtZero),
  };
}

/** How often each value of Z occurred in a tick; values without events are left out. */
export function contrastValues(
  contrast: Contrast,
  counts: { readonly canary: readonly number[]; readonly stable: readonly number[] },
  levels: readonly number[],
): readonly (readonly [value: number, count: number])[] {
  const values: [number, number][] = [];
  levels.forEach((level, k) => {
    const canary = counts.canary[k] ?? 0;
    const stable = counts.stable[k] ?? 0;
    if (canary > 0) values.push([contrast.canaryAtZero + contrast.canarySlope * level, canary]);
    if (stable > 0) values.push([contrast.stableAtZero + contrast.stableSlope * level, stable]);
  });
  return values;
}
