// Sample-ratio mismatch of any number of versions at weights that never move, from the totals alone: a closed form.
// Refuses moving weights, because totals then mix strata; for two versions under moving weights there is sample-ratio.ts.
//
//   log E = lnΓ(K) − lnΓ(K + n) + Σ lnΓ(1 + n_k) − Σ n_k·ln w_k
//
// the ratio of the Dirichlet(1, …, 1)-multinomial likelihood to the one with the weights asked: Lindon & Malek, "Anytime-
// valid inference for multinomial count data" (arXiv 2011.03567). Mean 1 after any number of requests; alarm at E >= 1/α.

import { logGamma, stirlingCorrection } from './gamma.ts';

const HALF_LOG_TWO_PI = 0.9189385332046727;

/**
 * ln E against "requests were drawn with these weights". Weights are relative; versions that are asked nothing must be
 * left out. Dispersion φ divides the counts, that is, each likelihood ratio in the mixture is raised to 1/φ.
 *
 * @example logConstantSampleRatioE([1200, 8800], [10, 90]) // 16.214
 */
export function logConstantSampleRatioE(counts: readonly number[], weights: readonly number[], dispersion = 1): number {
  const arms = counts.length;
  if (arms < 2 || weights.length !== arms) {
    throw new RangeError(`two versions or more need one weight each, but got ${arms} and ${weights.length} weights`);
  }
  if (!(dispersion >= 1 && dispersion <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`dispersion must be a finite number >= 1, but got ${dispersion}`);
  }
  const allWeights = weights.reduce((sum, weight) => sum + checkWeight(weight), 0);
  const total = counts.reduce((sum, count) => sum + checkCount(count), 0) / dispersion;
  // With x_k = n_k + 1 and X = n + K, Stirling's main terms cancel by hand (Loader 2000); totals of 1e9 keep ten digits.
  const whole = total + arms;
  let log = logGamma(arms) + (arms - 1) * HALF_LOG_TWO_PI + 0.5 * Math.log(whole) - stirlingCorrection(whole);
  counts.forEach((count, k) => {
    const share = (weights[k] ?? 0) / allWeights;
    const x = count / dispersion + 1;
    log += x * Math.log(x / (whole * share)) + Math.log(share) - 0.5 * Math.log(x) + stirlingCorrection(x);
  });
  return log;
}

function checkWeight(weight: number): number {
  if (!(weight > 0 && weight <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`a weight must be a finite number above 0, but got ${weight}`);
  }
  return weight;
}

function checkCount(count: number): number {
  if (!(count >= 0 && count <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`requests must be a finite count >= 0 (at most 2^53), but got ${count}`);
  }
  return count;
}
