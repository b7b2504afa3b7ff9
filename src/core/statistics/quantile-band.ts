// Bounds on a distribution and its quantiles that hold at every moment, for display: "p99 lies between 310 and 360 ms".
// Refuses to be evidence for a decision (tail-comparison.ts is; this needs many times more requests), to interpolate
// inside a bucket, and to pool arms or weights: it is for one version's requests, taken as independent and alike.
//
// Howard & Ramdas 2022, "Sequential estimation of quantiles with applications to A/B testing and best-arm
// identification", Bernoulli 28 (arXiv 1906.09712); numerically as their library confseq has it (bounds
// empirical_process_lil_bound and double_stitching_bound).

import { checkAlpha } from './counts.ts';

/** Theorem 2: sup|F_n − F| <= A·√((ln(1 + ln n) + C)/n) for all n at once, but for a probability α. */
const A = 0.85;
const C_LOW = 1;
const C_HIGH = 1000;

/** Its C for this α: the least for which the best choice of the epochs' ratio η keeps the error at α. */
export function bandConstant(alpha: number): number {
  checkAlpha(alpha);
  let [low, high] = [C_LOW, C_HIGH];
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (leastError(middle) > alpha) low = middle;
    else high = middle;
  }
  return high;
}

/** The error bound at C, 4·e^(−γ²C)·(1 + 1/((γ² − 1)·ln η)) with γ² = (2/η)(A − √(2(η−1)/C))², at its best η. */
function leastError(c: number): number {
  const error = (eta: number): number => {
    const left = A - Math.sqrt((2 * (eta - 1)) / c);
    const gamma = (2 / eta) * left * left;
    if (left <= 0 || gamma <= 1) return Number.POSITIVE_INFINITY;
    return 4 * Math.exp(-gamma * c) * (1 + 1 / ((gamma - 1) * Math.log(eta)));
  };
  // The error falls from infinity at η = 1 and rises to infinity where γ = 1: a golden section finds its least.
  let [low, high] = [1, largestEta(c)];
  const golden = (Math.sqrt(5) - 1) / 2;
  for (let step = 0; step < 60; step++) {
    const span = golden * (high - low);
    if (error(high - span) < error(low + span)) high = low + span;
    else low = high - span;
  }
  return error((low + high) / 2);
}

/** Where γ has fallen to 1: √(η/2) + √(2(η−1)/C) = A. */
function largestEta(c: number): number {
  let [low, high] = [1, 2 * A * A];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (Math.sqrt(middle / 2) + Math.sqrt((2 * (middle - 1)) / c) < A) low = middle;
    else high = middle;
  }
  return low;
}

const CONSTANTS = new Map<number, number>();

/** How far the seen distribution of `total` requests may be from the true one, anywhere, at any moment. At most 1. */
export function bandRadius(total: number, alpha: number): number {
  if (!(total >= 0 && total <= Number.MAX_SAFE_INTEGER))
    throw new RangeError(`total must be a count, but got ${total}`);
  let c = CONSTANTS.get(alpha);
  if (c === undefined) {
    c = bandConstant(alpha);
    CONSTANTS.set(alpha, c);
  }
  return total < 1 ? 1 : Math.min(1, A * Math.sqrt((Math.log(1 + Math.log(total)) + c) / total));
}

/** Theorem 3's parameters: spacing δ of the quantiles, exponent s of the epochs' weights and ζ(s), their ratio η. */
const DELTA = 0.5;
const S = 1.4;
const ZETA_S = 3.10554727797758;
const ETA = 2;
const K1 = (ETA ** 0.25 + ETA ** -0.25) / Math.SQRT2;
const K2 = (Math.sqrt(ETA) + 1) / 2;
/** The number of requests at which bounds are tightest for what they are; below it they are those of so many. */
const TIGHTEST_AT = 1000;

/**
 * By how much more than p·total the requests up to the p-quantile can be, for all p and all totals at once, but for a
 * probability α; with 1 − p, by how much fewer (double stitching, Theorem 3; α covers both sides).
 */
export function quantileDeviation(p: number, total: number, alpha: number): number {
  checkAlpha(alpha);
  if (!(p > 0 && p < 1)) throw new RangeError(`a quantile must lie between 0 and 1, but got ${p}`);
  const t = Math.max(total, TIGHTEST_AT);
  const epochs = t / TIGHTEST_AT;
  const logit = Math.log(p / (1 - p));
  const nearest = p >= 0.5 ? p : Math.min(0.5, 1 / (1 + Math.exp(-(logit + 2 * DELTA * Math.sqrt(ETA / epochs)))));
  const variance = nearest * (1 - nearest);
  const j = (Math.sqrt(epochs) * Math.abs(logit)) / (2 * DELTA) + 1;
  const nats =
    S * Math.log(Math.log(ETA * epochs)) +
    S * Math.log(j) +
    Math.log((2 * ZETA_S * (2 * ZETA_S + 1)) / (alpha * Math.log(ETA) ** S));
  const skew = (K2 * (1 - 2 * p) * nats) / 3;
  return DELTA * Math.sqrt(ETA * epochs * variance) + Math.sqrt(K1 * K1 * variance * t * nats + skew * skew) + skew;
}

/** What a histogram says of a quantile. undefined where it says nothing: no boundary is known to lie on that side. */
export interface QuantileBand {
  readonly lower: number | undefined;
  /** The first boundary that enough requests are within; undefined if that is the last, open bucket. */
  readonly estimate: number | undefined;
  readonly upper: number | undefined;
}

/**
 * Bounds on a quantile from cumulative counts at ascending boundaries: `within[i]` of `total` requests took at most
 * boundaries[i]. Both hold with confidence 1 − alpha at every moment, for all quantiles at once.
 *
 * @example quantileBand({ boundaries: [0.1, 0.2], within: [50, 100], total: 100 }, 0.5, 0.05).estimate // 0.1
 */
export function quantileBand(
  histogram: { readonly boundaries: readonly number[]; readonly within: readonly number[]; readonly total: number },
  quantile: number,
  alpha: number,
): QuantileBand {
  const { boundaries, within, total } = histogram;
  checkHistogram(histogram);
  const wanted = quantile * total;
  const fewest = wanted - quantileDeviation(1 - quantile, total, alpha);
  const most = wanted + quantileDeviation(quantile, total, alpha);
  const below = within.findLastIndex((count) => count < fewest);
  const at = total > 0 ? within.findIndex((count) => count >= wanted) : -1;
  const above = within.findIndex((count) => count >= most);
  const finite = (index: number): number | undefined => {
    const boundary = boundaries[index];
    return boundary !== undefined && Number.isFinite(boundary) ? boundary : undefined;
  };
  return { lower: finite(below), estimate: finite(at), upper: finite(above) };
}

function checkHistogram(histogram: {
  readonly boundaries: readonly number[];
  readonly within: readonly number[];
  readonly total: number;
}): void {
  const { boundaries, within, total } = histogram;
  if (boundaries.length !== within.length) {
    throw new RangeError(`a histogram needs one count per boundary, but got ${within.length} for ${boundaries.length}`);
  }
  for (let i = 0; i < boundaries.length; i++) {
    const [boundary = 0, before = Number.NEGATIVE_INFINITY] = [boundaries[i], boundaries[i - 1]];
    if (!(boundary > before)) throw new RangeError(`boundaries must ascend, but ${boundary} follows ${before}`);
    const [count = 0, least = 0] = [within[i], within[i - 1]];
    if (!(count >= least && count <= total)) {
      throw new RangeError(`cumulative counts must rise from 0 to the total ${total}, but got ${count} after ${least}`);
    }
  }
}
