// Placebo canaries: quiet where replicas are alike, loud where one of them differs, and the smallest quiet tolerance.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReplicaCounts } from './dispersion.ts';
import { PLACEBO_RATIOS, placebo } from './placebo.ts';
import { createRandom, type Random } from './random.ts';
import { addTick, startRateRatio } from './rate-ratio.ts';

const random = createRandom(1876);
const OPTIONS = { tickMs: 10_000 };

/** An hour of replicas whose error rates are multiples of 1 %. */
function past(stream: Random, multiples: readonly number[]): ReplicaCounts[][] {
  return Array.from({ length: 360 }, () =>
    multiples.map((multiple) => ({ total: 120, bad: stream.binomial(120, 0.01 * multiple) })),
  );
}

describe('placebo canaries', () => {
  it('are quiet at r = 1 where all replicas are alike, nearly always', () => {
    const quiet = Array.from({ length: 15 }, (_, i) => placebo(past(random.fork(`alike/${i}`), [1, 1, 1, 1]), OPTIONS));
    assert.ok(quiet.filter((result) => result?.quietRatio === 1).length >= 14);
  });

  it('name the replica that differs, and the tolerance from which it would pass', () => {
    const result = placebo(past(random.fork('noisy'), [1, 1.4, 1, 1, 1]), OPTIONS);
    assert.ok(result);
    assert.deepEqual([result.replicas, result.slices], [5, 360]);
    const [atOne] = result.byRatio;
    assert.ok(atOne && atOne.alarms === 1 && (atOne.peakLogE[1] ?? 0) > Math.log(100));
    assert.ok((result.quietRatio ?? 9) > 1 && (result.quietRatio ?? 9) <= 1.5, `${result.quietRatio}`);
  });

  it('have no quiet tolerance to offer where a replica is three times worse', () => {
    const result = placebo(past(random.fork('broken'), [1, 1, 3]), OPTIONS);
    assert.ok(result && result.quietRatio === undefined);
    assert.equal(result.byRatio.at(-1)?.alarms, 1);
    assert.deepEqual(
      result.byRatio.map(({ toleranceRatio }) => toleranceRatio),
      PLACEBO_RATIOS,
    );
  });

  it('are judged as a canary would be: each replica against the sum of the others', () => {
    const slices = past(random.fork('same'), [1, 1, 2]);
    const options = { ...OPTIONS, toleranceRatio: 1.1 };
    let state = startRateRatio(options);
    for (const [first, second, third] of slices) {
      assert.ok(first && second && third);
      const stable = { stableTotal: first.total + second.total, stableBad: first.bad + second.bad };
      state = addTick(state, { canaryTotal: third.total, canaryBad: third.bad, ...stable }, options);
    }
    assert.equal(placebo(slices, { ...OPTIONS, ratios: [1.1] })?.byRatio[0]?.peakLogE[2], state.peakLogHarmE);
  });

  it('pass over slices in which a replica was not there', () => {
    const slices = past(random.fork('gap'), [1, 1, 1]);
    const gaps = slices.map((slice, t) =>
      t % 3 === 0 ? slice.map((r, i) => (i === 0 ? { total: 0, bad: 0 } : r)) : slice,
    );
    assert.equal(placebo(gaps, OPTIONS)?.quietRatio, 1);
  });

  it('say nothing without two replicas, and refuse slices that do not fit together', () => {
    assert.equal(placebo([], OPTIONS), undefined);
    assert.equal(placebo([[{ total: 5, bad: 0 }]], OPTIONS), undefined);
    const one = { total: 5, bad: 0 };
    for (const [act, message] of [
      [() => placebo([[one, one], [one]], OPTIONS), /same 2 replicas.*1/],
      [() => placebo([[one, one]], { ...OPTIONS, ratios: [] }), /at least one/],
      [() => placebo([[one, one]], { ...OPTIONS, ratios: [1.5, 1] }), /1 follows 1\.5/],
      [() => placebo([[one, { total: 1, bad: 2 }]], OPTIONS), /bad count 2/],
    ] as const) {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    }
  });
});
