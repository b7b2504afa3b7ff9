// Sampled behaviour over whole releases: false alarms stay below alpha while somebody looks after every tick, false
// promotions too, and detection stays close to what any test needs. Seeded, small; the full tables are in the bench.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addAbsoluteTick, logAbsoluteHarmE, logAbsoluteNoHarmE, startAbsoluteRate } from './absolute-rate.ts';
import { binomialInterval } from './clopper-pearson.ts';
import { canaryRequestsToTell } from './information.ts';
import { createRandom, type Random } from './random.ts';
import { addTick, type RateRatioOptions, type RateRatioState, startRateRatio, type TickCounts } from './rate-ratio.ts';
import { logHarmE, logNoHarmE } from './rate-ratio-readers.ts';

const random = createRandom(1876);

interface World {
  readonly name: string;
  readonly options: RateRatioOptions;
  readonly tick: (stream: Random, tick: number) => TickCounts;
}

/** How many of `runs` runs of `ticks` ticks ever crossed ln(1/alpha). */
function crossings({ name, options, tick }: World, alpha: number, runs: number, ticks: number): number {
  let crossed = 0;
  for (let run = 0; run < runs; run++) {
    const stream = random.fork(`${name}/${run}`);
    let state = startRateRatio(options);
    for (let t = 0; t < ticks; t++) state = addTick(state, tick(stream, t), options);
    if (state.peakLogHarmE >= -Math.log(alpha)) crossed += 1;
  }
  return crossed;
}

/** Mean canary requests until the reading reaches ln(1/alpha). */
function meanRequests(
  { name, options, tick }: World,
  alpha: number,
  runs: number,
  read: (state: RateRatioState) => number,
): number {
  let total = 0;
  for (let run = 0; run < runs; run++) {
    const stream = random.fork(`${name}/${run}`);
    let state = startRateRatio(options);
    while (read(state) < -Math.log(alpha)) state = addTick(state, tick(stream, state.ticks), options);
    total += state.canaryTotal;
  }
  return total / runs;
}

/** Both arms' counts in one tick: [requests, rate] each. */
function arms(stream: Random, canary: readonly [number, number], stable: readonly [number, number]): TickCounts {
  return {
    canaryTotal: canary[0],
    canaryBad: stream.binomial(...canary),
    stableTotal: stable[0],
    stableBad: stream.binomial(...stable),
  };
}

/** The 99 % upper limit of a rate that was seen k times in n. */
function upper99(k: number, n: number): number {
  return binomialInterval(k, n, 0.98).upper;
}

describe('false alarms (I8)', () => {
  const alpha = 0.05;
  const options: RateRatioOptions = { toleranceRatio: 1, tickMs: 10_000, alpha };

  it('looked at after every tick of equal versions, alarms stay under alpha with 99 % certainty', () => {
    const equal: World = { name: 'equal', options, tick: (s) => arms(s, [50, 0.005], [950, 0.005]) };
    const crossed = crossings(equal, alpha, 700, 150);
    assert.ok(upper99(crossed, 700) <= alpha, `${crossed} of 700`);
  });

  it('a common outage under moving weights raises no more of them', () => {
    const outage: World = {
      name: 'outage',
      options,
      tick: (s, tick) => {
        const canary = tick < 40 ? 50 : tick < 80 ? 200 : 500;
        const rate = tick >= 35 && tick < 45 ? 0.3 : 0.005 * (1 + 0.8 * Math.sin(tick / 20));
        return arms(s, [canary, rate], [1000 - canary, rate]);
      },
    };
    const crossed = crossings(outage, alpha, 700, 120);
    assert.ok(upper99(crossed, 700) <= alpha, `${crossed} of 700`);
  });

  it('a version exactly at the promotion margin is cleared with probability at most alpha', () => {
    let cleared = 0;
    for (let run = 0; run < 500; run++) {
      const stream = random.fork(`margin/${run}`);
      let state = startRateRatio(options);
      for (let tick = 0; tick < 150; tick++) {
        state = addTick(state, arms(stream, [100, 0.006], [900, 0.001]), options);
        if (logNoHarmE(state, 0.005) >= -Math.log(alpha)) {
          cleared += 1;
          break;
        }
      }
    }
    // At the boundary the rate sits just below alpha by design (3.3–4.5 %): 500 runs cannot prove it, only refute it.
    assert.ok(binomialInterval(cleared, 500, 0.98).lower <= alpha, `${cleared} of 500`);
    assert.ok(cleared > 0);
  });

  it('an absolute limit that is just kept raises alarms with probability at most alpha', () => {
    const limit = { limitRate: 0.02, tickMs: 10_000, alpha };
    let crossed = 0;
    for (let run = 0; run < 700; run++) {
      const stream = random.fork(`limit/${run}`);
      let state = startAbsoluteRate(limit);
      for (let tick = 0; tick < 150; tick++) {
        state = addAbsoluteTick(state, { total: 100, bad: stream.binomial(100, 0.02) }, limit);
      }
      if (state.peakLogHarmE >= -Math.log(alpha)) crossed += 1;
    }
    assert.ok(upper99(crossed, 700) <= alpha, `${crossed} of 700`);
  });
});

