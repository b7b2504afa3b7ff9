// Latency evidence at several lines: its guarantee computed over every outcome of small ticks, its size, its restarts,
// and how soon it finds what it is for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canaryRequestsToTell } from './information.ts';
import { createRandom, type Random } from './random.ts';
import {
  addTailTick,
  logTailHarmE,
  logTailHarmEAt,
  logTailNoHarmE,
  lowerTailExcess,
  startTails,
  type TailCounts,
  type TailOptions,
  type TailState,
  tailCounts,
  tailExcess,
  upperTailExcess,
} from './tail-comparison.ts';

const ONE = 1 + 1e-12;
const LINE = Math.log(100);

function run(ticks: readonly TailCounts[], options: TailOptions, from = startTails(options)): TailState {
  return ticks.reduce<TailState>((state, counts) => addTailTick(state, counts, options), from);
}

function everyNumber(value: unknown, visit: (number: number) => void): void {
  if (typeof value === 'number') visit(value);
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) everyNumber(part, visit);
}

/** Every way n requests can fall beyond two lines, with its probability: [slower than the first, than the second]. */
function outcomes(n: number, [first, second]: readonly [number, number]): [number[], number][] {
  const found: [number[], number][] = [];
  for (let a = 0; a <= n; a++) {
    for (let b = 0; b <= a; b++) {
      const ways = choose(n, a) * choose(a, b);
      found.push([[a, b], ways * (1 - first) ** (n - a) * (first - second) ** (a - b) * second ** b]);
    }
  }
  return found;
}

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}

function meanOver(
  rates: { readonly canary: readonly [number, number]; readonly stable: readonly [number, number] },
  options: TailOptions,
  from: TailState,
  read: (state: TailState) => number,
): number {
  let mean = 0;
  for (const [canarySlow, p] of outcomes(4, rates.canary)) {
    for (const [stableSlow, q] of outcomes(5, rates.stable)) {
      mean +=
        p * q * Math.exp(read(addTailTick(from, { canaryTotal: 4, stableTotal: 5, canarySlow, stableSlow }, options)));
    }
  }
  return mean;
}

describe('the guarantee of tail evidence (I8)', () => {
  const tails = { lines: 2, lineTails: [0.5, 0.0001], boundLines: [1, 0], tickMs: 60_000 };
  const before = { canaryTotal: 9, stableTotal: 20, canarySlow: [6, 2], stableSlow: [10, 3] };

  it('harm: E[E] <= 1 for a canary that is nowhere slower, at the first tick and after others', () => {
    for (const extra of [{}, { capFraction: Number.POSITIVE_INFINITY, lateOnset: false }, { dispersion: 2 }]) {
      for (const toleranceRatio of [1, 1.2]) {
        const options = { ...tails, ...extra, toleranceRatio };
        for (const from of [startTails(options), run([before], options)]) {
          for (const stable of [
            [0.5, 0.1],
            [0.9, 0.6],
            [0.02, 0.001],
          ] as const) {
            for (const part of [1, 0.7]) {
              const canary = [part * stable[0], part * stable[1]] as const;
              const mean = meanOver({ canary, stable }, options, from, logTailHarmE);
              assert.ok(mean <= ONE * Math.exp(logTailHarmE(from)), `${stable}: ${mean}`);
            }
          }
        }
      }
    }
  });

  it('harm: nothing is thrown away without a cap: the mean is 1 exactly for alike versions', () => {
    const options = { ...tails, toleranceRatio: 1, capFraction: Number.POSITIVE_INFINITY, lateOnset: false };
    const alike = [0.5, 0.1] as const;
    const mean = meanOver({ canary: alike, stable: alike }, options, startTails(options), logTailHarmE);
    assert.ok(Math.abs(mean - 1) < 1e-12, `${mean}`);
  });

  it('no harm: E[E] <= 1 at and beyond r·p_s + excess, with plain and with exact factors', () => {
    const cases = [1, 1.1].flatMap((toleranceRatio) => {
      const options = { ...tails, toleranceRatio };
      const starts = [startTails(options), run([before], options)];
      return starts.flatMap((from) => [0, 0.05, 0.2].map((excess) => ({ options, from, excess })));
    });
    for (const { options, from, excess } of cases) {
      for (const stable of [
        [0.4, 0.2],
        [0.1, 0.02],
      ] as const) {
        const [first, second] = stable.map((rate) => options.toleranceRatio * rate + excess) as [number, number];
        // Bound 0 is line 1: whatever the canary does at line 0, and the other way round.
        for (const [bound, canary] of [
          [0, [Math.max(0.9, second), second]],
          [1, [first, 0.1 * first]],
        ] as const) {
          const read = (state: TailState): number => logTailNoHarmE(state, bound, excess);
          const mean = meanOver({ canary: canary as [number, number], stable }, options, from, read);
          assert.ok(mean <= ONE * Math.exp(read(from)), `δ ${excess}, bound ${bound}: ${mean}`);
        }
      }
    }
  });
});

