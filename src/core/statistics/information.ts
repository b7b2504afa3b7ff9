// How many canary requests any test needs, whoever wrote it: Wald 1945 ("Sequential tests of statistical hypotheses",
// Ann. Math. Stat. 16) with the data-processing inequality for KL divergence. For plans ("what can this release
// detect?") and for measuring how close this room comes. Refuses to be a promise: it is a bound from below.

/** KL(a‖b) in nats between two Bernoulli rates; Infinity where b rules out what a allows. */
export function klBernoulli(a: number, b: number): number {
  checkRate('rate', a);
  checkRate('rate', b);
  return klTerm(a, b) + klTerm(1 - a, 1 - b);
}

function klTerm(a: number, b: number): number {
  if (a === 0) return 0;
  return b === 0 ? Number.POSITIVE_INFINITY : a * Math.log(a / b);
}

function checkRate(name: string, rate: number): void {
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`${name} must lie between 0 and 1, but got ${rate}`);
}

/** What is true, and what the test asks. */
export interface Contrast {
  readonly canaryRate: number;
  readonly stableRate: number;
  /** The canary's share of requests, above 0 and below 1. */
  readonly share: number;
  /** r of the boundary p_c = r·p_s + δ. Default 1. */
  readonly toleranceRatio?: number;
  /** δ of the boundary. Default 0. */
  readonly margin?: number;
}

/** What a test promises. */
export interface TestQuality {
  /** False-alarm probability. */
  readonly alpha: number;
  /** Probability of missing what is there. Default 0: detection is certain in the end. */
  readonly missProbability?: number;
}

/** Nats a test must gather on average: ln(1/α), or with a miss probability β the binary divergence of (1−β, β) from (α, 1−α). */
export function requiredNats({ alpha, missProbability = 0 }: TestQuality): number {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha must lie between 0 and 1, but got ${alpha}`);
  if (!(missProbability >= 0 && missProbability < 1 - alpha)) {
    throw new RangeError(`missProbability must lie between 0 and 1 − alpha, but got ${missProbability}`);
  }
  return klBernoulli(1 - missProbability, alpha);
}

/** L1: canary requests needed when stable's rate is known exactly. Infinity when there is nothing to find. */
export function canaryRequestsKnownStable(contrast: Omit<Contrast, 'share'>, quality: TestQuality): number {
  const { canaryRate, stableRate, toleranceRatio = 1, margin = 0 } = contrast;
  checkRate('canaryRate', canaryRate);
  checkRate('stableRate', stableRate);
  const boundary = clampRate(toleranceRatio * stableRate + margin);
  return requiredNats(quality) / klBernoulli(canaryRate, boundary);
}

/**
 * L2: canary requests needed when stable's rate has to be learnt too, at a given share:
 * ln(1/α) / min over p' of [ KL(p_c‖r·p'+δ) + ((1−ρ)/ρ)·KL(p_s‖p') ]. With r = 1 and δ = 0 the minimum is at the pooled
 * rate. It holds on both sides of the boundary: for showing harm and for refuting it.
 *
 * @example canaryRequestsToTell({ canaryRate: 0.005, stableRate: 0.001, share: 0.05 }, { alpha: 0.01 }) // 1252
 */
export function canaryRequestsToTell(contrast: Contrast, quality: TestQuality): number {
  return requiredNats(quality) / natsPerCanaryRequest(contrast);
}

/** The most evidence one canary request (with its share of stable's) can carry on average. */
export function natsPerCanaryRequest(contrast: Contrast): number {
  const { canaryRate, stableRate, share, toleranceRatio = 1, margin = 0 } = contrast;
  checkRate('canaryRate', canaryRate);
  checkRate('stableRate', stableRate);
  if (!(share > 0 && share < 1)) throw new RangeError(`share must lie between 0 and 1, but got ${share}`);
  if (!(toleranceRatio > 0)) throw new RangeError(`toleranceRatio must be above 0, but got ${toleranceRatio}`);
  const stablePerCanary = (1 - share) / share;
  const cost = (rate: number): number =>
    klBernoulli(canaryRate, clampRate(toleranceRatio * rate + margin)) +
    stablePerCanary * klBernoulli(stableRate, rate);
  // The best null rate lies between stable's own and the one that puts the canary exactly on the boundary.
  const onBoundary = clampRate((canaryRate - margin) / toleranceRatio);
  return minimumOfConvex(cost, Math.min(stableRate, onBoundary), Math.max(stableRate, onBoundary));
}

function clampRate(rate: number): number {
  return Math.min(1, Math.max(0, rate));
}

/** Ternary search, in 200 steps of a third; the ends are looked at too, because the divergence is infinite beside them. */
function minimumOfConvex(f: (at: number) => number, from: number, to: number): number {
  let low = from;
  let high = to;
  let best = Math.min(f(from), f(to));
  for (let step = 0; step < 200 && high > low; step++) {
    const left = low + (high - low) / 3;
    const right = high - (high - low) / 3;
    const atLeft = f(left);
    const atRight = f(right);
    best = Math.min(best, atLeft, atRight);
    if (atLeft <= atRight) high = right;
    else low = left;
  }
  return Math.max(0, best);
}
