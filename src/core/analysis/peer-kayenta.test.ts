// A check judged by Kayenta's judge: steps become points, points become scores, and what is missing waits.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check, KayentaCheck, KayentaMetric } from '../model/check.ts';
import { latencyBucket } from '../model/latency-buckets.ts';
import type { Reading, Sample } from '../model/measurement.ts';
import type { Verdict } from '../model/verdict.ts';
import { type AnalysisSettings, type Evidence, startEvidence } from './evidence.ts';
import { foldWindow, type Window } from './fold.ts';
import { judge } from './judge.ts';

const settings: AnalysisSettings = { intervalMs: 10_000, alphaAbort: 0.01, alphaPromote: 0.05 };
const context = { settings, share: 0, nextWeightPercent: 20, badPerInterval: 10 };

function metric(name: string, changes: Partial<KayentaMetric> = {}): KayentaMetric {
  return {
    name,
    metric: { kind: 'errors' },
    selector: { routes: null, methods: null },
    group: 'default',
    direction: 'increase',
    critical: false,
    nanStrategy: 'remove',
    mustHaveData: false,
    ...changes,
  };
}

function aca(changes: Partial<KayentaCheck> = {}): Check {
  const config: KayentaCheck = {
    metrics: [metric('errors')],
    groupWeights: {},
    pass: 95,
    marginal: 75,
    stepMs: 20_000,
    intervalMs: 120_000,
    lifetimeMs: 360_000,
    lookbackMs: 0,
    ...changes,
  };
  return {
    name: 'aca',
    metric: { kind: 'kayenta', config },
    selector: { routes: null, methods: null },
    role: 'required',
    tolerance: null,
    limit: null,
    direction: 'increase',
    weight: 1,
    warmUpMs: 0,
    noDataMs: 60_000,
    clusterCap: 1,
    rule: null,
  };
}

const bad = (count: number, total = 100): Sample => ({ kind: 'proportion', total, bad: count });
const slow = (...seconds: number[]): Sample => ({
  kind: 'latency',
  counts: seconds.map((each) => [latencyBucket(each), 1] as const),
});

function both(canary: Sample | undefined, stable: Sample | undefined): Reading {
  const byRevision: Record<string, Sample> = {};
  if (canary !== undefined) byRevision.c = canary;
  if (stable !== undefined) byRevision.s = stable;
  return { kind: 'samples', byRevision };
}

function window(parts: Window['parts'], changes: Partial<Window> = {}): Window {
  const rest = { stable: 's', canary: 'c', passedMs: 10_000, warmingUp: false, weightPercent: 10, settings };
  return { reading: undefined, ...(parts === undefined ? {} : { parts }), ...rest, ...changes };
}

/** Windows of two errors or so; the canary's are `more` above. */
function windows(count: number, more = 0, name = 'errors'): Window[] {
  return Array.from({ length: count }, (_, i) => window({ [name]: both(bad(((i * 7) % 5) + more), bad((i * 3) % 5)) }));
}

function run(check: Check, all: readonly Window[], throughJson = true): Evidence {
  const kept = (evidence: Evidence): Evidence => (throughJson ? JSON.parse(JSON.stringify(evidence)) : evidence);
  return all.reduce((evidence, each) => kept(foldWindow(check, evidence, each)), startEvidence(check, settings));
}

const verdictOf = (check: Check, all: readonly Window[]): Verdict => judge(check, run(check, all), context);
const outcomes = ({ outcome, exposure, promotion }: Verdict) => [outcome, exposure.outcome, promotion.outcome];

