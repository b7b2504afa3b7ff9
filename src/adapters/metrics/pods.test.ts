import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PodsOfVersion } from '../../cluster/pods.ts';
import type { Check } from '../../core/model/check.ts';
import type { Measurement } from '../../core/model/measurement.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Clock } from '../../ports/clock.ts';
import { PodScrapeMetrics } from './pods.ts';

const check = (name: string, metric: Check['metric']) => ({ name, metric, rule: null }) as unknown as Check;
const checks = [
  check('errors', { kind: 'errors' }),
  check('latency', { kind: 'latency', quantile: 0.99 }),
  check('restarts', { kind: 'count', event: 'restarts' }),
];
const policy = {
  name: 'shop/web',
  checks,
  errors: { statusClasses: ['5xx'], statusCodes: [429] },
  metrics: {
    kind: 'pods',
    port: 8080,
    path: '/metrics',
    timeoutMs: 1_000,
    counters: { kind: 'pods', requests: 'http_requests_total', statusLabel: 'code', latency: 'took' },
  },
} as unknown as ReleasePolicy;

/** Two versions with one pod each; tests count on them. */
class Shop {
  nowMs = 1_000_000;
  readonly pods = new Map<
    string,
    { revision: string; ok: number; bad: number; startedAtMs: number; restarts: number }
  >();
  down: string | null = null;

  constructor() {
    for (const revision of ['a', 'b']) this.start(`pod-${revision}`, revision);
  }

  start(name: string, revision: string): void {
    this.pods.set(name, { revision, ok: 0, bad: 0, startedAtMs: this.nowMs, restarts: 0 });
  }

  count(name: string, ok: number, bad = 0): void {
    const pod = this.pods.get(name);
    if (pod === undefined) throw new Error(name);
    pod.ok += ok;
    pod.bad += bad;
  }

  source(): PodScrapeMetrics {
    const clock = { now: () => ({ wallTime: new Date(this.nowMs).toISOString() }) } as unknown as Clock;
    return new PodScrapeMetrics({ clock, podsOf: () => this.podsOf(), read: async (url) => this.read(url) });
  }

  private podsOf(): PodsOfVersion {
    const byRevision: Record<string, PodsOfVersion['byRevision'][string][number][]> = { a: [], b: [] };
    for (const [name, { revision, startedAtMs, restarts }] of this.pods) {
      byRevision[revision]?.push({
        name,
        address: name,
        uid: name,
        startedAtMs,
        isReady: true,
        restarts,
        oomKills: 0,
        metricsPort: null,
      });
    }
    return { namespace: 'shop', stable: 'a', canary: 'b', byRevision };
  }

  private read(url: string): string {
    const name = new URL(url).hostname;
    const pod = this.pods.get(name);
    if (pod === undefined || this.down === name) throw new Error('connection refused');
    const total = pod.ok + pod.bad;
    return [
      '# TYPE http_requests_total counter',
      `http_requests_total{code="200"} ${pod.ok}`,
      `http_requests_total{code="503",path="a \\"quoted\\" one"} ${pod.bad}`,
      `took_bucket{le="0.1"} ${pod.ok}`,
      `took_bucket{le="+Inf"} ${total}`,
      `took_sum 1`,
    ].join('\n');
  }
}

async function look(shop: Shop, cursor: string | null): Promise<Measurement> {
  shop.nowMs += 5_000;
  const result = await shop.source().measure({ policy, stable: 'a', canary: 'b', checks, cursor });
  if (result.kind !== 'measurement') throw new Error('no measurement');
  return result.measurement;
}

function counts(measurement: Measurement, revision: string) {
  const reading = measurement.readings.errors;
  const sample = reading?.kind === 'samples' ? reading.byRevision[revision] : undefined;
  return sample?.kind === 'proportion' ? [sample.total, sample.bad] : null;
}

