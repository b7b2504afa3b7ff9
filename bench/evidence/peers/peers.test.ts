// The peers' whole releases in worlds without chance: when they promote and abort, what a silent canary does, and that
// what is given out as calibrated is.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../../src/core/statistics/index.ts';
import type { ArmCounts, Contestant, Outcome, World } from '../contestant.ts';
import { ARGO_DEFAULT, argo } from './argo.ts';
import { commonTick } from './course.ts';
import { FLAGGER_DEFAULT, flagger } from './flagger.ts';
import { ARGO_GRID, FLAGGER_GRID, KAYENTA_GRID } from './grids.ts';
import { peerByName, peerNames } from './index.ts';
import { KAYENTA_DEFAULT, kayenta } from './kayenta.ts';
import { calibratedLine, Z_TESTS, zTest } from './z-tests.ts';

interface Truth {
  readonly stableRate: number;
  readonly canaryRate: number;
  /** Seconds of a canary request; without it the world has no latency. */
  readonly canarySeconds?: number;
  readonly isSilent?: boolean;
  readonly seed?: string;
}

const BOUNDARIES = [0.1, 0.3, 0.6, 1, Number.POSITIVE_INFINITY];

/** 100 requests a second; without a seed counts are what is expected, rounded. */
function world({ stableRate, canaryRate, canarySeconds, isSilent = false, seed }: Truth): World {
  const random = seed === undefined ? null : createRandom(seed);
  let until = 0;
  const arm = (requests: number, rate: number, seconds = 0.2): ArmCounts => {
    const total = random?.poisson(requests) ?? Math.round(requests);
    const bad = random?.binomial(total, rate) ?? Math.round(total * rate);
    const bucket = BOUNDARIES.findIndex((boundary) => seconds <= boundary);
    const latency = canarySeconds === undefined ? null : BOUNDARIES.map((_, i) => (i === bucket ? total : 0));
    return { total, bad, latency };
  };
  return {
    horizonSeconds: 10_800,
    requestsPerSecond: 100,
    boundaries: canarySeconds === undefined ? null : BOUNDARIES,
    draw(from, to, weight) {
      assert.equal(from, until, 'windows are asked for in order of time, each once');
      until = to;
      const all = 100 * (to - from);
      return {
        canary: arm(isSilent ? 0 : (all * weight) / 100, canaryRate, canarySeconds),
        stable: arm(all * (1 - weight / 100), stableRate),
      };
    },
    excessPerSecond: (_, weight) => weight * (canaryRate - stableRate),
  };
}

const HEALTHY: Truth = { stableRate: 0.001, canaryRate: 0.001 };
const FAILING: Truth = { stableRate: 0.001, canaryRate: 1 };
const SILENT: Truth = { ...HEALTHY, isSilent: true };

function ends(contestant: Contestant, truth: Truth): readonly [Outcome['end'], number] {
  const { end, atSeconds } = contestant.run(world(truth), 'seed');
  return [end, atSeconds];
}

describe('Flagger at its documented defaults', () => {
  const peer = flagger('Flagger', FLAGGER_DEFAULT);

  it('promotes after five good looks and aborts one look after five bad ones', () => {
    assert.deepEqual(ends(peer, HEALTHY), ['promoted', 300]);
    assert.deepEqual(ends(peer, FAILING), ['aborted', 360]);
    assert.deepEqual(ends(peer, { stableRate: 0.001, canaryRate: 0.008 }), ['promoted', 300]);
  });

  it('aborts a canary that is not heard of', () => {
    assert.deepEqual(ends(peer, SILENT), ['aborted', 360]);
  });

  it('reads p99 from buckets, and aborts what is slow', () => {
    assert.deepEqual(ends(peer, { ...HEALTHY, canarySeconds: 0.2 }), ['promoted', 300]);
    assert.deepEqual(ends(peer, { ...HEALTHY, canarySeconds: 0.9 }), ['aborted', 360]);
  });

  it('goes beyond its maximum if the step does not fit, as the real one', () => {
    const { canaryRequests } = flagger('', { ...FLAGGER_DEFAULT, step: 20 }).run(world(HEALTHY), '');
    assert.equal(canaryRequests, 60 * (20 + 40 + 60));
  });

  it('pays for a bad version at the weights it gave it', () => {
    const outcome = peer.run(world(FAILING), '');
    assert.deepEqual([outcome.canaryRequests, outcome.canaryBad], [3600, 3600]);
    assert.ok(Math.abs(outcome.excessBad - 3600 * 0.999) < 1e-6);
  });
});

