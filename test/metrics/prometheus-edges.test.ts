// What a source of counts does at the edges: pods that come and go, scrapes that fail, names that are told twice.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PrometheusMetrics } from '../../src/adapters/metrics/prometheus.ts';
import type { Measurement, MeasurementResult } from '../../src/core/model/measurement.ts';
import type { CounterSet, MetricsFrom, ReleasePolicy } from '../../src/core/model/policy.ts';
import { VirtualClock } from '../../src/ports/doubles/index.ts';
import { FakePrometheus, FakeTarget } from './fake-prometheus.ts';
import { access, byPrometheus, CANARY, CHECKS, check, measuredBy, PODS, QUERIES, Shop, STABLE } from './shop.ts';

const RESTARTS = check('restarts', { kind: 'count', event: 'restarts' });
const KILLS = check('kills', { kind: 'count', event: 'oomKills' });
const ALL = [...CHECKS, RESTARTS, KILLS];
const TRAEFIK: CounterSet = { kind: 'traefik' };

class Under {
  readonly here: Shop;
  readonly fake: FakePrometheus;
  readonly source: PrometheusMetrics;
  metrics: MetricsFrom;
  more: Partial<ReleasePolicy> = {};
  cursor: string | null = null;

  constructor(fake: FakePrometheus, counters: CounterSet) {
    this.fake = fake;
    this.here = new Shop(fake, new VirtualClock());
    this.metrics = byPrometheus(access(fake.address), counters);
    const podsOf = async () => this.here.podsOf();
    this.source = new PrometheusMetrics({ clock: this.here.clock, podsOf, readSecret: async () => null });
  }

  get query() {
    return { policy: measuredBy(this.metrics, this.more), stable: STABLE, canary: CANARY, checks: ALL };
  }

  serve(good = 10, bad = 0): void {
    for (const pod of this.here.pods) pod.serve({ good, bad });
  }

  route(service: string, good: number, bad = 0): void {
    const name = `shop-${service}-http-80@kubernetesgateway`;
    this.here.proxy.add('traefik_service_requests_total', { service: name, code: '200' }, good);
    this.here.proxy.add('traefik_service_requests_total', { service: name, code: '503' }, bad);
  }

  async result(): Promise<MeasurementResult> {
    return this.source.measure({ ...this.query, cursor: this.cursor });
  }

  /** Goes on from where it was. */
  async next(): Promise<Measurement> {
    const result = await this.result();
    if (result.kind !== 'measurement') throw new Error(JSON.stringify(result));
    this.cursor = result.measurement.cursor;
    return result.measurement;
  }

  async error(): Promise<string> {
    const result = await this.result();
    return result.kind === 'error' ? result.message : assert.fail(JSON.stringify(result).slice(0, 600));
  }
}

function trial(title: string, body: (under: Under) => Promise<void>, counters: CounterSet = PODS): void {
  test(title, async () => {
    const fake = await new FakePrometheus().start();
    const under = new Under(fake, counters);
    try {
      under.serve(100);
      await under.here.scrapes(10);
      await under.next();
      await body(under);
    } finally {
      await under.source.close();
      await fake.stop();
    }
  });
}

function counted({ readings }: Measurement, revision: string, name = 'errors'): readonly (number | undefined)[] {
  const reading = readings[name];
  const sample = reading?.kind === 'samples' ? reading.byRevision[revision] : undefined;
  if (sample?.kind === 'proportion') return [sample.total, sample.bad];
  return sample?.kind === 'count' ? [sample.events] : [];
}

