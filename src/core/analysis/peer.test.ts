// Checks that the rule of a peer judges: from windows to the peer's own verdict, with silence and broken readings held.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check, PeerRule } from '../model/check.ts';
import { latencyBucket } from '../model/latency-buckets.ts';
import type { Reading, Sample } from '../model/measurement.ts';
import type { Verdict } from '../model/verdict.ts';
import { type AnalysisSettings, type Evidence, startEvidence } from './evidence.ts';
import { foldWindow, type Window } from './fold.ts';
import { evidenceShares, judge, provenWeightPercent } from './judge.ts';

const settings: AnalysisSettings = { intervalMs: 10_000, alphaAbort: 0.01, alphaPromote: 0.05 };
const context = { settings, share: 0, nextWeightPercent: 20, badPerInterval: 10 };

const flagger: PeerRule = {
  kind: 'flagger',
  intervalMs: 60_000,
  min: 99,
  max: null,
  failures: 5,
  emptyIsFailure: false,
};
const argo: PeerRule = {
  kind: 'argo',
  intervalMs: 60_000,
  initialDelayMs: 0,
  successCondition: 'result[0] >= 0.99',
  failureCondition: null,
  count: null,
  failureLimit: 2,
  inconclusiveLimit: 0,
  consecutiveErrorLimit: 4,
  consecutiveSuccessLimit: 0,
};

function check(rule: PeerRule | null, changes: Partial<Check> = {}): Check {
  return {
    name: 'success-rate',
    metric: { kind: 'errors' },
    selector: { routes: null, methods: null },
    role: 'required',
    tolerance: null,
    limit: null,
    direction: 'increase',
    weight: 1,
    warmUpMs: 0,
    noDataMs: 60_000,
    clusterCap: 1,
    rule,
    ...changes,
  };
}

const bad = (count: number, total = 100): Sample => ({ kind: 'proportion', total, bad: count });
const slow = (...seconds: number[]): Sample => ({
  kind: 'latency',
  counts: seconds.map((each) => [latencyBucket(each), 1] as const),
});
const of = (canary: Sample): Reading => ({ kind: 'samples', byRevision: { c: canary } });
const SILENCE: Reading = { kind: 'no-data', message: 'no series' };
const BROKEN: Reading = { kind: 'error', message: 'two series' };

function window(reading: Reading | undefined, changes: Partial<Window> = {}): Window {
  const rest = { stable: 's', canary: 'c', passedMs: 10_000, warmingUp: false, weightPercent: 10, settings };
  return { reading, ...rest, ...changes };
}

/** Folds windows through JSON, as a crash after each of them would. */
function run(one: Check, windows: readonly Window[], from = startEvidence(one, settings)): Evidence {
  return windows.reduce((evidence, each) => JSON.parse(JSON.stringify(foldWindow(one, evidence, each))), from);
}

function minutes(reading: Reading | undefined, count: number): Window[] {
  return Array.from({ length: 6 * count }, () => window(reading));
}

const verdictOf = (one: Check, windows: readonly Window[]): Verdict => judge(one, run(one, windows), context);
const outcomes = ({ outcome, exposure, promotion }: Verdict) => [outcome, exposure.outcome, promotion.outcome];

