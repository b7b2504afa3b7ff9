import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Slice } from '../load/account.ts';
import { type Look, plateausOf, seenOn, tailOf, weightFaults } from './plateaus.ts';

const look = (second: number, percent: number, more: Partial<Look> = {}): Look => ({
  beganMs: second * 1_000,
  endedMs: second * 1_000 + 100,
  stable: ['v1'],
  canary: percent > 0 ? 'v2' : null,
  percent,
  ...more,
});

/** One slice a second, of 100 answers, so many of them of v2. */
const slices = (from: number, to: number, canary: number): readonly Slice[] =>
  Array.from({ length: to - from }, (_, index) => ({
    second: from + index,
    sent: 100,
    versions: {
      v1: { all: 100 - canary, bad: 0, fresh: 0 },
      v2: { all: canary, bad: 0, fresh: canary > 0 ? 1 : 0 },
    },
    lost: {},
  }));

const HOW = { settleMs: 2_000, connectionsOnly: false };

test('looks that are alike are one plateau, from the end of the first to the beginning of the last', () => {
  const found = plateausOf([look(0, 0), look(1, 0), look(2, 5), look(3, 5), look(4, 25)]);
  assert.deepEqual(
    found.map(({ percent, fromMs, toMs }) => [percent, fromMs, toMs]),
    [
      [0, 100, 1_000],
      [5, 2_100, 3_000],
      [25, 4_100, 4_000],
    ],
  );
});

test('the seconds around a change are not judged: 2 s after it and 1 s before the last look that saw none', () => {
  const plateaus = plateausOf([look(0, 5), look(9, 5), look(10, 25), look(20, 25)]);
  const [first] = seenOn(plateaus, slices(0, 20, 5), HOW);
  assert.equal(first?.answers, 500);
});

test('while a version is rolled out in the place of stable nothing is judged', () => {
  const plateaus = plateausOf([look(0, 50, { stable: ['v1', 'v2'] }), look(20, 50, { stable: ['v1', 'v2'] })]);
  assert.deepEqual(seenOn(plateaus, slices(0, 20, 80), HOW), []);
});

test('a share that chance explains is no fault, one of 8 % where 5 % was asked is, at 1e-6', () => {
  const plateaus = plateausOf([look(0, 5), look(60, 5)]);
  assert.deepEqual(weightFaults(seenOn(plateaus, slices(0, 60, 5), HOW)), []);
  const faults = weightFaults(seenOn(plateaus, slices(0, 60, 8), HOW));
  assert.equal(faults.length, 1);
  assert.match(faults[0] ?? '', /v2 was to get 5 % beside v1, and 448 of 5600 answers \(8.0 %\)/);
});

test('where the canary is to get nothing, one answer of it is a fault', () => {
  const plateaus = plateausOf([look(0, 0), look(20, 0)]);
  assert.equal(weightFaults(seenOn(plateaus, slices(0, 20, 1), HOW)).length, 1);
});

test('of a Service only connections are judged: the first answers on each', () => {
  const plateaus = plateausOf([look(0, 25), look(20, 25)]);
  assert.equal(seenOn(plateaus, slices(0, 20, 40), { ...HOW, connectionsOnly: true })[0]?.answers, 16);
});

test('the tail is twice the smaller one of the binomial distribution: 8 of 10 at one half have 0.109375', () => {
  assert.ok(Math.abs(tailOf(8, 10, 0.5) - 0.109375) < 1e-9);
  assert.equal(tailOf(0, 10, 0), 1);
  assert.equal(tailOf(1, 10, 0), 0);
  assert.equal(tailOf(10, 10, 1), 1);
});