describe('pods that come and go', () => {
  trial('a pod that died is counted up to its last scrape, also after it is gone', async (under) => {
    const pod = under.here.pod('web-canary-1');
    pod.serve({ good: 5, bad: 2 });
    await under.here.scrapes();
    under.here.end(pod);
    await under.here.scrapes();
    assert.deepEqual(counted(await under.next(), CANARY), [7, 2]);
    under.serve();
    await under.here.scrapes(8);
    assert.deepEqual(counted(await under.next(), STABLE), [30, 0]);
    assert.ok(!under.cursor?.includes('web-canary-1'), 'it is forgotten');
  });

  trial(
    'a pod that came after counting began counts from 0, also if it was scraped long after its start',
    async (under) => {
      const pod = under.here.start('web-canary-2', CANARY);
      under.fake.targets.delete(pod.target);
      pod.serve({ good: 4, bad: 1 });
      under.serve(1);
      await under.here.scrapes(4);
      assert.deepEqual(counted(await under.next(), STABLE), [3, 0]);
      under.fake.targets.add(pod.target);
      pod.serve({ good: 4, bad: 0 });
      await under.here.scrapes();
      assert.deepEqual(counted(await under.next(), CANARY), [10, 1]);
    },
  );

  trial('a pod that was there before and is scraped for the first time only opens', async (under) => {
    const pod = under.here.start('web-4', STABLE, under.here.nowMs() - 400_000);
    pod.serve({ good: 1_000, bad: 0 });
    await under.here.scrapes();
    assert.deepEqual(counted(await under.next(), STABLE), [0, 0]);
    pod.serve({ good: 3, bad: 0 });
    await under.here.scrapes();
    assert.deepEqual(counted(await under.next(), STABLE), [3, 0]);
  });

  trial('a counter that is there from its first error on counts it', async (under) => {
    under.here.pod('web-canary-1').serve({ good: 0, bad: 1 });
    await under.here.scrapes();
    assert.deepEqual(counted(await under.next(), CANARY), [1, 1]);
  });

  trial(
    'restarts and out-of-memory kills count once each, of pods that never serve, and without a word of Prometheus',
    async (under) => {
      const pod = under.here.pod('web-canary-1');
      Object.assign(pod.seen, { restarts: 1, oomKills: 1, isReady: false });
      pod.target.isUp = false;
      await under.here.scrapes();
      const first = await under.next();
      assert.deepEqual([counted(first, CANARY, 'restarts'), counted(first, CANARY, 'kills')], [[1], [1]]);
      await under.here.scrapes();
      const second = await under.next();
      assert.deepEqual([counted(second, CANARY, 'restarts'), counted(second, CANARY, 'kills')], [[0], [0]]);
      Object.assign(pod.seen, { restarts: 2 });
      await under.here.scrapes();
      assert.deepEqual(counted(await under.next(), CANARY, 'kills'), [1]);
    },
  );
});

describe('scrapes that fail, and what is told twice', () => {
  trial(
    'row 34: a pod that serves and is not scraped is an error with its name; what it counted comes with the next',
    async (under) => {
      const pod = under.here.pod('web-canary-1');
      pod.target.isUp = false;
      under.serve(10);
      await under.here.scrapes(3);
      assert.match(await under.error(), /pod web-canary-1 was not scraped for 15 s, and should be every 5 s/);
      pod.target.isUp = true;
      await under.here.scrapes();
      const measurement = await under.next();
      assert.deepEqual(
        [counted(measurement, STABLE), counted(measurement, CANARY)],
        [
          [30, 0],
          [10, 0],
        ],
      );
    },
  );

  trial('row 36: a pod that nobody scrapes is an error with its name', async (under) => {
    under.here.start('web-canary-9', CANARY, under.here.nowMs() - 400_000);
    under.fake.targets.delete(under.here.pod('web-canary-9').target);
    await under.here.scrapes();
    assert.match(await under.error(), /pod web-canary-9 is not scraped: there is no sample of it/);
  });

  trial('row 37: samples that come later than the lag are not lost', async (under) => {
    under.serve(7);
    await under.here.clock.advance(5_000);
    const atMs = under.here.nowMs();
    assert.equal((await under.result()).kind, 'none');
    await under.here.clock.advance(3_000);
    under.fake.scrape(atMs);
    assert.deepEqual(counted(await under.next(), CANARY), [7, 0]);
  });

  trial('row 47: two jobs that scrape one pod are an error, not twice its requests', async (under) => {
    const { target } = under.here.pod('web-canary-1');
    const again = new FakeTarget({ ...target.labels, job: 'endpoints' });
    under.fake.targets.add(again);
    under.serve(5);
    for (const { name, labels, value } of target.counters.values()) again.add(name, labels, value);
    await under.here.scrapes();
    assert.match(await under.error(), /pod web-canary-1 has 2 series for each counter .*, expected 1/);
  });

  trial('a new start that hides between scrapes far apart is said, and the next window goes on', async (under) => {
    const { target } = under.here.pod('web-canary-1');
    target.isUp = false;
    await under.here.scrapes(5);
    target.restart();
    target.isUp = true;
    under.serve(2);
    await under.here.scrapes();
    const { readings, requests } = await under.next();
    assert.match(
      readings.errors?.kind === 'error' ? readings.errors.message : '',
      /web-canary-1 started anew between scrapes 30 s/,
    );
    assert.equal(requests[CANARY], 2);
    under.serve(3);
    await under.here.scrapes();
    assert.deepEqual(counted(await under.next(), CANARY), [3, 0]);
  });

  trial('one NaN among right values costs nothing', async (under) => {
    under.serve(4);
    await under.here.scrapes();
    const { target } = under.here.pod('web-canary-1');
    under.fake.put({ __name__: 'http_requests_total', ...target.labels, code: '200' }, under.here.nowMs() + 1, 'NaN');
    under.serve(4);
    await under.here.scrapes();
    assert.deepEqual(counted(await under.next(), CANARY), [8, 0]);
  });

  trial('what waited for hours is caught up with hour by hour, and nothing is lost', async (under) => {
    let sum = 0;
    for (let hours = 0; hours < 3; hours++) {
      under.serve(10);
      await under.here.scrapes(600);
    }
    for (let i = 0; i < 4; i++) {
      const result = await under.result();
      if (result.kind !== 'measurement') break;
      under.cursor = result.measurement.cursor;
      sum += result.measurement.requests[CANARY] ?? 0;
    }
    assert.equal(sum, 30);
  });
});