describe("a check judged by Flagger's rule", () => {
  const one = check(flagger);

  it('is undecided before its first look and passes both questions after one that passed', () => {
    const early = verdictOf(one, minutes(of(bad(0)), 1).slice(1));
    assert.deepEqual(outcomes(early), ['undecided', 'undecided', 'undecided']);
    assert.equal(early.message, 'success-rate: its first look comes after 1m.');
    const late = verdictOf(one, minutes(of(bad(1)), 1));
    assert.deepEqual(outcomes(late), ['pass', 'pass', 'pass']);
    assert.equal(late.numbers.value, 99);
    assert.equal(late.message, 'success-rate: 99 %, at least 99 % asked; 0 of 5 failed checks.');
  });

  it('holds after a failed look and fails at the look after the failures reached the line', () => {
    const three = verdictOf(one, minutes(of(bad(3)), 3));
    assert.deepEqual(outcomes(three), ['undecided', 'undecided', 'undecided']);
    assert.equal(three.message, 'success-rate: 97 %, at least 99 % asked; 3 of 5 failed checks.');
    const five = minutes(of(bad(3)), 5);
    assert.equal(verdictOf(one, [...five, ...minutes(of(bad(0)), 1).slice(1)]).outcome, 'undecided');
    const end = verdictOf(one, [...five, ...minutes(of(bad(0)), 1)]);
    assert.deepEqual([...outcomes(end), end.reason], ['fail', 'fail', 'fail', 'PeerRule']);
    assert.equal(
      end.message,
      'success-rate: 100 %, at least 99 % asked; 5 of 5 failed checks, and the look after them aborts.',
    );
  });

  it('never forgets a failed look', () => {
    const pair = [...minutes(of(bad(3)), 1), ...minutes(of(bad(0)), 1)];
    assert.equal(verdictOf(one, [...pair, ...pair, ...pair, ...pair, ...pair]).outcome, 'fail');
  });

  it('looks at counts of its interval, not at shares of windows', () => {
    const rare = [window(of(bad(1, 2))), ...Array.from({ length: 5 }, () => window(of(bad(0, 100))))];
    assert.deepEqual(verdictOf(one, rare).numbers.value, (100 * 501) / 502);
  });

  it('holds in silence, however long, and says no data after the time the check gives', () => {
    const heard = minutes(of(bad(0)), 1);
    assert.equal(verdictOf(one, [...heard, ...minutes(SILENCE, 1).slice(1)]).outcome, 'pass');
    const silent = verdictOf(one, [...heard, ...minutes(SILENCE, 30)]);
    assert.deepEqual(outcomes(silent), ['no-data', 'no-data', 'no-data']);
    const again = [...heard, ...minutes(SILENCE, 30), window(of(bad(0)))];
    assert.equal(verdictOf(one, again).promotion.outcome, 'undecided');
    assert.equal(verdictOf(one, [...again, ...minutes(of(bad(0)), 1)]).outcome, 'pass');
  });

  it('counts an empty look as failed where that is asked, as Flagger does', () => {
    const strict = check({ ...flagger, emptyIsFailure: true });
    assert.notEqual(verdictOf(strict, minutes(SILENCE, 5)).outcome, 'fail');
    assert.equal(verdictOf(strict, minutes(SILENCE, 6)).outcome, 'fail');
    assert.equal(verdictOf(strict, minutes(undefined, 6)).outcome, 'fail');
  });

  it('is an error at a reading that broke, whatever was seen before, and counts nothing of it', () => {
    const broken = verdictOf(one, [...minutes(of(bad(0)), 1), window(BROKEN)]);
    assert.deepEqual([...outcomes(broken), broken.message], ['error', 'error', 'error', 'success-rate: two series.']);
    const long = verdictOf(check({ ...flagger, emptyIsFailure: true }), minutes(BROKEN, 30));
    assert.equal(long.outcome, 'error');
  });

  it('reads latency in whole milliseconds at the quantile of the check', () => {
    const rule = { ...flagger, min: null, max: 500 };
    const latency = check(rule, { name: 'p50', metric: { kind: 'latency', quantile: 0.5 } });
    const verdict = verdictOf(latency, minutes(of(slow(0.1, 0.1, 2)), 1));
    assert.equal(verdict.outcome, 'pass');
    assert.ok(Number.isInteger(verdict.numbers.value) && (verdict.numbers.value ?? 0) <= 106, verdict.message);
    assert.match(verdict.message, /^p50: \d+ ms, at most 500 ms asked; 0 of 5 failed checks\.$/);
    assert.equal(verdictOf(latency, minutes(of(slow(2, 2, 2)), 6)).outcome, 'fail');
  });

  it('begins an interval anew where the buckets changed: they cannot be summed', () => {
    const latency = check({ ...flagger, min: null, max: 500 }, { metric: { kind: 'latency', quantile: 0.5 } });
    const other: Sample = { kind: 'latency', counts: [[0, 4]], boundaries: [0.25, Number.POSITIVE_INFINITY] };
    const mixed = [...minutes(of(slow(2)), 1).slice(1), window(of(other))];
    assert.equal(verdictOf(latency, mixed).numbers.value, 125);
  });

  it('goes on while a person pauses the release: the version serves all the same', () => {
    const paused = minutes(of(bad(3)), 6).map((each) => ({ ...each, passedMs: 0 }));
    assert.equal(verdictOf(one, paused).outcome, 'fail');
  });

  it('leaves the warm-up out', () => {
    const warm = check(flagger, { warmUpMs: 30_000 });
    const cold = minutes(of(bad(40)), 6).map((each) => ({ ...each, warmingUp: true }));
    assert.equal(verdictOf(warm, [...cold, ...minutes(of(bad(0)), 1)]).outcome, 'pass');
  });

  it('carries no evidence, no odds and no bound on the weight', () => {
    assert.equal(evidenceShares([one, check(null, { name: 'e' })]).get('success-rate'), 0);
    const { numbers } = verdictOf(one, minutes(of(bad(1)), 1));
    assert.deepEqual([numbers.logHarm, numbers.logHarmLine], [0, Number.MAX_VALUE]);
    assert.deepEqual([numbers.canary, numbers.toFail], [{ total: 600, bad: 6 }, null]);
    assert.equal(provenWeightPercent(one, run(one, minutes(of(bad(1)), 1)), context), 100);
    assert.equal(provenWeightPercent(one, run(one, minutes(of(bad(3)), 6)), context), 0);
  });
});

