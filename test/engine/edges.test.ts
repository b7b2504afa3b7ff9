import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check } from '../../src/core/model/index.ts';
import { policy, stableWorld, version } from './world.ts';

const [errors] = policy().checks as [Check];

function stagesWithGate(kind: 'webhook') {
  const { ramp } = policy();
  if (ramp.kind !== 'stages') throw new Error('stages expected');
  const gate = { kind, name: 'smoke', url: 'http://127.0.0.1:1/', timeoutMs: 1000 } as never;
  return { ...ramp, stages: ramp.stages.map((stage) => ({ ...stage, gates: [gate] })) };
}

describe('the edges of a release', () => {
  it('a person may not promote while a guardrail is without data: weight would rise on it (I7)', () => {
    const memory: Check = {
      ...errors,
      name: 'memory',
      metric: { kind: 'gauge', reading: 'residentMemoryBytes' },
      role: 'guardrail',
      tolerance: null,
      limit: { bound: 'above', value: 1e9 } as never,
    };
    const world = stableWorld(policy({ checks: [errors, memory] }));
    world.declared = version('v2');
    // The world answers with proportions: unfit for a gauge, so the guardrail's verdict is an error.
    world.runUntil((w) => w.state.release?.verdicts[0]?.promotion.outcome === 'pass', 1_200_000);
    assert.equal(world.state.release?.verdicts[1]?.outcome, 'error');
    world.command('promote');
    world.step();
    assert.equal(world.state.release?.phase.kind, 'testing');
  });

  it('in hybrid mode a gate that says no asks a person and takes the traffic away', () => {
    const world = stableWorld(policy({ decision: 'hybrid', ramp: stagesWithGate('webhook') }));
    world.gates['shop-2/0/smoke'] = { status: 'no', message: 'smoke' } as never;
    world.declared = version('v2');
    world.runUntil((w) => w.state.release?.phase.kind === 'aborting' || w.state.release?.parked != null, 900_000);
    assert.equal(world.state.release?.phase.kind, 'testing');
    assert.equal(world.state.release?.weightPercent, 0);
    assert.equal(world.state.release?.awaiting, 'decision');
  });

  it('an abort is asked of a router that cannot be looked at, until it is seen to have obeyed (I3)', () => {
    const world = stableWorld(policy());
    world.declared = version('v2');
    world.runUntil((w) => w.share('rev-v2') > 0, 600_000);
    world.blind = 'router';
    world.command('abort', { reason: 'wrong prices' });
    world.runFor(30_000);
    assert.equal(world.share('rev-v2'), 0);
    assert.equal(world.state.release?.phase.kind, 'aborting', 'nothing is retired on a guess (I2)');
    assert.match(world.last?.because ?? '', /the router cannot be seen: not understood/);
    world.blind = null;
    world.runUntil((w) => w.outcome?.kind === 'aborted', 60_000);
  });

  it('an abort that waits for the replicas to be seen says that, and not that stable is down', () => {
    const world = stableWorld(policy());
    world.declared = version('v2');
    world.runUntil((w) => w.share('rev-v2') > 0, 600_000);
    world.blind = 'workload';
    world.command('abort', { reason: 'wrong prices' });
    world.runFor(5_000);
    assert.match(world.last?.because ?? '', /its replicas cannot be seen: not understood/);
    world.blind = null;
    world.runUntil((w) => w.outcome?.kind === 'aborted', 60_000);
  });

  it('the version promoted before this one stays known, however many are aborted since', () => {
    const world = stableWorld(policy({ historyLimit: 2 }));
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2');
    for (const label of ['v3', 'v4', 'v5']) {
      world.behaviour.set(`rev-${label}`, { errorRate: 0.2 });
      world.declared = version(label);
      world.runUntil((w) => w.outcome?.kind === 'aborted' && w.state.release?.to.label === label);
    }
    world.command('rollback', { reason: 'wrong prices' });
    world.runUntil((w) => w.state.stable?.label === 'v1', 600_000);
  });

  it('keeps to the exposure bound when the weight, and with it the requests an interval, has just risen (I7)', () => {
    const totalRequests = 3200;
    const world = stableWorld(policy({ exposure: { badPerInterval: 10, totalRequests } }));
    world.declared = version('v2');
    world.runFor(900_000);
    const seen = world.state.release?.exposure.canaryRequests ?? 0;
    assert.ok(seen > 0 && seen <= totalRequests, `${seen} requests went to the canary`);
  });

  it('a retry after harm was shown and a person aborted starts its evidence anew', () => {
    const world = stableWorld(policy({ decision: 'hybrid' }));
    world.behaviour.set('rev-v2', { errorRate: 0.2 });
    world.declared = version('v2');
    world.runUntil((w) => w.state.release?.parked != null);
    world.command('abort');
    world.runUntil((w) => w.outcome?.kind === 'aborted').step();
    world.behaviour.set('rev-v2', { errorRate: 0.001 });
    world.command('retry', { reason: 'the database was down' });
    world.step();
    assert.deepEqual(world.state.release?.evidence, {});
  });

  it('a version rolled back waits, says so, and is released again on retry', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2');
    world.command('rollback', { reason: 'wrong prices' });
    world.runUntil((w) => w.state.stable?.label === 'v1').runFor(5000);
    assert.equal(world.state.waiting?.version.label, 'v2');
    assert.match(world.state.waiting?.sentence ?? '', /rolled back by ann: wrong prices/);
    world.runFor(60_000);
    assert.equal(world.state.stable?.label, 'v1');
    world.command('retry', { reason: 'prices mended' });
    world.runUntil((w) => w.state.stable?.label === 'v2');
    assert.equal(world.state.release?.unanalysed, null);
  });

  it('requests of the warm-up are not counted because the window that holds them is read after it', () => {
    const world = stableWorld(policy({ checks: [{ ...errors, warmUpMs: 15_000 }] }));
    world.declared = version('v2');
    world.runUntil((w) => w.state.release?.phase.kind === 'testing' && (w.state.release.windows ?? 0) >= 1);
    world.runUntil((w) => (w.state.release?.evidence.errors?.windows ?? 0) >= 1);
    const { sinceMs } = world.running.get('rev-v2') ?? { sinceMs: 0 };
    assert.ok(world.nowMs - sinceMs >= 15_000 + 9000, `counted ${world.nowMs - sinceMs} ms after it was started`);
  });

  it('an adaptive ramp keeps its weight while the source is down: no data moves it neither way', () => {
    const ramp = { kind: 'adaptive', firstWeightPercent: 1, maxWeightPercent: 50, gates: [] } as never;
    const world = stableWorld(policy({ ramp, leastBakeMs: 36_000_000 }));
    world.declared = version('v2');
    world.runUntil(
      ({ state: { release } }) => release?.phase.kind === 'testing' && release.weightPercent > 5,
      3_600_000,
    );
    const before = world.state.release?.weightPercent;
    world.metrics = 'down';
    world.runFor(30_000);
    assert.equal(world.state.release?.weightPercent, before);
    assert.doesNotMatch(world.log.at(-1) ?? '', /the risk bound allows/);
  });

  it("one person's promote does not pass a gate that two must approve", () => {
    const gates = [{ kind: 'approval', name: 'qa', approvals: 2 } as const];
    const stages = [{ weightPercent: 20, bakeMs: 3_600_000, checks: null, gates, advance: 'exposure' } as const];
    const world = stableWorld(policy({ ramp: { kind: 'stages', stages } }));
    world.declared = version('v2');
    world.runUntil((w) => w.state.release?.verdicts[0]?.promotion.outcome === 'pass');
    world.command('promote');
    const answer = world.step().answers[0];
    assert.equal(answer?.accepted, false);
    assert.match(answer?.message ?? '', /gate "qa" has not said yes/);
  });

  it('a rollback that failed may be asked for again', () => {
    const world = stableWorld();
    world.declared = version('v2');
    world.runUntil((w) => w.state.stable?.label === 'v2').runFor(5000);
    world.behaviour.set('rev-v1', { errorRate: 0, isBroken: true });
    world.command('rollback');
    world.step();
    world.runUntil((w) => w.state.release?.phase.kind === 'ended').runFor(120_000);
    assert.equal(world.state.stable?.label, 'v2');
    assert.equal(world.share('rev-v2'), 100);
    assert.equal(world.state.releases, 3);
    world.behaviour.delete('rev-v1');
    world.command('rollback');
    assert.equal(world.step().answers[0]?.accepted, true);
    world.runUntil((w) => w.state.stable?.label === 'v1', 120_000);
  });
});
