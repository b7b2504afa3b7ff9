// The bounds for display: the constants of the paper, and that they hold over whole releases.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bandConstant, bandRadius, quantileBand, quantileDeviation } from './quantile-band.ts';
import { createRandom } from './random.ts';

describe('the band around a distribution', () => {
  it('has the constants that confseq solves for', () => {
    for (const [alpha, expected] of [
      [0.05, 8.1227],
      [0.025, 8.6226],
      [0.01, 9.2835],
      [0.005, 9.7834],
      [0.001, 10.9431],
    ] as const) {
      assert.ok(Math.abs(bandConstant(alpha) - expected) < 1e-4, `${alpha}: ${bandConstant(alpha)}`);
    }
  });

  it('is everything at first, then narrows as √(log log n / n), and widens as alpha shrinks', () => {
    assert.equal(bandRadius(0, 0.05), 1);
    assert.equal(bandRadius(1, 0.05), 1);
    const expected = 0.85 * Math.sqrt((Math.log(1 + Math.log(1e6)) + 8.1227) / 1e6);
    assert.ok(Math.abs(bandRadius(1e6, 0.05) - expected) < 1e-7);
    for (const total of [10, 1e3, 1e6, 1e9]) {
      assert.ok(bandRadius(total, 0.01) >= bandRadius(total, 0.1));
      assert.ok(bandRadius(total, 0.05) >= bandRadius(2 * total, 0.05));
    }
  });
});

describe('bounds on a quantile', () => {
  it('are those of double stitching', () => {
    // confseq double_stitching_bound(p, t, alpha=.05, t_opt=1000, delta=.5, s=1.4, eta=2), its formula in mpmath.
    for (const [p, total, expected] of [
      [0.01, 50_000, 139.815172458282],
      [0.5, 1000, 59.5306802556468],
      [0.5, 100, 59.5306802556468],
      [0.9, 10_000_000, 5805.44104095566],
      [0.99, 50_000, 116.012672246801],
      [0.999, 10_000_000, 630.81213846959],
    ] as const) {
      const got = quantileDeviation(p, total, 0.05);
      assert.ok(Math.abs(got - expected) < 1e-6 * expected, `${p}, ${total}: ${got}`);
    }
  });

  it('hold for every quantile at every look, in nearly all releases', () => {
    // 16 buckets of equal mass, so that the quantile of j/16 lies exactly at boundary j.
    const boundaries = Array.from({ length: 16 }, (_, i) => i + 1);
    let broken = 0;
    const runs = 200;
    for (let run = 0; run < runs; run++) {
      const stream = createRandom(`band/${run}`);
      const counts = boundaries.map(() => 0);
      let isBroken = false;
      for (let tick = 0; tick < 40; tick++) {
        for (let i = 0; i < 50; i++) {
          const bucket = stream.integer(16);
          counts[bucket] = (counts[bucket] ?? 0) + 1;
        }
        let sum = 0;
        const within = counts.map((count) => (sum += count));
        for (const j of [1, 4, 8, 12, 15]) {
          const { lower = 0, upper = 17 } = quantileBand({ boundaries, within, total: sum }, j / 16, 0.05);
          isBroken ||= lower >= j + 1 || upper < j;
        }
      }
      if (isBroken) broken += 1;
    }
    assert.ok(broken <= 0.05 * runs, `${broken} of ${runs}`);
  });

  it('narrow down to the bucket that holds the quantile', () => {
    const boundaries = [0.1, 0.2, 0.3, Number.POSITIVE_INFINITY];
    const of = (scale: number) =>
      quantileBand(
        { boundaries, within: [50 * scale, 90 * scale, 99 * scale, 100 * scale], total: 100 * scale },
        0.95,
        0.05,
      );
    assert.deepEqual(of(0), { lower: undefined, estimate: undefined, upper: undefined });
    assert.deepEqual(of(1), { lower: undefined, estimate: 0.3, upper: undefined });
    assert.deepEqual(of(1000), { lower: 0.2, estimate: 0.3, upper: 0.3 });
  });

  it('are ordered around the estimate for any histogram', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 1e7 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 0.999, noNaN: true }), (buckets, quantile) => {
        let sum = 0;
        const within = buckets.map((count) => (sum += count));
        const histogram = { boundaries: buckets.map((_, i) => i), within, total: sum };
        const { lower, estimate, upper } = quantileBand(histogram, quantile, 0.05);
        if (lower !== undefined && estimate !== undefined) assert.ok(lower < estimate);
        if (upper !== undefined && estimate !== undefined) assert.ok(upper >= estimate);
      }),
    );
  });

  it('refuse what is no histogram', () => {
    const good = { boundaries: [1, 2], within: [3, 4], total: 5 };
    for (const [act, message] of [
      [() => quantileBand({ ...good, within: [3] }, 0.5, 0.05), /one count per boundary, but got 1 for 2/],
      [() => quantileBand({ ...good, boundaries: [2, 2] }, 0.5, 0.05), /boundaries must ascend, but 2 follows 2/],
      [
        () => quantileBand({ ...good, within: [4, 3] }, 0.5, 0.05),
        /must rise from 0 to the total 5, but got 3 after 4/,
      ],
      [() => quantileBand({ ...good, within: [4, 6] }, 0.5, 0.05), /but got 6 after 4/],
      [() => quantileBand(good, 1, 0.05), /between 0 and 1, but got/],
      [() => quantileBand(good, 0.5, 0), /alpha/],
      [() => bandRadius(-1, 0.05), /total must be a count/],
    ] as const) {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    }
  });
});
