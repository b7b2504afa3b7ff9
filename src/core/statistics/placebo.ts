// Placebo canaries: each stable replica in turn is judged as if it were the canary, against the other replicas, over the
// time before the release. All run the same version, so an alarm says that the environment is too noisy for the tolerance
// asked: a slow node, uneven traffic. Refuses to correct anything: a lasting difference of one replica cannot be told
// from a difference of its version, and the remedy is a wider tolerance or more replicas.
//
// Each replica is held to the line ln(1/α) that a canary would be, not to one lowered for their number: without noise, at
// most replicas · α of such histories alarm by chance (far fewer in practice).

import type { EvidenceOptions } from './counts.ts';
import type { ReplicaCounts } from './dispersion.ts';
import { addTick, startRateRatio } from './rate-ratio.ts';

/** The tolerances that are tried, ascending. */
export const PLACEBO_RATIOS: readonly number[] = [1, 1.1, 1.25, 1.5, 2];

export interface PlaceboOptions extends EvidenceOptions {
  /** Tolerance ratios to try, ascending. Default 1, 1.1, 1.25, 1.5, 2. */
  readonly ratios?: readonly number[];
}

export interface PlaceboResult {
  readonly replicas: number;
  readonly slices: number;
  /** Per tolerance ratio tried: the highest ln E of each replica, and how many replicas crossed the line. */
  readonly byRatio: readonly {
    readonly toleranceRatio: number;
    readonly peakLogE: readonly number[];
    readonly alarms: number;
  }[];
  /** The smallest ratio tried from which on no replica alarms; undefined if even the largest is too small. */
  readonly quietRatio: number | undefined;
}

/**
 * What would have happened to each stable replica as a canary. Slices are as long as a tick of the release and list the
 * same replicas in the same order; one that was not there has a total of 0. undefined with fewer than two replicas or
 * without slices.
 *
 * @example placebo(history, { tickMs: 15_000, dispersion: estimateDispersion(history)?.upper ?? 1 })?.quietRatio
 */
export function placebo(
  slices: readonly (readonly ReplicaCounts[])[],
  options: PlaceboOptions,
): PlaceboResult | undefined {
  const { ratios = PLACEBO_RATIOS, alpha = 0.01 } = options;
  checkRatios(ratios);
  const replicas = slices[0]?.length ?? 0;
  for (const slice of slices) {
    if (slice.length !== replicas) {
      throw new RangeError(`every slice must list the same ${replicas} replicas, but one has ${slice.length}`);
    }
  }
  if (replicas < 2) return undefined;
  const line = -Math.log(alpha);
  const byRatio = ratios.map((toleranceRatio) => {
    const peakLogE = Array.from({ length: replicas }, (_, i) => peakOf(slices, i, { ...options, toleranceRatio }));
    return { toleranceRatio, peakLogE, alarms: peakLogE.filter((peak) => peak >= line).length };
  });
  const loudest = byRatio.findLastIndex(({ alarms }) => alarms > 0);
  return { replicas, slices: slices.length, byRatio, quietRatio: byRatio[loudest + 1]?.toleranceRatio };
}

function peakOf(
  slices: readonly (readonly ReplicaCounts[])[],
  canary: number,
  options: EvidenceOptions & { readonly toleranceRatio: number },
): number {
  let state = startRateRatio(options);
  for (const slice of slices) {
    let [total, bad] = [0, 0];
    slice.forEach((replica, i) => {
      if (i === canary) return;
      total += replica.total;
      bad += replica.bad;
    });
    const one = slice[canary] ?? { total: 0, bad: 0 };
    const counts = { canaryTotal: one.total, canaryBad: one.bad, stableTotal: total, stableBad: bad };
    state = addTick(state, counts, options);
  }
  return state.peakLogHarmE;
}

function checkRatios(ratios: readonly number[]): void {
  if (ratios.length === 0) throw new RangeError('ratios must name at least one tolerance ratio, but got none');
  ratios.forEach((ratio, i) => {
    const before = ratios[i - 1] ?? 0;
    if (!(ratio > before)) throw new RangeError(`ratios must be above 0 and rise, but ${ratio} follows ${before}`);
  });
}
