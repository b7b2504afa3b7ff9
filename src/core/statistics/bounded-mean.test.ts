// Bounds on the difference of mean scores: the mean of the evidence over every assignment, coverage while peeking,
// promotion errors, efficiency against the variance, restarts, edges and refusals.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addMeanTick,
  BET_FRACTIONS,
  type BoundedMeanOptions,
  type BoundedMeanState,
  logAboveE,
  logBelowE,
  logScoreNoHarmE,
  lowerDifference,
  meanDifference,
  startBoundedMean,
  upperDifference,
} from './bounded-mean.ts';
import { contrastOf, contrastValues } from './bounded-mean-contrast.ts';
import { evenLevels, type ScoreTick } from './label-tilt-scores.ts';
import { createRandom, type Random } from './random.ts';

const LEVELS = [0, 0.1, 0.5, 1];

/** What each event would score, as level indices: on the canary and on stable. */
type Potential = readonly (readonly [canary: number, stable: number])[];

/** Every assignment of the events to the arms, with its probability. */
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

function averageDifference(events: Potential, toleranceRatio: number): number {
  const sum = events.reduce((all, [c, s]) => all + (LEVELS[c] ?? 0) - toleranceRatio * (LEVELS[s] ?? 0), 0);
  return sum / events.length;
}

const WORLDS: readonly Potential[] = [
  [
    [0, 0],
    [0, 0],
    [3, 3],
    [1, 1],
    [2, 2],
  ],
  [
    [0, 3],
    [1, 3],
    [0, 2],
    [0, 0],
  ],
  [
    [3, 0],
    [3, 1],
    [2, 2],
    [0, 0],
  ],
  [
    [3, 3],
    [3, 3],
    [3, 3],
    [3, 2],
  ],
  [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 1],
  ],
];
const STARTS: readonly Potential[] = [
  [
    [0, 0],
    [3, 3],
  ],
  [
    [3, 3],
    [2, 2],
  ],
];

/** The mean of E upwards and downwards after `start` and `world`, each asked about a difference `beyond` the true one. */
function meanEvidence(
  options: BoundedMeanOptions,
  [start, world]: readonly [Potential, Potential],
  [firstShare, share]: readonly [number, number],
  beyond: number,
): { above: number; below: number } {
  const d = averageDifference(world, options.toleranceRatio);
  let [above, below] = [0, 0];
  for (const first of assignments(start, firstShare)) {
    const state = addMeanTick(startBoundedMean(options), first.tick, options);
    for (const { mass, tick } of assignments(world, share)) {
      const after = addMeanTick(state, tick, options);
      above += first.mass * mass * Math.exp(logAboveE(after, d + beyond));
      below += first.mass * mass * Math.exp(logBelowE(after, d - beyond));
    }
  }
  return { above, below };
}

const SHARES = [
  [0.5, 0.05],
  [0.1, 0.3],
  [0.3, 0.9],
] as const;
const CASES = STARTS.flatMap((start) => WORLDS.flatMap((world) => SHARES.map((shares) => ({ start, world, shares }))));

