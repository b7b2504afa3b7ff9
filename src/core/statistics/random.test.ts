// Deterministic randomness: reproducible, independent by label, and with the right moments.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom, type Random } from './random.ts';

function moments(draws: number, draw: () => number): { mean: number; variance: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < draws; i++) {
    const value = draw();
    sum += value;
    squares += value * value;
  }
  const mean = sum / draws;
  return { mean, variance: squares / draws - mean * mean };
}

describe('createRandom', () => {
  it('gives the same numbers for the same seed, and for the number and its text', () => {
    const take = (random: Random): number[] => [
      random.uniform(),
      random.normal(),
      random.integer(1000),
      random.binomial(5000, 0.1),
      random.poisson(40),
    ];
    assert.deepEqual(take(createRandom(1876)), take(createRandom(1876)));
    assert.deepEqual(take(createRandom(1876)), take(createRandom('1876')));
    assert.notDeepEqual(take(createRandom(1876)), take(createRandom(1877)));
  });

  it('keeps giving the numbers it gave when published results were made', () => {
    const random = createRandom(1876);
    assert.deepEqual([random.integer(1e9), random.integer(1e9), random.integer(1e9)], FIRST_OF_1876);
  });

  it('forks by label alone: draws made before do not matter, labels do', () => {
    const fresh = createRandom('seed').fork('arrivals').uniform();
    const used = createRandom('seed');
    for (let i = 0; i < 10; i++) used.uniform();
    assert.equal(used.fork('arrivals').uniform(), fresh);
    assert.notEqual(used.fork('errors').uniform(), fresh);
    assert.notEqual(createRandom('a').fork('b/c').uniform(), createRandom('a').fork('b').fork('c').uniform());
  });

  it('spreads neighbouring seeds over the whole range', () => {
    let seed = 0;
    const { mean, variance } = moments(20_000, () => createRandom(seed++).uniform());
    assert.ok(Math.abs(mean - 0.5) < 0.01 && Math.abs(variance - 1 / 12) < 0.004, `${mean} ${variance}`);
  });

  it('fills every cell of integer(n) evenly (χ² with 9 degrees of freedom under its 99.99 % point)', () => {
    const random = createRandom('cells');
    const cells = new Array<number>(10).fill(0);
    for (let i = 0; i < 50_000; i++) {
      const cell = random.integer(10);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const chi = cells.reduce((sum, seen) => sum + (seen - 5000) ** 2 / 5000, 0);
    assert.ok(chi < 33.7, `χ² = ${chi}`);
  });

  it('draws binomials with the right mean and variance by every method', () => {
    const random = createRandom('binomial');
    for (const [n, p] of [
      [20, 0.3],
      [100, 0.5],
      [1000, 0.002],
      [1000, 0.98],
      [1e6, 0.1],
      [1e9, 0.4],
      [1e9, 1e-9],
    ] as const) {
      const spread = Math.sqrt(n * p * (1 - p));
      const { mean, variance } = moments(20_000, () => (random.binomial(n, p) - n * p) / spread);
      assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.06, `${n}, ${p}: ${mean} ${variance}`);
    }
  });

  it('draws binomials by rejection with the exact masses (χ² against the formula)', () => {
    const random = createRandom('masses');
    const [n, p, draws] = [40, 0.3, 40_000];
    const seen = new Array<number>(n + 1).fill(0);
    for (let i = 0; i < draws; i++) {
      const k = random.binomial(n, p);
      seen[k] = (seen[k] ?? 0) + 1;
    }
    let mass = (1 - p) ** n;
    let chi = 0;
    let cells = 0;
    for (let k = 0; k <= n; k++) {
      const expected = mass * draws;
      if (expected >= 5) {
        chi += ((seen[k] ?? 0) - expected) ** 2 / expected;
        cells += 1;
      }
      mass *= ((n - k) / (k + 1)) * (p / (1 - p));
    }
    // 99.99 % of χ² with so many cells lies under cells + 4·√(2·cells) + 6.
    assert.ok(chi < cells + 4 * Math.sqrt(2 * cells) + 6, `χ² = ${chi} over ${cells}`);
  });

  it('draws Poisson and normal numbers with the right mean and variance', () => {
    const random = createRandom('others');
    for (const wanted of [0.1, 5, 10, 75, 1e6]) {
      const { mean, variance } = moments(20_000, () => (random.poisson(wanted) - wanted) / Math.sqrt(wanted));
      assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.06, `${wanted}: ${mean} ${variance}`);
    }
    const { mean, variance } = moments(20_000, () => random.normal());
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05);
  });

  it('answers the edges exactly', () => {
    const random = createRandom(1);
    assert.equal(random.binomial(0, 0.5), 0);
    assert.equal(random.binomial(10, 0), 0);
    assert.equal(random.binomial(10, 1), 10);
    assert.equal(random.poisson(0), 0);
    assert.equal(random.integer(1), 0);
  });

  it('refuses what cannot be drawn', () => {
    const random = createRandom(1);
    assert.throws(() => createRandom(Number.NaN), RangeError);
    assert.throws(() => random.integer(0), RangeError);
    assert.throws(() => random.binomial(1.5, 0.5), RangeError);
    assert.throws(() => random.binomial(10, 1.1), RangeError);
    assert.throws(() => random.poisson(-1), RangeError);
  });
});

const FIRST_OF_1876 = [644621767, 114059484, 674491084];
