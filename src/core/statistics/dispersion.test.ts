// Dispersion of stable's replicas: right on average, not too low in small samples, blind to common swings; and what it is
// for: clusters of errors raise no false alarms.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dispersionOfReplicas, estimateDispersion, type ReplicaCounts } from './dispersion.ts';
import { createRandom, type Random } from './random.ts';
import { addTick, type RateRatioOptions, startRateRatio } from './rate-ratio.ts';

const random = createRandom(1876);

/** Bad events that come 1 to `largest` at a time: φ = E[c²]/E[c], 11/3 for 5. */
function clusters(stream: Random, mean: number, largest: number): number {
  const count = stream.poisson(mean / ((1 + largest) / 2));
  let bad = 0;
  for (let i = 0; i < count; i++) bad += 1 + stream.integer(largest);
  return bad;
}

interface Past {
  readonly slices: number;
  readonly replicas: number;
  readonly requests: number;
  readonly largest: number;
}

function history(stream: Random, { slices, replicas, requests, largest }: Past): ReplicaCounts[][] {
  return Array.from({ length: slices }, () =>
    Array.from({ length: replicas }, () => {
      const bad = clusters(stream, requests * 0.005, largest);
      return { total: requests, bad: Math.min(requests, bad) };
    }),
  );
}

const HOUR: Past = { slices: 360, replicas: 9, requests: 100, largest: 5 };

describe('dispersion', () => {
  it('is 1 for independent requests and 11/3 for clusters of 1 to 5', () => {
    const independent = estimateDispersion(history(random.fork('independent'), { ...HOUR, largest: 1 }));
    assert.ok(independent && independent.phi < 1.05 && independent.upper < 1.1 && independent.isEnough);
    const clustered = estimateDispersion(history(random.fork('clustered'), HOUR));
    assert.ok(clustered && clustered.phi > 3 && clustered.upper > 3.4 && clustered.upper < 4.2);
  });

  it('is seldom understated by a short history: upper is below the truth in a third of cases, hardly ever by half', () => {
    const truth = 11 / 3;
    const short = { slices: 15, replicas: 4, requests: 200, largest: 5 };
    const upper = Array.from(
      { length: 200 },
      (_, i) => estimateDispersion(history(random.fork(`short/${i}`), short))?.upper ?? 0,
    );
    assert.ok(upper.filter((value) => value < truth).length < 80);
    assert.ok(upper.filter((value) => value < truth / 2).length <= 2);
  });

  it('does not count swings that all replicas share', () => {
    const slices = Array.from({ length: 60 }, (_, t) => {
      const stream = random.fork(`swing/${t}`);
      const rate = t >= 20 && t < 26 ? 0.4 : 0.005;
      return Array.from({ length: 6 }, () => ({ total: 300, bad: stream.binomial(300, rate) }));
    });
    const found = estimateDispersion(slices);
    assert.ok(found && found.upper < 1.3, `${found?.upper}`);
  });

  it('says when there was too little to tell, and nothing at all when nothing could be compared', () => {
    assert.equal(estimateDispersion([]), undefined);
    assert.equal(estimateDispersion([[{ total: 100, bad: 5 }]]), undefined);
    assert.equal(
      dispersionOfReplicas([
        [
          { total: 9, bad: 0 },
          { total: 9, bad: 0 },
        ],
      ]),
      undefined,
    );
    const few = estimateDispersion(history(random.fork('few'), { ...HOUR, slices: 3 }));
    assert.ok(few && !few.isEnough && few.freedom <= 24);
    const slice = [
      { total: 50, bad: 1 },
      { total: 50, bad: 1 },
      { total: 0, bad: 0 },
    ];
    const even = estimateDispersion(Array.from({ length: 30 }, () => slice));
    assert.deepEqual(even, { phi: 1, upper: 1, freedom: 30, bad: 60, isEnough: true });
  });

  it('equals Pearson’s statistic over its degrees of freedom: (12 − 8)²/8 + (4 − 8)²/8 = 4 for 12 and 4 of 16', () => {
    const slices = [
      [
        { total: 100, bad: 12 },
        { total: 100, bad: 4 },
      ],
    ];
    assert.equal(dispersionOfReplicas(slices), 4);
  });

  it('is finite and at least 1 whatever was counted, up to 1e9', () => {
    const replica = fc
      .tuple(fc.nat(1e9), fc.nat(1e9))
      .map(([a, b]) => ({ total: Math.max(a, b), bad: Math.min(a, b) }));
    fc.assert(
      fc.property(fc.array(fc.array(replica, { maxLength: 4 }), { maxLength: 5 }), (slices) => {
        const found = estimateDispersion(slices);
        if (found === undefined) return;
        assert.ok(found.phi >= 1 && found.upper >= found.phi && Number.isFinite(found.upper));
        assert.equal(dispersionOfReplicas(slices), found.phi);
      }),
    );
  });
});

describe('clusters of 1 to 5 errors on both arms, an hour, looked at every 10 s (2.6)', () => {
  /** The percentage of releases of equal versions that raise an alarm. */
  const alarms = (runs: number, dispersionFor: (stream: Random) => number): number => {
    let count = 0;
    for (let run = 0; run < runs; run++) {
      const stream = random.fork(`release/${run}`);
      const options: RateRatioOptions = { toleranceRatio: 1, tickMs: 10_000, dispersion: dispersionFor(stream) };
      let state = startRateRatio(options);
      for (let t = 0; t < 360; t++) {
        const [canaryBad, stableBad] = [clusters(stream, 0.5, 5), clusters(stream, 4.5, 5)];
        state = addTick(state, { canaryTotal: 100, canaryBad, stableTotal: 900, stableBad }, options);
      }
      if (state.peakLogHarmE >= Math.log(100)) count += 1;
    }
    return (100 * count) / runs;
  };

  it('raise more than 15 % false alarms when requests are taken as independent', () => {
    assert.ok(alarms(60, () => 1) > 15);
  });

  it('raise at most 1 % when evidence is divided by the dispersion of the hour before', () => {
    const percent = alarms(200, (stream) => estimateDispersion(history(stream.fork('past'), HOUR))?.upper ?? 1);
    assert.ok(percent <= 1, `${percent} %`);
  });

  it('raise at most 1 % even when that history is barely enough', () => {
    const short = { slices: 12, replicas: 4, requests: 250, largest: 5 };
    const percent = alarms(200, (stream) => estimateDispersion(history(stream.fork('past'), short))?.upper ?? 1);
    assert.ok(percent <= 1, `${percent} %`);
  });
});
