// Catalogue 1e and 1f: races, hands, restarts, outages of what is asked, and clocks.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gatewayRouterOf } from '../../src/core/model/place.ts';
import { stage } from '../../src/simulator/sample-policy.ts';
import type { CallFault, FaultPlan } from '../../src/simulator/wire.ts';
import {
  at,
  declare,
  GOOD,
  inPhase,
  inStage,
  MINUTE_MS,
  nothingLost,
  play,
  SECOND_MS,
  say,
  shopPolicy,
  shopService,
  when,
} from './support.ts';

const DECLARED = at(10 * SECOND_MS, declare('v2'));

/** Calls of these names fail while `isOn`; all others go through. */
function failing(names: readonly string[], isOn: (call: number) => boolean): FaultPlan {
  const well: CallFault = { latencyMs: 20, crash: null, fail: null, stale: false };
  return {
    call: (number, name, kind) => {
      if (kind === 'wait') return { ...well, latencyMs: 0 };
      return names.includes(name) && isOn(number) ? { ...well, fail: 'before' } : well;
    },
    event: () => ({ delayMs: 0, times: 1 }),
  };
}

describe('races and hands, in the simulated world', () => {
  it('row 53: another version at every stage: it ends at the newest, and nothing of the others is left', async () => {
    for (const index of [0, 1]) {
      for (const afterMs of [0, 3_000, 9_000]) {
        const played = await play({
          plan: [DECLARED, when(inStage(2, index, afterMs), declare('v3'))],
          forMs: 6 * MINUTE_MS,
        });
        assert.equal(played.endings.at(-1), 'promoted');
        assert.equal(played.weightOf('v3'), 100, `stage ${index}, ${afterMs} ms after`);
        assert.equal(played.simulation.services[0]?.replicas.versions.size, 1);
        nothingLost(played);
      }
    }
  });

  it('row 54: another version and a restart while a promotion is carried out: capacity before traffic (I1, I6)', async () => {
    const played = await play({
      plan: [
        DECLARED,
        when(inPhase(2, 'promoting', 100), declare('v3')),
        when(inPhase(2, 'promoting', 500), { kind: 'kill-controller' }),
      ],
      faults: { restartMs: MINUTE_MS },
      forMs: 8 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted', 'promoted']);
    assert.equal(played.weightOf('v3'), 100);
    nothingLost(played);
  });

  it('row 55: a hand sets a weight that is no stage: the next weight is the plan, never more (I7)', async () => {
    const played = await play({
      plan: [DECLARED, when(inStage(2, 0, 4_000), { kind: 'edit-split', version: 'v2', weightPercent: 35 })],
      forMs: 5 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    const weights = played.releases[1]?.weights.map(([, weight]) => weight);
    assert.deepEqual(weights, [0, 10, 50, 100]);
    nothingLost(played);
  });

  it('row 56: a hand at the split is put right with the next look, and told', async () => {
    const played = await play({
      plan: [DECLARED, when(inStage(2, 0, 3_000), { kind: 'edit-split', version: 'v2', weightPercent: 90 })],
      policy: { ramp: { kind: 'stages', stages: [stage(10, { bakeMs: 120_000 })] } },
      service: { requestsPerSecond: 100 },
      forMs: 40 * SECOND_MS,
    });
    assert.equal(played.weightOf('v2'), 10);
    assert.equal(played.journal.filter(({ kind }) => kind === 'drift').length, 1);
    // 90 % of 100 a second for less than one look of half a second and the data plane's own half second.
    assert.ok(played.exposed('v2') < 600, `${played.exposed('v2')} requests`);
    nothingLost(played);
  });

  it('row 62: the interval is changed in mid-release: still one pass at a time', async () => {
    const played = await play({
      plan: [
        DECLARED,
        ...[15, 16, 17, 30, 31].map((second) =>
          at(second * SECOND_MS, { kind: 'change-policy', patch: { intervalMs: 2_000 + second } } as const),
        ),
      ],
      faults: { latencyMs: 500, noticeTwice: 0.5 },
      forMs: 5 * MINUTE_MS,
    });
    assert.equal(played.simulation.mostRecordsAtOnce, 1);
    assert.equal(played.endings[1], 'promoted');
    nothingLost(played);
  });

  it('row 63: two policies ask for the same place: the second is refused, the first is unharmed (I5)', async () => {
    const rival = shopService(shopPolicy({ name: 'rival' }));
    const played = await play({ plan: [DECLARED], others: [rival], forMs: 5 * MINUTE_MS });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    assert.equal(played.simulation.services[1]?.plane.asked, null);
    nothingLost(played);
  });

  it('row 64: a person, GitOps and another writer at the same time: every command is answered once, none is lost', async () => {
    const commands = Array.from({ length: 12 }, (_, index) =>
      at((12 + index) * SECOND_MS, say(index % 2 === 0 ? 'pause' : 'resume', { actor: `person-${index}`, times: 2 })),
    );
    const others = Array.from({ length: 24 }, (_, index) =>
      at(12 * SECOND_MS + index * 500, index % 3 === 0 ? declare('v2') : ({ kind: 'overtake' } as const)),
    );
    const played = await play({
      plan: [DECLARED, ...commands, ...others],
      faults: { latencyMs: 300 },
      forMs: 6 * MINUTE_MS,
    });
    assert.deepEqual(
      played.answers.map(({ accepted }) => accepted),
      Array.from({ length: 12 }, () => true),
    );
    assert.deepEqual(played.simulation.store.answeredTwice, []);
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    nothingLost(played);
  });
});

describe('restarts, outages and clocks, in the simulated world', () => {
  it('row 68: one declaration that nobody can read stops no other policy', async () => {
    const playing = play({ plan: [DECLARED], forMs: 5 * MINUTE_MS, service: { lagsMs: [0] }, others: [poison()] });
    const played = await playing;
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    assert.equal(played.simulation.state('poison'), null);
    nothingLost(played);
  });

  it('row 69: an approval outlives the controller, with its name (I6)', async () => {
    const people = { kind: 'approval', name: 'people', approvals: 2 } as const;
    const played = await play({
      plan: [
        DECLARED,
        when(inStage(2, 0, 8_000), say('approve', { actor: 'ada' })),
        when(inStage(2, 0, 9_000), { kind: 'kill-controller' }),
        when(inStage(2, 0, 30_000), say('approve', { actor: 'grace' })),
      ],
      policy: { ramp: { kind: 'stages', stages: [stage(10, { bakeMs: 10_000, gates: [people] })] } },
      forMs: 5 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    assert.deepEqual(
      played.releases[1]?.approvals.map(({ actor }) => actor),
      ['ada', 'grace'],
    );
    nothingLost(played);
  });

  it('row 70: reads that fail are no difference: nothing is started, nothing is changed', async () => {
    const names = ['store.declaration', 'workload.observe', 'router.observe'];
    const played = await play({ wire: failing(names, (call) => call > 200), forMs: 20 * MINUTE_MS });
    assert.deepEqual(played.endings, ['promoted']);
    assert.equal(played.weightOf('v1'), 100);
    assert.equal(played.replicasOf('v1'), 2);
    nothingLost(played);
  });

  it('row 71: what a restarted controller cannot see is not absent: nothing is retired and nothing started (I2, I6)', async () => {
    const played = await play({
      plan: [DECLARED, when(inStage(2, 1, 2_000), { kind: 'kill-controller' })],
      wire: failing(['router.observe', 'workload.observe'], (call) => call > 150 && call < 900),
      forMs: 10 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    assert.equal(played.simulation.effects.get('v1 is stopped'), 1);
    nothingLost(played);
  });

  it('row 80: abort, retry and abort again while requests are still open: the drain is waited for each time (I2)', async () => {
    const played = await play({
      plan: [
        DECLARED,
        when(inStage(2, 0, 6_000), say('abort')),
        at(60 * SECOND_MS, say('retry')),
        when(inStage(3, 0, 6_000), say('abort')),
      ],
      service: { traffic: { serviceMs: 50, longShare: 0.1, longMs: 20_000, ruleShare: 0 } },
      forMs: 4 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by person', 'aborted by person']);
    assert.equal(played.replicasOf('v2'), 0);
    nothingLost(played);
  });

  it('row 81: the wall clock is set back and forth and the machine boots: no bake time is cut short, no pause lost', async () => {
    const bakeMs = 60_000;
    const steps = [3_600_000, -7_200_000, 600_000].map((byMs, index) =>
      when(inStage(2, 0, 5_000 + index * 8_000), { kind: 'step-wall', byMs }),
    );
    const played = await play({
      plan: [
        DECLARED,
        ...steps,
        when(inStage(2, 0, 30_000), { kind: 'reboot' }),
        when(inStage(2, 0, 40_000), say('pause')),
        when(inStage(2, 0, 100_000), say('resume')),
      ],
      policy: { ramp: { kind: 'stages', stages: [stage(10, { bakeMs }), stage(50, { bakeMs: 0 })] } },
      forMs: 10 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    const book = played.simulation.monitor.books.get('shop');
    const inUse = book?.releases.get('shop-2')?.stageInUseMs;
    const stayedMs = (inUse?.get(1) ?? 0) - (inUse?.get(0) ?? 0);
    assert.ok(stayedMs >= bakeMs + 60_000, `stayed ${stayedMs} ms, bake time and pause are ${bakeMs + 60_000} ms`);
    nothingLost(played);
  });
});

/** A service whose declaration cannot be read: its policy's name is not the one it is declared under. */
function poison() {
  const policy = shopPolicy({
    name: 'poison',
    router: { ...gatewayRouterOf(shopPolicy()), listen: { host: '127.0.0.1', port: 9 } },
  });
  return { ...shopService(policy, { truths: { v1: GOOD } }), unreadable: true };
}
