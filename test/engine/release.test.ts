import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { policy, stableWorld, version, World } from './world.ts';

describe('a release, decided by decide()', () => {
  it('brings up the very first version and gives it all traffic, marked as unanalysed', () => {
    const world = stableWorld();
    assert.equal(world.share('rev-v1'), 100);
    assert.deepEqual(world.state.release?.unanalysed, { why: 'first version' });
    assert.equal(world.outcome?.kind, 'promoted');
  });

  it('promotes a healthy version through its stages and then retires the old one', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2').runFor(60_000);
    assert.equal(world.outcome?.kind, 'promoted');
    assert.deepEqual(world.state.release?.unanalysed, null);
    assert.deepEqual([...world.running.keys()], ['rev-v2']);
    assert.deepEqual(
      world.weights.filter((weight) => weight > 0),
      [5, 25, 50],
    );
  });

  it('takes back a version with more errors, blames the check and says the numbers', () => {
    const world = stableWorld();
    world.behaviour.set('rev-v2', { errorRate: 0.03 });
    world.declared = version('v2');
    world.runUntil((w) => w.outcome?.kind === 'aborted').runFor(10_000);
    assert.equal(world.share('rev-v1'), 100);
    assert.deepEqual([...world.running.keys()], ['rev-v1']);
    const outcome = world.outcome;
    assert.ok(outcome?.kind === 'aborted' && outcome.by === 'verdict' && outcome.check === 'errors');
    assert.match(outcome.sentence, /errors: \d+ of \d+ failed, stable \d+ of \d+/);
  });

  it('leaves a version known as aborted waiting, says so, and releases it again on retry', () => {
    const world = stableWorld();
    world.behaviour.set('rev-v2', { errorRate: 0.05 });
    world.declared = version('v2');
    world.runUntil((w) => w.outcome?.kind === 'aborted').runFor(120_000);
    assert.equal(world.state.waiting?.why, 'known as aborted');
    assert.equal(world.state.releases, 2);
    world.command('retry', { reason: 'the database was down' });
    world.step();
    world.runFor(2000);
    assert.equal(world.state.release?.retryOf, 'shop-2');
    assert.equal(world.state.releases, 3);
  });

  it('does not judge or abort without data, and asks a person at the deadline (I7, rows 33, 34)', () => {
    const world = stableWorld(policy({ deadlines: { ...policy().deadlines, releaseMs: 600_000 } }));
    world.declared = version('v2');
    world.metrics = 'silent';
    world.runFor(1_800_000);
    assert.equal(world.outcome, null);
    assert.equal(world.state.release?.weightPercent, 5);
    assert.equal(world.state.release?.awaiting, 'deadline');
    world.metrics = 'up';
    world.runUntil((w) => w.state.stable?.label === 'v2');
  });

  it('aborts a version that never gets ready at its deadline, without ever giving it traffic (rows 28, 30)', () => {
    const world = stableWorld();
    world.behaviour.set('rev-v2', { errorRate: 0, isBroken: true });
    world.declared = version('v2');
    const startedMs = world.nowMs;
    world.runUntil((w) => w.outcome?.kind === 'aborted');
    assert.ok(world.nowMs - startedMs <= 70_000);
    assert.ok(world.weights.every((weight) => weight === 0));
    assert.ok(world.outcome?.kind === 'aborted' && world.outcome.by === 'trouble');
  });

  it('is superseded by a newer version at any stage, and ends at the newest (row 53)', () => {
    for (const afterMs of [0, 3000, 30_000, 90_000, 150_000, 200_000]) {
      const world = stableWorld();
      world.declared = version('v2');
      world.runFor(afterMs);
      world.declared = version('v3');
      world.runUntil((w) => w.state.stable?.label === 'v3').runFor(30_000);
      assert.deepEqual([...world.running.keys()], ['rev-v3']);
    }
  });

  it('ends as aborted by its author when stable is declared again (row 31)', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runFor(30_000);
    world.declared = version('v1');
    world.runUntil((w) => w.outcome !== null);
    assert.ok(world.outcome?.kind === 'aborted' && world.outcome.by === 'author');
    world.runFor(60_000);
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2');
  });

  it('goes back fast to a version promoted before, at full capacity first (row 11)', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2');
    world.command('rollback', { reason: 'wrong prices' });
    const atMs = world.nowMs;
    world.step();
    world.runUntil((w) => w.state.stable?.label === 'v1').runFor(300_000);
    assert.ok(world.nowMs - atMs < 320_000);
    assert.deepEqual(world.state.release?.unanalysed, { why: 'promoted before' });
    assert.equal(world.state.stable?.label, 'v1');
    assert.equal(world.share('rev-v1'), 100);
  });

  it('obeys an abort in starting, testing and promoting; stable then serves everyone (I3, rows 23, 24)', () => {
    for (const phase of ['starting', 'testing', 'promoting']) {
      const world = stableWorld();
      world.declared = version('v2');
      world.runUntil((w) => w.state.release?.phase.kind === phase);
      world.command('abort');
      world.step();
      world.runUntil((w) => w.outcome !== null, 30_000).runFor(5000);
      assert.equal(world.share('rev-v1'), 100);
      assert.deepEqual([...world.running.keys()], ['rev-v1']);
    }
  });

  it('refuses an abort at rest and says what to do instead (row 13)', () => {
    const world = stableWorld();
    world.command('abort');
    const decision = world.step();
    assert.equal(decision.answers[0]?.accepted, false);
    assert.match(decision.answers[0]?.message ?? '', /rollback/);
    assert.equal(world.share('rev-v1'), 100);
  });

  it('waits for a person at each stage in manual mode, and goes on when told to', () => {
    const world = stableWorld(policy({ decision: 'manual' }));
    world.declared = version('v2');
    for (const weight of [5, 25, 50]) {
      world.runUntil((w) => w.state.release?.awaiting === 'advance');
      assert.equal(world.share('rev-v2'), weight);
      world.command('advance');
      world.step();
    }
    world.runUntil((w) => w.state.stable?.label === 'v2');
  });

  it('parks at weight 0 and asks a person about harm in hybrid mode', () => {
    const world = stableWorld(policy({ decision: 'hybrid' }));
    world.behaviour.set('rev-v2', { errorRate: 0.05 });
    world.declared = version('v2');
    world.runUntil((w) => w.state.release?.parked != null).runFor(600_000);
    assert.equal(world.outcome, null);
    assert.equal(world.share('rev-v2'), 0);
    assert.equal(world.state.release?.awaiting, 'decision');
    world.command('abort');
    world.step();
    world.runUntil((w) => w.outcome !== null);
  });

  it('does not count paused time, and still aborts for harm while paused (row 38)', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runFor(30_000);
    world.command('pause');
    world.runFor(7_200_000);
    assert.equal(world.state.release?.weightPercent, 5);
    assert.ok((world.state.release?.elapsed.releaseMs ?? 0) < 40_000);
    world.behaviour.set('rev-v2', { errorRate: 0.05 });
    world.runUntil((w) => w.outcome?.kind === 'aborted', 600_000);
  });

  it('waits for approvals of different people, bound to the stage (row 69)', () => {
    const gates = [{ kind: 'approval', name: 'qa', approvals: 2 } as const];
    const ramp = policy().ramp;
    assert.ok(ramp.kind === 'stages');
    const stages = ramp.stages.map((stage, i) => (i === 0 ? { ...stage, gates } : stage));
    const world = stableWorld(policy({ ramp: { kind: 'stages', stages } }));
    world.declared = version('v2');
    world.runUntil((w) => w.state.release?.awaiting === 'approval');
    world.command('approve');
    world.step();
    world.command('approve');
    assert.equal(world.step().answers[0]?.accepted, false);
    world.runFor(600_000);
    assert.equal(world.share('rev-v2'), 5);
    world.command('approve', { actor: 'bob' });
    world.runUntil((w) => w.state.stable?.label === 'v2');
  });

  it('promotes on an adaptive ramp whose weight follows the risk bound', () => {
    const world = stableWorld(
      policy({
        ramp: { kind: 'adaptive', name: 'default', firstWeightPercent: 1, maxWeightPercent: 20, gates: [] },
        leastBakeMs: 300_000,
      }),
    );
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2');
    const rises = world.weights.filter((weight) => weight > 0);
    assert.ok(Math.max(...rises) <= 20 && rises.length > 2, rises.join(' '));
  });

  it('passes new versions unanalysed while suspended, marked for ever', () => {
    const world = stableWorld();
    world.command('suspend');
    assert.equal(world.step().answers[0]?.accepted, false);
    world.command('suspend', { reason: 'metrics are moved' });
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2', 60_000);
    assert.equal(world.state.release?.unanalysed?.why, 'suspended');
  });

  it('brings a fix out past analysis when told to with a reason, and only then (row 27)', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runUntil((w) => w.state.release?.phase.kind === 'testing');
    world.command('promote');
    assert.match(world.step().answers[0]?.message ?? '', /not proved/);
    world.command('promote', { skipAnalysis: true });
    assert.match(world.step().answers[0]?.message ?? '', /reason/);
    world.command('promote', { skipAnalysis: true, reason: 'outage' });
    world.runUntil((w) => w.state.stable?.label === 'v2', 60_000);
    assert.equal(world.state.release?.unanalysed?.why, 'skip-analysis');
  });

  it('bakes without analysis when the policy says so, marked as unanalysed for ever', () => {
    const world = stableWorld(policy({ analysis: 'none', checks: [] }));
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2');
    assert.deepEqual(world.state.release?.unanalysed, { why: 'policy' });
  });

  it('corrects a split that a hand has changed and says so (rows 55, 56)', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runUntil((w) => w.share('rev-v2') === 5).runFor(5000);
    const { split } = world;
    assert.ok(split !== null);
    world.split = {
      ...split,
      weights: [
        { revision: 'rev-v1', weightPercent: 40 },
        { revision: 'rev-v2', weightPercent: 60 },
      ],
    };
    world.step();
    assert.equal(world.share('rev-v2'), 5);
    assert.ok(world.log.some((line) => line.includes('drift')));
  });

  it('keeps traffic where it is answered while stable has no ready replica (rows 1, 18)', () => {
    const world = new World(version('v1'));
    world.runUntil((w) => w.state.stable !== null);
    world.declared = version('v2');
    world.runUntil((w) => w.share('rev-v2') === 25);
    world.behaviour.set('rev-v1', { errorRate: 0, isBroken: true });
    world.command('abort');
    world.step();
    assert.equal(world.share('rev-v2'), 25);
    world.behaviour.set('rev-v1', { errorRate: 0 });
    world.runUntil((w) => w.outcome !== null, 30_000);
    assert.equal(world.share('rev-v1'), 100);
  });
});
