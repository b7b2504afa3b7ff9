// Sample-ratio mismatch: mean evidence is 1 over every draw, false alarms stay away while weights move, mismatches are
// found, the closed form matches published and exact values, restarts, edges and refusals.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { EvidenceOptions } from './counts.ts';
import { createRandom, type Random } from './random.ts';
import {
  addShareTick,
  logSampleRatioE,
  SAMPLE_RATIO_ALPHA,
  type SampleRatioState,
  type ShareTick,
  startSampleRatio,
} from './sample-ratio.ts';
import { logConstantSampleRatioE } from './sample-ratio-constant.ts';

const LINE = -Math.log(SAMPLE_RATIO_ALPHA);
const OPTIONS: EvidenceOptions = { tickMs: 15_000 };
const BARE: EvidenceOptions = { tickMs: 15_000, lateOnset: false, capFraction: Number.POSITIVE_INFINITY };

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}

/** The mean of e^reading over how many of n requests chance sends to the canary. */
function meanOver(n: number, share: number, reading: (tick: ShareTick) => number): number {
  let mean = 0;
  for (let canary = 0; canary <= n; canary++) {
    const mass = choose(n, canary) * share ** canary * (1 - share) ** (n - canary);
    mean += mass * Math.exp(reading({ share, canary, stable: n - canary }));
  }
  return mean;
}

describe('mean evidence of a mismatch when there is none (I8)', () => {
  it('is exactly 1 over all draws, at any share and number of requests', () => {
    for (const share of [0.001, 0.05, 0.3, 0.5, 0.95]) {
      for (const n of [1, 7, 30]) {
        const mean = meanOver(n, share, (tick) => logSampleRatioE(addShareTick(startSampleRatio(BARE), tick, BARE)));
        assert.ok(Math.abs(mean - 1) < 1e-12, `share ${share}, n ${n}: ${mean}`);
      }
    }
  });

  it('is at most 1 with cap, onset mixture, dispersion, and a second share and volume that answer to the first', () => {
    for (const extra of [{}, { dispersion: 3 }, { clusterCap: 2, capFraction: 0.1 }]) {
      const options = { ...OPTIONS, ...extra };
      const mean = meanOver(12, 0.2, (first) => {
        const state = addShareTick(startSampleRatio(options), first, options);
        const [n, share] = first.canary > 3 ? [20, 0.6] : [3, 0.05];
        return Math.log(meanOver(n, share, (tick) => logSampleRatioE(addShareTick(state, tick, options))));
      });
      assert.ok(mean <= 1 + 1e-12, `${JSON.stringify(extra)}: ${mean}`);
    }
  });

  it('the closed form is exactly 1 too, over all draws among three versions', () => {
    const weights = [10, 20, 70];
    const n = 12;
    let mean = 0;
    for (let a = 0; a <= n; a++) {
      for (let b = 0; b <= n - a; b++) {
        const mass = choose(n, a) * choose(n - a, b) * 0.1 ** a * 0.2 ** b * 0.7 ** (n - a - b);
        mean += mass * Math.exp(logConstantSampleRatioE([a, b, n - a - b], weights));
      }
    }
    assert.ok(Math.abs(mean - 1) < 1e-11, `${mean}`);
    const tempered = Array.from({ length: n + 1 }, (_, a) => {
      const mass = choose(n, a) * 0.1 ** a * 0.9 ** (n - a);
      return mass * Math.exp(logConstantSampleRatioE([a, n - a], [1, 9], 2.5));
    }).reduce((sum, part) => sum + part, 0);
    assert.ok(tempered <= 1, `${tempered}`);
  });
});

describe('a mismatch over a release, looked at after every tick', () => {
  const random = createRandom(1876);
  const release = (stream: Random, odds: number): number => {
    let state = startSampleRatio(OPTIONS);
    for (let t = 1; t <= 200; t++) {
      const share = t < 60 ? 0.05 : t < 120 ? 0.2 : 0.5;
      const drawn = (odds * share) / (1 + (odds - 1) * share);
      const canary = stream.binomial(1500, drawn);
      state = addShareTick(state, { share, canary, stable: 1500 - canary }, OPTIONS);
      if (logSampleRatioE(state) >= LINE) return t;
    }
    return Number.POSITIVE_INFINITY;
  };

  it('is not claimed while weights move from 5 to 50 % and are kept', () => {
    for (let run = 0; run < 300; run++) {
      assert.equal(release(random.fork(`kept/${run}`), 1), Number.POSITIVE_INFINITY);
    }
  });

  it('is found when the canary gets 4 % more or 4 % less than its odds', () => {
    for (const odds of [1.04, 0.96]) {
      const found = Array.from({ length: 40 }, (_, run) => release(random.fork(`${odds}/${run}`), odds));
      assert.ok(found.filter((t) => t <= 200).length >= 38, `odds ${odds}: ${found}`);
    }
  });

  it('is found soon when 10 % were asked and 12 % come', () => {
    let state = startSampleRatio(OPTIONS);
    let ticks = 0;
    while (logSampleRatioE(state) < LINE) {
      state = addShareTick(state, { share: 0.1, canary: 180, stable: 1320 }, OPTIONS);
      ticks += 1;
    }
    assert.ok(ticks >= 2 && ticks <= 8, `${ticks}`);
    assert.equal(Math.round(state.expectedCanary), 150 * ticks);
    assert.ok(state.peakLogE >= LINE);
  });

  it('is never claimed of a split that alternates exactly', () => {
    let state = startSampleRatio(OPTIONS);
    for (let t = 0; t < 500; t++) state = addShareTick(state, { share: 0.25, canary: 25, stable: 75 }, OPTIONS);
    assert.ok(logSampleRatioE(state) < 0);
  });
});

