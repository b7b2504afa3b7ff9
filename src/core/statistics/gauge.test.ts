// Gauges: blocks, ranks, leaks and signs. Golden numbers come from tools/golden/gauges.json (scipy and exact fractions).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { autocorrelationTime, blockLength, blockMeans, median } from './gauge-blocks.ts';
import { type GaugePoint, projectLeak } from './gauge-leak.ts';
import { rankBlocks, type WorseEnd } from './gauge-rank.ts';
import { addSignBlock, logSignE, type SignState, startSign } from './gauge-sign.ts';
import { createRandom, type Random } from './random.ts';

interface Golden {
  readonly leaks: readonly {
    readonly title: string;
    readonly everyMs: number;
    readonly values: readonly number[];
    readonly slopePerHour: number;
    readonly lowerSlopePerHour: number;
    readonly upperSlopePerHour: number;
    readonly level: number;
  }[];
  readonly autocorrelation: readonly {
    readonly series: readonly number[];
    readonly time: number;
    readonly isLongEnough: boolean;
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('../../../tools/golden/gauges.json', import.meta.url), 'utf8'));
const random = createRandom(1876);

function near(actual: number | undefined, expected: number, what: string): void {
  const gap = Math.abs((actual ?? Number.NaN) - expected);
  assert.ok(gap <= 1e-9 * Math.max(1, Math.abs(expected)), `${what}: got ${actual}, golden ${expected}`);
}

/** An autoregression: each reading keeps the part `memory` of the one before. τ = (1 + memory)/(1 − memory). */
function autoregression(stream: Random, n: number, memory: number): number[] {
  let value = 0;
  return Array.from({ length: n }, () => {
    value = memory * value + stream.normal();
    return value;
  });
}

describe('blocks of a gauge', () => {
  it('the autocorrelation time matches exact fractions', () => {
    for (const { series, time, isLongEnough } of golden.autocorrelation) {
      if (isLongEnough) near(autocorrelationTime(series), time, 'time');
      else assert.equal(autocorrelationTime(series), undefined);
    }
  });

  it('it is (1+m)/(1−m) for an autoregression of memory m, and 1 for independent readings', () => {
    for (const memory of [0, 0.5, 0.8, 0.9]) {
      const time = autocorrelationTime(autoregression(random.fork(`memory/${memory}`), 20_000, memory)) ?? 0;
      const truth = (1 + memory) / (1 - memory);
      assert.ok(Math.abs(time / truth - 1) < 0.2, `memory ${memory}: ${time}`);
    }
    assert.equal(autocorrelationTime(Array.from({ length: 30 }, () => 5)), 1);
  });

  it('a series too short to tell has none', () => {
    assert.equal(autocorrelationTime([1, 2, 3]), undefined);
    assert.equal(autocorrelationTime(Array.from({ length: 100 }, (_, i) => i)), undefined);
    assert.equal(autocorrelationTime([]), undefined);
  });

  it('are twice as long as the longest autocorrelation time, swings of all replicas taken away', () => {
    const swing = autoregression(random.fork('swing'), 4000, 0.99);
    const replicas = [0, 0.5, 0.8].map((memory, i) =>
      autoregression(random.fork(`replica/${i}`), 4000, memory).map((value, t) => value + 5 * (swing[t] ?? 0)),
    );
    const length = blockLength(replicas) ?? 0;
    assert.ok(length >= 12 && length <= 24, `${length}`);
    assert.equal(blockLength([swing]), undefined);
    assert.equal(
      blockLength([
        [1, 2, 3],
        [3, 2, 1],
      ]),
      undefined,
    );
  });

  it('hold the means of whole blocks only', () => {
    assert.deepEqual(blockMeans([1, 3, 5, 7, 100], 2), [2, 6]);
    assert.deepEqual(blockMeans([], 2), []);
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
  });
});

