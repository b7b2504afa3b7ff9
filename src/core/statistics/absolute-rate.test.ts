// How absolute-limit evidence behaves: restarts, edges, bounds, tempering, refusals. Its validity is in
// validity.test.ts, its numbers in golden.test.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type AbsoluteRateOptions,
  type AbsoluteRateState,
  addAbsoluteTick,
  logAbsoluteHarmE,
  logAbsoluteNoHarmE,
  lowerRate,
  startAbsoluteRate,
  upperRate,
} from './absolute-rate.ts';
import { crossingFromAbove, crossingFromBelow } from './boundary.ts';

const OPTIONS: AbsoluteRateOptions = { limitRate: 0.02, tickMs: 15_000 };

interface Counts {
  readonly total: number;
  readonly bad: number;
}

function run(ticks: readonly Counts[], options: AbsoluteRateOptions = OPTIONS): AbsoluteRateState {
  return ticks.reduce<AbsoluteRateState>(
    (s, counts) => addAbsoluteTick(s, counts, options),
    startAbsoluteRate(options),
  );
}

const counts = (most: number): fc.Arbitrary<Counts> =>
  fc
    .tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: most }))
    .map(([a, b]) => ({ total: Math.max(a, b), bad: Math.min(a, b) }));

describe('the absolute-limit state', () => {
  it('goes on bit for bit the same after a restart between any two ticks (I6)', () => {
    fc.assert(
      fc.property(fc.array(counts(3000), { maxLength: 10 }), fc.nat(10), (ticks, cut) => {
        const before: AbsoluteRateState = JSON.parse(JSON.stringify(run(ticks.slice(0, cut))));
        const resumed = ticks
          .slice(cut)
          .reduce<AbsoluteRateState>((state, tick) => addAbsoluteTick(state, tick, OPTIONS), before);
        assert.deepStrictEqual(resumed, run(ticks));
      }),
    );
  });

  it('is not touched by ticks without traffic', () => {
    const state = run([{ total: 100, bad: 3 }]);
    assert.equal(addAbsoluteTick(state, { total: 0, bad: 0 }, OPTIONS), state);
  });

  it('gives finite evidence and ordered bounds at counts up to 1e9', () => {
    fc.assert(
      fc.property(fc.array(counts(1e9), { maxLength: 5 }), (ticks) => {
        const state = run(ticks);
        assert.ok(Number.isFinite(logAbsoluteHarmE(state)) && Number.isFinite(logAbsoluteNoHarmE(state)));
        const [low, high] = [lowerRate(state, 0.01), upperRate(state, 0.01)];
        assert.ok(low >= 0 && low <= high && high <= 1);
        if (state.total > 0) assert.ok(low <= state.bad / state.total && state.bad / state.total <= high);
      }),
    );
  });

  it('says nothing when nothing was seen', () => {
    const state = startAbsoluteRate(OPTIONS);
    assert.deepEqual([lowerRate(state, 0.05), upperRate(state, 0.05), logAbsoluteNoHarmE(state)], [0, 1, 0]);
    assert.ok(Math.abs(logAbsoluteHarmE(state)) < 1e-15);
  });

  it('cannot raise the alarm on one tick', () => {
    assert.ok(logAbsoluteHarmE(run([{ total: 1e6, bad: 1e6 }])) < Math.log(100));
    const twice = run([
      { total: 1e6, bad: 1e6 },
      { total: 1e6, bad: 1e6 },
    ]);
    assert.ok(logAbsoluteHarmE(twice) > Math.log(100));
  });

  it('tempered by φ·c, counts as a tempered arm would: requests and bad events divided by φ·c', () => {
    const tempered = run([{ total: 6000, bad: 90 }], { ...OPTIONS, dispersion: 2, clusterCap: 3 });
    const bare = run([{ total: 1000, bad: 15 }]);
    assert.equal(tempered.total, 6000);
    for (const read of [
      logAbsoluteHarmE,
      (s: AbsoluteRateState) => logAbsoluteNoHarmE(s),
      (s: AbsoluteRateState) => upperRate(s, 0.05),
      (s: AbsoluteRateState) => lowerRate(s, 0.05),
    ]) {
      assert.ok(Math.abs(read(tempered) - read(bare)) < 1e-12);
    }
  });

  it('refuses impossible counts, limits and changes of the limit', () => {
    const state = startAbsoluteRate(OPTIONS);
    assert.throws(() => addAbsoluteTick(state, { total: 1, bad: 2 }, OPTIONS), /larger than its total/);
    assert.throws(() => addAbsoluteTick(state, { total: 1, bad: 1 }, { ...OPTIONS, limitRate: 0.5 }), /started for/);
    assert.throws(() => startAbsoluteRate({ ...OPTIONS, limitRate: 0 }), /limitRate/);
    assert.throws(() => startAbsoluteRate({ ...OPTIONS, limitRate: 1 }), /limitRate/);
  });
});

describe('crossings', () => {
  it('are rounded to the side that keeps a bound honest', () => {
    for (const root of [0.1, 0.3, 1 / 3, 0.0041895729765]) {
      const up = crossingFromBelow((x) => (x > root ? 1 : 0), 1, -1, 1);
      const down = crossingFromAbove((x) => (x < root ? 1 : 0), 1, -1, 1);
      assert.ok(up > root && up - root < 1e-15, `${up}`);
      assert.ok(down < root && root - down < 1e-15, `${down}`);
    }
  });

  it('stay at the end of the bracket when the line is not reached', () => {
    assert.equal(
      crossingFromBelow(() => 0, 1, -1, 1),
      1,
    );
    assert.equal(
      crossingFromAbove(() => 0, 1, -1, 1),
      -1,
    );
    assert.equal(
      crossingFromBelow(() => 2, 1, -1, 1),
      -1,
    );
  });
});