describe("a check judged by Argo's rule", () => {
  const one = check(argo);

  it('passes at a success and holds at a failure within the limit, and fails beyond it at once', () => {
    const good = verdictOf(one, minutes(of(bad(0)), 1));
    assert.deepEqual(outcomes(good), ['pass', 'pass', 'pass']);
    const two = verdictOf(one, minutes(of(bad(3)), 2));
    assert.deepEqual(outcomes(two), ['undecided', 'undecided', 'undecided']);
    assert.equal(
      two.message,
      'success-rate: success rate 0.97; succeeds at result[0] >= 0.99; 2 measured, 2 failed (at most 2 may).',
    );
    const three = verdictOf(one, minutes(of(bad(3)), 3));
    assert.deepEqual([...outcomes(three), three.reason], ['fail', 'fail', 'fail', 'PeerRule']);
    assert.match(three.message, /3 failed \(at most 2 may\); ended: 3 failed, more than 2\.$/);
  });

  it('takes result and result[0] for the same one value', () => {
    const conditions = { successCondition: 'result >= 0.99', failureCondition: 'len(result) == 1 && result[-1] < 0.9' };
    const both = check({ ...argo, ...conditions, inconclusiveLimit: 1 });
    assert.equal(verdictOf(both, minutes(of(bad(0)), 1)).outcome, 'pass');
    const between = verdictOf(both, minutes(of(bad(5)), 1));
    assert.deepEqual([between.outcome, /1 inconclusive/.test(between.message)], ['undecided', true]);
    const ended = verdictOf(both, [...minutes(of(bad(5)), 2), ...minutes(of(bad(0)), 3)]);
    assert.equal(ended.outcome, 'undecided', 'inconclusive for good: a person decides');
    assert.equal(verdictOf(both, minutes(of(bad(20)), 3)).outcome, 'fail');
  });

  it('ends well after the count, whatever comes then', () => {
    const counted = check({ ...argo, count: 3 });
    const after = verdictOf(counted, [...minutes(of(bad(0)), 3), ...minutes(of(bad(50)), 9)]);
    assert.equal(after.outcome, 'pass');
    assert.match(after.message, /3 of 3 measured, 0 failed \(at most 2 may\); ended: 3 measured\.$/);
  });

  it('measures first after the delay, one interval of the past', () => {
    const delayed = check({ ...argo, initialDelayMs: 180_000 });
    const windows = [...minutes(of(bad(50)), 2), ...minutes(of(bad(0)), 1)];
    assert.equal(verdictOf(delayed, windows.slice(0, -1)).reason, 'NothingCountedYet');
    assert.equal(verdictOf(delayed, windows).numbers.value, 1);
  });

  it('holds in silence: there is nothing to measure, and no error either', () => {
    const silent = verdictOf(one, [...minutes(of(bad(0)), 1), ...minutes(SILENCE, 60)]);
    assert.equal(silent.outcome, 'no-data');
    assert.equal(verdictOf(one, [...minutes(SILENCE, 60), ...minutes(of(bad(0)), 1)]).outcome, 'pass');
  });

  it('retries a reading that broke after ten seconds, and fails with the fifth in a row', () => {
    const start = minutes(of(bad(0)), 1);
    const due = minutes(of(bad(0)), 1).slice(1);
    const broken = (count: number) => Array.from({ length: count }, () => window(BROKEN));
    const four = verdictOf(one, [...start, ...due, ...broken(4)]);
    assert.deepEqual([four.outcome, four.reason], ['error', 'SourceFailed']);
    assert.equal(verdictOf(one, [...start, ...due, ...broken(4), window(of(bad(0))), ...broken(4)]).outcome, 'error');
    const five = verdictOf(one, [...start, ...due, ...broken(5)]);
    assert.deepEqual([five.outcome, five.reason], ['fail', 'PeerRule']);
    assert.match(five.message, /5 errors in a row, more than 4: two series/);
  });

  it('reads latency in seconds', () => {
    const rule = { ...argo, successCondition: 'result[0] <= 0.5' };
    const latency = check(rule, { metric: { kind: 'latency', quantile: 0.5 } });
    assert.match(verdictOf(latency, minutes(of(slow(0.2)), 1)).message, /0\.\d+ s; succeeds at result\[0\] <= 0\.5/);
    assert.equal(verdictOf(latency, minutes(of(slow(2)), 3)).outcome, 'fail');
  });
});