describe('the rank of the canary', () => {
  it('is 1st of 9 in 6 of 6 blocks where it is the worst, and p is no smaller than 1/9', () => {
    const stable = Array.from({ length: 8 }, (_, i) => [1, 2, 3, 4, 5, 6].map((value) => value + i));
    const display = rankBlocks([20, 20, 20, 20, 20, 20], stable, 'higher');
    assert.deepEqual(display, {
      replicas: 9,
      blocks: 6,
      ranks: [1, 1, 1, 1, 1, 1],
      worst: 6,
      overallRank: 1,
      p: 1 / 9,
      smallestP: 1 / 9,
    });
    assert.equal(rankBlocks([20, 20, 20, 20, 20, 20], stable, 'lower')?.overallRank, 9);
  });

  it('does not accuse a canary that is like the others: a tie is not the first place', () => {
    assert.deepEqual(
      rankBlocks(
        [0, 5],
        [
          [0, 5],
          [0, 1],
        ],
        'higher',
      )?.ranks,
      [3, 2],
    );
    assert.equal(
      rankBlocks(
        [0, 5],
        [
          [0, 5],
          [0, 1],
        ],
        'higher',
      )?.worst,
      0,
    );
  });

  it('has p <= k/(P+1) at most that often when the canary is any one of the replicas, ties or not', () => {
    const replica = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(replica, { minLength: 2, maxLength: 7 }), (replicas) => {
        const ps = replicas.map(
          (canary, i) =>
            rankBlocks(
              canary,
              replicas.filter((_, j) => j !== i),
              'higher',
            )?.p ?? 0,
        );
        for (let k = 1; k <= replicas.length; k++) {
          const level = k / replicas.length;
          assert.ok(ps.filter((p) => p <= level + 1e-12).length <= k);
        }
      }),
    );
  });

  it('is nothing without blocks or without stable replicas', () => {
    assert.equal(rankBlocks([], [[], []], 'higher'), undefined);
    assert.equal(rankBlocks([1, 2], [], 'higher'), undefined);
  });
});

function points(values: readonly number[], everyMs: number): GaugePoint[] {
  return values.map((value, i) => ({ atMs: 1_700_000_000_000 + i * everyMs, value }));
}

describe('a leak', () => {
  for (const row of golden.leaks) {
    it(`has the slopes and the level that scipy finds in ${row.title}`, () => {
      const leak = projectLeak(points(row.values, row.everyMs), 1000);
      near(leak?.slopePerHour, row.slopePerHour, 'slope');
      near(leak?.lowerSlopePerHour, row.lowerSlopePerHour, 'lower');
      near(leak?.upperSlopePerHour, row.upperSlopePerHour, 'upper');
      near(leak?.level, row.level, 'level');
      assert.equal(leak?.isRising, row.lowerSlopePerHour > 0);
    });
  }

  it('of 36 an hour from 133 reaches 1000 in just over 24 hours', () => {
    const leak = projectLeak(points([100, 103, 106, 109, 112, 115, 118, 121, 124, 127, 130, 133], 300_000), 1000);
    near((leak?.timeToLimitMs ?? 0) / 3_600_000, (1000 - 133) / 36, 'hours');
    assert.ok((leak?.earliestMs ?? 0) <= (leak?.timeToLimitMs ?? 0) + 1);
  });

  it('is at the limit at once when the level is there, and never gets there when it does not rise', () => {
    assert.equal(projectLeak(points([5, 6, 7, 8, 9], 1000), 8)?.timeToLimitMs, 0);
    assert.equal(projectLeak(points([9, 8, 7, 6, 5], 1000), 100)?.timeToLimitMs, undefined);
    const flat = projectLeak(points([5, 5, 5, 5, 5], 1000), 100);
    assert.equal(flat?.timeToLimitMs, undefined);
    assert.equal(flat?.isRising, false);
  });

  it('is not seen in three points, and not in noise in nineteen of twenty cases', () => {
    assert.equal(projectLeak(points([1, 2, 3], 1000), 10), undefined);
    const rising = Array.from({ length: 300 }, (_, i) => {
      const stream = random.fork(`noise/${i}`);
      const values = Array.from({ length: 24 }, () => 100 + stream.normal());
      return projectLeak(points(values, 60_000), 200)?.isRising === true;
    });
    assert.ok(rising.filter(Boolean).length <= 15, `${rising.filter(Boolean).length} of 300`);
  });

  it('keeps its order and stays finite for any readings', () => {
    const values = fc.array(fc.double({ min: -1e15, max: 1e15, noNaN: true }), { minLength: 4, maxLength: 20 });
    fc.assert(
      fc.property(values, fc.double({ min: -1e15, max: 1e15, noNaN: true }), (list, limit) => {
        const leak = projectLeak(points(list, 15_000), limit);
        assert.ok(leak && leak.lowerSlopePerHour <= leak.slopePerHour && leak.slopePerHour <= leak.upperSlopePerHour);
        assert.ok(Number.isFinite(leak.level));
        assert.ok(leak.timeToLimitMs === undefined || leak.timeToLimitMs >= 0);
        if (leak.timeToLimitMs !== undefined) assert.ok((leak.earliestMs ?? Infinity) <= leak.timeToLimitMs);
      }),
    );
  });
});

