// The guarantee itself, computed and not sampled: the mean of E over every possible outcome of small ticks is at most
// 1 at the boundary of the hypothesis and inside it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addAbsoluteTick, logAbsoluteHarmE, logAbsoluteNoHarmE, startAbsoluteRate } from './absolute-rate.ts';
import { addTick, type RateRatioOptions, type RateRatioState, startRateRatio } from './rate-ratio.ts';
import { logHarmE, logNoHarmE, logPlainHarmE } from './rate-ratio-readers.ts';

/** Rounding of sums of a few hundred doubles. */
const ONE = 1 + 1e-12;

function binomialMasses(n: number, p: number): number[] {
  const masses = [1];
  for (let i = 0; i < n; i++) {
    masses.push(0);
    for (let k = i + 1; k >= 0; k--) masses[k] = (masses[k] ?? 0) * (1 - p) + (k > 0 ? (masses[k - 1] ?? 0) * p : 0);
  }
  return masses;
}

const SIZES = [
  [1, 1],
  [1, 12],
  [12, 1],
  [3, 9],
  [12, 12],
] as const;
const STABLE_RATES = [0, 0.001, 0.02, 0.2, 0.5, 0.9, 1];

type Outcome = { readonly x: number; readonly y: number; readonly state: RateRatioState };

/** Every outcome of one tick, with its state computed once: probabilities vary, evidence does not. */
function outcomes(
  nCanary: number,
  nStable: number,
  options: RateRatioOptions,
  from: RateRatioState = startRateRatio(options),
): Outcome[] {
  return grid(upTo(nCanary), upTo(nStable)).map(([x, y]) => {
    const counts = { canaryTotal: nCanary, canaryBad: x, stableTotal: nStable, stableBad: y };
    return { x, y, state: addTick(from, counts, options) };
  });
}

function meanOf(
  all: readonly Outcome[],
  canary: readonly number[],
  stable: readonly number[],
  value: (state: RateRatioState, outcome: Outcome) => number,
): number {
  return all.reduce(
    (sum, outcome) => sum + at(canary, outcome.x) * at(stable, outcome.y) * value(outcome.state, outcome),
    0,
  );
}

function upTo(n: number): number[] {
  return Array.from({ length: n + 1 }, (_, k) => k);
}

function grid<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  return left.flatMap((a) => right.map((b): [A, B] => [a, b]));
}

const RATIOS = [0.8, 1, 1.1, 3];
const EXTRAS = [{}, { capFraction: Number.POSITIVE_INFINITY, lateOnset: false }, { dispersion: 2.5 }];

