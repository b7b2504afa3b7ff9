import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CounterSet, ReleasePolicy } from '../../core/model/policy.ts';
import type { Mark } from './prometheus/cursor.ts';
import { formatCursor, parseCursor } from './prometheus/cursor.ts';
import { type Asking, questionsOf, textOf } from './prometheus/questions.ts';
import type { Series } from './prometheus/samples.ts';
import { anyOf, filled, formatSelector, literal, parseSelector } from './prometheus/selector-text.ts';
import { type Counted, countedOf, growth, targetsIn } from './prometheus/targets.ts';

const PODS: CounterSet = { kind: 'pods', requests: 'http_requests_total', statusLabel: 'code', latency: null };

function asking(counters: CounterSet, changes: Partial<Asking> = {}): Asking {
  const policy = { name: 'shop/web', router: { kind: 'gatewayApi', service: 'web' } } as unknown as ReleasePolicy;
  const pods = new Map([
    ['web-1', 'a'],
    ['web-canary-1', 'b'],
  ]);
  return { policy, counters, stable: 'a', canary: 'b', revisions: ['a', 'b'], pods, wantsLatency: false, ...changes };
}

function versionOf(counters: CounterSet, labels: Record<string, string>): string | null | undefined {
  return questionsOf(asking(counters)).all[0]?.versionOf(labels);
}

describe('questions to Prometheus', () => {
  test('row 50: Traefik names Services by namespace, name and port, to the end', () => {
    const of = (service: string) => versionOf({ kind: 'traefik' }, { service });
    assert.equal(of('shop-web-http-80@kubernetesgateway'), 'a');
    assert.equal(of('shop-web-canary-http-80@kubernetesgateway'), 'b');
    assert.equal(of('shop-web-80@kubernetesgateway'), 'a');
    for (const other of ['shop-web-api-http-80', 'other-shop-web-http-80', 'shop-web-http-80-grpc', 'web-http-80']) {
      assert.equal(of(`${other}@kubernetesgateway`), null, other);
    }
  });

  test('row 50: Envoy under Contour names Services by namespace, name and port, to the end', () => {
    const of = (name: string) => versionOf({ kind: 'envoy' }, { envoy_cluster_name: name });
    assert.deepEqual(
      ['shop_web_80', 'shop_web-canary_8080', 'shop_web-api_80', 'other_web_80', 'shop_web_80_x'].map(of),
      ['a', 'b', null, null, null],
    );
  });

  test('row 50: a pod of neither version is of neither, and a series that names no pod is refused', () => {
    assert.deepEqual([versionOf(PODS, { pod: 'web-canary-1' }), versionOf(PODS, { pod: 'other' })], ['b', null]);
    assert.throws(() => versionOf(PODS, { code: '200' }), /no label pod/);
  });

  test('queries are asked version by version: its pods, its Service', () => {
    const queries = { kind: 'queries', total: 'all{s="$service"}', bad: 'bad{pod=~"$pods"}', latency: null } as const;
    assert.deepEqual(questionsOf(asking(queries)).all.map(textOf), [
      'all{s="web"}',
      'bad{pod=~"(?:web-1)"}',
      'all{s="web-canary"}',
      'bad{pod=~"(?:web-canary-1)"}',
    ]);
  });

  test('row 50: a query that is the same for both versions is refused', () => {
    const router = { kind: 'replicaShare', service: 'web' } as const;
    const policy = { name: 'shop/web', router } as unknown as ReleasePolicy;
    const byService = { kind: 'queries', total: 'all{s="$service"}', bad: 'b{pod=~"$pods"}', latency: null } as const;
    assert.throws(() => questionsOf(asking(byService, { policy })), /same for both versions/);
    assert.throws(() => questionsOf(asking({ ...byService, total: 'all' })), /same for both versions/);
  });
});

const LABEL = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/);
const OP = fc.constantFrom('=', '!=', '=~', '!~');