const SIGN = { worse: 'higher', margin: 1 } as const;
const BAD = { canary: [9, 9, 2], stable: [5, 5, 6] };
const GOOD = { canary: [6, 2, 9], stable: [5, 5, 6] };

function signs(list: readonly boolean[], from: SignState = startSign()): SignState {
  return list.reduce<SignState>((state, isWorse) => addSignBlock(state, isWorse ? BAD : GOOD, SIGN), from);
}

describe('signs of blocks', () => {
  it('have a mean of exactly 1 over all courses of ten fair blocks, at most 1 if worse is less likely', () => {
    for (const chance of [0.5, 0.3, 0]) {
      let mean = 0;
      for (let mask = 0; mask < 1024; mask++) {
        const course = Array.from({ length: 10 }, (_, i) => ((mask >> i) & 1) === 1);
        const mass = course.reduce((product, isWorse) => product * (isWorse ? chance : 1 - chance), 1);
        mean += mass * Math.exp(logSignE(signs(course)));
      }
      assert.ok(chance === 0.5 ? Math.abs(mean - 1) < 1e-12 : mean < 1, `chance ${chance}: ${mean}`);
    }
  });

  it('take eight blocks in a row to odds of 100:1, and survive a single good one', () => {
    const straight = (n: number) => logSignE(signs(Array.from({ length: n }, () => true)));
    assert.ok(straight(7) < Math.log(100) && straight(8) >= Math.log(100));
    const mixed = signs([...Array.from({ length: 9 }, () => true), false, ...Array.from({ length: 9 }, () => true)]);
    assert.ok(logSignE(mixed) > Math.log(100));
    assert.deepEqual([mixed.blocks, mixed.worse], [19, 18]);
    assert.ok(mixed.peakLogE >= logSignE(mixed));
  });

  it('count a block only beyond the margin, at the end that is worse', () => {
    const block = { canary: [6, 6, 6], stable: [5, 5] };
    assert.equal(addSignBlock(startSign(), block, SIGN).worse, 0);
    assert.equal(addSignBlock(startSign(), block, { worse: 'higher', margin: 0.5 }).worse, 1);
    assert.equal(addSignBlock(startSign(), block, { worse: 'lower', margin: 0 }).worse, 0);
  });

  it('go on bit for bit the same after a restart (I6), and stay finite over ten thousand blocks', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), fc.nat(30), (course, cut) => {
        const before: SignState = JSON.parse(JSON.stringify(signs(course.slice(0, cut))));
        assert.deepStrictEqual(signs(course.slice(cut), before), signs(course));
      }),
    );
    for (const isWorse of [true, false]) {
      const long = signs(Array.from({ length: 10_000 }, () => isWorse));
      assert.ok(Number.isFinite(logSignE(long)) && !JSON.stringify(long).includes('null'));
    }
  });
});

describe('what gauges refuse', () => {
  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      'two canary replicas for signs',
      () => addSignBlock(startSign(), { canary: [1, 2], stable: [1] }, SIGN),
      /3 canary/,
    ],
    ['signs without stable', () => addSignBlock(startSign(), { canary: [1, 2, 3], stable: [] }, SIGN), /one of stable/],
    ['a negative margin', () => addSignBlock(startSign(), BAD, { ...SIGN, margin: -1 }), /margin/],
    ['an unknown end', () => rankBlocks([1], [[1]], 'up' as WorseEnd), /"higher" or "lower"/],
    ['series of different lengths', () => rankBlocks([1, 2], [[1]], 'higher'), /needs 2 readings.*1/],
    ['a reading that is not a number', () => blockMeans([1, Number.NaN], 1), /finite number.*NaN/],
    ['blocks of no length', () => blockMeans([1], 0), /whole number/],
    ['points out of order', () => projectLeak([...points([1, 2, 3], 5), ...points([4], 5)], 9), /rise in time/],
    ['a limit of infinity', () => projectLeak(points([1, 2, 3, 4], 5), Number.POSITIVE_INFINITY), /limit/],
    [
      'more points than can be compared',
      () =>
        projectLeak(
          points(
            Array.from({ length: 513 }, () => 1),
            5,
          ),
          9,
        ),
      /512/,
    ],
  ];
  for (const [what, act, message] of refusals) {
    it(`refuses ${what} with a RangeError that says so`, () => {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    });
  }
});
