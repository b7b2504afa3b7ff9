import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check } from '../model/check.ts';
import { latencyBoundary, latencyBucket } from '../model/latency-buckets.ts';
import type { Reading, Sample } from '../model/measurement.ts';
import { createRandom } from '../statistics/index.ts';
import { type AnalysisSettings, type Evidence, startEvidence } from './evidence.ts';
import { foldHistory, foldWindow, type Window } from './fold.ts';
import { combinedLogHarm, evidenceShares, judge, provenWeightPercent } from './judge.ts';
import { linesFrom, slowerThan } from './latency-lines.ts';

const settings: AnalysisSettings = { intervalMs: 10_000, alphaAbort: 0.01, alphaPromote: 0.05 };
const everything = { routes: null, methods: null };

function check(changes: Partial<Check> = {}): Check {
  return {
    name: 'errors',
    metric: { kind: 'errors' },
    selector: everything,
    role: 'required',
    tolerance: { ratio: 1.1, margin: 0.005, harmMargin: 0, atDeadline: null, bucketShift: 0 },
    limit: null,
    direction: 'increase',
    weight: 1,
    warmUpMs: 0,
    noDataMs: 30_000,
    clusterCap: 1,
    rule: null,
    ...changes,
  };
}

function samples(canary: Sample | undefined, stable?: Sample): Reading {
  const byRevision: Record<string, Sample> = {};
  if (canary !== undefined) byRevision.c = canary;
  if (stable !== undefined) byRevision.s = stable;
  return { kind: 'samples', byRevision };
}

function proportion(total: number, bad: number): Sample {
  return { kind: 'proportion', total, bad };
}

function window(reading: Reading | undefined, changes: Partial<Window> = {}): Window {
  return {
    reading,
    stable: 's',
    canary: 'c',
    passedMs: 10_000,
    warmingUp: false,
    weightPercent: 10,
    settings,
    ...changes,
  };
}

function past(sample: Sample) {
  return { stable: 's', history: { readings: { latency: samples(undefined, sample) } } };
}

function feed(one: Check, rates: { canary: number; stable: number }, windows: number, seed = 1): Evidence {
  const random = createRandom(seed);
  let evidence = startEvidence(one, settings);
  for (let i = 0; i < windows; i++) {
    const reading = samples(
      proportion(500, random.binomial(500, rates.canary)),
      proportion(4500, random.binomial(4500, rates.stable)),
    );
    evidence = foldWindow(one, evidence, window(reading));
  }
  return evidence;
}

const context = { settings, share: 1, nextWeightPercent: 20, badPerInterval: 10 };

describe('a check compared with stable', () => {
  it('passes both questions when the versions are alike and enough was seen', () => {
    const verdict = judge(check(), feed(check(), { canary: 0.005, stable: 0.005 }, 40), context);
    assert.equal(verdict.outcome, 'pass');
    assert.equal(verdict.exposure.outcome, 'pass');
    assert.match(verdict.message, /refuted/);
  });

  it('fails when the new version is worse, with counts and interval in its sentence', () => {
    const verdict = judge(check(), feed(check(), { canary: 0.03, stable: 0.005 }, 10), context);
    assert.equal(verdict.outcome, 'fail');
    assert.match(verdict.message, /errors: \d+ of 5000 failed, stable \d+ of 45000; excess over 1.1 x stable/);
    assert.ok((verdict.numbers.lower ?? 0) > 0);
  });

  it('is undecided, and not pass, on little traffic', () => {
    let evidence = startEvidence(check(), settings);
    evidence = foldWindow(check(), evidence, window(samples(proportion(3, 0), proportion(40, 0))));
    const verdict = judge(check(), evidence, context);
    assert.equal(verdict.outcome, 'undecided');
    assert.equal(verdict.promotion.outcome, 'undecided');
  });

  it('allows more weight as the risk bound falls, and never more than the budget covers (I7)', () => {
    const early = provenWeightPercent(check(), feed(check(), { canary: 0.001, stable: 0.001 }, 2), context);
    const late = provenWeightPercent(check(), feed(check(), { canary: 0.001, stable: 0.001 }, 200), context);
    assert.ok(early < late, `${early} < ${late}`);
  });
});

