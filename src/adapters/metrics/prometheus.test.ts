import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Check } from '../../core/model/check.ts';
import type { MeasurementResult } from '../../core/model/measurement.ts';
import type { CounterSet, ReleasePolicy } from '../../core/model/policy.ts';
import type { Clock } from '../../ports/clock.ts';
import { growth, type Series } from './prometheus/samples.ts';
import { anyOf, filled, quoted, selectorsOf, serviceName } from './prometheus/selectors.ts';
import { PrometheusMetrics } from './prometheus.ts';

const NOW_MS = 1_000_000_000;
const errors = { name: 'errors', metric: { kind: 'errors' }, rule: null } as unknown as Check;
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function answering(answer: (form: URLSearchParams) => { status?: number; body: unknown }): Promise<string> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const { status = 200, body } = answer(new URLSearchParams(text));
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {});
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const matrix = (result: unknown) => ({ status: 'success', data: { resultType: 'matrix', result } });
const series = (labels: object, values: readonly (readonly [number, string])[]) => ({ metric: labels, values });

function policyAt(address: string, counters: CounterSet): ReleasePolicy {
  const access = {
    address,
    bearer: null,
    basic: null,
    ca: null,
    clientCertificate: null,
    headers: { 'X-Scope-OrgID': 'shop' },
  };
  return {
    name: 'shop/web',
    router: { kind: 'gatewayApi', service: 'web' },
    errors: { statusClasses: ['5xx'], statusCodes: [] },
    metrics: { kind: 'prometheus', access, counters, scrapeMs: 5_000, lagMs: 0, timeoutMs: 500 },
  } as unknown as ReleasePolicy;
}

const PODS: CounterSet = { kind: 'pods', requests: 'http_requests_total', statusLabel: 'code', latency: null };
const pod = (name: string) => ({
  name,
  address: '',
  uid: name,
  startedAtMs: 0,
  isReady: true,
  restarts: 0,
  oomKills: 0,
});

async function measure(
  body: unknown,
  { status = 200, counters = PODS }: { status?: number; counters?: CounterSet } = {},
): Promise<MeasurementResult> {
  const address = await answering(() => ({ status, body }));
  const clock = {
    now: () => ({ monotonicMs: 0, epoch: '', wallTime: new Date(NOW_MS).toISOString() }),
  } as unknown as Clock;
  const metrics = new PrometheusMetrics({
    clock,
    readSecret: async () => null,
    podsOf: () => ({
      namespace: 'shop',
      stable: 'a',
      canary: 'b',
      byRevision: { a: [pod('web-1')], b: [pod('web-canary-1')] },
    }),
  });
  const cursor = JSON.stringify({ atMs: NOW_MS - 10_000, ends: {} });
  return metrics.measure({ policy: policyAt(address, counters), stable: 'a', canary: 'b', checks: [errors], cursor });
}

const T = NOW_MS / 1_000;
const both = (canary: readonly (readonly [number, string])[]) =>
  matrix([
    series({ pod: 'web-1', code: '200' }, [
      [T - 11, '100'],
      [T - 6, '150'],
      [T - 1, '190'],
    ]),
    series({ pod: 'web-canary-1', code: '500' }, canary),
  ]);

function sampleOf(result: MeasurementResult, revision: string) {
  const reading = result.kind === 'measurement' ? result.measurement.readings.errors : undefined;
  return reading?.kind === 'samples' ? reading.byRevision[revision] : null;
}

