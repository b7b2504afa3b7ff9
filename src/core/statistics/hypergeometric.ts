// How large ψ^X is on average when X is a draw without replacement: of n_c + n_s requests m are bad, X of the bad ones
// fall to the canary's n_c. It is the normaliser of Fisher's noncentral hypergeometric law with odds ratio ψ, whose
// Z(ψ) = Σ_x C(n_c,x)·C(n_s,m−x)·ψ^x is C(n_c+n_s,m) times this mean. Refuses counts that are not whole.
//
//   ln G(ψ) = x*·ln ψ + ln P(X = x*) + ln Σ_x t_x/t_x*,   t_x = C(n_c,x)·C(n_s,m−x)·ψ^x,  x* the mode of t
//
// P(X = x*) by Loader's saddle-point terms (2000, "Fast and accurate computation of binomial probabilities"), so that no
// digits are lost at 1e9; the sum by the recursion t_{x+1}/t_x = ψ(n_c−x)(m−x)/((x+1)(n_s−m+x+1)) to both sides.
//
// A wide sum needs only every h-th term: h·Σ t over a lattice of step h differs from Σ t by Σ_k φ(2πk/h), φ the
// characteristic function of the law t/Σt. Its generating polynomial has real roots only (Jacobi), so the law is a sum
// of independent coin throws and |φ(u)| <= exp(−σ²(1−cos u)): below 1e-20 for h <= σ/1.6. So the work does not grow with n.

import { stirlingCorrection } from './gamma.ts';
import { LOG_ZERO } from './log-space.ts';

/** How many requests each arm had in a tick, and how many of all were bad. */
export interface Margins {
  readonly canaryTotal: number;
  readonly stableTotal: number;
  readonly bad: number;
}

/** From this standard deviation on, 30 terms of the lattice cost less than 17σ of the recursion. */
const LATTICE_FROM = 80;
const LATTICE_PER_DEVIATION = 1.6;
/** Terms below this part of the sum are left out. */
const NEGLIGIBLE = 1e-17;
const LOG_NEGLIGIBLE = -40;
const LOG_TWO_PI = 1.8378770664093453;

/**
 * ln G(ψ) for each ψ >= 0: the mean of ψ^X under the central hypergeometric law. LOG_ZERO for ψ = 0 when some bad
 * requests must be the canary's.
 *
 * @example logMeanPowers({ canaryTotal: 1, stableTotal: 19, bad: 1 }, [5]) // [ln 1.2]
 */
export function logMeanPowers(margins: Margins, psis: readonly number[]): number[] {
  const { canaryTotal, stableTotal, bad } = margins;
  checkWhole('canary total', canaryTotal);
  checkWhole('stable total', stableTotal);
  checkWhole('bad count', bad);
  if (bad > canaryTotal + stableTotal) {
    throw new RangeError(`bad count ${bad} is larger than both totals together, ${canaryTotal + stableTotal}`);
  }
  return psis.map((psi) => logMeanPower(margins, psi));
}

function checkWhole(what: string, count: number): void {
  if (!(Number.isSafeInteger(count) && count >= 0)) {
    throw new RangeError(`${what} must be a whole number >= 0, but got ${count}`);
  }
}

function logMeanPower(margins: Margins, psi: number): number {
  if (!(psi >= 0 && psi < Number.POSITIVE_INFINITY)) throw new RangeError(`psi must be >= 0, but got ${psi}`);
  const { canaryTotal, stableTotal, bad } = margins;
  const least = Math.max(0, bad - stableTotal);
  const most = Math.min(bad, canaryTotal);
  if (psi === 1) return 0;
  if (psi === 0) return least > 0 ? LOG_ZERO : logMass(margins, 0);
  if (least === most) return least * Math.log(psi);
  const mode = Math.min(most, Math.max(least, Math.floor(modeOf(margins, psi))));
  return mode * Math.log(psi) + logMass(margins, mode) + Math.log(sumOverMode(margins, psi, mode));
}

/** Where t_x stops rising for ψ > 0, before rounding down and keeping to the support: the smaller root of A·x² − B·x + C, in the form that keeps its digits. */
export function modeOf({ canaryTotal, stableTotal, bad }: Margins, psi: number): number {
  const a = psi - 1;
  const b = (bad + canaryTotal + 2) * psi + stableTotal - bad;
  const c = psi * (canaryTotal + 1) * (bad + 1);
  const root = Math.sqrt(Math.max(0, b * b - 4 * a * c));
  return b >= 0 ? (2 * c) / (b + root) : (b - root) / (2 * a);
}

