// How the rate-ratio evidence behaves: restarts, order, edges, huge counts, known vectors, refusals.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LOG_ZERO } from './log-space.ts';
import { addTick, type RateRatioOptions, type RateRatioState, startRateRatio, type TickCounts } from './rate-ratio.ts';
import {
  anytimeP,
  estimate,
  logHarmE,
  logNoHarmE,
  logPlainHarmE,
  lowerExcess,
  upperExcess,
} from './rate-ratio-readers.ts';

const OPTIONS: RateRatioOptions = { toleranceRatio: 1.1, harmMargin: 0.001, tickMs: 15_000, alpha: 0.01 };

function tick(canaryTotal: number, canaryBad: number, stableTotal: number, stableBad: number): TickCounts {
  return { canaryTotal, canaryBad, stableTotal, stableBad };
}

function run(ticks: readonly TickCounts[], options: RateRatioOptions = OPTIONS): RateRatioState {
  return ticks.reduce<RateRatioState>((state, counts) => addTick(state, counts, options), startRateRatio(options));
}

const whole = (most: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: most }))
    .map(([a, b]) => [Math.max(a, b), Math.min(a, b)] as const);
const anyTick = (most: number) => fc.tuple(whole(most), whole(most)).map(([c, s]) => tick(c[0], c[1], s[0], s[1]));

function everyNumber(value: unknown, visit: (number: number) => void): void {
  if (typeof value === 'number') visit(value);
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) everyNumber(part, visit);
}

describe('the rate-ratio state', () => {
  it('goes on bit for bit the same after a restart between any two ticks (I6)', () => {
    fc.assert(
      fc.property(fc.array(anyTick(2000), { maxLength: 12 }), fc.nat(12), (ticks, cut) => {
        const straight = run(ticks);
        const before: RateRatioState = JSON.parse(JSON.stringify(run(ticks.slice(0, cut))));
        const resumed = ticks
          .slice(cut)
          .reduce<RateRatioState>((state, counts) => addTick(state, counts, OPTIONS), before);
        assert.deepStrictEqual(resumed, straight);
      }),
    );
  });

  it('is not touched by ticks without traffic on either arm, wherever they fall', () => {
    fc.assert(
      fc.property(fc.array(anyTick(500), { maxLength: 8 }), fc.nat(8), (ticks, where) => {
        const idle = [tick(0, 0, 900, 4), tick(30, 5, 0, 0), tick(0, 0, 0, 0)];
        assert.deepStrictEqual(run([...ticks.slice(0, where), ...idle, ...ticks.slice(where)]), run(ticks));
      }),
    );
    const state = run([tick(5, 1, 50, 1)]);
    assert.equal(addTick(state, tick(0, 0, 10, 1), OPTIONS), state);
  });

  it('is not changed by addTick, which answers with a new one', () => {
    const state = run([tick(50, 1, 950, 2)]);
    const copy = structuredClone(state);
    addTick(state, tick(50, 9, 950, 2), OPTIONS);
    assert.deepStrictEqual(state, copy);
  });

  it('holds only finite numbers and gives finite readings at counts up to 1e9, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(anyTick(1e9), { minLength: 1, maxLength: 6 }), (ticks) => {
        const state = run(ticks);
        everyNumber(state, (number) => assert.ok(Number.isFinite(number)));
        for (const reading of [logHarmE(state), logPlainHarmE(state, 0), logNoHarmE(state, 0.002), anytimeP(state)]) {
          assert.ok(Number.isFinite(reading), `${reading}`);
        }
        const low = lowerExcess(state, 0.05);
        const high = upperExcess(state, 0.05);
        assert.ok(low >= -1.1 && low <= 1 && high >= -1.1 && high <= 1);
      }),
    );
    const extremes = [
      tick(1e9, 1e9, 1, 0),
      tick(1, 0, 1e9, 1e9),
      tick(1e9, 1e9, 1e9, 1e9),
      tick(0.5, 0.25, 1e-8, 1e-8),
    ];
    everyNumber(run(extremes), (number) => assert.ok(Number.isFinite(number)));
  });

  it('stays under 2 kB of JSON and has no −0 and no null', () => {
    const text = JSON.stringify(run(Array.from({ length: 50 }, (_, i) => tick(50, i % 3, 950, i % 7))));
    assert.ok(text.length < 2048, `${text.length} characters`);
    assert.ok(!text.includes('null'));
  });
});

