// Evidence of harm to a mean beyond a tolerance: its mean over every assignment, heavy tails, a change inside the tolerance
// and one outside of it, restarts and refusals.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addMeanHarmTick,
  logMeanHarmE,
  type MeanHarmOptions,
  type MeanHarmState,
  startMeanHarm,
} from './bounded-mean-harm.ts';
import { geometricLevels, nearestLevel, type ScoreTick } from './label-tilt-scores.ts';
import { createRandom, type Random } from './random.ts';

const LEVELS = [0, 0.2, 0.6, 1];
const BASE = { levels: LEVELS, tickMs: 60_000 };

/** What each event would score, as level indices: on the canary and on stable. */
type Potential = readonly (readonly [canary: number, stable: number])[];

function assignments(events: Potential, share: number): { mass: number; tick: ScoreTick }[] {
  return Array.from({ length: 1 << events.length }, (_, mask) => {
    const canary = LEVELS.map(() => 0);
    const stable = LEVELS.map(() => 0);
    let mass = 1;
    events.forEach(([onCanary, onStable], i) => {
      const toCanary = ((mask >> i) & 1) === 1;
      mass *= toCanary ? share : 1 - share;
      if (toCanary) canary[onCanary] = (canary[onCanary] ?? 0) + 1;
      else stable[onStable] = (stable[onStable] ?? 0) + 1;
    });
    return { mass, tick: { share, canary, stable } };
  });
}

/** The mean of E after three ticks: one that sets the centre, and two of the world at different shares. */
function meanOfE(options: MeanHarmOptions, world: Potential): number {
  const first = { share: 0.5, canary: [1, 0, 1, 0], stable: [1, 1, 0, 2] };
  const start = addMeanHarmTick(startMeanHarm(options), first, options);
  let mean = 0;
  for (const one of assignments(world, 0.1)) {
    const middle = addMeanHarmTick(start, one.tick, options);
    for (const two of assignments(world, 0.6)) {
      mean += one.mass * two.mass * Math.exp(logMeanHarmE(addMeanHarmTick(middle, two.tick, options)));
    }
  }
  return mean;
}

/** On stable these four average 0.7; on the canary 0.65: a twentieth less, 0.05 in score. */
const SLIGHTLY_WORSE: Potential = [
  [3, 3],
  [2, 3],
  [3, 2],
  [1, 1],
];
const EXTRAS = [
  {},
  { lateOnset: false, capFraction: Number.POSITIVE_INFINITY },
  { dispersion: 2 },
  { capFraction: 0.05 },
];

describe('mean evidence of a worse mean, over all assignments of two ticks (I8)', () => {
  it('is at most 1 for equal versions, and for worse ones within the ratio or within the margin', () => {
    const equal: Potential = SLIGHTLY_WORSE.map(([, stable]) => [stable, stable]);
    const lower: Potential = [
      [2, 3],
      [2, 2],
      [1, 1],
      [0, 0],
    ];
    const higher: Potential = lower.map(([canary, stable]) => [stable, canary]);
    for (const extra of EXTRAS) {
      for (const harm of ['decrease', 'increase'] as const) {
        const worse = harm === 'decrease' ? lower : higher;
        // Averages 0.35 and 0.45: 7/9 and 9/7 are just tolerated, and so is a margin of 0.1.
        const ratio = harm === 'decrease' ? 7 / 9 : 9 / 7;
        for (const [options, world] of [
          [{ ...BASE, ...extra, harm, toleranceRatio: 1 }, equal],
          [{ ...BASE, ...extra, harm, toleranceRatio: ratio }, worse],
          [{ ...BASE, ...extra, harm, toleranceRatio: 1, harmMargin: 0.1 }, worse],
        ] as const) {
          const mean = meanOfE(options, world);
          assert.ok(mean <= 1 + 1e-12, `${harm}, ${JSON.stringify(extra)}: ${mean}`);
        }
      }
    }
  });

  it('is above 1 just outside of the tolerance', () => {
    const bare = { ...BASE, lateOnset: false, capFraction: Number.POSITIVE_INFINITY, harm: 'decrease' } as const;
    const lost: Potential = SLIGHTLY_WORSE.map(([, stable]) => [0, stable]);
    assert.ok(meanOfE({ ...bare, toleranceRatio: 0.9 }, lost) > 1);
    assert.ok(meanOfE({ ...bare, toleranceRatio: 1, harmMargin: 0.2 }, lost) > 1);
  });
});

const RATIO = geometricLevels(33);