describe('Prometheus as a source of measurements', () => {
  test('counts are the steps between raw samples in the window, by version', async () => {
    const result = await measure(
      both([
        [T - 11, '7'],
        [T - 6, '9'],
        [T - 1, '10'],
      ]),
    );
    assert.deepEqual(sampleOf(result, 'a'), { kind: 'proportion', total: 90, bad: 0 });
    assert.deepEqual(sampleOf(result, 'b'), { kind: 'proportion', total: 3, bad: 3 });
  });

  test('a proxy’s series that was not there before the window counts from 0', async () => {
    const result = await measure(
      matrix([
        series({ service: 'shop-web-http-80@kubernetesgateway', code: '200' }, [
          [T - 11, '100'],
          [T - 1, '190'],
        ]),
        series({ service: 'shop-web-canary-http-80@kubernetesgateway', code: '200' }, [
          [T - 6, '4'],
          [T - 1, '5'],
        ]),
        series({ service: 'shop-web-api-http-80@kubernetesgateway', code: '200' }, [
          [T - 11, '0'],
          [T - 1, '999'],
        ]),
      ]),
      { counters: { kind: 'traefik' } },
    );
    assert.deepEqual(sampleOf(result, 'a'), { kind: 'proportion', total: 90, bad: 0 });
    assert.deepEqual(sampleOf(result, 'b'), { kind: 'proportion', total: 5, bad: 0 });
    assert.deepEqual(result.kind === 'measurement' ? result.measurement.drawn : null, { a: 90, b: 5 });
  });

  const outcomes: readonly (readonly [title: string, body: unknown, status: number, kind: string, words: RegExp])[] = [
    ['row 46: NaN', both([[T - 6, 'NaN']]), 200, 'error', /NaN/],
    ['row 48: infinity', both([[T - 6, '+Inf']]), 200, 'error', /no count/],
    ['row 46: a negative count', both([[T - 6, '-1']]), 200, 'error', /no count/],
    ['row 36: an empty answer', matrix([]), 200, 'none', /./],
    [
      'row 47: a scalar instead of samples',
      { status: 'success', data: { resultType: 'scalar', result: [T, '1'] } },
      200,
      'error',
      /scalar/,
    ],
    ['a vector', { status: 'success', data: { resultType: 'vector', result: [] } }, 200, 'error', /vector/],
    ['a warning', { ...matrix([]), warnings: ['partial response'] }, 200, 'error', /partial response/],
    [
      'row 37: nothing newer than the window’s start',
      matrix([series({ pod: 'web-1', code: '200' }, [[T - 11, '1']])]),
      200,
      'none',
      /./,
    ],
    [
      'a pod that was not scraped',
      both([
        [T - 40, '1'],
        [T - 30, '2'],
      ]),
      200,
      'error',
      /web-canary-1 was not scraped for 30 s/,
    ],
    [
      'row 50: a series of an unknown pod',
      matrix([
        series({ pod: 'other', code: '200' }, [
          [T - 11, '1'],
          [T - 1, '5'],
        ]),
      ]),
      200,
      'measurement',
      /./,
    ],
    [
      'a series that names no pod',
      matrix([
        series({ code: '200' }, [
          [T - 11, '1'],
          [T - 1, '5'],
        ]),
      ]),
      200,
      'error',
      /label pod/,
    ],
    ['row 72: status 500', { status: 'error', error: 'not ready' }, 500, 'error', /500: not ready/],
    ['unauthorised', 'no', 401, 'error', /401/],
    ['a redirect', '', 302, 'error', /302/],
    ['what is not JSON', '<html>', 200, 'error', /not JSON/],
    ['null', 'null', 200, 'error', /did not succeed/],
  ];
  for (const [title, body, status, kind, words] of outcomes) {
    test(`${title} is ${kind === 'measurement' ? 'counted for nobody' : kind}, and decides nothing`, async () => {
      const result = await measure(body, { status });
      assert.equal(result.kind, kind, JSON.stringify(result));
      if (result.kind === 'error') assert.match(result.message, words);
      assert.equal(sampleOf(result, 'b') ?? null, null);
    });
  }

  test('row 34: a server that is not there is an error', async () => {
    const metrics = new PrometheusMetrics({
      clock: { now: () => ({ monotonicMs: 0, wallTime: new Date(NOW_MS).toISOString() }) } as unknown as Clock,
      readSecret: async () => null,
      podsOf: () => ({ namespace: 'shop', stable: 'a', canary: 'b', byRevision: {} }),
    });
    const policy = policyAt('http://127.0.0.1:1', PODS);
    const result = await metrics.measure({
      policy,
      stable: 'a',
      canary: 'b',
      checks: [errors],
      cursor: '{"atMs":1,"ends":{}}',
    });
    assert.match(result.kind === 'error' ? result.message : '', /did not answer/);
  });
});

describe('growth of a counter', () => {
  test('over many windows together is what was counted, whatever the windows and the new starts', () => {
    const step = fc.record({
      passedMs: fc.integer({ min: 1, max: 9_000 }),
      counted: fc.nat(50),
      restarts: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 20 }),
        (steps, cuts) => {
          let [atMs, value, total] = [0, 0, 0];
          const samples: [number, number][] = [[0, 0]];
          for (const { passedMs, counted, restarts } of steps) {
            atMs += passedMs;
            value = restarts ? counted : value + counted;
            // A new start that has counted as much as before cannot be told from none.
            const last = samples.at(-1)?.[1] ?? 0;
            if (restarts && value >= last) value = last + counted;
            total += counted;
            samples.push([atMs, value]);
          }
          const series: Series = { labels: {}, samples };
          let [fromMs, sum] = [0, 0];
          for (const cut of [...cuts, atMs + 1]) {
            const toMs = Math.max(fromMs, Math.min(atMs + 1, fromMs + cut));
            sum += growth(series, fromMs, toMs, false);
            fromMs = toMs;
          }
          sum += growth(series, fromMs, atMs + 1, false);
          assert.equal(sum, total);
        },
      ),
    );
  });
});

describe('selectors', () => {
  test('no value can change what is asked: it stays inside its string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const inner = /^"((?:[^"\\\n]|\\.)*)"$/s.exec(quoted(value))?.[1];
        assert.ok(inner !== undefined, quoted(value));
        const values = { namespace: value, pods: [value], service: value, canaryService: value };
        const asked = filled('total{namespace="$namespace",pod=~"$pods",other="$nothing"}', values);
        assert.equal(asked.replace(/"(?:[^"\\]|\\.)*"/gs, '""'), 'total{namespace="",pod=~"",other=""}');
        const { requests } = selectorsOf(PODS, values);
        assert.equal(requests.replace(/"(?:[^"\\]|\\.)*"/gs, '""'), 'http_requests_total{namespace="",pod=~""}');
      }),
    );
  });

  test('a pattern matches its names and no other', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), fc.string(), (names, other) => {
        const pattern = new RegExp(`^(?:${anyOf(names)})$`, 's');
        for (const name of names) assert.ok(pattern.test(name));
        if (!names.includes(other)) assert.ok(!pattern.test(other));
      }),
    );
  });

  test('proxies’ names of Services are told apart to the end', () => {
    const isStable = (name: string) => new RegExp(`^(?:${serviceName('traefik', 'shop', 'web')})$`).test(name);
    assert.ok(isStable('shop-web-http-80@kubernetesgateway'));
    assert.ok(isStable('shop-web-80@kubernetescrd'));
    assert.ok(!isStable('shop-web-api-http-80@kubernetesgateway'));
    assert.ok(!isStable('shop-web-canary-http-80@kubernetesgateway'));
  });
});
