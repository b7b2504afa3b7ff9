// Counters of Prometheus: increases, resets, births, gaps; and queries that have lost the counts already.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readBody } from './prometheus-body.ts';
import { queryRange } from './prometheus-live.ts';
import { type PrometheusOptions, readPrometheusParts } from './prometheus-parts.ts';

const OPTIONS: PrometheusOptions = {
  versionLabel: 'version',
  replicaLabel: null,
  badWhen: { label: 'code', pattern: /^(?:5..)$/ },
};

/** Values every ten seconds; a hole is null. */
function counter(labels: Record<string, string>, values: readonly (number | null)[]) {
  const points = values.flatMap((value, i) => (value === null ? [] : [[i * 10, String(value)]]));
  return { metric: { __name__: 'requests_total', version: 'v1', instance: 'a', ...labels }, values: points };
}

function read(result: readonly object[], options: Partial<PrometheusOptions> = {}) {
  const body = readBody({ status: 'success', data: { resultType: 'matrix', result } }, 'p.json');
  return readPrometheusParts({ total: [body], bad: [] }, { ...OPTIONS, ...options });
}

const counts = (result: readonly object[], options: Partial<PrometheusOptions> = {}) =>
  read(result, options).parts.map(({ atMs, sample }) => [
    atMs / 1_000,
    ...(sample.kind === 'proportion' ? [sample.total, sample.bad] : []),
  ]);

describe('counters', () => {
  it('become increases of windows, the first value being a baseline', () => {
    assert.deepEqual(counts([counter({ code: '200' }, [1_000, 1_010, 1_025])]), [
      [0, 10, 0],
      [10, 15, 0],
    ]);
  });

  it('that fell were reset: what they show was counted since, and it is said', () => {
    const { parts, notes } = read([counter({ code: '200' }, [1_000, 1_010, 4])]);
    assert.deepEqual(parts.at(-1)?.sample, { kind: 'proportion', total: 4, bad: 0 });
    assert.match(notes.join(), /one counter was reset/);
  });

  it('born on a target that was there count from 0: the first error is an error', () => {
    const series = [counter({ code: '200' }, [100, 110, 120]), counter({ code: '500' }, [null, null, 3])];
    assert.deepEqual(counts(series), [
      [0, 10, 0],
      [10, 13, 3],
    ]);
  });

  it('of a target seen for the first time are a baseline: its past is not of this window', () => {
    const series = [
      counter({ code: '200' }, [100, 110, 120]),
      counter({ code: '200', instance: 'b' }, [null, 5_000, 5_007]),
    ];
    assert.deepEqual(counts(series), [
      [0, 10, 0],
      [10, 17, 0],
    ]);
  });

  it('with a hole lose the windows beside it, and no window gets two', () => {
    assert.deepEqual(counts([counter({ code: '200' }, [100, 110, null, 130, 145])]), [
      [0, 10, 0],
      [30, 15, 0],
    ]);
  });

  it('of a histogram become buckets', () => {
    const bucket = (le: string, values: number[]) => counter({ le }, values);
    const { parts } = read([bucket('+Inf', [0, 10]), bucket('0.1', [0, 4]), bucket('0.5', [0, 9])]);
    assert.deepEqual(parts[0]?.sample, {
      kind: 'latency',
      counts: [
        [0, 4],
        [1, 5],
        [2, 1],
      ],
      boundaries: [0.1, 0.5, Infinity],
    });
  });

  it('without the label of the version are refused with the labels there are', () => {
    assert.throws(
      () => counts([counter({ code: '200' }, [1, 2])], { versionLabel: 'verison' }),
      /has no label verison/,
    );
  });

  it('are told apart by a label that is there, else refused; by one that matches nothing, noted', () => {
    assert.throws(() => counts([counter({ code: '200' }, [1, 2])], { badWhen: { label: 'cod', pattern: /x/ } }), {
      message: 'no series has the label cod',
    });
    assert.match(read([counter({ code: '200' }, [1, 2])]).notes.join(), /none were bad, or --bad-when matches nothing/);
  });

  it('that are rates are refused', () => {
    assert.throws(() => counts([counter({ code: '200' }, [0.53, 0.6])]), /that is no counter of requests/);
  });

  it('of two queries that do not fit together are refused', () => {
    const body = (values: number[]) =>
      readBody({ status: 'success', data: { resultType: 'matrix', result: [counter({}, values)] } }, 'p.json');
    assert.throws(
      () => readPrometheusParts({ total: [body([0, 3])], bad: [body([0, 4])] }, { ...OPTIONS, badWhen: null }),
      /4 bad requests of 3/,
    );
  });
});

describe('queries', () => {
  const range = { address: 'http://127.0.0.1:1', option: '--query-total', startMs: 0, endMs: 60_000, stepMs: 10_000 };
  for (const query of ['rate(requests_total[1m])', 'sum by (version) (requests_total)', 'increase(a_total[5m])']) {
    it(`refuses ${query}`, async () => {
      await assert.rejects(queryRange({ ...range, query }), /loses the counts/);
    });
  }

  it('takes a counter whose name has such a word in it, and says who does not answer', async () => {
    await assert.rejects(queryRange({ ...range, query: 'sum_requests_total{job="rate"}' }), /does not answer/);
  });

  it('asks for no more windows than Prometheus gives', async () => {
    await assert.rejects(queryRange({ ...range, query: 'a', endMs: 1e9 }), /more than 11000 windows/);
  });
});
