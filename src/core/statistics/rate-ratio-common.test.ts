// Where the rate-ratio evidence changes to the exact factors of common events, and ticks that come in strata.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canaryRequestsToTell } from './information.ts';
import { createRandom } from './random.ts';
import { addStrata, addTick, type RateRatioOptions, type RateRatioState, startRateRatio } from './rate-ratio.ts';
import { logHarmE, logNoHarmE, lowerExcess, upperExcess } from './rate-ratio-readers.ts';

const ONE = 1 + 1e-12;
const BARE = { tickMs: 10_000, lateOnset: false, capFraction: Number.POSITIVE_INFINITY };

function tick(canaryTotal: number, canaryBad: number, stableTotal: number, stableBad: number) {
  return { canaryTotal, canaryBad, stableTotal, stableBad };
}

function binomialMasses(n: number, p: number): number[] {
  let masses = [1];
  for (let i = 0; i < n; i++) {
    masses = Array.from({ length: i + 2 }, (_, k) => (masses[k] ?? 0) * (1 - p) + (masses[k - 1] ?? 0) * p);
  }
  return masses;
}

/** The mean of a reading after one more tick of 6 and 9 requests at the given rates. */
function meanAfter(
  state: RateRatioState,
  options: RateRatioOptions,
  rates: readonly [number, number],
  read: (state: RateRatioState) => number,
): number {
  const stable = binomialMasses(9, rates[1]);
  return binomialMasses(6, rates[0]).reduce(
    (sum, px, x) =>
      sum +
      stable.reduce((part, py, y) => part + px * py * Math.exp(read(addTick(state, tick(6, x, 9, y), options))), 0),
    0,
  );
}

describe('evidence after common events', () => {
  it('does not grow on average under either hypothesis, whatever was counted before (I8)', () => {
    for (const toleranceRatio of [0.7, 1, 1.1, 1.5]) {
      const options = { toleranceRatio, ...BARE };
      const before = addTick(startRateRatio(options), tick(10, 5, 20, 11), options);
      for (const stableRate of [0.01, 0.3, 0.6, 0.9]) {
        const onBoundary = Math.min(1, toleranceRatio * stableRate);
        for (const canaryRate of [onBoundary, 0.5 * onBoundary]) {
          const mean = meanAfter(before, options, [canaryRate, stableRate], logHarmE);
          assert.ok(
            mean <= ONE * Math.exp(logHarmE(before)),
            `r ${toleranceRatio}, ${canaryRate}/${stableRate}: ${mean}`,
          );
        }
        for (const excess of [-0.05, 0, 0.05]) {
          const read = (state: RateRatioState): number => logNoHarmE(state, excess);
          const least = Math.max(0, toleranceRatio * stableRate + excess);
          if (least > 1) continue;
          const mean = meanAfter(before, options, [least, stableRate], read);
          assert.ok(mean <= ONE * Math.exp(read(before)), `r ${toleranceRatio}, δ ${excess}, ${stableRate}: ${mean}`);
        }
      }
    }
  });

  it('is chosen by the ticks before, not by the tick at hand', () => {
    const options = { toleranceRatio: 1, ...BARE };
    const first = addTick(startRateRatio(options), tick(10, 9, 90, 60), options);
    assert.deepEqual(first.exactAbove, []);
    assert.equal(addTick(first, tick(10, 0, 90, 0), options).exactAbove.length, first.noHarm.length);
    const rare = addTick(startRateRatio(options), tick(100, 4, 900, 45), options);
    assert.deepEqual(addTick(rare, tick(10, 9, 90, 60), options).exactAbove, []);
  });

  it('is kept off by weighted counts', () => {
    const options = { toleranceRatio: 1, ...BARE };
    const before = addTick(startRateRatio(options), tick(10, 5, 90, 45), options);
    assert.deepEqual(addTick(before, tick(10, 5.5, 90, 45), options).exactAbove, []);
  });

  it('bounds hold the truth and are ordered, on both sides of 0', () => {
    for (const [rate, toleranceRatio] of [
      [0.5, 1],
      [0.3, 1],
      [0.6, 1.1],
    ] as const) {
      const options = { toleranceRatio, ...BARE };
      const stream = createRandom(`bounds/${rate}`);
      let state = startRateRatio(options);
      for (let i = 0; i < 100; i++) {
        state = addTick(state, tick(100, stream.binomial(100, rate), 400, stream.binomial(400, 0.5)), options);
      }
      const truth = rate - toleranceRatio * 0.5;
      const [low, high] = [lowerExcess(state, 0.05), upperExcess(state, 0.05)];
      assert.ok(low <= truth && truth <= high && high - low < 0.25, `${low} ${truth} ${high}`);
    }
  });

  it('harm at rates of 10 to 60 % is found, and its absence shown, near the limit of any test', () => {
    const share = 0.1;
    const measure = (
      rates: readonly [number, number],
      options: RateRatioOptions,
      read: (s: RateRatioState) => number,
    ) => {
      let total = 0;
      for (let run = 0; run < 100; run++) {
        const stream = createRandom(`common/${rates}/${run}`);
        let state = startRateRatio(options);
        while (read(state) < Math.log(100)) {
          state = addTick(state, tick(10, stream.binomial(10, rates[0]), 90, stream.binomial(90, rates[1])), options);
        }
        total += state.canaryTotal;
      }
      return total / 100;
    };
    for (const [stableRate, canaryRate, toleranceRatio] of [
      [0.1, 0.15, 1],
      [0.5, 0.6, 1],
      [0.5, 0.65, 1.1],
    ] as const) {
      const mean = measure([canaryRate, stableRate], { toleranceRatio, ...BARE }, logHarmE);
      const limit = canaryRequestsToTell({ canaryRate, stableRate, share, toleranceRatio }, { alpha: 0.01 });
      assert.ok(mean < 2 * limit, `${stableRate} to ${canaryRate}: ${(mean / limit).toFixed(2)}`);
    }
    const mean = measure([0.5, 0.5], { toleranceRatio: 1, ...BARE }, (state) => logNoHarmE(state, 0.1));
    const limit = canaryRequestsToTell({ canaryRate: 0.5, stableRate: 0.5, share, margin: 0.1 }, { alpha: 0.01 });
    assert.ok(mean < 1.8 * limit, `no harm: ${(mean / limit).toFixed(2)}`);
  });
});