describe('labels that cannot be read', () => {
  trial('row 33: a version without requests has 0 of them, and no error', async (under) => {
    under.here.pod('web-1').serve({ good: 3, bad: 0 });
    await under.here.scrapes();
    const measurement = await under.next();
    assert.deepEqual(
      [counted(measurement, STABLE), counted(measurement, CANARY)],
      [
        [3, 0],
        [0, 0],
      ],
    );
  });

  trial('a status nobody can read is an error, never a request without one', async (under) => {
    under.here.pod('web-canary-1').target.add('http_requests_total', { code: 'ok' }, 5);
    await under.here.scrapes();
    assert.match(
      await under.error(),
      /the label code of http_requests_total\{pod="web-canary-1".*\} is "ok", which is no status/,
    );
  });

  trial(
    'more errors than requests are an error, never all of them',
    async (under) => {
      under.metrics = byPrometheus(access(under.fake.address), { ...QUERIES, bad: 'failed_total{pod=~"$pods"}' });
      under.here.pod('web-canary-1').target.add('failed_total', {}, 50);
      under.serve(4);
      await under.here.scrapes();
      assert.match(await under.error(), /bad requests counted 50, and that of all only 4/);
    },
    QUERIES,
  );

  trial('buckets that are not in order are an error', async (under) => {
    under.here.pod('web-canary-1').target.add('http_request_duration_seconds_bucket', { le: '0.1' }, 50);
    await under.here.scrapes();
    assert.match(await under.error(), /fewer below 1 s than below less/);
  });
});

describe('the counters of a proxy', () => {
  trial(
    'one scrape serves both versions, and what was drawn is told where no rule and no copy sends requests',
    async (under) => {
      under.route('web', 90, 1);
      under.route('web-canary', 10, 2);
      under.route('web-api', 999);
      await under.here.scrapes();
      const measurement = await under.next();
      assert.deepEqual(
        [counted(measurement, STABLE), counted(measurement, CANARY)],
        [
          [91, 1],
          [12, 2],
        ],
      );
      assert.deepEqual(measurement.drawn, { [STABLE]: 91, [CANARY]: 12 });
      under.more = { audience: [{ header: { name: 'x-beta', value: '1' } }] };
      under.route('web', 1);
      await under.here.scrapes();
      assert.equal((await under.next()).drawn, undefined);
    },
    TRAEFIK,
  );

  trial(
    'a second proxy is another target; one that went away is no trouble, one that cannot be scraped is',
    async (under) => {
      under.route('web', 5);
      const other = new FakeTarget({ job: 'traefik', instance: '192.0.2.2:8082' });
      const name = { service: 'shop-web-canary-http-80@kubernetesgateway', code: '200' };
      under.fake.targets.add(other);
      await under.here.scrapes(2);
      other.add('traefik_service_requests_total', name, 4);
      await under.here.scrapes();
      await under.next();
      other.add('traefik_service_requests_total', name, 6);
      under.route('web', 5);
      await under.here.scrapes();
      assert.deepEqual((await under.next()).requests, { [STABLE]: 5, [CANARY]: 6 });
      other.isUp = false;
      await under.here.scrapes(3);
      assert.match(await under.error(), /proxy 192\.0\.2\.2:8082 was not scraped for 15 s.*up is 0/);
      under.fake.targets.delete(other);
      under.route('web', 5);
      await under.here.scrapes(3);
      assert.deepEqual((await under.next()).requests, { [STABLE]: 5, [CANARY]: 0 });
    },
    TRAEFIK,
  );
});

describe('the past', () => {
  trial('row 34: history never throws: it says for each check why there is none', async (under) => {
    under.fake.tamper = () => ({ status: 500, text: '' });
    const { readings } = await under.source.history(under.query);
    for (const { name } of ALL) assert.match(JSON.stringify(readings[name]), /"error".*status 500/, name);
  });

  trial('row 50: history is of stable alone, with the latency of the past hour', async (under) => {
    under.here.pod('web-1').serve({ good: 50, bad: 0, slow: 20 });
    under.here.pod('web-canary-1').serve({ good: 70, bad: 30, slow: 70 });
    await under.here.scrapes(5);
    const { readings } = await under.source.history(under.query);
    const slow = readings.slow?.kind === 'samples' ? readings.slow.byRevision : {};
    assert.deepEqual(Object.keys(slow), [STABLE]);
    const sample = slow[STABLE];
    assert.deepEqual(sample?.kind === 'latency' ? sample.counts.at(-1) : null, [1, 20]);
  });
});