const EIGHT: TailOptions = {
  toleranceRatio: 1.1,
  lines: 8,
  lineTails: [0.5, 0.25, 0.1, 0.04, 0.01, 0.003, 0.001, 0.0004],
  boundLines: [4, 2],
  tickMs: 10_000,
};

const anyTick = (most: number) => {
  const slow = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 });
  return fc
    .tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: most }), slow, slow)
    .map(([n, m, a, b]) => ({
      canaryTotal: n,
      stableTotal: m,
      canarySlow: falling(n, a),
      stableSlow: falling(m, b),
    }));
};

function falling(total: number, parts: readonly number[]): number[] {
  let left = total;
  return parts.map((part) => {
    left = Math.floor(left * part);
    return left;
  });
}

describe('the tail state', () => {
  it('goes on bit for bit the same after a restart between any two ticks (I6)', () => {
    fc.assert(
      fc.property(fc.array(anyTick(3000), { maxLength: 8 }), fc.nat(8), (ticks, cut) => {
        const before: TailState = JSON.parse(JSON.stringify(run(ticks.slice(0, cut), EIGHT)));
        assert.deepStrictEqual(run(ticks.slice(cut), EIGHT, before), run(ticks, EIGHT));
      }),
      { numRuns: 40 },
    );
  });

  it('takes at most 1 KiB of doubles at eight lines, whether their tails are known or not', () => {
    for (const options of [EIGHT, { ...EIGHT, lineTails: undefined }, { ...EIGHT, lineTails: Array(8).fill(0.01) }]) {
      const { lineTails, ...rest } = options;
      const chosen = lineTails === undefined ? rest : { ...rest, lineTails };
      const tick = {
        canaryTotal: 50,
        stableTotal: 950,
        canarySlow: falling(50, Array(8).fill(0.8)),
        stableSlow: falling(950, Array(8).fill(0.8)),
      };
      let numbers = 0;
      everyNumber(run([tick, tick], chosen), () => {
        numbers += 1;
      });
      assert.ok(8 * numbers <= 1024, `${8 * numbers} bytes`);
    }
  });

  it('holds only finite numbers and ordered bounds at counts up to 1e9', () => {
    fc.assert(
      fc.property(fc.array(anyTick(1e9), { minLength: 1, maxLength: 4 }), (ticks) => {
        const state = run(ticks, EIGHT);
        everyNumber(state, (number) => assert.ok(Number.isFinite(number)));
        assert.ok(Number.isFinite(logTailHarmE(state)));
        for (const bound of [0, 1]) {
          assert.ok(upperTailExcess(state, bound, 0.01) >= upperTailExcess(state, bound, 0.1));
          assert.ok(upperTailExcess(state, bound, 0.1) >= -1.1 && upperTailExcess(state, bound, 0.01) <= 1);
        }
        assert.ok(lowerTailExcess(state, 0.01) <= lowerTailExcess(state, 0.1));
        assert.ok(lowerTailExcess(state, 0.1) <= 1);
      }),
      { numRuns: 30 },
    );
  });

  it('says nothing when nothing was seen, and ignores ticks without traffic on an arm', () => {
    const none = startTails(EIGHT);
    assert.equal(upperTailExcess(none, 0, 0.05), 1);
    assert.equal(lowerTailExcess(none, 0.05), -1.1);
    assert.ok(Math.abs(logTailHarmE(none)) < 1e-12);
    assert.equal(tailExcess(none, 0, EIGHT), undefined);
    const idle = {
      canaryTotal: 0,
      stableTotal: 900,
      canarySlow: Array(8).fill(0),
      stableSlow: falling(900, Array(8).fill(0.5)),
    };
    assert.equal(addTailTick(none, idle, EIGHT), none);
  });

  it('counts both arms, and takes the excess tick by tick (Simpson)', () => {
    const options: TailOptions = { toleranceRatio: 1, lines: 1, boundLines: [0], tickMs: 10_000 };
    const state = run(
      [
        { canaryTotal: 10, stableTotal: 990, canarySlow: [0], stableSlow: [0] },
        { canaryTotal: 500, stableTotal: 500, canarySlow: [100], stableSlow: [100] },
      ],
      options,
    );
    assert.deepEqual(tailCounts(state, 0), { canary: { total: 510, bad: 100 }, stable: { total: 1490, bad: 100 } });
    assert.ok(Math.abs(tailExcess(state, 0, options) ?? 1) < 1e-12);
  });

  it('refuses what it cannot go on with', () => {
    const state = startTails(EIGHT);
    const tick = { canaryTotal: 5, stableTotal: 5, canarySlow: Array(8).fill(1), stableSlow: Array(8).fill(1) };
    for (const [act, message] of [
      [() => startTails({ ...EIGHT, lines: 9 }), /lines must be .* 1 to 8, but got 9/],
      [() => startTails({ ...EIGHT, lineTails: [0.1] }), /one tail for each of 8 lines, but got 1/],
      [() => startTails({ ...EIGHT, lineTails: Array(8).fill(1.5) }), /share from 0 to 1, but got 1.5/],
      [() => startTails({ ...EIGHT, boundLines: [] }), /at least one line/],
      [() => startTails({ ...EIGHT, boundLines: [8] }), /position from 0 to 7, but got 8/],
      [() => addTailTick(state, tick, { ...EIGHT, toleranceRatio: 1 }), /started for toleranceRatio 1.1/],
      [() => addTailTick(state, tick, { ...EIGHT, lineTails: Array(8).fill(0.5) }), /other boundLines or lineTails/],
      [() => addTailTick(state, tick, { ...EIGHT, boundLines: [4] }), /other boundLines or lineTails/],
      [() => addTailTick(state, { ...tick, canarySlow: [1] }, EIGHT), /each of 8 lines/],
      [() => addTailTick(state, { ...tick, canarySlow: Array(8).fill(6) }, EIGHT), /canary bad count 6 is larger/],
      [
        () => addTailTick(state, { ...tick, canarySlow: Array(8).fill(0.5) }, EIGHT),
        /bad count must be a whole number/,
      ],
      [() => upperTailExcess(state, 2, 0.05), /2 bound lines, but got position 2/],
    ] as const) {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    }
  });
});