describe('a tick in strata', () => {
  const options: RateRatioOptions = { toleranceRatio: 1.1, tickMs: 15_000 };

  it('multiplies their factors, caps them once and steps the onset mixture once', () => {
    const strata = [tick(50, 3, 950, 4), tick(20, 0, 80, 1), tick(0, 0, 50, 2), tick(5, 1, 300, 2)];
    const bare = { ...options, lateOnset: false, capFraction: Number.POSITIVE_INFINITY };
    const together = addStrata(startRateRatio(bare), strata, bare);
    const apart = strata.reduce<RateRatioState>((state, counts) => addTick(state, counts, bare), startRateRatio(bare));
    assert.ok(Math.abs(logHarmE(together) - logHarmE(apart)) < 1e-12);
    assert.equal(together.ticks, 1);
    assert.equal(apart.ticks, 3);
    assert.deepEqual(
      [together.canaryTotal, together.canaryBad, together.stableTotal, together.stableBad],
      [75, 4, 1330, 7],
    );
    assert.ok(Math.abs(together.expectedCanaryBad - apart.expectedCanaryBad) < 1e-12);
    assert.ok(Math.abs(upperExcess(together, 0.05) - upperExcess(apart, 0.05)) < 1e-12);

    const crashes = [tick(50, 50, 950, 0), tick(50, 50, 950, 0), tick(50, 50, 950, 0)];
    assert.ok(logHarmE(addStrata(startRateRatio(options), crashes, options)) < Math.log(100));
  });

  it('keeps E[E] <= 1 when strata differ in rate and share (no Simpson)', () => {
    const strict = { toleranceRatio: 1, tickMs: 15_000 };
    const [lowC, lowS] = [binomialMasses(1, 0.05), binomialMasses(6, 0.05)];
    const [highC, highS] = [binomialMasses(6, 0.6), binomialMasses(1, 0.6)];
    let mean = 0;
    lowC.forEach((p1, x1) => {
      lowS.forEach((p2, y1) => {
        highC.forEach((p3, x2) => {
          highS.forEach((p4, y2) => {
            const state = addStrata(startRateRatio(strict), [tick(1, x1, 6, y1), tick(6, x2, 1, y2)], strict);
            mean += p1 * p2 * p3 * p4 * Math.exp(logHarmE(state));
          });
        });
      });
    });
    assert.ok(mean <= ONE, `${mean}`);
  });

  it('of one stratum is the tick, bit for bit, and of none or idle ones is nothing', () => {
    const count = fc.integer({ min: 0, max: 500 });
    fc.assert(
      fc.property(fc.array(fc.tuple(count, count, count, count), { maxLength: 6 }), (rows) => {
        let [ticks, strata] = [startRateRatio(options), startRateRatio(options)];
        for (const [a, b, c, d] of rows) {
          const counts = tick(a + b, b, c + d, d);
          ticks = addTick(ticks, counts, options);
          strata = addStrata(strata, [tick(0, 0, 7, 1), counts], options);
        }
        assert.deepEqual(strata, ticks);
        assert.equal(addStrata(ticks, [], options), ticks);
        assert.equal(addStrata(ticks, [tick(0, 0, 7, 1)], options), ticks);
      }),
    );
  });
});
