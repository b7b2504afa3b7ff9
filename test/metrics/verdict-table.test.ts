// T10: whatever a source of counts may say instead of counts, times whose counters are read, times how the new version really
// is: nothing is promoted and nothing is taken back by it. Each row is answered by a server over HTTP, read by the source, and
// decided upon by the shipped decide().
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PrometheusMetrics } from '../../src/adapters/metrics/prometheus.ts';
import type { MeasurementResult } from '../../src/core/model/measurement.ts';
import type { CounterSet } from '../../src/core/model/policy.ts';
import { VirtualClock } from '../../src/ports/doubles/index.ts';
import { policy as enginePolicy, stableWorld, version } from '../engine/world.ts';
import { type FakeAnswer, FakePrometheus } from './fake-prometheus.ts';
import { access, byPrometheus, CANARY, CHECKS, measuredBy, PODS, QUERIES, Shop, STABLE } from './shop.ts';

interface Matrix {
  data: { result: { metric: Record<string, string>; values: [number, unknown][] }[] };
}
type Tamper = (body: string) => FakeAnswer;

const isCanary = (metric: Record<string, string>) => JSON.stringify(metric).includes('canary');
const ok = (answer: unknown): FakeAnswer => ({ status: 200, text: JSON.stringify(answer) });

function changed(change: (series: Matrix['data']['result']) => Matrix['data']['result']): Tamper {
  return (body) => {
    const answer = JSON.parse(body) as Matrix;
    return ok({ ...answer, data: { ...answer.data, result: change(answer.data.result) } });
  };
}

/** The newest value of the canary's counters. */
const newest = (value: unknown) =>
  changed((series) =>
    series.map(({ metric, values }) => {
      const isTold = isCanary(metric) && metric.__name__ !== 'up';
      return { metric, values: values.map(([at, was], i) => [at, isTold && i === values.length - 1 ? value : was]) };
    }),
  );
const relabelled = (change: (metric: Record<string, string>) => Record<string, string>) =>
  changed((series) =>
    series.map(({ metric, values }) => ({ metric: metric.__name__ === 'up' ? metric : change(metric), values })),
  );
const status = (code: number, text = '{"status":"error","error":"no"}', headers = {}): Tamper => {
  return () => ({ status: code, text, headers });
};
const success =
  (data: unknown, more = {}) =>
  () =>
    ok({ status: 'success', data, ...more });

const OUTCOMES: Readonly<Record<string, Tamper>> = {
  'row 46: NaN': newest('NaN'),
  'row 48: +Inf': newest('+Inf'),
  'row 46: -Inf': newest('-Inf'),
  'row 46: null': newest(null),
  'an empty text': newest(''),
  'a number that is no text': newest(7),
  'a word': newest('many'),
  'a negative count': newest('-1'),
  'a part of a request': newest('0.5'),
  'more than can be counted': newest('1e300'),
  'row 36: an empty answer': changed(() => []),
  'row 49: nothing of either version, only of others': relabelled((metric) => ({
    ...metric,
    pod: 'other',
    service: 'other',
  })),
  'row 47: every series twice': changed((series) => [
    ...series,
    ...series.map(({ metric, values }) => ({ metric: { ...metric, job: 'again' }, values })),
  ]),
  'row 37: late, nothing newer than a minute': changed((series) =>
    series.map(({ metric, values }) => ({
      metric,
      values: values.filter(([at]) => at < (values.at(-1)?.[0] ?? 0) - 60),
    })),
  ),
  'row 34: a scrape that fails': changed((series) =>
    series.map(({ metric, values }) =>
      metric.__name__ === 'up'
        ? { metric, values: values.map(([at]) => [at, '0']) }
        : { metric, values: values.slice(0, -4) },
    ),
  ),
  'a part, with a warning': (body) => ok({ ...(JSON.parse(body) as object), warnings: ['a store did not answer'] }),
  'no label that tells the version': relabelled(({ pod: _, service: __, ...metric }) => metric),
  'no status': relabelled(({ code: _, ...metric }) => metric),
  'a status nobody can read': relabelled(({ code: _, ...metric }) => ({ ...metric, code: 'fine' })),
  'an instant vector': success({ resultType: 'vector', result: [{ metric: {}, value: [1, '1'] }] }),
  'a scalar': success({ resultType: 'scalar', result: [1, '1'] }),
  'native histograms': changed((series) => series.map(({ metric }) => ({ metric, histograms: [] }) as never)),
  'series without labels': changed((series) => series.map(({ values }) => ({ values }) as never)),
  'no data': success(undefined),
  'an error with status 200': () => ok({ status: 'error', error: 'query timed out' }),
  'row 72: status 503': status(503, 'Service Unavailable'),
  'status 500': status(500),
  'status 400': status(400),
  'status 422': status(422),
  'status 429': status(429, 'slow down'),
  'status 401': status(401, 'no'),
  'status 403': status(403, 'no'),
  'a redirect': status(302, '', { location: 'http://127.0.0.1:1/' }),
  'no content': status(204, ''),
  HTML: status(200, '<html>login</html>'),
  'half of an answer': (body) => ({ status: 200, text: body.slice(0, -20) }),
  'an answer that breaks off': (body) => ({
    status: 200,
    text: body.slice(0, -20),
    headers: { 'content-length': '999999' },
  }),
  'JSON null': status(200, 'null'),
  'a JSON list': status(200, '[]'),
  'a JSON text': status(200, '"yes"'),
  'row 34: no server': status(200),
};