describe('mean evidence on the difference of means, over all assignments of two ticks (I8)', () => {
  for (const toleranceRatio of [1, 0.9, 0.5, 1.25]) {
    const options: BoundedMeanOptions = { toleranceRatio, levels: LEVELS };

    it(`is at most 1 at the true difference and beyond it, in both directions, with r = ${toleranceRatio}`, () => {
      for (const { start, world, shares } of CASES) {
        for (const beyond of [0, 0.05]) {
          const { above, below } = meanEvidence(options, [start, world], shares, beyond);
          const where = `shares ${shares}, world ${JSON.stringify(world)}, ${beyond} beyond`;
          assert.ok(above <= 1 + 1e-12 && below <= 1 + 1e-12, `${where}: ${above}, ${below}`);
        }
      }
    });
  }

  it('is close to 1 where means hardly differ: no evidence is thrown away', () => {
    const near = CASES.filter(({ world }) => Math.abs(averageDifference(world, 1)) < 0.03);
    assert.ok(near.length > 0);
    for (const { start, world, shares } of near) {
      const { above, below } = meanEvidence({ toleranceRatio: 1, levels: LEVELS }, [start, world], shares, 0);
      assert.ok(above > 0.98 && below > 0.98, `${JSON.stringify(world)}: ${above}, ${below}`);
    }
  });

  it('rises above 1 when asked about a difference that is not there', () => {
    const options: BoundedMeanOptions = { toleranceRatio: 1, levels: LEVELS };
    const state = addMeanTick(
      startBoundedMean(options),
      { share: 0.5, canary: [1, 0, 0, 1], stable: [1, 0, 0, 1] },
      options,
    );
    const world = WORLDS[0] ?? [];
    const mean = (read: (after: BoundedMeanState) => number) =>
      assignments(world, 0.3).reduce((sum, { mass, tick }) => sum + mass * read(addMeanTick(state, tick, options)), 0);
    assert.ok(mean((after) => Math.exp(logAboveE(after, -0.1))) > 1.01);
    assert.ok(mean((after) => Math.exp(logBelowE(after, 0.1))) > 1.01);
  });

  it('units that bring up to c events to one arm are covered by the cluster cap', () => {
    const options: BoundedMeanOptions = { toleranceRatio: 1, levels: LEVELS, clusterCap: 3 };
    const start = { share: 0.5, canary: [1, 0, 0, 1], stable: [1, 0, 1, 1] };
    const state = addMeanTick(startBoundedMean(options), start, options);
    const units = [[3, 3, 3], [2, 3], [0, 0, 0], [1]];
    for (const share of [0.05, 0.5]) {
      let [above, below] = [0, 0];
      for (let mask = 0; mask < 1 << units.length; mask++) {
        const canary = LEVELS.map(() => 0);
        const stable = LEVELS.map(() => 0);
        let mass = 1;
        units.forEach((levels, i) => {
          const toCanary = ((mask >> i) & 1) === 1;
          mass *= toCanary ? share : 1 - share;
          const arm = toCanary ? canary : stable;
          for (const level of levels) arm[level] = (arm[level] ?? 0) + 1;
        });
        const after = addMeanTick(state, { share, canary, stable }, options);
        above += mass * Math.exp(logAboveE(after, 0));
        below += mass * Math.exp(logBelowE(after, 0));
      }
      assert.ok(above <= 1 + 1e-12 && below <= 1 + 1e-12, `share ${share}: ${above}, ${below}`);
    }
  });

  it('rests on a contrast whose mean is g_c − r·g_s and whose values stay within the limits given for it', () => {
    for (const [share, r, center] of [
      [0.05, 1, 0.3],
      [0.9, 0.8, 0],
      [0.3, 1.5, 1],
      [0.5, 0.5, 0.77],
    ] as const) {
      const contrast = contrastOf(share, r, center);
      assert.ok(contrast.lowest < 0 && contrast.highest > 0);
      for (const c of LEVELS) {
        for (const s of LEVELS) {
          const onCanary = contrast.canaryAtZero + contrast.canarySlope * c;
          const onStable = contrast.stableAtZero + contrast.stableSlope * s;
          assert.ok(Math.abs(share * onCanary + (1 - share) * onStable - (c - r * s)) < 1e-12);
          for (const value of [onCanary, onStable]) {
            assert.ok(value >= contrast.lowest - 1e-12 && value <= contrast.highest + 1e-12);
          }
        }
      }
    }
    const values = contrastValues(contrastOf(0.5, 1, 0), { canary: [0, 2, 0, 0], stable: [0, 0, 0, 3] }, LEVELS);
    assert.deepEqual(values, [
      [0.2, 2],
      [-2, 3],
    ]);
  });
});

/** Events of which most score nothing and the others anything: means differ by `difference`. */
function drawTick(stream: Random, world: { share: number; rate: number; difference: number; events: number }) {
  const canaryEvents = stream.binomial(world.events, world.share);
  const canary = drawArm(stream, canaryEvents, world.rate + 2 * world.difference);
  return { share: world.share, canary, stable: drawArm(stream, world.events - canaryEvents, world.rate) };
}

/** Scores ½ on average, given that an event scores at all. */
function drawArm(stream: Random, events: number, rate: number): number[] {
  const scoring = stream.binomial(events, rate);
  const high = stream.binomial(scoring, 4 / 9);
  const middle = stream.binomial(scoring - high, 0.2);
  // 4/9 · 1 + 1/9 · 0.5 + 4/9 · 0.0 = 0.5: levels 1, 0.5, 0.
  return [events - high - middle, 0, middle, high];
}

