// Catalogue 1c and 1d: false rollbacks and missed regressions. No data, no reading and no verdict are neither a pass nor
// a fail; what is promoted is what was measured.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parsePolicyText } from '../../src/core/policy/index.ts';
import { hashOf } from '../../src/lib/canonical.ts';
import { errorCheck, stage } from '../../src/simulator/sample-policy.ts';
import type { Planned } from '../../src/simulator/scenario.ts';
import type { MetricTrouble } from '../../src/simulator/world/metrics.ts';
import {
  at,
  BAD,
  declare,
  GOOD,
  inPhase,
  inStage,
  MINUTE_MS,
  nothingLost,
  play,
  SECOND_MS,
  say,
  when,
} from './support.ts';

const DECLARED = at(10 * SECOND_MS, declare('v2'));
const trouble = (fromMs: number, toMs: number, kind: MetricTrouble): Planned[] => [
  at(fromMs, { kind: 'metric-trouble', trouble: kind }),
  at(toMs, { kind: 'metric-trouble', trouble: 'none' }),
];

describe('false rollbacks, in the simulated world', () => {
  it('row 33: no request at all: the release holds where it is, neither failed nor promoted (I7)', async () => {
    const played = await play({ plan: [DECLARED], service: { requestsPerSecond: 0 }, forMs: 8 * MINUTE_MS });
    assert.deepEqual(played.endings, ['promoted', 'testing']);
    assert.equal(played.weightOf('v2'), 10);
    assert.equal(played.releases[1]?.verdicts[0]?.outcome, 'no-data');
  });

  it('row 34: the metric source is down for 10 min, twice: held, gone on with, no rollback (I7, I8)', async () => {
    const played = await play({
      plan: [
        DECLARED,
        ...trouble(20 * SECOND_MS, 10 * MINUTE_MS, 'outage'),
        ...trouble(10 * MINUTE_MS + 6_000, 20 * MINUTE_MS, 'outage'),
      ],
      policy: { deadlines: { startMs: 60_000, releaseMs: 3_600_000, gateMs: 60_000, drainMs: 30_000 } },
      forMs: 25 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    const took = Date.parse(played.releases[1]?.endedAt ?? '') - Date.parse(played.releases[1]?.startedAt ?? '');
    assert.ok(took > 19 * MINUTE_MS, 'it waited for both outages');
    nothingLost(played);
  });
});

describe('missed regressions, in the simulated world', () => {
  const job = { kind: 'job', name: 'job', command: ['check'], timeoutMs: 60_000 } as const;
  const gated = { ramp: { kind: 'stages', stages: [stage(10, { bakeMs: 5_000, gates: [job] })] } } as const;

  it('row 41: a gate that is cut short is an error, and never counts as a yes (I7)', async () => {
    const played = await play({
      plan: [DECLARED],
      policy: gated,
      service: { gates: { job: { answer: 'error', afterMs: 3_000 } } },
      forMs: 10 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'testing']);
    assert.equal(played.weightOf('v2'), 10);
    nothingLost(played);
  });

  it('row 42: a gate that fails takes the version back; no other end than yes promotes (I7)', async () => {
    const played = await play({
      plan: [DECLARED],
      policy: gated,
      service: { gates: { job: { answer: 'no', afterMs: 3_000 } } },
      forMs: 3 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by verdict']);
    nothingLost(played);
  });

  it('row 43: every measurement is an error: never promoted, whatever its age (I4)', async () => {
    const played = await play({
      plan: [DECLARED, at(11 * SECOND_MS, { kind: 'metric-trouble', trouble: 'unreadable' })],
      forMs: 20 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'testing']);
    assert.equal(played.releases[1]?.verdicts[0]?.outcome, 'error');
    assert.equal(played.weightOf('v2'), 10);
    nothingLost(played);
  });

  it('row 44: undecided never promotes: too few requests, and it asks a person at its deadline (I4)', async () => {
    const played = await play({ plan: [DECLARED], service: { requestsPerSecond: 0.3 }, forMs: 20 * MINUTE_MS });
    assert.deepEqual(played.endings, ['promoted', 'testing']);
    assert.equal(played.releases[1]?.awaiting, 'deadline');
    nothingLost(played);
  });

  it('row 45: no check passes for want of a condition: it has the default tolerance, or it is refused as asking nothing', () => {
    const example = readFileSync(new URL('../../examples/shop/haldane.yaml', import.meta.url), 'utf8');
    const asked = 'metric: { errors: {} }\n      tolerance: { ratio: 1.1, margin: 0.5% }';
    assert.ok(example.includes(asked));
    const byDefault = parsePolicyText(example.replace(asked, 'metric: { errors: {} }'), { hash: hashOf });
    assert.equal(byDefault.kind === 'ok' && byDefault.documents[0]?.policy.checks[0]?.tolerance?.ratio, 1.1);
    const nothing = 'metric: { gauge: { reading: cpu } }';
    const refused = parsePolicyText(example.replace(asked, nothing), { hash: hashOf });
    assert.match(refused.kind === 'refused' ? (refused.errors[0]?.problem ?? '') : '', /asks nothing/);
  });

  it('rows 46, 48: NaN and infinite readings hold, and one good window later it goes on (I7)', async () => {
    const played = await play({
      plan: [DECLARED, ...trouble(18 * SECOND_MS, 4 * MINUTE_MS, 'unreadable')],
      forMs: 8 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
    const rise = played.journal.findIndex(({ sentence }) => sentence.startsWith('stage 2: 50 %'));
    const error = played.journal.findIndex(({ sentence }) => sentence.endsWith('[error]'));
    assert.ok(error !== -1 && error < rise, 'the error is told, and the weight rose only after it');
    nothingLost(played);
  });

  it('row 47: an answer with one arm missing is no answer about the other: it holds (I7)', async () => {
    const played = await play({
      plan: [DECLARED, at(11 * SECOND_MS, { kind: 'metric-trouble', trouble: 'partial' })],
      forMs: 8 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'testing']);
    assert.equal(played.weightOf('v2'), 10);
    nothingLost(played);
  });

  it('row 49: no data on both sides is not likeness: it holds (I4, I7)', async () => {
    const played = await play({
      plan: [DECLARED, at(11 * SECOND_MS, { kind: 'metric-trouble', trouble: 'gap' })],
      forMs: 8 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'testing']);
    assert.equal(played.releases[1]?.verdicts[0]?.outcome, 'no-data');
    nothingLost(played);
  });

  it('row 50: evidence is of the revision it names: the next version starts from nothing (I4)', async () => {
    const played = await play({
      plan: [DECLARED, when(inStage(2, 1, 4_000), declare('bad'))],
      forMs: 6 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by superseded', 'aborted by verdict']);
    const counted = (index: number): number => played.releases[index]?.evidence.errors?.canary.total ?? 0;
    assert.ok(counted(1) > 100, `${counted(1)} requests of v2`);
    assert.ok(counted(2) > 0 && counted(2) <= played.exposed('bad'), `${counted(2)} requests of the next version`);
    assert.equal(played.weightOf('v1'), 100);
    nothingLost(played);
  });

  it('row 51: the same policy that lets a good version pass stops a bad one: its check is able to fail', async () => {
    const policy = {
      checks: [
        errorCheck({ tolerance: { ratio: 1.1, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 } }),
      ],
    };
    const good = await play({ plan: [DECLARED], policy, forMs: 5 * MINUTE_MS });
    const bad = await play({ plan: [DECLARED], policy, truths: { v2: BAD }, forMs: 5 * MINUTE_MS });
    assert.deepEqual(good.endings, ['promoted', 'promoted']);
    assert.deepEqual(bad.endings, ['promoted', 'aborted by verdict']);
  });

  it('a person promotes on proof in the very look that shows harm: the newest window is weighed first (I4)', async () => {
    const late = { ...GOOD, onset: { afterMs: 60_000, errorRate: 0.4 } };
    const played = await play({
      plan: [DECLARED, when(inStage(2, 1, 500), { kind: 'kill-controller' }), when(inStage(2, 1, 600), say('promote'))],
      truths: { v2: late },
      faults: { restartMs: 5 * MINUTE_MS },
      policy: { ramp: { kind: 'stages', stages: [stage(10, { bakeMs: 15_000, advance: 'proven' }), stage(50)] } },
      forMs: 10 * MINUTE_MS,
    });
    assert.deepEqual(played.endings, ['promoted', 'aborted by verdict']);
    assert.equal(played.answers[0]?.accepted, false);
    nothingLost(played);
  });

  it('row 52: another version is declared in the moment of promotion: only the analysed one is promoted (I4)', async () => {
    for (const afterMs of [0, 1, 300, 700]) {
      const played = await play({
        plan: [DECLARED, when(inPhase(2, 'promoting', afterMs), declare('bad'))],
        truths: { v2: { ...GOOD, startMs: { least: 500, most: 500 } } },
        forMs: 6 * MINUTE_MS,
      });
      assert.deepEqual(played.endings, ['promoted', 'promoted', 'aborted by verdict'], `${afterMs} ms after`);
      assert.equal(played.weightOf('v2'), 100);
      assert.equal(played.weightOf('bad'), 0);
      nothingLost(played);
    }
  });
});

describe('restarts as evidence, in the simulated world', () => {
  const restarts = errorCheck({
    name: 'restarts',
    metric: { kind: 'count', event: 'restarts' },
    tolerance: { ratio: 1.5, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 },
  });
  const policy = {
    checks: [errorCheck({ role: 'informational' }), restarts],
    ramp: { kind: 'stages', stages: [stage(10, { bakeMs: 5 * MINUTE_MS })] },
    canary: { minReplicas: 4, ratio: 1 },
  } as const;

  it('a version whose replicas end again and again is taken back for it, by what was counted once (I6)', async () => {
    const truths = { v2: { ...GOOD, crashAfterReadyMs: 40_000 } };
    const played = await play({ plan: [DECLARED], policy, truths, forMs: 20 * MINUTE_MS });
    assert.deepEqual(played.endings, ['promoted', 'aborted by verdict']);
    const verdict = played.releases[1]?.verdicts.find(({ check }) => check === 'restarts');
    assert.equal(verdict?.outcome, 'fail');
    assert.match(verdict?.message ?? '', /[1-9] restarts in [0-9]+ replica-seconds, stable 0 restarts/);
  });

  it('a version that stays up as stable does passes, once its replicas have lived for long enough', async () => {
    const played = await play({ plan: [DECLARED], policy, forMs: 40 * MINUTE_MS });
    assert.deepEqual(played.endings, ['promoted', 'promoted']);
  });
});