describe("a check judged by Kayenta's judge", () => {
  it('says nothing before its first judgement, lets weight rise after it, and passes with the last', () => {
    const early = verdictOf(aca(), windows(11));
    assert.deepEqual(outcomes(early), ['undecided', 'undecided', 'undecided']);
    assert.equal(early.message, 'aca: its first judgement comes after 2m.');
    const first = verdictOf(aca(), windows(12));
    assert.deepEqual(outcomes(first), ['undecided', 'pass', 'undecided']);
    assert.equal(first.message, 'aca: score 100 at judgement 1 of 3, 95 asked of the last, more than 75 of each.');
    const last = verdictOf(aca(), windows(36));
    assert.deepEqual([...outcomes(last), last.numbers.value], ['pass', 'pass', 'pass', 100]);
    assert.equal(verdictOf(aca(), [...windows(36), ...windows(30, 20)]).outcome, 'pass', 'its lifetime is over');
  });

  it('fails with the judgement whose score is not above marginal, and says which metric was off', () => {
    const verdict = verdictOf(aca(), windows(12, 20));
    assert.deepEqual([...outcomes(verdict), verdict.reason], ['fail', 'fail', 'fail', 'PeerRule']);
    assert.match(verdict.message, /^aca: score 0 at judgement 1 of 3, .*; errors: High; the shift lies between/);
  });

  it('weighs groups, and fails at the end between marginal and pass', () => {
    const two = aca({
      metrics: [metric('errors', { group: 'a' }), metric('other', { group: 'b' })],
      groupWeights: { a: 20, b: 80 },
    });
    const mixed = (count: number) =>
      windows(count, 20).map((each, i) => ({
        ...each,
        parts: { ...each.parts, other: both(bad(i % 3), bad((i + 1) % 3)) },
      }));
    assert.deepEqual(outcomes(verdictOf(two, mixed(24))), ['undecided', 'pass', 'undecided']);
    const end = verdictOf(two, mixed(36));
    assert.deepEqual([end.outcome, end.numbers.value], ['fail', 80]);
  });

  it('judges latency at its quantile, in milliseconds', () => {
    const check = aca({ metrics: [metric('p50', { metric: { kind: 'latency', quantile: 0.5 } })] });
    const lags = (by: number) =>
      Array.from({ length: 12 }, (_, i) => {
        const base = 0.1 + 0.02 * ((i * 7) % 5);
        return window({ p50: both(slow(base * by, base * by, 9), slow(base, base, 9)) });
      });
    assert.equal(verdictOf(check, lags(1)).outcome, 'undecided');
    assert.match(verdictOf(check, lags(4)).message, /score 0 .*p50: High/);
  });

  it('forgets what lies before its lookback', () => {
    const check = aca({ lookbackMs: 120_000, marginal: 0, pass: 60 });
    const late = [...windows(24), ...windows(12, 20)];
    assert.equal(verdictOf(check, late).outcome, 'fail');
    const { peer } = run(check, late);
    assert.equal(peer?.kind === 'kayenta' && peer.points.errors?.control.length, 6);
  });

  it('waits for a judgement while one version has no data, and judges when it has', () => {
    const noStable = Array.from({ length: 12 }, () => window({ errors: both(bad(1), undefined) }));
    const fewMissing = verdictOf(aca(), [...noStable.slice(0, 5), ...windows(7)]);
    assert.equal(fewMissing.exposure.outcome, 'pass', 'steps without a value are left out');
    const critical = aca({ metrics: [metric('errors', { critical: true })] });
    for (const check of [aca(), critical]) {
      const verdict = verdictOf(check, [...windows(1, 0, 'x'), ...noStable]);
      assert.equal(verdict.outcome, 'no-data', verdict.message);
    }
    const long = { ...aca(), noDataMs: 900_000 };
    const waits = verdictOf(long, noStable);
    assert.deepEqual(outcomes(waits), ['no-data', 'no-data', 'no-data']);
    assert.match(waits.message, /^aca: a judgement waits for data: no data for 1 of 1 metrics\.$/);
    assert.equal(verdictOf(long, [...noStable, ...windows(2)]).exposure.outcome, 'pass');
  });

  it('fails a metric that must have data and has none', () => {
    const check = aca({ metrics: [metric('errors', { mustHaveData: true })] });
    const silent = Array.from({ length: 12 }, () => window({}));
    const verdict = verdictOf(check, silent);
    assert.equal(verdict.outcome, 'fail', verdict.message);
  });

  it('is an error while a part of it is broken, and judges the rest', () => {
    const two = aca({ metrics: [metric('errors'), metric('other')] });
    const broken: Reading = { kind: 'error', message: 'two series' };
    const half = windows(12).map((each) => ({ ...each, parts: { ...each.parts, other: broken } }));
    const verdict = verdictOf(two, half.slice(0, 3));
    assert.deepEqual([verdict.outcome, verdict.message], ['error', 'aca: other: two series.']);
    const mended = verdictOf(two, [
      ...half.slice(0, 6),
      ...windows(6).map((each) => ({ ...each, parts: { ...each.parts, other: both(bad(1), bad(1)) } })),
    ]);
    assert.equal(mended.exposure.outcome, 'pass');
  });

  it('survives a crash after any window', () => {
    for (const more of [0, 20]) {
      const all = [...windows(5, more), window({}), ...windows(30, more)];
      assert.deepEqual(run(aca(), all), run(aca(), all, false));
    }
  });
});