describe('selectors', () => {
  test('no value can change what is asked: it is read back as it was, in its place (fuzzed)', () => {
    const matcher = fc.record(
      { label: LABEL, op: OP, value: fc.string({ unit: 'binary' }) },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(LABEL, fc.array(matcher, { maxLength: 4 }), (name, matchers) => {
        assert.deepEqual(parseSelector(formatSelector({ name, matchers })), { name, matchers });
      }),
      { numRuns: 500 },
    );
  });

  test('parameters are filled in after it was taken apart, so its shape stays whatever they hold (fuzzed)', () => {
    const written = 'total{namespace="$namespace",pod=~"x-$pods",service!~"$service|y"}';
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
        (value, pods) => {
          const asked = parseSelector(
            formatSelector(filled(parseSelector(written), { namespace: value, pods, service: value })),
          );
          assert.deepEqual(asked, {
            name: 'total',
            matchers: [
              { label: 'namespace', op: '=', value },
              { label: 'pod', op: '=~', value: `x-(?:${pods.map(literal).join('|')})` },
              { label: 'service', op: '!~', value: `${literal(value)}|y` },
            ],
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a pattern matches its names and no other (fuzzed)', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), fc.string(), (names, other) => {
        const pattern = new RegExp(`^(?:${anyOf(names)})$`, 's');
        for (const name of names) assert.ok(pattern.test(name));
        if (!names.includes(other)) assert.ok(!pattern.test(other));
      }),
    );
  });

  test('what is no plain selector of a counter is refused', () => {
    for (const text of [
      'rate(requests_total[5m])',
      'increase(requests_total{pod=~"$pods"}[1m])',
      'sum by (code) (requests_total)',
      'sum(requests_total) without (pod)',
      'requests_total[5m]',
      'requests_total offset 5m',
      'requests_total @ 0',
      'requests_total or up',
      'requests_total{pod=~"$pods"} > 0',
      'requests_total{pod=~"$pods"',
      'requests_total{$service="x"}',
      'requests_total{pod=~"$pods"} # {',
      '{__name__="requests_total"}',
      '',
    ]) {
      assert.throws(() => parseSelector(text), /plain selector/, text);
    }
    assert.throws(() => filled(parseSelector('a{pod="$pods"}'), { namespace: 'n', pods: ['p'], service: 's' }), /=~/);
    assert.throws(() => filled(parseSelector('a{b="$c"}'), { namespace: 'n', pods: ['p'], service: 's' }), /no \$c/);
  });
});

test('a cursor is read as it was written, and others are refused', () => {
  const cursor = {
    openedMs: 1,
    atMs: 5,
    marks: { 'web-1 pods x:80': { atMs: 4, total: 9 } },
    pods: {
      'web-1': { revision: 'a', restarts: 2, startedAtMs: 0, goneMs: null },
      'web-2': { revision: 'b', restarts: 0, startedAtMs: 3, goneMs: 4 },
    },
  };
  assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
  for (const text of ['', 'null', '{}', '{"schema":2}', '{"atMs":1,"ends":{}}', '[]'])
    assert.equal(parseCursor(text), null);
});

/** One target with these counters, read up to then. */
function lookAt(series: readonly Series[], up: Series, marks: Readonly<Record<string, Mark>>, toMs: number): Counted {
  const isPod = up.labels.pod !== undefined;
  const upTo = ({ samples, ...rest }: Series) => ({ ...rest, samples: samples.filter(([atMs]) => atMs <= toMs) });
  const there = series.map(upTo).filter(({ samples }) => samples.length > 0);
  const [target] = targetsIn({ all: there, others: [], up: [upTo(up)], births: [] }, isPod);
  if (target === undefined) throw new Error('no target');
  return countedOf(target, { fromMs: 0, marks, openedMs: 0, podStartedMs: () => -1, toMs, scrapeMs: 1_000 });
}

interface Step {
  readonly good: number;
  readonly bad: number;
  readonly restarts: boolean;
  readonly fails: boolean;
  readonly looks: boolean;
}

/** A process that is scraped every second. */
class Scraped {
  readonly counters: readonly {
    readonly labels: Series['labels'];
    readonly samples: [number, number][];
    broken: null;
  }[];
  readonly up: { readonly labels: Series['labels']; readonly samples: [number, number][]; broken: null };
  /** Requests that a scrape has told of. */
  told = 0;
  seen = 0;
  #untold = 0;
  #atMs = 0;
  #values: [number, number] = [0, 0];
  #marks: Readonly<Record<string, Mark>> = {};

  constructor() {
    const labels = { job: 'pods', instance: 'x', pod: 'web-1' };
    this.up = { labels, samples: [[0, 1]], broken: null };
    this.counters = ['200', '500'].map((code) => ({ labels: { ...labels, code }, samples: [[0, 0]], broken: null }));
  }

