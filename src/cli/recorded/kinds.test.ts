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
});
