// Cohorts with delayed conversions: the state machine, the mean of the evidence over every assignment of users, false
// alarms while weights move (where totals fail), and a real drop.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addCohortTick,
  type CohortOptions,
  type CohortState,
  type CohortTick,
  startCohorts,
  swapArms,
} from './cohorts.ts';
import type { TickCounts } from './counts.ts';
import { createRandom, type Random } from './random.ts';
import { addStrata, type RateRatioOptions, type RateRatioState, startRateRatio } from './rate-ratio.ts';
import { logHarmE, logNoHarmE } from './rate-ratio-readers.ts';

const HOUR: CohortOptions = { horizonTicks: 100 };

function tickOf(tick: number, share: number | null, arms: Partial<Pick<CohortTick, 'canary' | 'stable'>>): CohortTick {
  const nobody = { exposed: 0, converted: [] };
  return { tick, share, canary: nobody, stable: nobody, ...arms };
}

function runCohorts(ticks: readonly CohortTick[], options: CohortOptions, from = startCohorts(options)) {
  let state: CohortState = from;
  let strata: readonly TickCounts[] = [];
  for (const tick of ticks) ({ state, strata } = addCohortTick(state, tick, options));
  return { state, strata };
}

describe('cohorts', () => {
  it('yield one stratum per cohort at risk, users leaving as they convert', () => {
    const ticks = [
      tickOf(0, 0.1, { canary: { exposed: 10, converted: [[0, 1]] }, stable: { exposed: 90, converted: [] } }),
      tickOf(1, 0.5, {
        canary: { exposed: 50, converted: [[1, 2]] },
        stable: {
          exposed: 50,
          converted: [
            [0, 4],
            [1, 9],
          ],
        },
      }),
      tickOf(2, 0.5, {}),
    ];
    const { state, strata } = runCohorts(ticks.slice(0, 2), HOUR);
    assert.deepEqual(strata, [
      { canaryTotal: 9, canaryBad: 2, stableTotal: 90, stableBad: 9 },
      { canaryTotal: 50, canaryBad: 0, stableTotal: 50, stableBad: 4 },
    ]);
    assert.deepEqual(state.cohorts, [
      { firstTick: 0, share: 0.1, canary: 7, stable: 81 },
      { firstTick: 1, share: 0.5, canary: 50, stable: 46 },
    ]);
    assert.equal(state.unmatched, 0);
    assert.deepEqual(swapArms(strata)[0], { canaryTotal: 90, canaryBad: 9, stableTotal: 9, stableBad: 2 });
    // A quiet tick has strata too: nobody converted among those at risk.
    assert.deepEqual(runCohorts(ticks, HOUR).strata, [
      { canaryTotal: 7, canaryBad: 0, stableTotal: 81, stableBad: 0 },
      { canaryTotal: 50, canaryBad: 0, stableTotal: 46, stableBad: 0 },
    ]);
  });

  it('are let go at the horizon; conversions of users nobody knows are counted apart', () => {
    const both = { canary: { exposed: 5, converted: [] }, stable: { exposed: 5, converted: [] } };
    const options = { horizonTicks: 3 };
    const late = tickOf(3, 0.5, {
      canary: {
        exposed: 0,
        converted: [
          [3, 1],
          [2, 2],
          [9, 4],
        ],
      },
    });
    const { state, strata } = runCohorts([tickOf(0, 0.5, both), tickOf(1, 0.5, both), late], options);
    assert.deepEqual(strata, [{ canaryTotal: 5, canaryBad: 2, stableTotal: 5, stableBad: 0 }]);
    assert.equal(state.unmatched, 5);
    assert.deepEqual(
      state.cohorts.map(({ firstTick }) => firstTick),
      [1],
    );
  });

  it('never let more users convert than are at risk', () => {
    const twice = tickOf(0, 0.5, {
      canary: { exposed: 3, converted: [[0, 5]] },
      stable: { exposed: 3, converted: [[0, 1]] },
    });
    const { state, strata } = runCohorts([twice], HOUR);
    assert.deepEqual(strata, [{ canaryTotal: 3, canaryBad: 3, stableTotal: 3, stableBad: 1 }]);
    assert.equal(state.unmatched, 2);
  });

  it('span several ticks of one share if asked, never ticks of two shares, never one whose share moved', () => {
    const both = { canary: { exposed: 2, converted: [] }, stable: { exposed: 3, converted: [] } };
    const shares = [0.1, 0.1, 0.1, 0.1, 0.2, null, 0.2, 0.2];
    const ticks = shares.map((share, tick) => tickOf(tick, share, both));
    const { state } = runCohorts(ticks, { horizonTicks: 100, cohortTicks: 3 });
    assert.deepEqual(
      state.cohorts.map(({ firstTick, canary }) => [firstTick, canary]),
      [
        [0, 6],
        [3, 2],
        [4, 2],
        [5, 2],
        [6, 4],
      ],
    );
    // Ages are counted from the exposure: tick 7 − 2 is the cohort of tick 5, tick 9 − 8 that of tick 0.
    const after = addCohortTick(
      state,
      tickOf(9, 0.2, {
        canary: {
          exposed: 0,
          converted: [
            [4, 1],
            [8, 1],
          ],
        },
      }),
      { horizonTicks: 100, cohortTicks: 3 },
    );
    assert.deepEqual(
      after.state.cohorts.map(({ canary }) => canary),
      [5, 2, 2, 1, 4],
    );
  });

  it('are at most 256, the oldest leaving first, and stay under 24 KiB', () => {
    const both = { canary: { exposed: 123_456, converted: [] }, stable: { exposed: 1_234_567, converted: [] } };
    const ticks = Array.from({ length: 400 }, (_, tick) => tickOf(tick, 0.1 + tick / 1000, both));
    const { state } = runCohorts(ticks, { horizonTicks: 1000, cohortTicks: 4 });
    assert.equal(state.cohorts.length, 256);
    assert.equal(state.cohorts[0]?.firstTick, 144);
    assert.ok(JSON.stringify(state).length < 24 * 1024);
  });

  it('go on the same after a restart between any two ticks, and lose no user (I6)', () => {
    const anyArm = fc.record({
      exposed: fc.nat(1e9),
      converted: fc.array(fc.tuple(fc.nat(12), fc.nat(1e6)), { maxLength: 4 }),
    });
    const anyTick = fc.record({ share: fc.constantFrom(0.1, 0.5, null), canary: anyArm, stable: anyArm });
    fc.assert(
      fc.property(fc.array(anyTick, { maxLength: 10 }), fc.nat(10), (list, cut) => {
        const options = { horizonTicks: 8, cohortTicks: 2 };
        const ticks = list.map((tick, i) => ({ ...tick, tick: 2 * i }));
        const whole = runCohorts(ticks, options);
        const before: CohortState = JSON.parse(JSON.stringify(runCohorts(ticks.slice(0, cut), options).state));
        if (cut < ticks.length) assert.deepStrictEqual(runCohorts(ticks.slice(cut), options, before), whole);
        for (const cohort of whole.state.cohorts) assert.ok(cohort.canary >= 0 && cohort.stable >= 0);
        for (const counts of whole.strata) {
          assert.ok(counts.canaryBad <= counts.canaryTotal && counts.stableBad <= counts.stableTotal);
        }
      }),
    );
  });
});