/** 1000 visits a tick, 5 % buy, lognormal amounts capped at their 99.5 % point. */
function revenueTick(stream: Random, world: { share: number; lift: number }): ScoreTick {
  const cap = Math.exp(2.5758293035489);
  const canaryVisits = stream.binomial(1000, world.share);
  const arm = (visits: number, lift: number): number[] => {
    const counts = RATIO.map(() => 0);
    const buyers = stream.binomial(visits, 0.05);
    for (let i = 0; i < buyers; i++) {
      const level = nearestLevel(Math.min(Math.exp(stream.normal()) * lift, cap) / cap, RATIO);
      counts[level] = (counts[level] ?? 0) + 1;
    }
    counts[0] = (counts[0] ?? 0) + visits - buyers;
    return counts;
  };
  return { share: world.share, canary: arm(canaryVisits, world.lift), stable: arm(1000 - canaryVisits, 1) };
}

describe('heavy-tailed revenue, looked at after every tick', () => {
  const random = createRandom(1876);
  const alarms = (runs: number, toleranceRatio: number, world: { share: number; lift: number }): number => {
    const options: MeanHarmOptions = { harm: 'decrease', toleranceRatio, levels: RATIO, tickMs: 15_000 };
    let count = 0;
    for (let run = 0; run < runs; run++) {
      const stream = random.fork(`${JSON.stringify(world)}/${run}`);
      let state = startMeanHarm(options);
      for (let t = 0; t < 100; t++) state = addMeanHarmTick(state, revenueTick(stream, world), options);
      if (state.peakLogHarmE >= Math.log(100)) count += 1;
    }
    return count;
  };

  it('equal versions raise at most 1 % false alarms at r = 1', () => {
    assert.ok(alarms(100, 1, { share: 0.1, lift: 1 }) <= 1);
  });

  it('a tenth less raises no alarm where a fifth is tolerated', () => {
    assert.equal(alarms(60, 0.8, { share: 0.5, lift: 0.9 }), 0);
  });

  it('half as much is found nearly always, with a fifth tolerated', () => {
    assert.ok(alarms(40, 0.8, { share: 0.5, lift: 0.5 }) >= 38);
  });
});

const anyTick = (most: number) =>
  fc
    .tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: most }), { minLength: 4, maxLength: 4 }),
      fc.array(fc.integer({ min: 0, max: most }), { minLength: 4, maxLength: 4 }),
    )
    .map(([share, canary, stable]): ScoreTick => ({ share, canary, stable }));
const OPTIONS: MeanHarmOptions = { ...BASE, harm: 'decrease', toleranceRatio: 0.9, harmMargin: 0.01 };

function run(ticks: readonly ScoreTick[], from: MeanHarmState = startMeanHarm(OPTIONS)): MeanHarmState {
  return ticks.reduce<MeanHarmState>((state, tick) => addMeanHarmTick(state, tick, OPTIONS), from);
}

describe('the state of harm to a mean', () => {
  it('goes on bit for bit the same after a restart (I6), finite at counts up to 1e9, in under 1 KiB of JSON', () => {
    fc.assert(
      fc.property(fc.array(anyTick(1e9), { maxLength: 8 }), fc.nat(8), (ticks, cut) => {
        const text = JSON.stringify(run(ticks.slice(0, cut)));
        assert.ok(!text.includes('null') && text.length <= 1024, text);
        const state = run(ticks.slice(cut), JSON.parse(text));
        assert.deepStrictEqual(state, run(ticks));
        assert.ok(Number.isFinite(logMeanHarmE(state)));
      }),
    );
  });

  it('cannot be brought to an alarm by a single tick', () => {
    fc.assert(
      fc.property(anyTick(1e6), anyTick(1e6), (first, second) => {
        assert.ok(logMeanHarmE(run([first, second])) < 0.65 * Math.log(100) + 1e-9);
      }),
    );
  });

  it('refuses what cannot be, with a RangeError that says so', () => {
    const fine = { share: 0.1, canary: [0, 0, 0, 1], stable: [1, 1, 1, 1] };
    const refusals: readonly (readonly [() => unknown, RegExp])[] = [
      [() => startMeanHarm({ ...OPTIONS, toleranceRatio: 1.1 }), /between 1e-6 and 1 where decrease/],
      [() => startMeanHarm({ ...OPTIONS, harm: 'increase' }), /between 1 and 1e6 where increase/],
      [() => startMeanHarm({ ...OPTIONS, harmMargin: 2 }), /harmMargin/],
      [() => addMeanHarmTick(startMeanHarm(OPTIONS), fine, { ...OPTIONS, harmMargin: 0 }), /Start new evidence/],
      [() => addMeanHarmTick(startMeanHarm(OPTIONS), { ...fine, share: 7 }, OPTIONS), /share/],
    ];
    for (const [act, message] of refusals) {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    }
  });
});