/** Σ_x t_x / t_mode. */
function sumOverMode(margins: Margins, psi: number, mode: number): number {
  const { canaryTotal, stableTotal, bad } = margins;
  const cells = [mode, canaryTotal - mode, bad - mode, stableTotal - bad + mode] as const;
  const precision = 1 / cells[0] + 1 / cells[1] + 1 / cells[2] + 1 / cells[3];
  return precision * LATTICE_FROM ** 2 < 1
    ? latticeSum(cells, psi, Math.floor(1 / (Math.sqrt(precision) * LATTICE_PER_DEVIATION)))
    : recursiveSum(cells, psi);
}

/** The canary's bad and good, stable's bad and good, at the mode: the table whose margins are given. */
type Cells = readonly [canaryBad: number, canaryGood: number, stableBad: number, stableGood: number];

function recursiveSum([canaryBad, canaryGood, stableBad, stableGood]: Cells, psi: number): number {
  let sum = 1;
  let term = 1;
  const up = Math.min(canaryGood, stableBad);
  for (let i = 0; i < up && term > NEGLIGIBLE * sum; i++) {
    term *= (psi * (canaryGood - i) * (stableBad - i)) / ((canaryBad + i + 1) * (stableGood + i + 1));
    sum += term;
  }
  term = 1;
  const down = Math.min(canaryBad, stableGood);
  for (let i = 0; i < down && term > NEGLIGIBLE * sum; i++) {
    term *= ((canaryBad - i) * (stableGood - i)) / (psi * (canaryGood + i + 1) * (stableBad + i + 1));
    sum += term;
  }
  return sum;
}

/**
 * step · Σ_i t_{mode + i·step} / t_mode, each term by itself. Every cell is at least σ² = 6400 at the mode, and 9σ away
 * from it still in the thousands: Stirling's first terms are exact there.
 */
function latticeSum([canaryBad, canaryGood, stableBad, stableGood]: Cells, psi: number, step: number): number {
  const drift = Math.log((psi * (canaryGood + 1) * (stableBad + 1)) / ((canaryBad + 1) * (stableGood + 1)));
  let sum = 1;
  for (const direction of [step, -step]) {
    for (let shift = direction; ; shift += direction) {
      const log =
        shift * drift -
        logRise(canaryBad + 1, shift) -
        logRise(canaryGood + 1, -shift) -
        logRise(stableBad + 1, -shift) -
        logRise(stableGood + 1, shift);
      // NaN where a cell has run empty: nothing is left there.
      if (!(log > LOG_NEGLIGIBLE)) break;
      sum += Math.exp(log);
    }
  }
  return step * sum;
}

/** ln Γ(z+shift) − ln Γ(z) − shift·(ln z − 1), for z and z + shift in the thousands. */
function logRise(z: number, shift: number): number {
  const there = z + shift;
  return (there - 0.5) * Math.log1p(shift / z) + (1 / there - 1 / z) / 12;
}

/** ln P(X = x), as the quotient of three binomial masses with the same success probability m/n (Loader 2000). */
function logMass({ canaryTotal, stableTotal, bad }: Margins, x: number): number {
  const total = canaryTotal + stableTotal;
  const rate = bad / total;
  return (
    logBinomialMass(x, canaryTotal, rate, (total - bad) / total) +
    logBinomialMass(bad - x, stableTotal, rate, (total - bad) / total) -
    logBinomialMass(bad, total, rate, (total - bad) / total)
  );
}

function logBinomialMass(x: number, n: number, p: number, q: number): number {
  if (n === 0) return 0;
  if (x === 0) return q > 0.5 ? n * Math.log1p(-p) : n * Math.log(q);
  if (x === n) return p > 0.5 ? n * Math.log1p(-q) : n * Math.log(p);
  return (
    stirlingCorrection(n) -
    stirlingCorrection(x) -
    stirlingCorrection(n - x) -
    deviance(x, n * p) -
    deviance(n - x, n * q) +
    0.5 * (Math.log(n / (x * (n - x))) - LOG_TWO_PI)
  );
}

/** x·ln(x/mean) + mean − x, by a series where the two are close (Loader's bd0). */
function deviance(x: number, mean: number): number {
  const gap = x - mean;
  if (Math.abs(gap) >= 0.1 * (x + mean)) return x * Math.log(x / mean) - gap;
  const v = gap / (x + mean);
  let sum = gap * v;
  let power = 2 * x * v;
  for (let odd = 3; ; odd += 2) {
    power *= v * v;
    const next = sum + power / odd;
    if (next === sum) return sum;
    sum = next;
  }
}