/** A user comes at `tick` and converts at `age`, or never; the version makes no difference. */
type User = readonly [tick: number, age: number | null];

const USERS: readonly User[] = [
  [0, 0],
  [0, 1],
  [0, 2],
  [0, null],
  [0, 1],
  [1, 0],
  [1, 1],
  [1, null],
  [2, 0],
  [2, 0],
];

/** E after four ticks, if user i went to the canary where bit i of the mask is set. */
function evidenceOf(
  mask: number,
  shares: readonly number[],
  read: (strata: readonly TickCounts[]) => readonly TickCounts[],
) {
  const options: RateRatioOptions = { toleranceRatio: 1, tickMs: 600_000 };
  let state = startCohorts({ horizonTicks: 9 });
  let evidence = startRateRatio(options);
  for (let tick = 0; tick < 4; tick++) {
    const arm = (isCanary: boolean) => {
      const users = USERS.filter((_, i) => (((mask >> i) & 1) === 1) === isCanary);
      return {
        exposed: users.filter(([came]) => came === tick).length,
        converted: users
          .filter(([came, age]) => age !== null && came + age === tick)
          .map(([, age]) => [age ?? 0, 1] as const),
      };
    };
    const next = addCohortTick(
      state,
      { tick, share: shares[tick] ?? 0.5, canary: arm(true), stable: arm(false) },
      { horizonTicks: 9 },
    );
    state = next.state;
    evidence = addStrata(evidence, read(next.strata), options);
  }
  return evidence;
}

describe('evidence from cohorts, over all 1024 assignments of ten users (I8)', () => {
  for (const [shares, what] of [
    [[0.1, 0.5, 0.9], 'rising'],
    [[0.5, 0.2, 0.2], 'falling'],
  ] as const) {
    it(`has a mean of at most 1 with ${what} weights, whichever arm is asked about`, () => {
      let [more, less, noHarm] = [0, 0, 0];
      for (let mask = 0; mask < 1 << USERS.length; mask++) {
        const mass = USERS.reduce((product, [tick], i) => {
          const share = shares[tick] ?? 0.5;
          return product * ((mask >> i) & 1 ? share : 1 - share);
        }, 1);
        const evidence = evidenceOf(mask, shares, (strata) => strata);
        more += mass * Math.exp(logHarmE(evidence));
        noHarm += mass * Math.exp(logNoHarmE(evidence, 0));
        less += mass * Math.exp(logHarmE(evidenceOf(mask, shares, swapArms)));
      }
      assert.ok(more <= 1 + 1e-12 && less <= 1 + 1e-12 && noHarm <= 1 + 1e-12, `${more}, ${less}, ${noHarm}`);
      assert.ok(more > 0.5 && less > 0.5, 'and is not thrown away');
    });
  }
});

