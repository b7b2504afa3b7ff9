// Evidence that stops at its line: its guarantee computed over every outcome, its safety beside the true rates, and what it
// gains. Nothing here is sampled where it can be summed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { binomialInterval } from './clopper-pearson.ts';
import { createRandom } from './random.ts';
import { addTick, type RateRatioOptions, type RateRatioState, startRateRatio } from './rate-ratio.ts';
import { logHarmE } from './rate-ratio-readers.ts';
import { logTruncationGain, type TickBets } from './truncation.ts';

const LINE = Math.log(100);

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}

/** Fisher's noncentral hypergeometric law, written out. */
function law(canaryTotal: number, stableTotal: number, bad: number, odds: number): [x: number, p: number][] {
  const terms: [number, number][] = [];
  for (let x = Math.max(0, bad - stableTotal); x <= Math.min(bad, canaryTotal); x++) {
    terms.push([x, choose(canaryTotal, x) * choose(stableTotal, bad - x) * odds ** x]);
  }
  const sum = terms.reduce((total, [, term]) => total + term, 0);
  return terms.map(([x, term]) => [x, term / sum]);
}

const bets: TickBets = {
  logStakes: [Math.log(0.3), Math.log(0.2)],
  logRest: Math.log(0.5),
  slopes: [Math.log(3), Math.log(20)],
  offsets: [-0.3, -1.4],
  capNats: 3,
};

function factor(x: number): number {
  const staked = bets.logStakes.map((stake, j) =>
    Math.exp(stake + Math.min(bets.capNats, x * (bets.slopes[j] ?? 0) + (bets.offsets[j] ?? 0))),
  );
  return staked.reduce((sum, value) => sum + value, Math.exp(bets.logRest));
}

