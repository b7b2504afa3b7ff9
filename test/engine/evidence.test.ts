// What the engine does with evidence beyond the plain comparison: shares that are off, a tolerance for the deadline, stable's
// scatter before the release. Users' outcomes: who is promoted, when, and what they are told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check, ReplicaTally } from '../../src/core/model/index.ts';
import { createRandom } from '../../src/core/statistics/index.ts';
import { policy, stableWorld, version } from './world.ts';

const [errors] = policy().checks as [Check];

describe('shares that disagree with the weights', () => {
  it('hold the promotion of a good version up, say so, and never abort it', () => {
    const world = stableWorld();
    world.shareFactor = 1.4;
    world.declared = version('v2');
    world.runFor(3_000_000);
    assert.equal(world.state.release?.phase.kind, 'testing');
    assert.match(
      world.last?.because ?? '',
      /the shares are off: the new version got \d+ of the requests, \d+ were expected/,
    );
  });

  it('hold nothing up where they agree', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2', 3_000_000);
  });

  it('are not asked where users are kept on their version: their habits are no chance', () => {
    const world = stableWorld(policy({ userKey: { cookie: 'user' } as never }));
    world.shareFactor = 1.4;
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2', 3_000_000);
  });
});

describe('a wider tolerance at the deadline', () => {
  const narrow: Check = {
    ...errors,
    tolerance: { ratio: 1.1, margin: 0.00001, harmMargin: 0, atDeadline: 0.01, bucketShift: 0 },
  };
  const deadlines = { ...policy().deadlines, releaseMs: 900_000 };

  it('promotes once the deadline has passed, and not before', () => {
    const world = stableWorld(policy({ checks: [narrow], deadlines, onDeadline: 'accept' }));
    world.declared = version('v2');
    world.runFor(800_000);
    assert.equal(world.state.release?.phase.kind, 'testing');
    assert.equal(world.state.release?.verdicts[0]?.numbers.isAcceptable, true);
    world.runUntil((w) => w.state.stable?.label === 'v2', 400_000);
    assert.match(world.outcome?.sentence ?? '', /the deadline passed, and the wider tolerance is kept/);
  });

  it('asks a person where the policy does not accept it', () => {
    const world = stableWorld(policy({ checks: [narrow], deadlines, onDeadline: 'hold' }));
    world.declared = version('v2');
    world.runFor(1_800_000);
    assert.equal(world.state.release?.awaiting, 'deadline');
  });

  it('never promotes what harms: harm aborts whenever it shows', () => {
    const world = stableWorld(policy({ checks: [narrow], deadlines, onDeadline: 'accept' }));
    world.behaviour.set('rev-v2', { errorRate: 0.05 });
    world.declared = version('v2');
    world.runUntil((w) => w.outcome?.kind === 'aborted', 1_800_000);
  });
});

describe("stable's scatter before the release", () => {
  /** Sixty slices of four replicas, whose errors come in clusters of `size`. */
  function past(size: number): readonly (readonly ReplicaTally[])[] {
    const random = createRandom(`past/${size}`);
    return Array.from({ length: 60 }, () =>
      Array.from({ length: 4 }, () => ({ total: 250, bad: size * random.poisson(5 / size) })),
    );
  }

  it('tempers the evidence: the same harm takes longer to show where errors come in clusters', () => {
    const secondsToAbort = (size: number): number => {
      const world = stableWorld(policy());
      world.history = { readings: {}, replicas: { errors: past(size) } };
      world.behaviour.set('rev-v2', { errorRate: 0.012 });
      world.declared = version('v2');
      const from = world.nowMs;
      world.runUntil((w) => w.outcome?.kind === 'aborted');
      return (world.nowMs - from) / 1000;
    };
    assert.ok(secondsToAbort(5) > 1.5 * secondsToAbort(1));
  });

  it('is told with the verdict where stable differs from itself by more than the tolerance', () => {
    const world = stableWorld(policy());
    const uneven = Array.from({ length: 60 }, () => [
      { total: 1000, bad: 2 },
      { total: 1000, bad: 2 },
      { total: 1000, bad: 2 },
      { total: 1000, bad: 40 },
    ]);
    world.history = { readings: {}, replicas: { errors: uneven } };
    world.declared = version('v2');
    world.runUntil((w) => (w.state.release?.evidence.errors?.windows ?? 0) >= 2);
    assert.match(world.state.release?.verdicts[0]?.message ?? '', /stable's own replicas differ by more than 1.1 x/);
  });
});
