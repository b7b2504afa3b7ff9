// The label-tilt evidence: its mean over every assignment is 1, whatever the scores; heavy tails raise no alarms; a real
// drop is found; states survive JSON; edges and refusals.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addScores,
  type HarmfulChange,
  LABEL_TILTS,
  type LabelTiltOptions,
  type LabelTiltState,
  logScoreHarmE,
  scoreRatio,
  startLabelTilt,
} from './label-tilt.ts';
import { evenLevels, geometricLevels, nearestLevel, type ScoreTick } from './label-tilt-scores.ts';
import { createRandom, type Random } from './random.ts';

const LEVELS = evenLevels(33);
const BARE = { tickMs: 15_000, lateOnset: false, capFraction: Number.POSITIVE_INFINITY };
const DECREASE: LabelTiltOptions = { harm: 'decrease', levels: LEVELS, ...BARE };

/** The tick in which event i with level index g_i goes to the canary if bit i of the mask is set. */
function assigned(mask: number, canaryLevels: readonly number[], stableLevels: readonly number[], share: number) {
  const canary = LEVELS.map(() => 0);
  const stable = LEVELS.map(() => 0);
  canaryLevels.forEach((level, i) => {
    if ((mask >> i) & 1) canary[level] = (canary[level] ?? 0) + 1;
    else stable[stableLevels[i] ?? 0] = (stable[stableLevels[i] ?? 0] ?? 0) + 1;
  });
  return { share, canary, stable };
}

function massOf(mask: number, events: number, share: number): number {
  let mass = 1;
  for (let i = 0; i < events; i++) mass *= (mask >> i) & 1 ? share : 1 - share;
  return mass;
}

/** The mean of e^reading over all 2^n assignments of one tick's events. */
function meanOver(
  [canaryLevels, stableLevels]: readonly [readonly number[], readonly number[]],
  share: number,
  reading: (tick: ScoreTick) => number,
): number {
  let mean = 0;
  for (let mask = 0; mask < 1 << canaryLevels.length; mask++) {
    const tick = assigned(mask, canaryLevels, stableLevels, share);
    mean += massOf(mask, canaryLevels.length, share) * reading(tick);
  }
  return mean;
}

const SHARES = [0.01, 0.05, 0.3, 0.5, 0.9];
const SCORES = [
  [0, 1, 2, 32, 32, 7, 15, 3],
  [32, 32, 32, 32, 32, 32, 32, 32],
  [0, 0, 0, 0, 0, 0, 0, 1],
];

describe('mean label-tilt evidence, over all 256 assignments of eight events (I8)', () => {
  for (const harm of ['decrease', 'increase'] as const) {
    it(`is exactly 1 when the version changes nothing and ${harm} is harm`, () => {
      const options = { ...DECREASE, harm };
      for (const share of SHARES) {
        for (const scores of SCORES) {
          const mean = meanOver([scores, scores], share, (tick) =>
            Math.exp(logScoreHarmE(addScores(startLabelTilt(options), tick, options))),
          );
          assert.ok(Math.abs(mean - 1) < 1e-12, `share ${share}, scores ${scores}: ${mean}`);
        }
      }
    });

    it(`is at most 1 with cap, onset mixture, tempering and clusters, ${harm} being harm`, () => {
      for (const extra of [
        { capFraction: 0.65, lateOnset: true },
        { dispersion: 2.5, capFraction: 0.3 },
        { clusterCap: 3 },
      ]) {
        const options = { ...DECREASE, harm, ...extra };
        for (const share of SHARES) {
          const scores = SCORES[0] ?? [];
          const mean = meanOver([scores, scores], share, (tick) =>
            Math.exp(logScoreHarmE(addScores(startLabelTilt(options), tick, options))),
          );
          assert.ok(mean <= 1 + 1e-12, `share ${share}: ${mean}`);
        }
      }
    });

    it(`is at most 1 when every score can only be better on the canary, above 1 when worse, ${harm} being harm`, () => {
      const [low, high] = [
        [0, 3, 3, 10, 0, 20],
        [2, 3, 9, 30, 0, 32],
      ];
      const better = harm === 'decrease' ? ([high, low] as const) : ([low, high] as const);
      const worse = harm === 'decrease' ? ([low, high] as const) : ([high, low] as const);
      const options = { ...DECREASE, harm };
      for (const share of SHARES) {
        const read = (tick: ScoreTick) => Math.exp(logScoreHarmE(addScores(startLabelTilt(options), tick, options)));
        assert.ok(meanOver([better[0] ?? [], better[1] ?? []], share, read) <= 1, `share ${share}`);
        assert.ok(meanOver([worse[0] ?? [], worse[1] ?? []], share, read) > 1, `share ${share}`);
      }
    });
  }

  it('stays exactly 1 over two ticks when the second share and the second scores answer to the first', () => {
    const first = [0, 8, 32, 16];
    const mean = meanOver([first, first], 0.2, (tick) => {
      const state = addScores(startLabelTilt(DECREASE), tick, DECREASE);
      const canaryLooksBad = (tick.stable[32] ?? 0) > 0;
      const second = canaryLooksBad ? [32, 32, 1] : [4, 0, 32];
      return meanOver([second, second], canaryLooksBad ? 0.7 : 0.05, (next) =>
        Math.exp(logScoreHarmE(addScores(state, next, DECREASE))),
      );
    });
    assert.ok(Math.abs(mean - 1) < 1e-12, `${mean}`);
  });

  it('a unit that brings up to c events to one arm is covered by the cluster cap', () => {
    const options = { ...DECREASE, harm: 'increase' as const, clusterCap: 3 };
    // Three units with three, two and one event; a unit goes to one arm as a whole.
    const units = [[32, 32, 32], [20, 32], [9]];
    for (const share of SHARES) {
      let mean = 0;
      for (let mask = 0; mask < 8; mask++) {
        const canary = LEVELS.map(() => 0);
        const stable = LEVELS.map(() => 0);
        units.forEach((levels, i) => {
          const arm = (mask >> i) & 1 ? canary : stable;
          for (const level of levels) arm[level] = (arm[level] ?? 0) + 1;
        });
        const state = addScores(startLabelTilt(options), { share, canary, stable }, options);
        mean += massOf(mask, 3, share) * Math.exp(logScoreHarmE(state));
      }
      assert.ok(mean <= 1 + 1e-12, `share ${share}: ${mean}`);
    }
  });
});

