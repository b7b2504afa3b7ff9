// The confidence interval of a shift between two samples by inverting the Mann-Whitney test: normal approximation with
// corrections for ties and continuity, roots by bisection to an absolute 1e-4, as R's wilcox.test and Kayenta do.

export interface ShiftInterval {
  readonly lower: number;
  readonly estimate: number;
}

const PRECISION = 1e-4;

/** null where both samples are the same single value. */
export function shiftInterval(x: readonly number[], y: readonly number[], confidence: number): ShiftInterval | null {
  const low = Math.min(...x) - Math.max(...y);
  const high = Math.max(...x) - Math.min(...y);
  if (low === high) return low === 0 ? null : { lower: low, estimate: low };
  const quantile = normalQuantile(1 - (1 - confidence) / 2);
  const root = (target: number, correction: number): number => {
    const z = (shift: number): number => zOf(x, y, shift, correction) - target;
    if (z(low) <= 0) return low;
    if (z(high) >= 0) return high;
    let [a, b] = [low, high];
    while (b - a > PRECISION) {
      const middle = (a + b) / 2;
      if (z(middle) > 0) a = middle;
      else b = middle;
    }
    return (a + b) / 2;
  };
  return { lower: root(quantile, 0.5), estimate: root(0, 0) };
}

/** z of the rank sum of x − shift against y; falls with the shift. */
function zOf(x: readonly number[], y: readonly number[], shift: number, correction: number): number {
  const values = [...x.map((value) => [value - shift, 1] as const), ...y.map((value) => [value, 0] as const)];
  values.sort(([a], [b]) => a - b);
  let [rankSum, ties] = [0, 0];
  for (let i = 0; i < values.length; ) {
    let j = i;
    let own = 0;
    while (j < values.length && values[j]?.[0] === values[i]?.[0]) own += values[j++]?.[1] ?? 0;
    const size = j - i;
    rankSum += own * ((i + 1 + j) / 2);
    ties += size ** 3 - size;
    i = j;
  }
  const [m, n] = [x.length, y.length];
  const u = rankSum - (m * (m + 1)) / 2 - (m * n) / 2;
  const variance = ((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1)));
  if (variance <= 0) return 0;
  return (u - Math.sign(u) * Math.min(correction, Math.abs(u))) / Math.sqrt(variance);
}

/** Acklam's rational approximation: relative error 1.2e-9. */
export function normalQuantile(p: number): number {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
  ];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const poly = (of: readonly number[], at: number): number => of.reduce((sum, term) => sum * at + term, 0);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return poly(c, q) / poly([...d, 1], q);
  }
  if (p > 1 - 0.02425) return -normalQuantile(1 - p);
  const q = p - 0.5;
  return (poly(a, q * q) * q) / poly([...b, 1], q * q);
}