describe('bounds over a release, looked at after every tick', () => {
  const random = createRandom(1876);
  const options: BoundedMeanOptions = { toleranceRatio: 1, levels: LEVELS };

  /** Whether the truth was ever refuted, upwards and downwards, in one release whose share rises to ½. */
  const refutesTruth = (stream: Random, share: number): readonly [above: boolean, below: boolean] => {
    let state = startBoundedMean(options);
    let [above, below] = [false, false];
    for (let t = 0; t < 80; t++) {
      const rate = 0.1 + 0.08 * Math.sin(t / 9);
      const world = { share: t < 40 ? share : 0.5, rate, difference: 0.004, events: 400 };
      state = addMeanTick(state, drawTick(stream, world), options);
      above ||= logAboveE(state, 0.004) >= Math.log(20);
      below ||= logBelowE(state, 0.004) >= Math.log(20);
    }
    return [above, below];
  };

  for (const share of [0.05, 0.5]) {
    it(`both hold the truth at 95 % each, weights rising from ${share}, means drifting together`, () => {
      const runs = Array.from({ length: 200 }, (_, run) => refutesTruth(random.fork(`cover/${share}/${run}`), share));
      assert.ok(runs.filter(([above]) => above).length <= 10);
      assert.ok(runs.filter(([, below]) => below).length <= 10);
    });
  }

  it('a canary that loses exactly the margin is cleared at most in 5 %, an equal one nearly always', () => {
    const margin = 0.01;
    const cleared = (difference: number): number => {
      let count = 0;
      for (let run = 0; run < 150; run++) {
        const stream = random.fork(`clear/${difference}/${run}`);
        let state = startBoundedMean(options);
        for (let t = 0; t < 120; t++) {
          state = addMeanTick(state, drawTick(stream, { share: 0.3, rate: 0.1, difference, events: 1500 }), options);
          if (logScoreNoHarmE(state, 'decrease', margin) >= Math.log(20)) {
            count += 1;
            break;
          }
        }
      }
      return count;
    };
    assert.ok(cleared(-margin) <= 0.05 * 150);
    assert.ok(cleared(0) >= 0.95 * 150);
  });

  it('to clear an equal canary it takes under twice what a normal test with known variance could do', () => {
    const [share, rate, margin] = [0.3, 0.1, 0.01];
    // d has variance Σ g²/ρ and so on; with the centre at the mean: Var(g)·(1/ρ + 1/(1−ρ)) per event.
    const variance = (rate * (4 / 9 + 0.25 / 9) - (rate / 2) ** 2) * (1 / share + 1 / (1 - share));
    const least = (2 * Math.log(20) * variance) / margin ** 2;
    let needed = 0;
    for (let run = 0; run < 40; run++) {
      const stream = random.fork(`speed/${run}`);
      let state = startBoundedMean(options);
      while (logScoreNoHarmE(state, 'decrease', margin) < Math.log(20)) {
        state = addMeanTick(state, drawTick(stream, { share, rate, difference: 0, events: 300 }), options);
      }
      needed += state.canaryEvents + state.stableEvents;
    }
    const ratio = needed / 40 / least;
    assert.ok(ratio > 0.5 && ratio < 2, `ratio ${ratio.toFixed(2)}`);
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
const OPTIONS: BoundedMeanOptions = { toleranceRatio: 0.9, levels: LEVELS, dispersion: 1.5 };

function run(ticks: readonly ScoreTick[], from: BoundedMeanState = startBoundedMean(OPTIONS)): BoundedMeanState {
  return ticks.reduce<BoundedMeanState>((state, tick) => addMeanTick(state, tick, OPTIONS), from);
}

describe('the bounded-mean state', () => {
  it('goes on bit for bit the same after a restart between any two ticks (I6)', () => {
    fc.assert(
      fc.property(fc.array(anyTick(500), { maxLength: 8 }), fc.nat(8), (ticks, cut) => {
        const before: BoundedMeanState = JSON.parse(JSON.stringify(run(ticks.slice(0, cut))));
        assert.deepStrictEqual(run(ticks.slice(cut), before), run(ticks));
      }),
    );
  });

  it('holds only finite numbers at counts up to 1e9, in under 1 KiB of JSON; the bounds keep their order', () => {
    fc.assert(
      fc.property(fc.array(anyTick(1e9), { minLength: 1, maxLength: 5 }), (ticks) => {
        const state = run(ticks);
        const text = JSON.stringify(state);
        assert.ok(!text.includes('null') && text.length <= 1024, `${text.length}: ${text}`);
        const [low, high] = [lowerDifference(state, 0.05), upperDifference(state, 0.05)];
        assert.ok(low >= -0.9 && high <= 1, `${low}, ${high}`);
        assert.ok(Number.isFinite(logScoreNoHarmE(state, 'increase', 0.01)));
      }),
    );
  });

  it('widens its bounds as alpha shrinks, and readings move with the difference asked about', () => {
    fc.assert(
      fc.property(fc.array(anyTick(500), { maxLength: 6 }), (ticks) => {
        const state = run(ticks);
        assert.ok(upperDifference(state, 0.01) >= upperDifference(state, 0.05));
        assert.ok(lowerDifference(state, 0.01) <= lowerDifference(state, 0.05));
        for (let at = -0.9; at < 1; at += 0.1) {
          assert.ok(logAboveE(state, at + 0.1) <= logAboveE(state, at) + 1e-9);
          assert.ok(logBelowE(state, at + 0.1) >= logBelowE(state, at) - 1e-9);
        }
      }),
    );
  });

  it('knows nothing before its second tick: the first one only tells where scores lie', () => {
    const first = run([{ share: 0.2, canary: [5, 1, 1, 1], stable: [20, 4, 4, 4] }]);
    for (const state of [startBoundedMean(OPTIONS), first]) {
      assert.equal(meanDifference(state), undefined);
      assert.equal(upperDifference(state, 0.05), 1);
      assert.equal(lowerDifference(state, 0.05), -0.9);
      assert.ok(Math.abs(logScoreNoHarmE(state, 'decrease', 0.1)) < 1e-15);
    }
    assert.equal(run([{ share: 0, canary: [0, 0, 0, 0], stable: [1, 1, 1, 1] }], first), first);
  });

  it('reads harm by increase as the mirror of harm by decrease', () => {
    const options: BoundedMeanOptions = { toleranceRatio: 1, levels: evenLevels(3) };
    const ticks = [1, 2, 3].map((n) => ({ share: 0.5, canary: [n, 2, 5], stable: [4, n, 4] }));
    const mirrored = ticks.map((t) => ({ ...t, canary: [...t.canary].reverse(), stable: [...t.stable].reverse() }));
    const read = (list: readonly ScoreTick[]) =>
      list.reduce<BoundedMeanState>((state, tick) => addMeanTick(state, tick, options), startBoundedMean(options));
    const there = logScoreNoHarmE(read(ticks), 'increase', 0.2);
    const back = logScoreNoHarmE(read(mirrored), 'decrease', 0.2);
    assert.ok(Math.abs(there - back) < 1e-12, `${there}, ${back}`);
  });

  it('bets 0.001 to 0.9 of the largest safe bet', () => {
    assert.equal(BET_FRACTIONS.length, 14);
    assert.ok(Math.abs((BET_FRACTIONS[13] ?? 0) - 0.9) < 1e-15);
  });
});

describe('what the bounded mean refuses', () => {
  const state = startBoundedMean(OPTIONS);
  const fine = { share: 0.1, canary: [0, 0, 0, 1], stable: [1, 1, 1, 1] };
  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['r = 0', () => startBoundedMean({ ...OPTIONS, toleranceRatio: 0 }), /toleranceRatio/],
    ['another r on the way', () => addMeanTick(state, fine, { ...OPTIONS, toleranceRatio: 1 }), /Start new evidence/],
    ['levels above 1', () => startBoundedMean({ ...OPTIONS, levels: [0, 3] }), /level/],
    ['a share below 0', () => addMeanTick(state, { ...fine, share: -0.1 }, OPTIONS), /share/],
    ['dispersion below 1', () => addMeanTick(state, fine, { ...OPTIONS, dispersion: 0.5 }), /dispersion/],
    ['alpha = 0', () => upperDifference(state, 0), /alpha/],
  ];
  for (const [what, act, message] of refusals) {
    it(`refuses ${what} with a RangeError that says so`, () => {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    });
  }
});