describe('pods as a source of measurements', () => {
  test('row 50: each window holds what was counted since the one before, per version, once', async () => {
    const shop = new Shop();
    shop.count('pod-a', 1_000, 3);
    const opening = await look(shop, null);
    assert.deepEqual(opening.readings, {});
    shop.count('pod-a', 10, 1);
    shop.count('pod-b', 4, 2);
    const first = await look(shop, opening.cursor);
    assert.deepEqual(
      [counts(first, 'a'), counts(first, 'b')],
      [
        [11, 1],
        [6, 2],
      ],
    );
    const second = await look(shop, first.cursor);
    assert.deepEqual(
      [counts(second, 'a'), counts(second, 'b')],
      [
        [0, 0],
        [0, 0],
      ],
    );
    assert.equal(second.spanMs, 5_000);
  });

  test('whoever goes on from the same cursor sees the same or more, never less', async () => {
    const shop = new Shop();
    const opening = await look(shop, null);
    shop.count('pod-b', 5);
    const one = await look(shop, opening.cursor);
    shop.count('pod-b', 2);
    const other = await look(shop, opening.cursor);
    assert.deepEqual(
      [counts(one, 'b'), counts(other, 'b')],
      [
        [5, 0],
        [7, 0],
      ],
    );
  });

  test('a process that started anew counts from 0, and a pod that came in the window counts all of it', async () => {
    const shop = new Shop();
    shop.count('pod-a', 100);
    const opening = await look(shop, null);
    const restarted = shop.pods.get('pod-a');
    if (restarted !== undefined) Object.assign(restarted, { ok: 7, bad: 1, restarts: 1 });
    shop.start('pod-new', 'b');
    shop.count('pod-new', 3);
    const next = await look(shop, opening.cursor);
    assert.deepEqual(
      [counts(next, 'a'), counts(next, 'b')],
      [
        [8, 1],
        [3, 0],
      ],
    );
    const restarts = next.readings.restarts;
    assert.deepEqual(restarts?.kind === 'samples' ? restarts.byRevision.a : null, {
      kind: 'count',
      events: 1,
      seconds: 5,
    });
  });

  test('row 34: a pod that serves and does not answer is an error, and nothing of it is lost', async () => {
    const shop = new Shop();
    const opening = await look(shop, null);
    shop.count('pod-b', 5);
    shop.down = 'pod-b';
    const result = await shop.source().measure({ policy, stable: 'a', canary: 'b', checks, cursor: opening.cursor });
    assert.equal(result.kind, 'error');
    assert.match(result.kind === 'error' ? result.message : '', /pod-b/);
    shop.down = null;
    assert.deepEqual(counts(await look(shop, opening.cursor), 'b'), [5, 0]);
  });

  test('row 46: what is no count is an error with its name', async () => {
    for (const value of ['NaN', '+Inf', '-1']) {
      const shop = new Shop();
      const source = new PodScrapeMetrics({
        clock: { now: () => ({ wallTime: '2026-01-01T00:00:00Z' }) } as unknown as Clock,
        podsOf: () => ({
          namespace: 'shop',
          stable: 'a',
          canary: 'b',
          byRevision: {
            a: [
              {
                name: 'p',
                address: 'p',
                uid: 'p',
                startedAtMs: 0,
                isReady: true,
                restarts: 0,
                oomKills: 0,
                metricsPort: null,
              },
            ],
          },
        }),
        read: async () => `http_requests_total{code="200"} ${value}`,
      });
      const result = await source.measure({ policy, stable: 'a', canary: 'b', checks, cursor: '{"atMs":1,"pods":{}}' });
      assert.equal(result.kind, 'error', value);
      assert.equal(shop.pods.size, 2);
    }
  });

  test('latency comes in the exporter’s own buckets, each request once', async () => {
    const shop = new Shop();
    const opening = await look(shop, null);
    shop.count('pod-b', 9, 1);
    const { readings } = await look(shop, opening.cursor);
    const sample = readings.latency?.kind === 'samples' ? readings.latency.byRevision.b : null;
    assert.deepEqual(sample, {
      kind: 'latency',
      counts: [
        [0, 9],
        [1, 1],
      ],
      boundaries: [0.1, Number.POSITIVE_INFINITY],
    });
  });
});