describe('what evidence gains by stopping at its line', () => {
  it('keeps the mean of a tick at exactly 1 for the largest odds ratio, and below for every smaller one', () => {
    for (const [canaryTotal, stableTotal, bad] of [
      [5, 20, 3],
      [8, 8, 6],
      [3, 40, 12],
    ] as const) {
      for (const odds of [1, 1.1, 1.4]) {
        for (const room of [0.2, 1, 3]) {
          const gain = logTruncationGain(bets, { canaryTotal, stableTotal, bad }, odds, room);
          const mean = (true_: number): number =>
            law(canaryTotal, stableTotal, bad, true_).reduce(
              (sum, [x, p]) => sum + p * Math.min(Math.exp(gain) * factor(x), Math.exp(room)),
              0,
            );
          assert.ok(mean(odds) <= 1 + 1e-10 && mean(odds) > 1 - 1e-6, `${mean(odds)}`);
          assert.ok(mean(odds * 0.8) <= mean(odds));
        }
      }
    }
  });

  it('is nothing where nothing is left to the line, or the tick cannot tell', () => {
    assert.equal(logTruncationGain(bets, { canaryTotal: 5, stableTotal: 20, bad: 3 }, 1, 0), 0);
    assert.equal(logTruncationGain(bets, { canaryTotal: 5, stableTotal: 20, bad: 0 }, 1, 2), 0);
    assert.equal(logTruncationGain(bets, { canaryTotal: 5, stableTotal: 20, bad: 25 }, 1, 2), 0);
  });

  it('a whole tick of the rate-ratio evidence has a mean of at most 1 at its boundary, summed over every outcome (I8)', () => {
    // 200 requests, so that the law is used; few bad ones, so that every outcome can be summed.
    for (const [share, rate, r] of [
      [40, 0.004, 1],
      [20, 0.01, 1.1],
      [100, 0.006, 1.1],
      [60, 0.02, 1.5],
    ] as const) {
      const options: RateRatioOptions = { toleranceRatio: r, tickMs: 10_000, logLine: LINE };
      const mean = meanOfTick(startRateRatio(options), options, {
        canary: [share, r * rate],
        stable: [200 - share, rate],
      });
      assert.ok(mean <= 1 + 1e-9, `${mean}`);
    }
  });

  it('after some evidence was gathered the next tick is as fair as the first one (I8)', () => {
    const options: RateRatioOptions = { toleranceRatio: 1.1, tickMs: 10_000, logLine: LINE };
    let state = startRateRatio(options);
    for (let i = 0; i < 4; i++) {
      state = addTick(state, { canaryTotal: 20, canaryBad: 1, stableTotal: 180, stableBad: 1 }, options);
    }
    const before = Math.exp(logHarmE(state));
    assert.ok(before > 2, 'nothing was gathered');
    const mean = meanOfTick(state, options, { canary: [20, 0.011], stable: [180, 0.01] });
    assert.ok(mean <= before * (1 + 1e-9), `${mean} from ${before}`);
  });

  it('never goes past the line, and one tick never adds more than its cap', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(60)), { maxLength: 12 }), (ticks) => {
        const options: RateRatioOptions = { toleranceRatio: 1, tickMs: 10_000, logLine: LINE };
        let state = startRateRatio(options);
        for (const [canaryBad, stableBad] of ticks) {
          const before = logHarmE(state);
          state = addTick(state, { canaryTotal: 40, canaryBad, stableTotal: 400, stableBad }, options);
          assert.ok(logHarmE(state) <= LINE + 1e-9);
          assert.ok(logHarmE(state) - before <= 0.65 * LINE + 1e-9);
        }
      }),
    );
  });

  it('goes on after a restart as if there had been none (I6)', () => {
    const options: RateRatioOptions = { toleranceRatio: 1.1, tickMs: 10_000, logLine: LINE };
    const tick = { canaryTotal: 50, canaryBad: 1, stableTotal: 950, stableBad: 6 };
    const half = addTick(startRateRatio(options), tick, options);
    const restarted = JSON.parse(JSON.stringify(half)) as RateRatioState;
    assert.deepEqual(addTick(restarted, tick, options), addTick(half, tick, options));
  });

  it('alarms at the boundary in no more than 1 % of runs, and sooner than without where there is harm (I8)', () => {
    const plain: RateRatioOptions = { toleranceRatio: 1.1, tickMs: 10_000 };
    const stopping: RateRatioOptions = { ...plain, logLine: LINE };
    const alarms = runs(600, stopping, 0.0055).filter((ticks) => ticks < 200).length;
    assert.ok(binomialInterval(alarms, 600, 0.998).lower <= 0.01, `${alarms} of 600`);
    const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
    const [without, by] = [mean(runs(300, plain, 0.015)), mean(runs(300, stopping, 0.015))];
    assert.ok(by < 0.95 * without, `${by} ticks, ${without} without`);
  });
});

/** E after one more tick, over every outcome: both arms' counts are binomial. */
function meanOfTick(
  state: RateRatioState,
  options: RateRatioOptions,
  { canary, stable }: Record<'canary' | 'stable', readonly [total: number, rate: number]>,
): number {
  let mean = 0;
  for (let canaryBad = 0; canaryBad <= Math.min(canary[0], 14); canaryBad++) {
    for (let stableBad = 0; stableBad <= Math.min(stable[0], 22); stableBad++) {
      const p = binomial(canary, canaryBad) * binomial(stable, stableBad);
      if (p < 1e-16) continue;
      const tick = { canaryTotal: canary[0], canaryBad, stableTotal: stable[0], stableBad };
      mean += p * Math.exp(logHarmE(addTick(state, tick, options)));
    }
  }
  return mean;
}

function binomial([n, p]: readonly [number, number], k: number): number {
  return choose(n, k) * p ** k * (1 - p) ** (n - k);
}

/** Ticks until the line; 200 if it was not reached. */
function runs(count: number, options: RateRatioOptions, canaryRate: number): number[] {
  return Array.from({ length: count }, (_, run) => {
    const random = createRandom(`truncation/${run}`);
    let state = startRateRatio(options);
    for (let tick = 1; tick < 200; tick++) {
      const counts = {
        canaryTotal: 100,
        canaryBad: random.binomial(100, canaryRate),
        stableTotal: 900,
        stableBad: random.binomial(900, 0.005),
      };
      state = addTick(state, counts, options);
      if (logHarmE(state) >= LINE - 1e-9) return tick;
    }
    return 200;
  });
}
