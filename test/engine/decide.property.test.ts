import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isReachable, type State, situationOf, VERBS } from '../../src/core/engine/index.ts';
import { policy, stableWorld, version, type World } from './world.ts';

type Event =
  | { kind: 'wait'; ms: number }
  | { kind: 'declare'; label: string }
  | { kind: 'command'; verb: number; skipAnalysis: boolean; reason: boolean; actor: string }
  | { kind: 'errors'; label: string; rate: number }
  | { kind: 'broken'; label: string; isBroken: boolean }
  | { kind: 'metrics'; metrics: World['metrics'] }
  | { kind: 'hand'; weightPercent: number };

const label = fc.constantFrom('v1', 'v2', 'v3');
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1000, max: 200_000 }) }),
  fc.record({ kind: fc.constant('declare' as const), label }),
  fc.record({
    kind: fc.constant('command' as const),
    verb: fc.nat(VERBS.length - 1),
    skipAnalysis: fc.boolean(),
    reason: fc.boolean(),
    actor: fc.constantFrom('ann', 'bob'),
  }),
  fc.record({ kind: fc.constant('errors' as const), label, rate: fc.constantFrom(0, 0.001, 0.05, 1) }),
  fc.record({ kind: fc.constant('broken' as const), label, isBroken: fc.boolean() }),
  fc.record({
    kind: fc.constant('metrics' as const),
    metrics: fc.constantFrom('up' as const, 'down' as const, 'silent' as const),
  }),
  fc.record({ kind: fc.constant('hand' as const), weightPercent: fc.integer({ min: 0, max: 100 }) }),
);

function apply(world: World, what: Event): void {
  switch (what.kind) {
    case 'wait':
      return;
    case 'declare':
      world.declared = version(what.label);
      return;
    case 'command': {
      const verb = VERBS[what.verb] ?? 'abort';
      world.command(verb, {
        skipAnalysis: what.skipAnalysis,
        reason: what.reason ? 'because' : null,
        actor: what.actor,
      });
      return;
    }
    case 'errors':
      world.behaviour.set(`rev-${what.label}`, { ...world.behaviour.get(`rev-${what.label}`), errorRate: what.rate });
      return;
    case 'broken': {
      const before = world.behaviour.get(`rev-${what.label}`)?.errorRate ?? 0.001;
      world.behaviour.set(`rev-${what.label}`, { errorRate: before, isBroken: what.isBroken });
      return;
    }
    case 'metrics':
      world.metrics = what.metrics;
      return;
    case 'hand': {
      const second = world.split?.weights[1];
      const first = world.split?.weights[0];
      if (world.split === null || first === undefined || second === undefined) return;
      const weights = [
        { ...first, weightPercent: 100 - what.weightPercent },
        { ...second, weightPercent: what.weightPercent },
      ];
      world.split = { ...world.split, weights };
    }
  }
}

function place(state: State) {
  return situationOf(state) === 'at rest' ? (state.release === null ? 'at rest' : 'ended') : situationOf(state);
}

describe('decide() under any sequence of events', () => {
  it('makes only the documented moves, keeps the split whole, never asks for traffic to nothing (I1, I3, I7, row 85)', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 25 }),
        fc.constantFrom('automatic', 'manual', 'hybrid'),
        (events, mode) => {
          const world = stableWorld(policy({ decision: mode as 'automatic' }));
          for (const what of events) {
            apply(world, what);
            const until = world.nowMs + (what.kind === 'wait' ? what.ms : 1000);
            while (world.nowMs < until) stepAndCheck(world);
          }
        },
      ),
      { numRuns: 150, seed: 1876 },
    );
  });

  it('ends every release, or waits for a named thing, once nothing is wrong any more', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const world = stableWorld();
        for (const what of events) {
          apply(world, what);
          world.runFor(what.kind === 'wait' ? what.ms : 1000);
        }
        world.metrics = 'up';
        for (const name of ['v1', 'v2', 'v3']) world.behaviour.delete(`rev-${name}`);
        if (world.state.release?.paused != null) world.command('resume');
        const isSettled = (w: World) => w.state.release?.phase.kind === 'ended' || w.state.release?.awaiting != null;
        world.runUntil(isSettled);
      }),
      { numRuns: 60, seed: 1945 },
    );
  });
});

function stepAndCheck(world: World): void {
  const from = place(world.state);
  const weightBefore = world.state.release?.weightPercent ?? 0;
  const releaseBefore = world.state.release?.id;
  const decision = world.step();
  // A finished release may be followed by the next one in the same decision.
  const start = from === 'ended' ? 'at rest' : from;
  const to = place(decision.state);
  assert.ok(from === to || isReachable(start, to), `${from} -> ${to}`);
  for (const effect of decision.effects) {
    if (effect.kind !== 'ensureSplit') continue;
    const sum = effect.split.weights.reduce((total, entry) => total + entry.weightPercent, 0);
    assert.equal(Math.round(sum * 100) / 100, 100);
    assert.ok(effect.split.weights.every((entry) => entry.weightPercent >= 0));
    assert.ok(effect.backends.every((backend) => backend.endpoints.length > 0));
  }
  const release = decision.state.release;
  const rose = release !== null && release.id === releaseBefore && release.weightPercent > weightBefore;
  if (rose && release.phase.kind === 'testing') {
    assert.ok(release.verdicts.every((verdict) => verdict.exposure.outcome === 'pass') || release.windows === 0);
  }
}
