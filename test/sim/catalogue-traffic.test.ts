// Catalogue 1a: traffic sent to nothing. Rows are those of docs/catalogue.generated.md; G, W and T are in the titles.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, declare, GOOD, inPhase, inStage, MINUTE_MS, nothingLost, play, SECOND_MS, say, when } from './support.ts';

const DECLARED = at(10 * SECOND_MS, declare('v2'));

describe('traffic sent to nothing, in the simulated world', () => {
  it('row 1: full capacity never gets ready after the decision to promote; traffic stays on stable, which keeps its size (I1, I2)', async () => {
    const played = await play({
      plan: [DECLARED],
      truths: { v2: { ...GOOD, mostReady: 1 } },
      forMs: 5 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by trouble']);
    assert.equal(played.weightOf('v1'), 100);
    assert.equal(played.replicasOf('v1'), 2);
    nothingLost(played);
  });

  it('row 2: a new version takes 90 s to start; old capacity goes only after the new is ready (I2)', async () => {
    const slow = { ...GOOD, startMs: { least: 90_000, most: 90_000 } };
    const played = await play({
      plan: [DECLARED],
      truths: { v2: slow },
      policy: { deadlines: { startMs: 180_000, releaseMs: 600_000, gateMs: 60_000, drainMs: 30_000 } },
      forMs: 8 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    assert.equal(played.replicasOf('v1'), 0);
    nothingLost(played);
  });

  it('row 3: analysis skipped for a version that cannot start: no loss, and it ends as failed, not as promoted (I1, I4)', async () => {
    const played = await play({
      plan: [DECLARED, when(inPhase(2, 'starting', 1_000), say('promote', { skipAnalysis: true, reason: 'urgent' }))],
      truths: { v2: { ...GOOD, neverReady: true } },
      forMs: 4 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by trouble']);
    assert.equal(played.exposed('v2'), 0);
    nothingLost(played);
  });

  it('row 4: open requests on the canary when it is taken back: each is answered by whom it was sent to (I2)', async () => {
    const played = await play({
      plan: [DECLARED, when(inStage(2, 1, 8_000), say('abort'))],
      service: { traffic: { serviceMs: 50, longShare: 0.05, longMs: 15_000, ruleShare: 0 } },
      forMs: 3 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by person']);
    const release = played.releases[1];
    assert.ok(played.exposed('v2') > 300 && release !== undefined, 'it had traffic, some of it open for 15 s');
    assert.equal(played.replicasOf('v2'), 0);
    nothingLost(played);
  });

  it('row 5: 150 requests a second while the old version is torn down after a promotion: none lost (I2)', async () => {
    const played = await play({ plan: [DECLARED], forMs: 4 * MINUTE_MS });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    assert.equal(played.simulation.services[0]?.replicas.versions.has('v1'), false);
    nothingLost(played);
  });

  it('row 9: the controller is away for minutes at the last step: capacity waits for observed routing (I2)', async () => {
    const played = await play({
      plan: [
        DECLARED,
        when(inPhase(2, 'promoting', 600), { kind: 'kill-controller' }),
        when(inPhase(2, 'promoting', 2_000), { kind: 'kill-controller' }),
      ],
      service: { lagsMs: [500, 5_000] },
      faults: { restartMs: 3 * MINUTE_MS },
      forMs: 10 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    assert.equal(played.weightOf('v2'), 100);
    nothingLost(played);
  });

  it('row 11: a fast way back to the version before: its weight never exceeds its ready capacity (I1)', async () => {
    const played = await play({
      plan: [DECLARED, at(3 * MINUTE_MS, say('rollback'))],
      truths: { v1: { ...GOOD, startMs: { least: 1_000, most: 50_000 } } },
      policy: {
        workload: {
          kind: 'processes',
          replicas: 20,
          ready: null,
          live: null,
          stopMs: 30_000,
          restart: { initialMs: 1_000, maxMs: 60_000 },
          logs: { maxBytes: 1_000_000, files: 2 },
        },
      },
      forMs: 6 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted', 'promoted']);
    assert.equal(played.releases[2]?.unanalysed?.why, 'promoted before');
    assert.equal(played.weightOf('v1'), 100);
    assert.equal(played.simulation.services[0]?.replicas.ready('v1').length, 20);
    nothingLost(played);
  });

  it('row 13: abort with no release under way changes nothing, and says so (I3)', async () => {
    const played = await play({ plan: [at(30 * SECOND_MS, say('abort'))], forMs: MINUTE_MS });
    assert.equal(played.answers[0]?.accepted, false);
    assert.match(played.answers[0]?.message ?? '', /no release is under way/);
    assert.equal(played.weightOf('v1'), 100);
    assert.equal(played.replicasOf('v1'), 2);
    nothingLost(played);
  });
});