describe('readings that are no evidence', () => {
  const healthy = feed(check(), { canary: 0.005, stable: 0.005 }, 40);
  const cases: Record<string, { reading: Reading | undefined; outcome: string; after?: number }> = {
    'an outage of the source is error at once (row 34)': {
      reading: { kind: 'error', message: 'refused' },
      outcome: 'error',
    },
    'an empty answer is no-data after its time (rows 33, 36)': {
      reading: { kind: 'no-data', message: 'empty' },
      outcome: 'no-data',
      after: 3,
    },
    'a check the source left out is no-data (row 43)': { reading: undefined, outcome: 'no-data', after: 3 },
    'a silent canary is no-data (row 49)': {
      reading: samples(proportion(0, 0), proportion(50, 0)),
      outcome: 'no-data',
      after: 3,
    },
    'a silent stable is no-data (row 49)': {
      reading: samples(proportion(50, 0), proportion(0, 0)),
      outcome: 'no-data',
      after: 3,
    },
    'both silent is no-data, not alike (row 49)': {
      reading: samples(undefined, undefined),
      outcome: 'no-data',
      after: 3,
    },
    'NaN is error (rows 46, 48)': { reading: samples(proportion(Number.NaN, 0), proportion(9, 0)), outcome: 'error' },
    'Infinity is error (rows 46, 48)': {
      reading: samples(proportion(Number.POSITIVE_INFINITY, 0), proportion(9, 0)),
      outcome: 'error',
    },
    'more bad than all is error': { reading: samples(proportion(5, 6), proportion(9, 0)), outcome: 'error' },
    'a count beyond any real one is error': {
      reading: samples(proportion(1e300, 0), proportion(9, 0)),
      outcome: 'error',
    },
    'a gauge where counts were asked for is error (row 47)': {
      reading: samples({ kind: 'gauge', values: [1] }, proportion(9, 0)),
      outcome: 'error',
    },
  };
  for (const [title, { reading, outcome, after = 1 }] of Object.entries(cases)) {
    it(`${title}; it neither promotes nor aborts, whatever was seen before`, () => {
      let evidence = healthy;
      for (let i = 0; i < after; i++) evidence = foldWindow(check(), evidence, window(reading));
      const verdict = judge(check(), evidence, context);
      assert.equal(verdict.outcome, outcome);
      assert.notEqual(verdict.exposure.outcome, 'pass');
      assert.notEqual(verdict.promotion.outcome, 'pass');
      const { trouble, silentMs, isHeard, ...counted } = evidence;
      const { trouble: _t, silentMs: _s, isHeard: _h, ...before } = healthy;
      assert.deepEqual(counted, before);
    });
  }

  it('one good window after an outage and it goes on where it was (row 34)', () => {
    const broken = foldWindow(check(), healthy, window({ kind: 'error', message: 'refused' }));
    const mended = foldWindow(check(), broken, window(samples(proportion(500, 2), proportion(4500, 22))));
    assert.equal(judge(check(), mended, context).outcome, 'pass');
  });
});

describe('warm-up', () => {
  it('shows the first requests and does not count them', () => {
    const evidence = foldWindow(
      check(),
      startEvidence(check(), settings),
      window(samples(proportion(100, 20), proportion(900, 4)), { warmingUp: true }),
    );
    assert.deepEqual(evidence.warmUp, { total: 100, bad: 20 });
    assert.equal(evidence.canary.total, 0);
    assert.equal(judge(check(), evidence, context).outcome, 'undecided');
  });

  it('excuses no version that fails half of them', () => {
    const evidence = foldWindow(
      check(),
      startEvidence(check(), settings),
      window(samples(proportion(100, 60), proportion(900, 4)), { warmingUp: true }),
    );
    assert.equal(judge(check(), evidence, context).outcome, 'fail');
  });
});

