// Sums of very large and very small positive numbers, carried as natural logarithms. Refuses nothing; an empty sum is
// LOG_ZERO.

/**
 * The logarithm of nothing. Not −∞, because JSON turns −∞ into null and evidence must survive being written down; far
 * below any sum of real log factors (at most 1e19 per tick), far above the end of the doubles.
 */
export const LOG_ZERO = -1e300;

/** True for LOG_ZERO and for LOG_ZERO with something finite added to it. */
export function isLogZero(log: number): boolean {
  return log < -1e290;
}

/** e^−this, added to a sum of 1 or more, is less than half of its last bit and rounded away: not worth an exponential. */
const UNFELT = 37;

/** ln(e^x + e^y) without overflow. */
export function logAddExp(x: number, y: number): number {
  const high = Math.max(x, y);
  const gap = -Math.abs(x - y);
  // exp(−745) is the smallest double above 0; past it there is nothing left to add.
  return gap < -745 ? high : high + Math.log1p(Math.exp(gap));
}

/** ln Σ e^log, shifted by the largest term so that nothing overflows. */
export function logSumExp(logs: readonly number[]): number {
  let high = LOG_ZERO;
  for (let i = 0; i < logs.length; i++) if ((logs[i] as number) > high) high = logs[i] as number;
  if (isLogZero(high) || high === Number.POSITIVE_INFINITY) return high;
  let sum = 0;
  for (let i = 0; i < logs.length; i++) {
    const gap = (logs[i] as number) - high;
    if (sum < 1 || !(gap < -UNFELT)) sum += Math.exp(gap);
  }
  return high + Math.log(sum);
}

/**
 * ln Σ weight · e^log: the evidence of several checks in one number. A weighted average of e-processes is an e-process
 * whatever their dependence (Vovk & Wang 2021, arXiv 1912.06116), so weights must be fixed beforehand and sum to 1.
 *
 * @example logWeightedSum([Math.log(300), 0], [0.5, 0.5]) // ln 150.5
 */
export function logWeightedSum(logs: readonly number[], weights: readonly number[]): number {
  if (logs.length !== weights.length) {
    throw new RangeError(`logWeightedSum needs one weight per term, but got ${weights.length} for ${logs.length}`);
  }
  return logSumExp(
    logs.map((log, i) => {
      const weight = weights[i] ?? 0;
      if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
        throw new RangeError(`a weight must be a finite number >= 0, but got ${weight}`);
      }
      return weight === 0 || isLogZero(log) ? LOG_ZERO : log + Math.log(weight);
    }),
  );
}