describe("Argo's documented example", () => {
  const peer = argo('Argo', ARGO_DEFAULT);

  it('promotes after four pauses, whatever lies above its limit', () => {
    assert.deepEqual(ends(peer, HEALTHY), ['promoted', 2400]);
    assert.deepEqual(ends(peer, { stableRate: 0.001, canaryRate: 0.04 }), ['promoted', 2400]);
  });

  it('aborts at the fourth failed measurement, the first being at 40 %', () => {
    assert.deepEqual(ends(peer, { stableRate: 0.001, canaryRate: 0.2 }), ['aborted', 600 + 3 * 300]);
  });

  it('aborts at the fifth error in a row, if nothing ever went well or nothing is heard', () => {
    assert.deepEqual(ends(peer, FAILING), ['aborted', 640]);
    assert.deepEqual(ends(peer, SILENT), ['aborted', 640]);
  });
});

describe('Kayenta at its documented defaults', () => {
  const peer = kayenta('Kayenta', KAYENTA_DEFAULT);

  it('judges three times an hour apart', () => {
    assert.deepEqual(ends(peer, { ...HEALTHY, seed: 'a' }), ['promoted', 10_800]);
    assert.deepEqual(ends(peer, { stableRate: 0.001, canaryRate: 0.02, seed: 'a' }), ['aborted', 3600]);
  });

  it('aborts a canary that is not heard of at its first judgement', () => {
    assert.deepEqual(ends(peer, { ...SILENT, seed: 'a' }), ['aborted', 3600]);
  });

  it('aborts if one of errors and p99 is High: half of the score is not above marginal', () => {
    const slow = { ...HEALTHY, canarySeconds: 0.9, seed: 'b' };
    assert.deepEqual(ends(peer, slow), ['aborted', 3600]);
  });
});

describe('z-tests', () => {
  const byName = (part: string) => {
    const [name, settings] = Z_TESTS.find(([name]) => name.includes(part)) ?? assert.fail(part);
    return { contestant: zTest(name, settings), settings };
  };

  it('alarm far too often if looked at every 10 s as if once', () => {
    const { contestant } = byName('every 10 s');
    const aborted = Array.from({ length: 200 }, (_, i) => ends(contestant, { ...HEALTHY, seed: `z${i}` })[0]);
    assert.ok(aborted.filter((end) => end === 'aborted').length > 14);
  });

  it('alarm in about 1 % with the line that simulation finds, on other chance than it was found with', () => {
    const { settings } = byName('calibrated');
    for (const rate of [0.001, 0.01]) {
      const line = calibratedLine(settings, 100, rate);
      const contestant = zTest('', { ...settings, line });
      const truth = { stableRate: rate, canaryRate: rate };
      const aborted = Array.from({ length: 500 }, (_, i) => ends(contestant, { ...truth, seed: `c${i}` })[0]);
      // 1 % of 500 is 5; 12 or more happen once in 200 such tests.
      assert.ok(aborted.filter((end) => end === 'aborted').length <= 12, `${rate}: ${line}`);
    }
  });

  it('promote a canary that is not heard of', () => {
    for (const [name, settings] of Z_TESTS) {
      if (settings.line === 'calibrated') continue;
      assert.deepEqual(ends(zTest(name, settings), SILENT), ['promoted', 1800]);
    }
  });
});

describe('the sweeps', () => {
  it('have the same budget for every peer, within an eighth', () => {
    const sizes = [FLAGGER_GRID, ARGO_GRID, KAYENTA_GRID].map(({ length }) => length);
    assert.deepEqual(sizes, [360, 405, 360]);
  });

  it('name every setting once, and find it by its name', () => {
    const names = [...peerNames.defaults, ...peerNames.sweep(0.001)];
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.equal(peerByName(name).name, name);
    assert.throws(() => peerByName('nobody'), /no contestant called "nobody"/);
  });

  it('tick in common multiples', () => {
    assert.deepEqual([commonTick(10, 60, 5), commonTick(60, 60, 0), commonTick(300, 15)], [5, 60, 15]);
  });
});