  take({ good, bad, restarts, fails, looks }: Step): void {
    this.#atMs += 1_000;
    // A fall tells of a new start.
    if (restarts && this.#values[0] > 5) {
      this.#values = [0, 0];
      this.#untold = 0;
    }
    this.#values = [this.#values[0] + good, this.#values[1] + bad];
    this.#untold += good + bad;
    this.up.samples.push([this.#atMs, fails ? 0 : 1]);
    if (!fails) this.#scrape();
    if (looks) this.look();
  }

  #scrape(): void {
    for (const [i, { samples }] of this.counters.entries()) samples.push([this.#atMs, this.#values[i] ?? 0]);
    this.told += this.#untold;
    this.#untold = 0;
  }

  look(): void {
    const counted = lookAt(this.counters, this.up, this.#marks, this.#atMs);
    this.seen += this.counters.reduce((total, series) => total + growth(series, counted), 0);
    if (counted.next !== undefined) this.#marks = { [counted.target.key]: counted.next };
  }
}

describe('what a target has counted', () => {
  test('windows of any length together hold each request once, over new starts and failed scrapes (fuzzed)', () => {
    const step = fc.record({
      good: fc.nat(5),
      bad: fc.nat(3),
      restarts: fc.boolean(),
      fails: fc.boolean(),
      looks: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const process = new Scraped();
        for (const each of steps) process.take(each);
        process.look();
        // A new start behind a failed scrape may hide in counters that are higher than before: less is seen then, never more.
        const mayHide = steps.some(({ fails }) => fails) && steps.some(({ restarts }) => restarts);
        assert.ok(mayHide ? process.seen <= process.told : process.seen === process.told);
      }),
      { numRuns: 500 },
    );
  });

  test('a fall of one counter is a new start of all of its process', () => {
    const labels = { job: 'pods', instance: 'x', pod: 'web-1' };
    const series = (code: string, ...values: number[]): Series => {
      return { labels: { ...labels, code }, samples: values.map((value, i) => [i * 1_000, value]), broken: null };
    };
    const all = [series('200', 100, 20), series('500', 1, 5)];
    const counted = lookAt(all, { labels, samples: [], broken: null }, {}, 1_000);
    assert.deepEqual(
      all.map((each) => growth(each, counted)),
      [20, 5],
    );
  });

  test('a Service that a proxy drops after a release and makes anew for the next is no new start of the proxy', () => {
    const labels = { job: 'traefik', instance: 'x' };
    const series = (service: string, code: string, ...values: (number | null)[]): Series => {
      const samples = values.flatMap((value, i) => (value === null ? [] : [[i * 1_000, value] as const]));
      return { labels: { ...labels, service, code }, samples, broken: null };
    };
    const all = [
      series('shop', '200', 5_000, 5_060, 5_120, 5_180),
      series('shop', '500', 400, 400, 401, 401),
      series('shop-canary', '200', 300, null, 3, 6),
      series('shop-canary', '500', 2, null, 1, 2),
    ];
    const counted = lookAt(all, { labels, samples: [], broken: null }, {}, 3_000);
    assert.deepEqual(
      all.map((each) => growth(each, counted)),
      [180, 1, 6, 2],
    );
    const restarted = all.map(({ samples, ...rest }) => {
      return { ...rest, samples: [...samples, [4_000, rest.labels.code === '500' ? 1 : 9] as const] };
    });
    const after = lookAt(restarted, { labels, samples: [], broken: null }, {}, 4_000);
    assert.deepEqual(
      restarted.map((each) => growth(each, after)),
      [189, 2, 15, 3],
    );
  });

  test('samples that are not what was counted up to are said to be gone, and what follows only opens', () => {
    const labels = { job: 'pods', instance: 'x', pod: 'web-1' };
    const series: Series = {
      labels,
      samples: [
        [5_000, 50],
        [6_000, 60],
      ],
      broken: null,
    };
    const mark = { 'web-1 pods x': { atMs: 3_000, total: 40 } };
    const counted = lookAt([series], { labels, samples: [], broken: null }, mark, 6_000);
    assert.match(counted.unknown ?? '', /pod web-1: the samples that were counted up to are gone/);
    assert.equal(growth(series, counted), 10);
  });
});
