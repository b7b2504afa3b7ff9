// Every kind of check takes its columns: the way from a row to a verdict, for each.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check } from '../../core/model/check.ts';
import { createRandom } from '../../core/statistics/index.ts';
import { assemble } from './assemble.ts';
import { readCsvParts } from './csv-parts.ts';
import { policyOfFlags } from './judge-policy.ts';
import { judgeRecorded } from './judge-recorded.ts';
import { outcomeOf } from './outcome.ts';

async function judged(change: Partial<Check>, lines: readonly string[]) {
  const base = await policyOfFlags({ errors: true });
  const [errors] = base.checks;
  assert.ok(errors);
  const check: Check = { ...errors, name: 'it', ...change };
  const policy = { ...base, checks: [check] };
  const { parts } = readCsvParts(lines.join('\n'), { file: 'w.csv', rawStepMs: 10_000 });
  const { windows } = assemble(parts, { checks: [check], all: ['it'] });
  const versions = { stable: 'v1', canary: 'v2' };
  const rest = { fromMs: null, stepMs: 10_000, weightPercent: 50, warmUp: true };
  const result = judgeRecorded({ policy, checks: [check], windows, versions, ...rest });
  return { ...outcomeOf(result), check: result.checks[0] };
}

const times = (windows: number) => Array.from({ length: windows }, (_, i) => i * 10);
const random = createRandom('kinds');
const TOLERANCE = { ratio: 1, margin: 0.05, harmMargin: 0, atDeadline: null, bucketShift: 0 };

describe('kinds of checks', () => {
  it('restarts, per second of replica life', async () => {
    const rows = times(60).flatMap((time) => [`${time},v1,${random.binomial(40, 0.001)},40`, `${time},v2,2,40`]);
    const { word, check } = await judged(
      { metric: { kind: 'count', event: 'restarts' }, tolerance: { ...TOLERANCE, margin: 0.001 } },
      ['time,version,events,seconds', ...rows],
    );
    assert.equal(word, 'fail');
    assert.match(check?.verdict.message ?? '', /10 restarts in 200 replica-seconds/);
  });

  it('values, one a row, put into windows', async () => {
    const row = (version: string, mean: number) => (time: number) =>
      Array.from({ length: 40 }, (_, i) => `${time + i / 10},${version},${random.binomial(20, mean)}`);
    const rows = times(60).flatMap((time) => [...row('v1', 0.5)(time), ...row('v2', 0.2)(time)]);
    const { word, check } = await judged(
      { metric: { kind: 'mean', cap: 20 }, tolerance: TOLERANCE, direction: 'decrease' },
      ['time,version,value', ...rows],
    );
    assert.equal(word, 'fail');
    assert.ok((check?.verdict.numbers.canary.total ?? 0) > 0);
  });

  it('readings of replicas, over a limit three times in a row', async () => {
    const limit = { bound: 'above', value: 80 } as const;
    const gauge = { metric: { kind: 'gauge', reading: 'cpuPercent' }, tolerance: null, limit, warmUpMs: 0 } as const;
    const rows = (values: readonly number[]) => values.map((value, i) => `${i * 10},v2,${value}`);
    assert.equal((await judged(gauge, ['time,version,value', ...rows([70, 90, 90, 90])])).word, 'fail');
    assert.equal((await judged(gauge, ['time,version,value', ...rows([70, 90, 90, 70])])).word, 'pass');
  });

  it('conversions, by cohort and age', async () => {
    const rows = times(3).flatMap((time) => [`${time},v1,100,10,5`, `${time},v2,100,9,5`]);
    const { word, check } = await judged(
      { metric: { kind: 'conversion', horizonMs: 600_000 }, tolerance: TOLERANCE, direction: 'decrease' },
      ['time,version,exposed,converted_0,converted_1', ...rows],
    );
    assert.notEqual(word, 'error', check?.verdict.message);
  });

  it("counts for Flagger's rule, up to the look that ends it", async () => {
    const rule = {
      kind: 'flagger',
      intervalMs: 60_000,
      min: 99,
      max: null,
      failures: 3,
      emptyIsFailure: false,
    } as const;
    const flagger = { rule, tolerance: null, warmUpMs: 0 } as const;
    const rows = (bad: number) => times(30).flatMap((time) => [`${time},v1,100,0`, `${time},v2,100,${bad}`]);
    const head = 'time,version,total,bad';
    const { word, check } = await judged(flagger, [head, ...rows(2)]);
    assert.equal(word, 'fail');
    assert.match(check?.verdict.message ?? '', /98 %, at least 99 % asked; 3 of 3 failed checks, and the look after/);
    assert.equal(check?.windows, 24);
    const good = await judged(flagger, [head, ...rows(1)]);
    assert.deepEqual([good.word, good.because], ['pass', 'every required check passed by the rule it has']);
    assert.equal((await judged(flagger, [head, ...rows(1).filter((row) => row.includes('v1'))])).word, 'no-data');
  });

  it("counts and latencies for the metrics of Kayenta's judge, by name or by kind", async () => {
    const common = { selector: { routes: null, methods: null }, group: 'all', direction: 'increase' } as const;
    const rest = { ...common, critical: false, nanStrategy: 'remove', mustHaveData: false } as const;
    const config = {
      metrics: [
        { ...rest, name: 'errors', metric: { kind: 'errors' } },
        { ...rest, name: 'p90', metric: { kind: 'latency', quantile: 0.9 } },
      ],
      ...{ groupWeights: {}, pass: 95, marginal: 45 },
      ...{ stepMs: 10_000, intervalMs: 60_000, lifetimeMs: 300_000, lookbackMs: 0 },
    } as const;
    const kayenta = { metric: { kind: 'kayenta', config }, tolerance: null, warmUpMs: 0 } as const;
    const bad = (time: number) => (time / 10) % 4;
    const rows = (name: string, more: number) =>
      times(30).flatMap((time) => [`${time},v1,100,${bad(time)}${name}`, `${time},v2,100,${bad(time) + more}${name}`]);
    for (const [head, name] of [
      ['time,version,total,bad,check', ',it/errors'],
      ['time,version,total,bad,check', ',it'],
      ['time,version,total,bad', ''],
    ] as const) {
      const [harm, none] = await Promise.all([
        judged(kayenta, [head, ...rows(name, 20)]),
        judged(kayenta, [head, ...rows(name, 0)]),
      ]);
      assert.equal(harm.word, 'fail', harm.because);
      assert.match(harm.because, /score 0 at judgement 1 of 5.*errors: High/);
      assert.equal(none.word, 'no-data', 'no latency was measured, and that may not pass');
      assert.match(none.because, /a judgement waits for data: no data for 1 of 2 metrics/);
    }
    const both = [
      'time,version,le_0.1,total,bad',
      ...times(30).flatMap((time) => [`${time},v1,95,100,1`, `${time},v2,95,100,1`]),
    ];
    assert.equal((await judged(kayenta, both)).word, 'pass');
    await assert.rejects(
      judged(kayenta, ['time,version,total,bad,check', ...rows(',it/eror', 0)]),
      /there is no check "it\/eror"/,
    );
  });
});
