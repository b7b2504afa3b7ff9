// The band for display: its formula, its tuning, its coverage where scores are tame, and its failure where they are not.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type AsymptoticMeanState,
  addAsymptoticTick,
  asymptoticBand,
  halfWidthFactor,
  startAsymptoticMean,
} from './asymptotic-mean.ts';
import { evenLevels, type ScoreTick } from './label-tilt-scores.ts';
import { createRandom } from './random.ts';

const LEVELS = evenLevels(3);
const OPTIONS = { levels: LEVELS };
const random = createRandom(1876);

function run(ticks: readonly ScoreTick[], from = startAsymptoticMean(OPTIONS)): AsymptoticMeanState {
  return ticks.reduce<AsymptoticMeanState>((state, tick) => addAsymptoticTick(state, tick, OPTIONS), from);
}

/** The part of releases in which the band ever left out the true difference, 0. */
function missed(world: { events: number; share: number; rate: number; alpha: number; runs: number; burnIn: number }) {
  let count = 0;
  for (let i = 0; i < world.runs; i++) {
    const stream = random.fork(`${JSON.stringify(world)}/${i}`);
    let state = startAsymptoticMean(OPTIONS);
    for (let t = 0; t < 100; t++) {
      const canaryEvents = stream.binomial(world.events, world.share);
      const [canary, stable] = [canaryEvents, world.events - canaryEvents].map((n) => {
        const high = stream.binomial(n, world.rate);
        return [n - high, 0, high];
      });
      state = addAsymptoticTick(state, { share: world.share, canary: canary ?? [], stable: stable ?? [] }, OPTIONS);
      const band = asymptoticBand(state, { alpha: world.alpha, tuneTo: 5000, burnIn: world.burnIn });
      if (band !== undefined && (band.lower > 0 || band.upper < 0)) {
        count += 1;
        break;
      }
    }
  }
  return count / world.runs;
}

describe('the band for display', () => {
  it('holds the truth where scores are tame: at most 5 % misses at 95 %, looked at after every tick', () => {
    assert.ok(missed({ events: 500, share: 0.5, rate: 0.4, alpha: 0.05, runs: 200, burnIn: 1000 }) <= 0.05);
  });

  it('fails where outcomes are rare and the share is small: more than 4 % misses at nominal 1 %', () => {
    assert.ok(missed({ events: 100, share: 0.05, rate: 0.004, alpha: 0.01, runs: 200, burnIn: 100 }) > 0.04);
  });

  it('says that it is approximate, and says nothing during the burn-in or without variation', () => {
    const state = run([
      { share: 0.5, canary: [5, 0, 5], stable: [5, 0, 5] },
      { share: 0.5, canary: [200, 100, 200], stable: [210, 80, 210] },
    ]);
    const options = { alpha: 0.05, tuneTo: 1000 };
    assert.equal(asymptoticBand(state, { ...options, burnIn: 1001 }), undefined);
    assert.equal(asymptoticBand(state, { ...options, burnIn: 1000 })?.approximate, true);
    assert.equal(asymptoticBand(startAsymptoticMean(OPTIONS), { ...options, burnIn: 1 }), undefined);
    const flat = run([1, 2].map(() => ({ share: 0.5, canary: [900, 0, 0], stable: [900, 0, 0] })));
    assert.equal(asymptoticBand(flat, { ...options, burnIn: 1 }), undefined);
  });

  it('has one bound where one is asked for, closer than the two-sided one', () => {
    const state = run([1, 2, 3].map(() => ({ share: 0.3, canary: [200, 50, 50], stable: [500, 100, 100] })));
    const options = { alpha: 0.05, tuneTo: 2000 };
    const both = asymptoticBand(state, options);
    const lower = asymptoticBand(state, { ...options, sides: 'lower' });
    const upper = asymptoticBand(state, { ...options, sides: 'upper' });
    assert.ok(both && lower && upper);
    assert.equal(lower.upper, Number.POSITIVE_INFINITY);
    assert.equal(upper.lower, Number.NEGATIVE_INFINITY);
    assert.ok(lower.lower > both.lower && upper.upper < both.upper);
    const wide = asymptoticBand(state, { ...options, dispersion: 4 });
    assert.ok(wide && Math.abs(wide.upper - wide.estimate - 2 * (both.upper - both.estimate)) < 1e-12);
  });

  it('is narrowest, to a thousandth, at the number of events it is tuned to', () => {
    for (const sides of ['both', 'lower'] as const) {
      for (const alpha of [0.05, 0.001]) {
        const at = (tuneTo: number) => halfWidthFactor(5000, { alpha, tuneTo, sides });
        for (const other of [50, 1000, 2500, 4000, 6000, 10_000, 1e6])
          assert.ok(at(5000) <= at(other) * 1.001, `${other}`);
      }
    }
  });

  it('shrinks with events and widens as alpha shrinks', () => {
    for (const sides of ['both', 'upper'] as const) {
      let last = Number.POSITIVE_INFINITY;
      for (let n = 1; n < 1e10; n *= 10) {
        const factor = halfWidthFactor(n, { alpha: 0.05, tuneTo: 1e5, sides });
        assert.ok(factor < last && factor > 0);
        assert.ok(halfWidthFactor(n, { alpha: 0.01, tuneTo: 1e5, sides }) > factor);
        last = factor;
      }
    }
    assert.ok(Number.isFinite(halfWidthFactor(100, { alpha: 0.9, tuneTo: 100, sides: 'lower' })));
  });
});

const anyTick = (most: number) =>
  fc
    .tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: most }), { minLength: 3, maxLength: 3 }),
      fc.array(fc.integer({ min: 0, max: most }), { minLength: 3, maxLength: 3 }),
    )
    .map(([share, canary, stable]): ScoreTick => ({ share, canary, stable }));

describe('the state of the band', () => {
  it('goes on bit for bit the same after a restart between any two ticks (I6), finite at counts up to 1e9', () => {
    fc.assert(
      fc.property(fc.array(anyTick(1e9), { maxLength: 8 }), fc.nat(8), (ticks, cut) => {
        const text = JSON.stringify(run(ticks.slice(0, cut)));
        assert.ok(!text.includes('null'));
        const state = run(ticks.slice(cut), JSON.parse(text));
        assert.deepStrictEqual(state, run(ticks));
        const band = asymptoticBand(state, { alpha: 0.05, tuneTo: 1000 });
        assert.ok(band === undefined || (Number.isFinite(band.lower) && band.lower < band.upper));
      }),
    );
  });

  it('refuses what cannot be, with a RangeError that says so', () => {
    const state = startAsymptoticMean(OPTIONS);
    const band = { alpha: 0.05, tuneTo: 1000 };
    const refusals: readonly (readonly [() => unknown, RegExp])[] = [
      [() => startAsymptoticMean({ levels: [2] }), /level/],
      [() => startAsymptoticMean({ ...OPTIONS, toleranceRatio: 0 }), /toleranceRatio/],
      [() => addAsymptoticTick(state, { share: 0.1, canary: [1], stable: [1, 1, 1] }, OPTIONS), /per level/],
      [() => asymptoticBand(state, { ...band, alpha: 1 }), /alpha/],
      [() => asymptoticBand(state, { ...band, tuneTo: 0 }), /tuneTo/],
      [() => asymptoticBand(state, { ...band, burnIn: 0 }), /burnIn/],
      [() => asymptoticBand(state, { ...band, dispersion: 0 }), /dispersion/],
    ];
    for (const [act, message] of refusals) {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    }
  });
});