/** Visits of which 5 % buy, for lognormal amounts; capped at the 99.5 % point and counted per level. */
function revenueTick(stream: Random, world: { share: number; sigma: number; levels: readonly number[]; lift: number }) {
  const cap = Math.exp(2.5758293035489 * world.sigma);
  const canary = world.levels.map(() => 0);
  const stable = world.levels.map(() => 0);
  const buyers = stream.poisson(50);
  for (let i = 0; i < buyers; i++) {
    const isCanary = stream.uniform() < world.share;
    const amount = Math.exp(world.sigma * stream.normal()) * (isCanary ? world.lift : 1);
    const level = nearestLevel(Math.min(amount, cap) / cap, world.levels);
    const arm = isCanary ? canary : stable;
    arm[level] = (arm[level] ?? 0) + 1;
  }
  return { share: world.share, canary, stable };
}

function firstAlarm(stream: Random, world: Parameters<typeof revenueTick>[1], ticks: number): number {
  const options: LabelTiltOptions = { harm: 'decrease', levels: world.levels, tickMs: 15_000 };
  let state = startLabelTilt(options);
  for (let tick = 1; tick <= ticks; tick++) {
    state = addScores(state, revenueTick(stream, world), options);
    if (logScoreHarmE(state) >= Math.log(100)) return tick;
  }
  return Number.POSITIVE_INFINITY;
}

describe('label-tilt over a release of heavy-tailed revenue, looked at after every tick', () => {
  const random = createRandom(1876);
  const levels = geometricLevels(33);

  for (const [share, sigma] of [
    [0.05, 2],
    [0.1, 1],
    [0.5, 2],
  ] as const) {
    it(`equal versions at share ${share}, lognormal σ = ${sigma}: at most 1 % alarms`, () => {
      const runs = 200;
      let alarms = 0;
      for (let run = 0; run < runs; run++) {
        const stream = random.fork(`equal/${share}/${sigma}/${run}`);
        if (firstAlarm(stream, { share, sigma, levels, lift: 1 }, 150) < Number.POSITIVE_INFINITY) alarms += 1;
      }
      assert.ok(alarms <= runs / 100, `${alarms} of ${runs}`);
    });
  }

  it('a canary that earns half per sale at half of the traffic is found within 200 ticks nearly always', () => {
    let found = 0;
    for (let run = 0; run < 40; run++) {
      const stream = random.fork(`half/${run}`);
      if (firstAlarm(stream, { share: 0.5, sigma: 1, levels, lift: 0.5 }, 200) <= 200) found += 1;
    }
    assert.ok(found >= 38, `${found} of 40`);
  });

  it('a canary that earns more never looks worse than equal does', () => {
    for (let run = 0; run < 20; run++) {
      const stream = random.fork(`more/${run}`);
      assert.equal(firstAlarm(stream, { share: 0.5, sigma: 1, levels, lift: 2 }, 100), Number.POSITIVE_INFINITY);
    }
  });
});

const anyTick = (most: number) =>
  fc
    .tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: most }), { minLength: 5, maxLength: 5 }),
      fc.array(fc.integer({ min: 0, max: most }), { minLength: 5, maxLength: 5 }),
    )
    .map(([share, canary, stable]): ScoreTick => ({ share, canary, stable }));
const FIVE: LabelTiltOptions = { harm: 'increase', levels: evenLevels(5), tickMs: 15_000, alpha: 0.01 };

function run(ticks: readonly ScoreTick[], from: LabelTiltState = startLabelTilt(FIVE)): LabelTiltState {
  return ticks.reduce<LabelTiltState>((state, tick) => addScores(state, tick, FIVE), from);
}