const COUNTERS: readonly CounterSet[] = [PODS, { kind: 'traefik' }, QUERIES];
/** Where these are told, an answer of this kind is a right one. */
const FITTING: readonly string[] = [
  'queries no status',
  'queries a status nobody can read',
  'queries no label that tells the version',
];

/** What the source says of four windows. */
async function saidOf(title: string, counters: CounterSet, isBad: boolean): Promise<readonly MeasurementResult[]> {
  const fake = await new FakePrometheus().start();
  const here = new Shop(fake, new VirtualClock());
  const policy = measuredBy(byPrometheus(access(fake.address), counters, 400));
  const source = new PrometheusMetrics({
    clock: here.clock,
    podsOf: () => here.podsOf(),
    readSecret: async () => null,
  });
  const serve = () => {
    for (const pod of here.pods) {
      const bad = isBad && pod.revision === CANARY ? 40 : 0;
      pod.serve({ good: 100 - bad, bad });
      const service = `shop-${pod.revision === STABLE ? 'web' : 'web-canary'}-http-80@kubernetesgateway`;
      here.proxy.add('traefik_service_requests_total', { service, code: '200' }, 100 - bad);
      here.proxy.add('traefik_service_requests_total', { service, code: '500' }, bad);
    }
  };
  for (let i = 0; i < 12; i++) {
    serve();
    await here.scrapes();
  }
  const query = { policy, stable: STABLE, canary: CANARY, checks: CHECKS };
  const opening = await source.measure({ ...query, cursor: null });
  assert.ok(opening.kind === 'measurement');
  if (title.endsWith('no server')) await fake.stop();
  fake.tamper = OUTCOMES[title] ?? fake.tamper;
  let { cursor } = opening.measurement;
  const said: MeasurementResult[] = [];
  for (let i = 0; i < 4; i++) {
    serve();
    await here.scrapes();
    const result = await source.measure({ ...query, cursor });
    said.push(result);
    if (result.kind === 'measurement') cursor = result.measurement.cursor;
  }
  await source.close();
  if (!title.endsWith('no server')) await fake.stop();
  return said;
}

/** Minutes of a release that hears nothing else. Shares are not its matter. */
function decidedBy(said: readonly MeasurementResult[], minutes = 3): string | null {
  const world = stableWorld(enginePolicy({ checks: CHECKS.slice(0, 1) }));
  world.declared = version('v2');
  let heard = 0;
  Object.assign(world, {
    measure: (isOpening: boolean) => {
      if (isOpening)
        return { kind: 'measurement', measurement: { spanMs: 0, readings: {}, requests: {}, users: {}, cursor: 'c' } };
      const text = JSON.stringify({ ...said[heard++ % said.length] }, (key, value) =>
        key === 'drawn' ? undefined : value,
      );
      return JSON.parse(text.replaceAll(STABLE, 'rev-v1').replaceAll(CANARY, 'rev-v2')) as MeasurementResult;
    },
  });
  world.runFor(minutes * 60_000);
  return world.outcome?.kind ?? null;
}

async function isNoEvidence(title: string, counters: CounterSet, isBad: boolean): Promise<void> {
  const said = await saidOf(title, counters, isBad);
  for (const result of said) {
    if (result.kind === 'error') assert.match(result.message, /^Prometheus at 127\.0\.0\.1:\d+: ./s);
    const reading = result.kind === 'measurement' ? result.measurement.readings.errors : undefined;
    const sample = reading?.kind === 'samples' ? reading.byRevision[CANARY] : undefined;
    assert.ok(sample === undefined, `${title}: ${JSON.stringify(result)}`);
  }
  if (isBad) assert.equal(decidedBy(said), null, JSON.stringify(said[0]));
}

const ROWS = COUNTERS.flatMap((counters) =>
  Object.keys(OUTCOMES).flatMap((title) =>
    FITTING.includes(`${counters.kind} ${title}`) ? [] : [{ counters, title }],
  ),
);

describe('T10: what is no evidence', () => {
  for (const { counters, title } of ROWS) {
    test(`${title} (${counters.kind}) promotes nothing and takes nothing back`, async () => {
      await isNoEvidence(title, counters, false);
      await isNoEvidence(title, counters, true);
    });
  }

  test('and as a control, what is evidence takes the bad version back and promotes the good one', async () => {
    for (const counters of COUNTERS) {
      assert.equal(decidedBy(await saidOf('as it is', counters, true)), 'aborted', counters.kind);
      assert.equal(decidedBy(await saidOf('as it is', counters, false), 60), 'promoted', counters.kind);
    }
  });
});
