// Pods that are asked themselves, over real HTTP: those that do not serve, answers that are none, new starts, and T10 for them.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { describe, test } from 'node:test';
import { PodScrapeMetrics } from '../../src/adapters/metrics/pods.ts';
import type { PodsOfVersion, SeenPod } from '../../src/cluster/pods.ts';
import type { Measurement, MeasurementResult } from '../../src/core/model/measurement.ts';
import type { MetricsFrom } from '../../src/core/model/policy.ts';
import { VirtualClock } from '../../src/ports/doubles/index.ts';
import { CANARY, CHECKS, check, measuredBy, PODS, STABLE } from './shop.ts';

const ALL = [
  ...CHECKS,
  check('restarts', { kind: 'count', event: 'restarts' }),
  check('kills', { kind: 'count', event: 'oomKills' }),
];
const METRICS: MetricsFrom = { kind: 'pods', port: null, path: '/metrics', counters: PODS, timeoutMs: 300 };

interface Answer {
  readonly status?: number;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly hangs?: true;
}

class Shop {
  readonly clock = new VirtualClock();
  readonly source: PodScrapeMetrics;
  readonly pods = new Map<string, { -readonly [K in keyof SeenPod]: SeenPod[K] }>();
  readonly answers = new Map<string, Answer>();
  readonly #servers: Server[] = [];
  cursor: string | null = null;

  constructor() {
    this.source = new PodScrapeMetrics({ clock: this.clock, podsOf: () => this.podsOf() });
  }

  nowMs(): number {
    return Date.parse(this.clock.now().wallTime);
  }