interface World {
  readonly canaryRate: number;
  readonly stableRate: number;
  readonly cohortTicks: number;
}

/** Each tick 300 users come; of those who will convert at all, one in twenty does in each tick. Weight 5, then 50 %. */
function* conversions(stream: Random, { canaryRate, stableRate }: World): Generator<CohortTick> {
  const waiting: { tick: number; canary: number; stable: number }[] = [];
  for (let tick = 0; tick < 120; tick++) {
    const share = tick < 60 ? 0.05 : 0.5;
    const canary = stream.binomial(300, share);
    const stable = 300 - canary;
    waiting.push({
      tick,
      canary: stream.binomial(canary, canaryRate),
      stable: stream.binomial(stable, stableRate),
    });
    const arms = (['canary', 'stable'] as const).map((arm) => {
      const converted: [number, number][] = [];
      for (const cohort of waiting) {
        const count = stream.binomial(cohort[arm], 0.05);
        if (count > 0) converted.push([tick - cohort.tick, count]);
        cohort[arm] -= count;
      }
      return converted;
    });
    yield {
      tick,
      share,
      canary: { exposed: canary, converted: arms[0] ?? [] },
      stable: { exposed: stable, converted: arms[1] ?? [] },
    };
  }
}

const DECREASE: RateRatioOptions = { toleranceRatio: 1, tickMs: 15_000, alpha: 0.01 };

function byCohort(stream: Random, world: World): RateRatioState {
  const options = { horizonTicks: 80, cohortTicks: world.cohortTicks };
  let cohorts = startCohorts(options);
  let evidence = startRateRatio(DECREASE);
  for (const tick of conversions(stream, world)) {
    const next = addCohortTick(cohorts, tick, options);
    cohorts = next.state;
    evidence = addStrata(evidence, swapArms(next.strata), DECREASE);
  }
  return evidence;
}

/** What not to do: conversions of the tick over users of the tick. */
function byTotals(stream: Random, world: World): RateRatioState {
  let evidence = startRateRatio(DECREASE);
  for (const { canary, stable } of conversions(stream, world)) {
    const sum = (list: readonly (readonly [number, number])[]) => list.reduce((all, [, count]) => all + count, 0);
    const counts = {
      canaryTotal: canary.exposed,
      canaryBad: Math.min(canary.exposed, sum(canary.converted)),
      stableTotal: stable.exposed,
      stableBad: Math.min(stable.exposed, sum(stable.converted)),
    };
    evidence = addStrata(evidence, swapArms([counts]), DECREASE);
  }
  return evidence;
}

describe('conversions 20 ticks late, while the weight goes from 5 to 50 %', () => {
  const random = createRandom(1876);
  const alarms = (runs: number, label: string, read: (stream: Random) => RateRatioState): number => {
    const peaks = Array.from({ length: runs }, (_, run) => read(random.fork(`${label}/${run}`)).peakLogHarmE);
    return peaks.filter((peak) => peak >= Math.log(100)).length;
  };
  const equal = { canaryRate: 0.15, stableRate: 0.15, cohortTicks: 1 };

  it('equal versions raise an alarm in at most 1 % by cohorts, of one tick or of four', () => {
    assert.ok(alarms(100, 'equal', (stream) => byCohort(stream, equal)) <= 1);
    assert.ok(alarms(100, 'equal', (stream) => byCohort(stream, { ...equal, cohortTicks: 4 })) <= 1);
  });

  it('totals call equal versions harmful nearly always', () => {
    assert.ok(alarms(50, 'equal', (stream) => byTotals(stream, equal)) >= 45);
  });

  it('a third of conversions lost is found nearly always', () => {
    assert.ok(alarms(40, 'drop', (stream) => byCohort(stream, { ...equal, canaryRate: 0.1 })) >= 38);
  });
});

describe('what cohorts refuse', () => {
  const state = startCohorts(HOUR);
  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      'a tick twice',
      () => addCohortTick(runCohorts([tickOf(4, 0.5, {})], HOUR).state, tickOf(4, 0.5, {}), HOUR),
      /above 4/,
    ],
    ['half a tick', () => addCohortTick(state, tickOf(0.5, 0.5, {}), HOUR), /whole number/],
    [
      'a negative count of users',
      () => addCohortTick(state, tickOf(0, 0.5, { canary: { exposed: -1, converted: [] } }), HOUR),
      /canary exposed .*-1/,
    ],
    [
      'a negative age',
      () => addCohortTick(state, tickOf(0, 0.5, { stable: { exposed: 1, converted: [[-1, 1]] } }), HOUR),
      /stable age .*-1/,
    ],
    ['no horizon', () => startCohorts({ horizonTicks: 0 }), /horizonTicks/],
    ['a horizon of too many cohorts', () => startCohorts({ horizonTicks: 5760 }), /at least 23 ticks/],
  ];
  for (const [what, act, message] of refusals) {
    it(`refuses ${what} with a RangeError that says so`, () => {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    });
  }
});