describe('latency', () => {
  const latency = check({
    name: 'latency',
    metric: { kind: 'latency', quantile: 0.99 },
    tolerance: { ratio: 1.1, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 },
  });
  const histogram = (scale: number, count: number, seed: number): Sample => {
    const random = createRandom(seed);
    const counts = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const index = latencyBucket(0.08 * scale * Math.exp(0.6 * random.normal()));
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    return { kind: 'latency', counts: [...counts] };
  };

  it('takes the line from the past of stable, near its quantile, and not before there is enough of it', () => {
    const past = histogram(1, 20_000, 1);
    assert.ok(past.kind === 'latency');
    const chosen = linesFrom(past, 0.99);
    assert.ok(chosen !== null);
    assert.ok(chosen.lines.length <= 8 && chosen.bound.length === 2);
    const boundary = chosen.lines[chosen.bound[0] ?? 0] ?? 0;
    const tail = slowerThan(past.counts, boundary) / 20_000;
    assert.ok(tail > 0.006 && tail < 0.016, `${tail}`);
    assert.ok(Math.abs(latencyBoundary(boundary) - 0.323) < 0.05);
    const short = histogram(1, 500, 2);
    assert.ok(short.kind === 'latency');
    assert.equal(linesFrom(short, 0.99), null);
  });

  it('does not judge before the line is chosen; then finds a slower version and lets a faster one pass', () => {
    const start = startEvidence(latency, settings);
    const early = foldWindow(latency, start, window(samples(histogram(1, 500, 3), histogram(1, 4500, 4))));
    assert.equal(judge(latency, early, context).reason, 'LearningStable');
    for (const [scale, outcome] of [
      [1.5, 'fail'],
      [0.9, 'pass'],
    ] as const) {
      let evidence = foldHistory(latency, start, past(histogram(1, 20_000, 5)), settings);
      for (let i = 0; i < 40; i++) {
        const reading = samples(histogram(scale, 300, 100 + i), histogram(1, 1000, 200 + i));
        evidence = foldWindow(latency, evidence, window(reading));
      }
      assert.equal(judge(latency, evidence, context).outcome, outcome);
    }
  });

  it('an absolute limit is held while the line is still being learned, and while stable gets no request', () => {
    const both = check({ ...latency, limit: { bound: 'above', value: 0.5 } });
    const slow = histogram(20, 200, 7);
    for (const stable of [histogram(1, 50, 8), { kind: 'latency', counts: [] } satisfies Sample]) {
      let evidence = startEvidence(both, settings);
      for (let i = 0; i < 10; i++) evidence = foldWindow(both, evidence, window(samples(slow, stable)));
      assert.equal(judge(both, evidence, context).outcome, 'fail');
    }
  });

  it('finds a slower tail although a stall in the past of stable moved its p99 far out', () => {
    const calm = histogram(1, 20_000, 6);
    assert.ok(calm.kind === 'latency');
    const stall: Sample = { kind: 'latency', counts: [...calm.counts, [latencyBucket(2), 300]] };
    const evidence = foldHistory(latency, startEvidence(latency, settings), past(stall), settings);
    assert.ok((evidence.latency?.seconds[evidence.latency.bound[0] ?? 0] ?? 0) > 0.4);
    let slower = evidence;
    for (let i = 0; i < 20; i++) {
      const reading = samples(histogram(1.3, 300, 400 + i), histogram(1, 1000, 500 + i));
      slower = foldWindow(latency, slower, window(reading));
    }
    const verdict = judge(latency, slower, context);
    assert.equal(verdict.outcome, 'fail');
    assert.match(verdict.message, /slower than \d+ ms/);
  });

  it('holds an absolute limit at a quantile: p99 at most 500 ms', () => {
    const limited = check({ ...latency, tolerance: null, limit: { bound: 'above', value: 0.5 } });
    for (const [scale, outcome] of [
      [2.5, 'fail'],
      [0.8, 'pass'],
    ] as const) {
      let evidence = startEvidence(limited, settings);
      for (let i = 0; i < 30; i++) {
        evidence = foldWindow(limited, evidence, window(samples(histogram(scale, 400, 300 + i), histogram(1, 400, i))));
      }
      assert.equal(judge(limited, evidence, context).outcome, outcome);
    }
  });
});

describe('gauges and business rates', () => {
  it('a gauge fails after three readings in a row over its limit, and one alone only holds', () => {
    const memory = check({
      name: 'memory',
      metric: { kind: 'gauge', reading: 'residentMemoryBytes' },
      role: 'guardrail',
      tolerance: null,
      limit: { bound: 'above', value: 100 },
    });
    let evidence = startEvidence(memory, settings);
    const outcomes = [50, 150, 50, 50, 150, 150, 150].map((value) => {
      evidence = foldWindow(memory, evidence, window(samples({ kind: 'gauge', values: [20, value] })));
      return judge(memory, evidence, { ...context, share: 0 }).outcome;
    });
    assert.deepEqual(outcomes, ['undecided', 'undecided', 'pass', 'pass', 'undecided', 'undecided', 'fail']);
  });

  it('a business rate under its floor fails', () => {
    const business = check({
      name: 'checkout',
      metric: { kind: 'business', from: everything, to: everything },
      tolerance: null,
      limit: { bound: 'below', value: 0.1 },
      direction: 'decrease',
    });
    const run = (rate: number) => {
      const random = createRandom(7);
      let evidence = startEvidence(business, settings);
      for (let i = 0; i < 30; i++) {
        const done = random.binomial(300, rate);
        evidence = foldWindow(business, evidence, window(samples(proportion(300, 300 - done), proportion(300, 270))));
      }
      return judge(business, evidence, context).outcome;
    };
    assert.equal(run(0.05), 'fail');
    assert.equal(run(0.15), 'pass');
  });
});

describe('many checks', () => {
  it('share the abort evidence: informational checks and gauges carry none, the rest sums to 1', () => {
    const gauge = check({ name: 'g', metric: { kind: 'gauge', reading: 'cpuPercent' }, role: 'guardrail' });
    const shares = evidenceShares([
      check({ weight: 3 }),
      check({ name: 'b' }),
      check({ name: 'i', role: 'informational' }),
      gauge,
    ]);
    assert.deepEqual([...shares.values()], [0.75, 0.25, 0, 0]);
  });

  it('one failing check among healthy ones reaches the line of the release (I8: the line is for all of them together)', () => {
    const checks = [check(), check({ name: 'b' }), check({ name: 'c' })];
    const evidence = {
      errors: feed(checks[0]!, { canary: 0.03, stable: 0.005 }, 20),
      b: feed(checks[1]!, { canary: 0.005, stable: 0.005 }, 20),
      c: feed(checks[2]!, { canary: 0.005, stable: 0.005 }, 20),
    };
    assert.ok(combinedLogHarm(checks, evidence, evidenceShares(checks)) > Math.log(100));
  });
});