describe('the label-tilt state', () => {
  it('goes on bit for bit the same after a restart between any two ticks (I6)', () => {
    fc.assert(
      fc.property(fc.array(anyTick(500), { maxLength: 8 }), fc.nat(8), (ticks, cut) => {
        const before: LabelTiltState = JSON.parse(JSON.stringify(run(ticks.slice(0, cut))));
        assert.deepStrictEqual(run(ticks.slice(cut), before), run(ticks));
      }),
    );
  });

  it('holds only finite numbers at counts up to 1e9, in under 1 KiB of JSON', () => {
    fc.assert(
      fc.property(fc.array(anyTick(1e9), { minLength: 1, maxLength: 5 }), (ticks) => {
        const state = run(ticks);
        const text = JSON.stringify(state);
        assert.ok(!text.includes('null') && text.length <= 1024, text);
        assert.ok(Number.isFinite(logScoreHarmE(state)));
      }),
    );
  });

  it('cannot be brought to an alarm by a single tick', () => {
    fc.assert(
      fc.property(anyTick(1e6), (tick) => {
        assert.ok(logScoreHarmE(run([tick])) < 0.65 * Math.log(100) + 1e-9);
      }),
    );
  });

  it('is not touched while one version takes everything', () => {
    const state = run([{ share: 0.1, canary: [0, 1, 0, 0, 2], stable: [0, 9, 3, 0, 8] }]);
    assert.equal(run([{ share: 0, canary: [0, 0, 0, 0, 0], stable: [0, 9, 3, 0, 8] }], state), state);
    assert.equal(run([{ share: 1, canary: [0, 9, 3, 0, 8], stable: [0, 0, 0, 0, 0] }], state), state);
  });

  it('starts at E = 1 and names the ratio of scores, tick by tick, so that moving weights do not bend it', () => {
    assert.ok(Math.abs(logScoreHarmE(startLabelTilt(FIVE))) < 1e-15);
    assert.equal(scoreRatio(startLabelTilt(FIVE)), undefined);
    const state = run([
      { share: 0.1, canary: [0, 0, 0, 0, 10], stable: [0, 0, 0, 0, 90] },
      { share: 0.5, canary: [0, 0, 0, 0, 5], stable: [0, 0, 0, 0, 5] },
    ]);
    assert.ok(Math.abs((scoreRatio(state) ?? 0) - 1) < 1e-12);
  });
});

describe('score levels', () => {
  it('are even or geometric, and every score finds its nearest', () => {
    assert.deepEqual(evenLevels(5), [0, 0.25, 0.5, 0.75, 1]);
    const levels = geometricLevels(33);
    assert.equal(levels.length, 33);
    assert.deepEqual([levels[0], levels[1], levels[32]], [0, 1 / 256, 1]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (score) => {
        const distance = Math.abs((levels[nearestLevel(score, levels)] ?? 9) - score);
        for (const level of levels) assert.ok(distance <= Math.abs(level - score));
      }),
    );
    assert.equal(nearestLevel(0.125, evenLevels(5)), 1);
  });

  it('λ runs from 0.05 to 8 in twelve equal ratios', () => {
    assert.equal(LABEL_TILTS.length, 12);
    assert.ok(Math.abs((LABEL_TILTS[0] ?? 0) - 0.05) < 1e-15 && Math.abs((LABEL_TILTS[11] ?? 0) - 8) < 1e-12);
  });
});

describe('what label-tilt refuses', () => {
  const state = startLabelTilt(FIVE);
  const fine = { share: 0.1, canary: [0, 0, 0, 0, 1], stable: [1, 1, 1, 1, 1] };
  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['a share above 1', () => addScores(state, { ...fine, share: 1.2 }, FIVE), /share .* 1\.2/],
    ['too few counts', () => addScores(state, { ...fine, canary: [1] }, FIVE), /canary .* per level \(5\).*1/],
    ['a negative count', () => addScores(state, { ...fine, stable: [0, 0, -1, 0, 0] }, FIVE), /stable count .*-1/],
    ['another direction', () => addScores(state, fine, { ...FIVE, harm: 'decrease' }), /Start new evidence/],
    [
      'an unknown direction',
      () => startLabelTilt({ ...FIVE, harm: 'up' as HarmfulChange }),
      /"decrease" or "increase"/,
    ],
    ['levels above 1', () => startLabelTilt({ ...FIVE, levels: [0, 2] }), /between 0 and 1, but got 2/],
    ['levels that fall', () => startLabelTilt({ ...FIVE, levels: [0, 0.5, 0.5] }), /must rise/],
    ['no levels', () => startLabelTilt({ ...FIVE, levels: [] }), /1 to 257/],
    ['one even level', () => evenLevels(1), /evenLevels/],
    ['a smallest level of 0', () => geometricLevels(33, 0), /smallest/],
    ['a score above 1', () => nearestLevel(1.5, [0, 1]), /score/],
  ];
  for (const [what, act, message] of refusals) {
    it(`refuses ${what} with a RangeError that says so`, () => {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    });
  }
});
