// How far two samples lie apart, by ranks: the confidence interval of the location shift and the Hodges-Lehmann
// estimate, from the Mann-Whitney test turned round. Made to agree with Kayenta's MannWhitney.scala (spinnaker/kayenta,
// a69573b) and, through it, with R's wilcox.test(exact = FALSE, correct = TRUE). Refuses to be used as evidence for a
// release of our own: its samples must be independent, it may be looked at once, and its roots are good to an absolute
// 1e-4 only, so that the unit of the numbers matters.
//
// Bauer 1972, "Constructing confidence sets using rank statistics", JASA 67; Hodges & Lehmann 1963.

import { type Bracket, brentZero } from './mann-whitney-brent.ts';
import { normalQuantile } from './normal.ts';

export interface LocationShift {
  readonly lower: number;
  readonly upper: number;
  readonly estimate: number;
}

/**
 * The shift of x against y: `x − shift` and y have like ranks. Where samples are small beside 1e-4, `lower` may come out
 * above `upper`, as it does in Kayenta.
 *
 * @example mannWhitneyShift([10, 20, 30, 40], [1, 2, 3, 4], 0.95) // { lower: 6, upper: 39, estimate: 22.5 }
 */
export function mannWhitneyShift(x: readonly number[], y: readonly number[], confidence: number): LocationShift {
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`confidence must lie between 0 and 1, but got ${confidence}`);
  }
  const z = shiftedZ(x, y);
  const quantile = normalQuantile((1 - confidence) / 2);
  const low = least(x) - most(y);
  const high = most(x) - least(y);
  const [atLow, atHigh] = [z(low), z(high)];
  const bracket = (target: number): Bracket => ({ low, high, atLow: atLow - target, atHigh: atHigh - target });
  const limit = (target: number): number => {
    if (atLow - target <= 0) return low;
    if (atHigh - target >= 0) return high;
    return brentZero((shift) => z(shift) - target, bracket(target));
  };
  return { lower: limit(-quantile), upper: limit(quantile), estimate: brentZero(z, bracket(0)) };
}

/**
 * z of the rank sum of `x − shift` against y, corrected for ties and for continuity; it falls as the shift rises. Throws
 * where all shifted values are one and the same.
 */
export function mannWhitneyZ(x: readonly number[], y: readonly number[], shift: number): number {
  return shiftedZ(x, y)(shift);
}

/** Both samples are sorted once: taking a shift away never changes the order within x. */
function shiftedZ(x: readonly number[], y: readonly number[]): (shift: number) => number {
  const [xs, ys] = [sorted('x', x), sorted('y', y)];
  const [m, n] = [xs.length, ys.length];
  return (shift) => {
    const { rankSum, ties } = rankSumOf(xs, ys, shift);
    const distance = rankSum - (m * (m + 1)) / 2 - (m * n) / 2;
    const deviation = Math.sqrt(((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1))));
    if (deviation === 0) {
      throw new RangeError('there is no confidence interval where all values are the same: both samples are constant');
    }
    return (distance - Math.sign(distance) * 0.5) / deviation;
  };
}

/** Sum of the average ranks of x − shift in both together, and Σ t³ − t over the groups of equals; by merging. */
function rankSumOf(xs: readonly number[], ys: readonly number[], shift: number): { rankSum: number; ties: number } {
  const at = (i: number): number => (i < xs.length ? (xs[i] ?? 0) - shift : Number.POSITIVE_INFINITY);
  const [m, n] = [xs.length, ys.length];
  let [i, j, rankSum, ties] = [0, 0, 0, 0];
  while (i < m || j < n) {
    const value = j < n ? Math.min(at(i), ys[j] ?? 0) : at(i);
    const [fromX, fromY] = [i, j];
    while (i < m && at(i) === value) i += 1;
    while (j < n && ys[j] === value) j += 1;
    const group = i - fromX + (j - fromY);
    rankSum += (i - fromX) * (fromX + fromY + (group + 1) / 2);
    ties += group ** 3 - group;
  }
  return { rankSum, ties };
}

function sorted(name: string, sample: readonly number[]): number[] {
  if (sample.length === 0) throw new RangeError(`sample ${name} is empty; it needs at least one number`);
  for (const value of sample) {
    if (!Number.isFinite(value)) throw new RangeError(`sample ${name} must hold finite numbers, but has ${value}`);
  }
  return [...sample].sort((a, b) => a - b);
}

function least(sample: readonly number[]): number {
  return sample.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

function most(sample: readonly number[]): number {
  return sample.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}