/** A service with a log-normal latency, median 80 ms and p99 323 ms, as counts beyond eight lines. */
const SIGMA = Math.log(323 / 80) / 2.3263;
const LINES_MS = [81, 125, 177, 229, 324, 420, 500, 595];

function tailOf(ms: number): number {
  return upperNormal(Math.log(ms / 80) / SIGMA);
}

/** P(Z > z), to 1e-7 (Abramowitz & Stegun 7.1.26). */
function upperNormal(z: number): number {
  if (z < 0) return 1 - upperNormal(-z);
  const t = 1 / (1 + (0.3275911 * z) / Math.SQRT2);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return (poly * Math.exp((-z * z) / 2)) / 2;
}

function slowCounts(stream: Random, total: number, tails: readonly number[]): number[] {
  let [left, before] = [total, 1];
  return tails.map((tail) => {
    left = stream.binomial(left, before === 0 ? 0 : Math.min(1, tail / before));
    before = tail;
    return left;
  });
}

describe('finding slower versions', () => {
  const options: TailOptions = {
    toleranceRatio: 1,
    lines: 8,
    lineTails: LINES_MS.map(tailOf),
    boundLines: [4, 2],
    tickMs: 10_000,
  };
  const stableTails = LINES_MS.map(tailOf);
  const worlds: readonly (readonly [string, (ms: number) => number, number])[] = [
    ['everything 20 % slower', (ms) => tailOf(ms / 1.2), 2.4],
    ['everything 10 % slower', (ms) => tailOf(ms / 1.1), 2.4],
    [
      'one in twenty three times as slow, the mean the same',
      (ms) => 0.05 * tailOf((ms * 1.1) / 3) + 0.95 * tailOf(ms * 1.1),
      2,
    ],
    ['two in a hundred hang', (ms) => 0.02 + 0.98 * tailOf(ms), 4.2],
  ];
  for (const [what, canaryTail, most] of worlds) {
    it(`${what}: found in under ${most} times what the best single line needs`, () => {
      const canaryTails = LINES_MS.map(canaryTail);
      const limits = LINES_MS.map((_, i) => {
        const [canaryRate, stableRate] = [canaryTails[i] ?? 0, stableTails[i] ?? 0];
        if (canaryRate <= stableRate) return Number.POSITIVE_INFINITY;
        return canaryRequestsToTell({ canaryRate, stableRate, share: 0.05 }, { alpha: 0.01 });
      });
      let requests = 0;
      for (let i = 0; i < 60; i++) {
        const stream = createRandom(`${what}/${i}`);
        let state = startTails(options);
        while (logTailHarmE(state) < LINE) {
          const canarySlow = slowCounts(stream, 50, canaryTails);
          const stableSlow = slowCounts(stream, 950, stableTails);
          state = addTailTick(state, { canaryTotal: 50, stableTotal: 950, canarySlow, stableSlow }, options);
        }
        requests += state.canaryTotal;
      }
      const ratio = requests / 60 / Math.min(...limits);
      assert.ok(ratio < most, `${ratio.toFixed(2)}`);
    });
  }

  it('a faster version raises no alarm, and the line with the most evidence is the one that moved', () => {
    const stream = createRandom('faster');
    let faster = startTails(options);
    let hanging = startTails(options);
    for (let i = 0; i < 60; i++) {
      const stableSlow = slowCounts(stream, 950, stableTails);
      const quick = slowCounts(
        stream,
        50,
        LINES_MS.map((ms) => tailOf(ms * 1.1)),
      );
      const stuck = slowCounts(
        stream,
        50,
        LINES_MS.map((ms) => 0.02 + 0.98 * tailOf(ms)),
      );
      faster = addTailTick(faster, { canaryTotal: 50, stableTotal: 950, canarySlow: quick, stableSlow }, options);
      hanging = addTailTick(hanging, { canaryTotal: 50, stableTotal: 950, canarySlow: stuck, stableSlow }, options);
    }
    assert.ok(faster.peakLogHarmE < LINE);
    const logs = LINES_MS.map((_, line) => logTailHarmEAt(hanging, line));
    assert.equal(logs.indexOf(Math.max(...logs)), 7);
    assert.ok(upperTailExcess(hanging, 0, 0.05) > 0.02 && lowerTailExcess(hanging, 0.05) > 0);
  });
});
