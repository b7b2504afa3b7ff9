// Catalogue 1b: stuck for ever. Every wait has an end or a name, and the way out is never blocked.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stage } from '../../src/simulator/sample-policy.ts';
import { at, declare, GOOD, inPhase, inStage, MINUTE_MS, nothingLost, play, SECOND_MS, say, when } from './support.ts';

const DECLARED = at(10 * SECOND_MS, declare('v2'));

describe('stuck for ever, in the simulated world', () => {
  it('row 22: others write between read and write, again and again: reads are fresh, and it goes on (I6)', async () => {
    const writes = Array.from({ length: 40 }, (_, index) => at((10 + 2 * index) * SECOND_MS, { kind: 'overtake' }));
    const played = await play({
      plan: [DECLARED, ...writes],
      faults: { latencyMs: 200 },
      forMs: 5 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    nothingLost(played);
  });

  it('row 23: a canary that never gets ready: abort wins at once over every wait (I3)', async () => {
    const played = await play({
      plan: [DECLARED, when(inPhase(2, 'starting', 5_000), say('abort'))],
      truths: { v2: { ...GOOD, neverReady: true } },
      forMs: 40 * SECOND_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by person']);
    assert.equal(played.exposed('v2'), 0);
  });

  it('row 24: abort while the promotion is carried out is obeyed (I3)', async () => {
    const played = await play({
      plan: [DECLARED, when(inPhase(2, 'promoting', 200), say('abort'))],
      truths: { v2: { ...GOOD, startMs: { least: 4_000, most: 4_000 } } },
      forMs: 3 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by person']);
    assert.equal(played.weightOf('v1'), 100);
    assert.equal(played.replicasOf('v1'), 2);
    nothingLost(played);
  });

  it('row 28: a crash-looping version is taken back at its deadline, not two hours later', async () => {
    const played = await play({
      plan: [DECLARED],
      truths: { v2: { ...GOOD, crashAfterReadyMs: 800, mostReady: 1 } },
      policy: { canary: { minReplicas: 2, ratio: 1 } },
      forMs: 3 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by trouble']);
    const release = played.releases[1];
    const tookMs = Date.parse(release?.endedAt ?? '') - Date.parse(release?.startedAt ?? '');
    const { startMs } = played.policy.deadlines;
    assert.ok(
      tookMs >= startMs && tookMs <= startMs + 5 * SECOND_MS,
      `ended after ${tookMs} ms, deadline ${startMs} ms`,
    );
  });

  it('row 29: after a failed release a new version starts a new one', async () => {
    const played = await play({
      plan: [at(10 * SECOND_MS, declare('bad')), at(2 * MINUTE_MS, declare('v3'))],
      forMs: 6 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by verdict', 'promoted']);
    assert.equal(played.weightOf('v3'), 100);
    nothingLost(played);
  });

  it('row 30: a gate that never answers: the wait ends at its deadline, with its reason in the status', async () => {
    const hook = { kind: 'webhook', name: 'hook', url: 'http://hook.example/', timeoutMs: 5_000 } as const;
    const played = await play({
      plan: [DECLARED],
      policy: { ramp: { kind: 'stages', stages: [stage(10, { bakeMs: 5_000, gates: [hook] })] } },
      service: { gates: { hook: { answer: 'never', afterMs: 0 } } },
      forMs: 5 * MINUTE_MS,
    });
    assert.equal(played.endings[1], 'testing');
    assert.equal(played.releases[1]?.awaiting, 'deadline');
    assert.ok(played.journal.some(({ sentence }) => /gate "hook" gave no answer in time/.test(sentence)));
    nothingLost(played);
  });

  it('row 32: the clock of a version starts when it can run: minutes with a full disk count for no deadline', async () => {
    const played = await play({
      plan: [
        at(9 * SECOND_MS, { kind: 'store-full', full: true }),
        DECLARED,
        at(12 * MINUTE_MS, { kind: 'store-full', full: false }),
      ],
      policy: {
        deadlines: { startMs: 60_000, releaseMs: 300_000, gateMs: 60_000, drainMs: 30_000 },
        onDeadline: 'abort',
      },
      forMs: 16 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    nothingLost(played);
  });

  it('a full disk blocks no way out: an abort that cannot be stored sends all traffic to stable, and is recorded later (I3)', async () => {
    const played = await play({
      plan: [
        DECLARED,
        when(inStage(2, 1, 2_000), { kind: 'store-full', full: true }),
        when(inStage(2, 1, 4_000), say('abort')),
        when(inStage(2, 1, 60_000), { kind: 'store-full', full: false }),
      ],
      forMs: 3 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by person']);
    assert.ok(played.exposed('v2') < 150 * 20, `${played.exposed('v2')} requests: it was taken back at once`);
    assert.equal(played.weightOf('v1'), 100);
    nothingLost(played);
  });

  it('row 38: pauses count for no deadline and no bake time', async () => {
    const played = await play({
      plan: [DECLARED, when(inStage(2, 0, 2_000), say('pause')), when(inStage(2, 0, 12 * MINUTE_MS), say('resume'))],
      policy: { onDeadline: 'abort' },
      forMs: 18 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    nothingLost(played);
  });
});