describe('the plain e-processes', () => {
  it('do not depend on the order of ticks nor on how requests at one share are cut into ticks', () => {
    const shared = fc.array(
      fc
        .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(10), fc.nat(20))
        // Fewer than 7 % bad in every tick: common events are stratified exactly, which depends on the strata.
        .map(([n, x, y]) => ({ n, x: Math.min(x, Math.floor(n / 4)), y: Math.min(y, Math.floor(n / 2)) })),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(shared, (parts) => {
        // Share 1 in 11 throughout.
        const ticks = parts.map(({ n, x, y }) => tick(n, x, 10 * n, y));
        const whole = tick(0, 0, 0, 0);
        const total = ticks.reduce(
          (sum, t) =>
            tick(
              sum.canaryTotal + t.canaryTotal,
              sum.canaryBad + t.canaryBad,
              sum.stableTotal + t.stableTotal,
              sum.stableBad + t.stableBad,
            ),
          whole,
        );
        const readings = [ticks, [...ticks].reverse(), [total]].map((list) => {
          const state = run(list);
          return [logPlainHarmE(state, 0.003), logNoHarmE(state, 0.003), state.noHarmExposure];
        });
        for (const reading of readings) {
          reading.forEach((value, i) => {
            const reference = readings[0]?.[i] ?? Number.NaN;
            assert.ok(Math.abs(value - reference) <= 1e-9 * (1 + Math.abs(reference)), `${value} and ${reference}`);
          });
        }
      }),
    );
  });

  it('fall with the excess they are asked about on the harm side, and rise on the no-harm side', () => {
    fc.assert(
      fc.property(fc.array(anyTick(1000), { maxLength: 5 }), (ticks) => {
        const state = run(ticks);
        for (let excess = -0.5; excess < 0.5; excess += 0.1) {
          assert.ok(logPlainHarmE(state, excess) >= logPlainHarmE(state, excess + 0.1) - 1e-9);
          assert.ok(logNoHarmE(state, excess) <= logNoHarmE(state, excess + 0.1) + 1e-9);
        }
      }),
    );
  });
});

describe('the bounds', () => {
  it('widen as alpha shrinks', () => {
    fc.assert(
      fc.property(fc.array(anyTick(3000), { maxLength: 6 }), (ticks) => {
        const state = run(ticks);
        const alphas = [0.4, 0.2, 0.05, 0.01, 0.001, 1e-6];
        for (let i = 1; i < alphas.length; i++) {
          const [wide, narrow] = [alphas[i] ?? 0, alphas[i - 1] ?? 0];
          assert.ok(upperExcess(state, wide) >= upperExcess(state, narrow));
          assert.ok(lowerExcess(state, wide) <= lowerExcess(state, narrow));
        }
      }),
    );
  });

  it('say nothing when nothing was seen: [−r, 1], E = 1, p = 1', () => {
    const state = startRateRatio(OPTIONS);
    assert.equal(upperExcess(state, 0.05), 1);
    assert.equal(lowerExcess(state, 0.05), -1.1);
    assert.ok(Math.abs(logHarmE(state)) < 1e-15);
    assert.ok(Math.abs(logNoHarmE(state, 0.1)) < 1e-15);
    assert.equal(anytimeP(state), 1);
    assert.deepEqual(estimate(state), {
      canaryRate: undefined,
      stableRate: undefined,
      excess: undefined,
      ratio: undefined,
      excessBad: 0,
    });
  });

  it('zero errors in 1000 canary requests give U(.05) = 0.00419', () => {
    const state = run([tick(1000, 0, 9000, 0)]);
    assert.equal(upperExcess(state, 0.05).toFixed(5), '0.00419');
    // The same number from the formula: the mean of e^(δ·1000·(1−a)) over the 11 bets is 20.
    const bets = [0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95];
    const mean = bets.reduce((sum, a) => sum + Math.exp(upperExcess(state, 0.05) * 1000 * (1 - a)), 0) / 11;
    assert.ok(Math.abs(mean - 20) < 1e-9);
  });
});

describe('the alarm', () => {
  const strict: RateRatioOptions = { toleranceRatio: 1, tickMs: 10_000 };

  it('two canary errors at 5 % share and none on stable are odds above 100:1', () => {
    const state = run([tick(1, 1, 19, 0), tick(1, 1, 19, 0)], strict);
    assert.ok(Math.exp(logPlainHarmE(state, 0)) >= 100);
  });

  it('cannot be raised by a single tick, however bad', () => {
    fc.assert(
      fc.property(anyTick(1e6), (counts) => {
        assert.ok(logHarmE(run([counts])) < 0.65 * Math.log(100) + 1e-9);
      }),
    );
    assert.ok(logHarmE(run([tick(500, 500, 9500, 0)])) < Math.log(100));
    const twice = run([tick(500, 500, 9500, 0), tick(500, 500, 9500, 0)]);
    assert.ok(logHarmE(twice) > Math.log(100));
  });

  it('is raised sooner for harm that begins late than without the mixture over onsets', () => {
    const healthy = Array.from({ length: 360 }, () => tick(100, 0, 900, 4));
    const harmful = Array.from({ length: 40 }, () => tick(100, 2, 900, 4));
    const delay = (lateOnset: boolean): number => {
      const options = { ...strict, lateOnset };
      let state = run(healthy, options);
      return harmful.findIndex((counts) => {
        state = addTick(state, counts, options);
        return logHarmE(state) >= Math.log(100);
      });
    };
    assert.ok(delay(true) >= 0);
    assert.ok(delay(false) === -1 || delay(true) < delay(false));
  });

  it('keeps its peak for the anytime p-value, which never rises', () => {
    let state = startRateRatio(strict);
    let last = 1;
    for (let i = 0; i < 200; i++) {
      state = addTick(state, tick(20, i < 20 ? 1 : 0, 180, 2), strict);
      assert.ok(anytimeP(state) <= last);
      assert.ok(state.peakLogHarmE >= logHarmE(state));
      last = anytimeP(state);
    }
    assert.ok(last < 1 && logHarmE(state) < state.peakLogHarmE);
  });

  it('is slowed, never hastened, by tempering', () => {
    const ticks = Array.from({ length: 5 }, () => tick(100, 3, 1900, 4));
    const bare = logPlainHarmE(run(ticks, strict), 0);
    const tempered = run(ticks, { ...strict, dispersion: 2, clusterCap: 3 });
    assert.ok(logPlainHarmE(tempered, 0) < bare / 3);
    assert.ok(upperExcess(tempered, 0.05) > upperExcess(run(ticks, strict), 0.05));
  });
});