describe('detection, against the least that any test needs (L2)', () => {
  const alpha = 0.01;
  const bare: RateRatioOptions = {
    toleranceRatio: 1,
    tickMs: 10_000,
    lateOnset: false,
    capFraction: Number.POSITIVE_INFINITY,
  };
  const scenarios = [
    { stableRate: 0.001, canaryRate: 0.005, share: 0.05, canaryPerTick: 20 },
    { stableRate: 0.01, canaryRate: 0.02, share: 0.1, canaryPerTick: 20 },
    { stableRate: 0.01, canaryRate: 0.05, share: 0.05, canaryPerTick: 4 },
    { stableRate: 0.005, canaryRate: 0.01, share: 0.5, canaryPerTick: 60 },
  ];
  for (const { stableRate, canaryRate, share, canaryPerTick } of scenarios) {
    it(`${stableRate} → ${canaryRate} at share ${share} takes under 1.8 times the limit`, () => {
      const stablePerTick = Math.round((canaryPerTick * (1 - share)) / share);
      const world: World = {
        name: `detect/${canaryRate}/${share}`,
        options: bare,
        tick: (s) => arms(s, [canaryPerTick, canaryRate], [stablePerTick, stableRate]),
      };
      const mean = meanRequests(world, alpha, 200, logHarmE);
      const ratio = mean / canaryRequestsToTell({ stableRate, canaryRate, share }, { alpha });
      assert.ok(ratio > 0.9 && ratio < 1.8, `ratio ${ratio.toFixed(2)}`);
    });
  }

  it('no harm beyond 0.5 % is shown in under 1.8 times the limit', () => {
    const world: World = { name: 'clear', options: bare, tick: (s) => arms(s, [20, 0.001], [180, 0.001]) };
    const mean = meanRequests(world, 0.05, 200, (state) => logNoHarmE(state, 0.005));
    const contrast = { stableRate: 0.001, canaryRate: 0.001, share: 0.1, margin: 0.005 };
    const ratio = mean / canaryRequestsToTell(contrast, { alpha: 0.05 });
    assert.ok(ratio > 0.9 && ratio < 1.8, `ratio ${ratio.toFixed(2)}`);
  });

  it('a canary that fails every request is caught by its second error', () => {
    const world: World = { name: 'crash', options: bare, tick: (s) => arms(s, [1, 1], [19, 0.0001]) };
    assert.ok(meanRequests(world, alpha, 100, logHarmE) <= 2.1);
  });

  it('an absolute limit is judged both ways: 4 % against 2 % is broken, 1 % is kept', () => {
    const limit = { limitRate: 0.02, tickMs: 10_000, alpha };
    const stream = random.fork('absolute');
    let broken = startAbsoluteRate(limit);
    let kept = startAbsoluteRate(limit);
    for (let tick = 0; tick < 40; tick++) {
      broken = addAbsoluteTick(broken, { total: 50, bad: stream.binomial(50, 0.04) }, limit);
      kept = addAbsoluteTick(kept, { total: 50, bad: stream.binomial(50, 0.01) }, limit);
    }
    assert.ok(logAbsoluteHarmE(broken) > Math.log(100) && logAbsoluteNoHarmE(broken) < 0);
    assert.ok(logAbsoluteHarmE(kept) < 0 && logAbsoluteNoHarmE(kept) > Math.log(20));
  });
});