describe('the closed form', () => {
  it('gives −4.381 for 1030/8970 and 16.214 for 1200/8800 against 10/90', () => {
    // From lnΓ in scipy 1.17: gammaln(2) − gammaln(10002) + gammaln(1031) + gammaln(8971) − 1030 ln .1 − 8970 ln .9.
    assert.equal(logConstantSampleRatioE([1030, 8970], [10, 90]).toFixed(3), '-4.381');
    assert.equal(logConstantSampleRatioE([1200, 8800], [10, 90]).toFixed(3), '16.214');
  });

  it('equals the product of predictive chances over fair ones: (k+1)/(n+2) by Laplace', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 60 }),
        fc.double({ min: 0.02, max: 0.98, noNaN: true }),
        (draws, w) => {
          let [log, canary, stable] = [0, 0, 0];
          for (const toCanary of draws) {
            const [count, chance] = toCanary ? [canary, w] : [stable, 1 - w];
            log += Math.log((count + 1) / (canary + stable + 2) / chance);
            if (toCanary) canary += 1;
            else stable += 1;
          }
          const closed = logConstantSampleRatioE([canary, stable], [w, 1 - w]);
          assert.ok(Math.abs(closed - log) < 1e-11, `${closed}, ${log}`);
        },
      ),
    );
  });

  it('keeps its digits at 1e9 requests: doubling counts that match costs ½ ln 2 per free weight', () => {
    const weights = [1, 4, 5];
    const at = (n: number) => logConstantSampleRatioE([n, 4 * n, 5 * n], weights);
    assert.ok(Math.abs(at(1e8) - at(2e8) - Math.log(2)) < 1e-6);
    assert.ok(Number.isFinite(logConstantSampleRatioE([1e9, 0], [1, 1])));
    assert.equal(Math.abs(logConstantSampleRatioE([0, 0, 0], weights)) < 1e-12, true);
  });
});

const anyTick = (most: number) =>
  fc.record({
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    canary: fc.integer({ min: 0, max: most }),
    stable: fc.integer({ min: 0, max: most }),
  });

function run(ticks: readonly ShareTick[], from: SampleRatioState = startSampleRatio(OPTIONS)): SampleRatioState {
  return ticks.reduce<SampleRatioState>((state, tick) => addShareTick(state, tick, OPTIONS), from);
}

describe('the sample-ratio state', () => {
  it('goes on bit for bit the same after a restart between any two ticks (I6)', () => {
    fc.assert(
      fc.property(fc.array(anyTick(500), { maxLength: 8 }), fc.nat(8), (ticks, cut) => {
        const before: SampleRatioState = JSON.parse(JSON.stringify(run(ticks.slice(0, cut))));
        assert.deepStrictEqual(run(ticks.slice(cut), before), run(ticks));
      }),
    );
  });

  it('holds only finite numbers at counts up to 1e9, in under 1 KiB of JSON', () => {
    fc.assert(
      fc.property(fc.array(anyTick(1e9), { minLength: 1, maxLength: 6 }), (ticks) => {
        const text = JSON.stringify(run(ticks));
        assert.ok(!text.includes('null') && text.length <= 1024, text);
        assert.ok(Number.isFinite(logSampleRatioE(run(ticks))));
      }),
    );
  });

  it('cannot be brought to an alarm by a single tick, and is not touched by ticks that ask all of one version', () => {
    fc.assert(fc.property(anyTick(1e6), (tick) => assert.ok(logSampleRatioE(run([tick])) < 0.65 * LINE + 1e-9)));
    const state = run([{ share: 0.1, canary: 12, stable: 88 }]);
    for (const idle of [
      { share: 0, canary: 3, stable: 90 },
      { share: 1, canary: 90, stable: 0 },
      { share: 0.5, canary: 0, stable: 0 },
    ]) {
      assert.equal(addShareTick(state, idle, OPTIONS), state);
    }
  });
});

describe('what sample ratios refuse', () => {
  const state = startSampleRatio(OPTIONS);
  const refusals: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['a share above 1', () => addShareTick(state, { share: 10, canary: 1, stable: 1 }, OPTIONS), /share .*10/],
    ['a negative count', () => addShareTick(state, { share: 0.1, canary: -1, stable: 1 }, OPTIONS), /canary .*-1/],
    ['an infinite count', () => addShareTick(state, { share: 0.1, canary: 1, stable: Infinity }, OPTIONS), /stable/],
    ['dispersion below 1', () => startSampleRatio({ ...OPTIONS, dispersion: 0.5 }), /dispersion/],
    ['one version', () => logConstantSampleRatioE([5], [1]), /two versions/],
    ['a weight of 0', () => logConstantSampleRatioE([5, 1], [100, 0]), /weight .* 0/],
    ['counts that do not fit the weights', () => logConstantSampleRatioE([5, 1], [1, 1, 1]), /one weight each/],
    ['a count that is not a number', () => logConstantSampleRatioE([5, Number.NaN], [1, 1]), /NaN/],
    ['a closed form with dispersion 0', () => logConstantSampleRatioE([5, 1], [1, 1], 0), /dispersion/],
  ];
  for (const [what, act, message] of refusals) {
    it(`refuses ${what} with a RangeError that says so`, () => {
      assert.throws(act, (error: unknown) => error instanceof RangeError && message.test(error.message));
    });
  }
});