describe('a crash after any window', () => {
  const boundaries = [0.25, 0.5, Number.POSITIVE_INFINITY];
  const bucketed: Sample = {
    kind: 'latency',
    counts: [
      [0, 4],
      [2, 1],
    ],
    boundaries,
  };
  const cases: Record<string, { one: Check; reading: Reading }> = {
    'of errors by flagger': { one: check(flagger), reading: of(bad(3)) },
    'of errors by argo': { one: check({ ...argo, failureLimit: 9 }), reading: of(bad(3)) },
    'of latency by flagger': {
      one: check({ ...flagger, min: null, max: 100 }, { metric: { kind: 'latency', quantile: 0.99 } }),
      reading: of(bucketed),
    },
    'of latency by argo': { one: check(argo, { metric: { kind: 'latency', quantile: 0.99 } }), reading: of(bucketed) },
  };
  for (const [name, { one, reading }] of Object.entries(cases)) {
    it(`changes nothing ${name}`, () => {
      const windows = [...minutes(reading, 2), window(BROKEN), window(SILENCE), ...minutes(reading, 2).slice(4)];
      const straight = windows.reduce(
        (evidence, each) => foldWindow(one, evidence, each),
        startEvidence(one, settings),
      );
      assert.deepEqual(run(one, windows), straight);
      assert.deepEqual(judge(one, run(one, windows), context), judge(one, straight, context));
    });
  }
});