describe('mean evidence under the hypothesis (I8)', () => {
  it('harm: E[E] <= 1 for every p_c <= r·p_s + δ, with and without cap, late onset and tempering', () => {
    for (const [[[nCanary, nStable], toleranceRatio], [harmMargin, extra]] of grid(
      grid(SIZES, RATIOS),
      grid([0, 0.01, 0.3], EXTRAS),
    )) {
      const all = outcomes(nCanary, nStable, { toleranceRatio, harmMargin, tickMs: 15_000, ...extra });
      for (const [stableRate, part] of grid(STABLE_RATES, [1, 0.5, 0])) {
        const canary = binomialMasses(nCanary, part * Math.min(1, toleranceRatio * stableRate + harmMargin));
        const stable = binomialMasses(nStable, stableRate);
        const where = `n ${nCanary}/${nStable}, r ${toleranceRatio}, δ ${harmMargin}, p_s ${stableRate}`;
        const mean = meanOf(all, canary, stable, (state) => Math.exp(logHarmE(state)));
        assert.ok(mean <= ONE, `${where}: mean ${mean}`);
        const plain = meanOf(all, canary, stable, (state) => Math.exp(logPlainHarmE(state, harmMargin)));
        assert.ok(plain <= ONE, `${where}: plain mean ${plain}`);
      }
    }
  });

  it('no harm: E[E] <= 1 for every p_c >= r·p_s + δ, δ negative too', () => {
    for (const [[nCanary, nStable], toleranceRatio] of grid(SIZES, RATIOS)) {
      const all = outcomes(nCanary, nStable, { toleranceRatio, tickMs: 15_000 });
      for (const [margin, stableRate] of grid([-0.1, 0, 0.002, 0.3], STABLE_RATES)) {
        const least = Math.max(0, toleranceRatio * stableRate + margin);
        if (least > 1) continue;
        const stable = binomialMasses(nStable, stableRate);
        const evidence = (state: RateRatioState): number => Math.exp(logNoHarmE(state, margin));
        const edge = meanOf(all, binomialMasses(nCanary, least), stable, evidence);
        const inside = meanOf(all, binomialMasses(nCanary, (least + 1) / 2), stable, evidence);
        assert.ok(
          edge <= ONE && inside <= ONE,
          `r ${toleranceRatio}, δ ${margin}, p_s ${stableRate}: ${edge}, ${inside}`,
        );
      }
    }
  });

  it('harm: the guarantee is not won by throwing evidence away: at δ = 0 on rare events E[E] is close to 1', () => {
    const options = { toleranceRatio: 1, tickMs: 15_000, lateOnset: false, capFraction: Number.POSITIVE_INFINITY };
    const masses = binomialMasses(12, 0.001);
    const mean = meanOf(outcomes(12, 12, options), masses, masses, (state) => Math.exp(logHarmE(state)));
    assert.ok(mean > 0.999 && mean <= ONE, `${mean}`);
  });

  it('the hypotheses are sharp: just outside of them E[E] rises above 1', () => {
    const options = { toleranceRatio: 1, tickMs: 15_000, lateOnset: false, capFraction: Number.POSITIVE_INFINITY };
    const all = outcomes(12, 12, options);
    const low = binomialMasses(12, 0.001);
    const high = binomialMasses(12, 0.002);
    assert.ok(meanOf(all, high, low, (state) => Math.exp(logHarmE(state))) > 1.003);
    assert.ok(meanOf(all, low, high, (state) => Math.exp(logNoHarmE(state, 0))) > 1.001);
  });

  it('harm: E[E] <= 1 over two ticks whose second weight answers to the first (weights may depend on the past)', () => {
    const options = { toleranceRatio: 1, tickMs: 60_000 };
    for (const rate of [0.01, 0.1, 0.4]) {
      const masses = binomialMasses(4, rate);
      const mean = meanOf(outcomes(4, 4, options), masses, masses, (first, { x, y }) => {
        // Against good sense but not against validity: more canary traffic when the canary looks bad, and a common
        // rate that moves as well.
        const nCanary = x > y ? 7 : 1;
        const later = Math.min(1, rate * (y > 0 ? 3 : 1));
        const second = outcomes(nCanary, 8 - nCanary, options, first);
        const [canary, stable] = [binomialMasses(nCanary, later), binomialMasses(8 - nCanary, later)];
        return meanOf(second, canary, stable, (state) => Math.exp(logHarmE(state)));
      });
      assert.ok(mean <= ONE, `rate ${rate}: mean ${mean}`);
    }
  });

  it('design-based: a common outage with any dependence keeps E[E] <= 1, given only the coin that splits requests', () => {
    // m of n requests fail for reasons that have nothing to do with the arm: x_c is hypergeometric.
    const options = { toleranceRatio: 1, tickMs: 15_000 };
    for (const [nCanary, nStable] of SIZES) {
      for (let m = 0; m <= nCanary + nStable; m++) {
        let mean = 0;
        let mass = 0;
        for (let x = Math.max(0, m - nStable); x <= Math.min(m, nCanary); x++) {
          const weight = choose(nCanary, x) * choose(nStable, m - x);
          const counts = { canaryTotal: nCanary, canaryBad: x, stableTotal: nStable, stableBad: m - x };
          mass += weight;
          mean += weight * Math.exp(logHarmE(addTick(startRateRatio(options), counts, options)));
        }
        assert.ok(mean / mass <= ONE, `n ${nCanary}/${nStable}, m ${m}: mean ${mean / mass}`);
      }
    }
  });

  it('clusters: with the cluster cap, E[E] <= 1 even when one unit brings up to c bad events at once', () => {
    const options = { toleranceRatio: 1, tickMs: 15_000, clusterCap: 3, capFraction: Number.POSITIVE_INFINITY };
    for (const rate of [0.02, 0.3]) {
      const masses = binomialMasses(4, rate);
      const mean = grid(upTo(4), upTo(4)).reduce((sum, [x, y]) => {
        const counts = { canaryTotal: 12, canaryBad: 3 * x, stableTotal: 12, stableBad: 3 * y };
        const state = addTick(startRateRatio(options), counts, options);
        return sum + at(masses, x) * at(masses, y) * Math.exp(logHarmE(state));
      }, 0);
      assert.ok(mean <= ONE, `rate ${rate}: mean ${mean}`);
    }
  });

  it('absolute limits: E[E] <= 1 on either side of the limit, and = 1 on it without the cap', () => {
    for (const limitRate of [0.001, 0.02, 0.3, 0.9]) {
      const options = { limitRate, tickMs: 15_000, lateOnset: false, capFraction: Number.POSITIVE_INFINITY };
      for (const n of [1, 5, 12]) {
        const states = Array.from({ length: n + 1 }, (_, bad) =>
          addAbsoluteTick(startAbsoluteRate(options), { total: n, bad }, options),
        );
        const mean = (rate: number, log: (state: (typeof states)[number]) => number): number =>
          binomialMasses(n, rate).reduce((sum, mass, x) => sum + mass * Math.exp(log(at(states, x))), 0);
        assert.ok(Math.abs(mean(limitRate, logAbsoluteHarmE) - 1) < 1e-12);
        assert.ok(Math.abs(mean(limitRate, (state) => logAbsoluteNoHarmE(state)) - 1) < 1e-12);
        assert.ok(mean(limitRate / 2, logAbsoluteHarmE) < 1);
        assert.ok(mean((1 + limitRate) / 2, (state) => logAbsoluteNoHarmE(state)) < 1);
      }
    }
  });
});

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  assert.ok(item !== undefined);
  return item;
}

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}