describe('the estimate', () => {
  it('is taken tick by tick, so that moving weights do not bend it (Simpson)', () => {
    // Same rates on both arms in every tick; the canary gets its traffic in the bad hour. Pooled rates would differ 5×.
    const state = run([tick(10, 0.01, 990, 0.99), tick(500, 5, 500, 5)]);
    const { canaryRate, stableRate, excessBad } = estimate(state);
    assert.ok(Math.abs((canaryRate ?? 0) - (stableRate ?? 1)) < 1e-12);
    assert.ok(Math.abs(excessBad) < 1e-12);
  });

  it('names excess and ratio', () => {
    const state = run([tick(1000, 30, 2000, 20)]);
    const { excess, ratio, excessBad } = estimate(state);
    assert.ok(Math.abs((ratio ?? 0) - 3) < 1e-12);
    assert.ok(Math.abs((excess ?? 0) - (0.03 - 1.1 * 0.01)) < 1e-12);
    assert.ok(Math.abs(excessBad - 20) < 1e-12);
  });
});

describe('what the room refuses', () => {
  const state = startRateRatio(OPTIONS);
  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['a negative total', () => addTick(state, tick(-1, 0, 1, 0), OPTIONS), /canary total .* >= 0.*-1/],
    ['a total that is not a number', () => addTick(state, tick(Number.NaN, 0, 1, 0), OPTIONS), /canary total/],
    ['an infinite total', () => addTick(state, tick(1, 0, Number.POSITIVE_INFINITY, 0), OPTIONS), /stable total/],
    ['a negative bad count', () => addTick(state, tick(1, -0.5, 1, 0), OPTIONS), /canary bad count/],
    [
      'more bad than total',
      () => addTick(state, tick(5, 1, 5, 6), OPTIONS),
      /stable bad count 6 is larger than its total 5/,
    ],
    [
      'another r on the way',
      () => addTick(state, tick(5, 1, 5, 1), { ...OPTIONS, toleranceRatio: 1.5 }),
      /started for/,
    ],
    [
      'another δ on the way',
      () => addTick(state, tick(5, 1, 5, 1), { ...OPTIONS, harmMargin: 0 }),
      /Start new evidence/,
    ],
    ['r = 0', () => startRateRatio({ ...OPTIONS, toleranceRatio: 0 }), /toleranceRatio/],
    ['a negative harm margin', () => startRateRatio({ ...OPTIONS, harmMargin: -0.1 }), /harmMargin/],
    ['ticks of no length', () => startRateRatio({ ...OPTIONS, tickMs: 0 }), /tickMs/],
    ['dispersion below 1', () => startRateRatio({ ...OPTIONS, dispersion: 0.9 }), /dispersion/],
    ['a cluster cap below 1', () => startRateRatio({ ...OPTIONS, clusterCap: 0 }), /clusterCap/],
    ['no cap fraction', () => startRateRatio({ ...OPTIONS, capFraction: 0 }), /capFraction/],
    ['alpha = 1', () => upperExcess(state, 1), /alpha/],
  ];
  for (const [what, act, message] of refusals) {
    it(`refuses ${what} with a RangeError that says so`, () => {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    });
  }

  it('keeps log 0 as a number that JSON keeps', () => {
    const lost = run([tick(10, 1, 10, 0)]);
    assert.equal(lost.noHarm[0], LOG_ZERO);
    assert.equal(JSON.parse(JSON.stringify(lost)).noHarm[0], LOG_ZERO);
    assert.equal(run([tick(10, 1, 10, 0), tick(10, 1, 10, 3)]).noHarm[0], LOG_ZERO);
  });
});