  async start(name: string): Promise<void> {
    const server = createServer((_, response) => {
      const { status = 200, text = '', headers = {}, hangs } = this.answers.get(name) ?? {};
      if (hangs === undefined) response.writeHead(status, headers).end(text);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const metricsPort = typeof address === 'object' ? (address?.port ?? null) : null;
    const startedAtMs = this.nowMs();
    this.pods.set(name, {
      ...{ name, uid: name, address: '127.0.0.1', startedAtMs, isReady: true },
      ...{ restarts: 0, oomKills: 0, metricsPort },
    });
  }

  pod(name: string) {
    const found = this.pods.get(name);
    return found ?? assert.fail(name);
  }

  podsOf(): PodsOfVersion {
    const of = (isCanary: boolean) =>
      [...this.pods.values()].filter(({ name }) => name.includes('canary') === isCanary);
    return {
      namespace: 'shop',
      stable: STABLE,
      canary: CANARY,
      byRevision: { [STABLE]: of(false), [CANARY]: of(true) },
    };
  }

  async result(): Promise<MeasurementResult> {
    await this.clock.advance(5_000);
    const query = { policy: measuredBy(METRICS), stable: STABLE, canary: CANARY, checks: ALL };
    return this.source.measure({ ...query, cursor: this.cursor });
  }

  async next(): Promise<Measurement> {
    const result = await this.result();
    if (result.kind !== 'measurement') throw new Error(JSON.stringify(result));
    this.cursor = result.measurement.cursor;
    return result.measurement;
  }

  async end(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

const requests = (good: number, bad = 0, more = '') =>
  `http_requests_total{code="200"} ${good}\nhttp_requests_total{code="503"} ${bad}\n${more}`;

function trial(title: string, body: (shop: Shop) => Promise<void>): void {
  test(title, async () => {
    const shop = new Shop();
    try {
      await shop.start('web-1');
      await shop.start('web-canary-1');
      shop.answers.set('web-1', { text: requests(100) });
      shop.answers.set('web-canary-1', { text: requests(50, 5) });
      await shop.next();
      await body(shop);
    } finally {
      await shop.end();
    }
  });
}

function counted({ readings }: Measurement, name = 'errors'): readonly (number | undefined)[] {
  const reading = readings[name];
  const sample = reading?.kind === 'samples' ? reading.byRevision[CANARY] : undefined;
  if (sample?.kind === 'proportion') return [sample.total, sample.bad];
  return sample?.kind === 'count' ? [sample.events] : [];
}

describe('pods that are asked themselves', () => {
  trial('one that does not serve need not answer, and what it counted meanwhile is not lost', async (shop) => {
    shop.pod('web-canary-1').isReady = false;
    shop.answers.set('web-canary-1', { status: 503 });
    await shop.next();
    await shop.next();
    shop.pod('web-canary-1').isReady = true;
    shop.answers.set('web-canary-1', { text: requests(57, 6) });
    assert.deepEqual(counted(await shop.next()), [8, 1]);
  });

  trial('one that does not serve any more is counted while it still answers', async (shop) => {
    shop.pod('web-canary-1').isReady = false;
    shop.answers.set('web-canary-1', { text: requests(52, 6) });
    assert.deepEqual(counted(await shop.next()), [3, 1]);
  });

  trial('one that crashes again and again has its restarts and kills counted, each once', async (shop) => {
    Object.assign(shop.pod('web-canary-1'), { isReady: false, restarts: 3, oomKills: 1 });
    shop.answers.set('web-canary-1', { status: 500 });
    const first = await shop.next();
    assert.deepEqual([counted(first, 'restarts'), counted(first, 'kills')], [[3], [1]]);
    const second = await shop.next();
    assert.deepEqual([counted(second, 'restarts'), counted(second, 'kills')], [[0], [0]]);
  });

  trial('a new start is seen by a counter that fell or went, and by the birth of the process', async (shop) => {
    const born = (at: number) => `process_start_time_seconds ${at}\n`;
    shop.answers.set('web-canary-1', { text: requests(60, 5, born(1.5)) });
    assert.deepEqual(counted(await shop.next()), [10, 0]);
    shop.answers.set('web-canary-1', { text: requests(70, 6, born(2.5)) });
    assert.deepEqual(counted(await shop.next()), [76, 6]);
    shop.answers.set('web-canary-1', { text: `http_requests_total{code="200"} 80\n${born(2.5)}` });
    assert.deepEqual(counted(await shop.next()), [80, 0]);
  });
});

describe('T10: what a pod may say that is no evidence', () => {
  const answers: Readonly<Record<string, Answer>> = {
    'row 46: NaN': { text: requests(Number.NaN) },
    'row 48: +Inf': { text: 'http_requests_total{code="200"} +Inf\n' },
    'row 46: -Inf': { text: 'http_requests_total{code="200"} -Inf\n' },
    'a negative count': { text: requests(-1) },
    'a part of a request': { text: requests(0.5) },
    'row 47: a series twice': { text: requests(60).repeat(2) },
    'no status': { text: 'http_requests_total 5\n' },
    'a status nobody can read': { text: 'http_requests_total{code="fine"} 5\n' },
    'a bucket without an end': { text: `${requests(60)}http_request_duration_seconds_bucket 5\n` },
    HTML: { text: '<html>\n' },
    'half of a line': { text: 'http_requests_total{code="200' },
    'status 500': { status: 500, text: requests(60) },
    'status 401': { status: 401, text: requests(60) },
    'a redirect': { status: 302, headers: { location: '/other' } },
    'no content': { status: 204 },
    'row 34: no answer in time': { hangs: true },
  };
  for (const [title, answer] of Object.entries(answers)) {
    trial(`${title} is an error with the pod's name, counts nothing, and costs nothing`, async (shop) => {
      shop.answers.set('web-canary-1', answer);
      const result = await shop.result();
      assert.match(
        result.kind === 'error' ? result.message : JSON.stringify(result),
        /^pod web-canary-1 cannot be asked: http/,
      );
      shop.answers.set('web-canary-1', { text: requests(55, 7) });
      assert.deepEqual(counted(await shop.next()), [7, 2]);
    });
  }

  trial('row 36: no such counter is 0 of no requests, and what comes later is counted', async (shop) => {
    shop.answers.set('web-canary-1', { text: '# nothing\n' });
    const measurement = await shop.next();
    assert.deepEqual(counted(measurement), [0, 0]);
    shop.answers.set('web-canary-1', { text: requests(3) });
    assert.deepEqual(counted(await shop.next()), [3, 0]);
  });
});
