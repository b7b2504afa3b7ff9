// PrometheusMetrics against a real Prometheus: the sum over all windows is exactly what the pods counted, whatever happens
// to the pods and to Prometheus; and what cannot be known is said, and is never counted twice.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/adapters/clock/system.ts';
import { PrometheusMetrics } from '../../src/adapters/metrics/prometheus.ts';
import type { Measurement, MeasurementResult } from '../../src/core/model/measurement.ts';
import type { MetricsFrom, ReleasePolicy } from '../../src/core/model/policy.ts';
import { CountingPod, noPrometheus, RealPrometheus, SCRAPE_MS } from './real-prometheus.ts';
import { access, CANARY, CHECKS, measuredBy, PODS, STABLE } from './shop.ts';

const server = new RealPrometheus();

/** Two versions under users' requests, and a source that looks again and again. */
class Trial {
  readonly pods: CountingPod[] = [];
  readonly ended: CountingPod[] = [];
  readonly source: PrometheusMetrics;
  readonly results: MeasurementResult[] = [];
  readonly seen: Record<string, { total: number; bad: number; slow: number }> = {};
  cursor: string | null = null;
  #goesOn = true;
  #running: Promise<void>[] = [];

  constructor() {
    const podsOf = () => {
      const of = (revision: string) => this.pods.filter((pod) => pod.revision === revision).map((pod) => pod.seen());
      return {
        namespace: 'shop',
        stable: STABLE,
        canary: CANARY,
        byRevision: { [STABLE]: of(STABLE), [CANARY]: of(CANARY) },
      };
    };
    this.source = new PrometheusMetrics({ clock: systemClock, podsOf, readSecret: async () => null });
  }

  get policy(): ReleasePolicy {
    const metrics: MetricsFrom = {
      ...{ kind: 'prometheus', access: access(server.address), counters: PODS },
      ...{ scrapeMs: SCRAPE_MS, lagMs: 400, timeoutMs: 1_000 },
    };
    return measuredBy(metrics);
  }

  async add(name: string, revision: string): Promise<CountingPod> {
    const pod = await new CountingPod(name, revision).start();
    this.pods.push(pod);
    server.scrape(this.pods);
    return pod;
  }

  /** Right after a scrape, as one that is drained. */
  async remove(pod: CountingPod): Promise<void> {
    await pod.scraped();
    this.pods.splice(this.pods.indexOf(pod), 1);
    this.ended.push(pod);
    await pod.end();
    server.scrape(this.pods);
  }

  async look(): Promise<MeasurementResult> {
    const { policy, cursor } = this;
    const result = await this.source.measure({ policy, stable: STABLE, canary: CANARY, checks: CHECKS, cursor });
    this.results.push(result);
    if (result.kind === 'measurement') this.#take(result.measurement);
    return result;
  }

  #take({ requests, readings, cursor }: Measurement): void {
    this.cursor = cursor;
    for (const [revision, total] of Object.entries(requests)) {
      const sum = this.seen[revision] ?? { total: 0, bad: 0, slow: 0 };
      this.seen[revision] = sum;
      sum.total += total;
      const [errors, slow] = [readings.errors, readings.slow];
      const counted = errors?.kind === 'samples' ? errors.byRevision[revision] : undefined;
      if (counted?.kind === 'proportion') sum.bad += counted.bad;
      const times = slow?.kind === 'samples' ? slow.byRevision[revision] : undefined;
      if (times?.kind === 'latency')
        sum.slow += times.counts.reduce((all, [bucket, count]) => all + (bucket > 0 ? count : 0), 0);
    }
  }

  start(): void {
    this.#goesOn = true;
    const users = async () => {
      for (let turn = 0; this.#goesOn; turn++) {
        for (const pod of this.pods) pod.serve(3 + (turn % 4), turn % 3 === 0 ? 1 : 0);
        await sleep(23);
      }
    };
    const looks = async () => {
      for (; this.#goesOn; await sleep(170)) await this.look();
    };
    this.#running = [users(), looks()];
  }

  /** No more requests; looks until all that was scraped has been seen. */
  async settle(): Promise<void> {
    this.#goesOn = false;
    await Promise.all(this.#running);
    for (let i = 0; i < 12; i++) {
      await sleep(300);
      await this.look();
    }
  }

  counted(revision: string): { total: number; bad: number; slow: number } {
    const own = [...this.pods, ...this.ended].filter((pod) => pod.revision === revision);
    const sum = (of: (pod: CountingPod) => number) => own.reduce((all, pod) => all + of(pod), 0);
    return { total: sum(({ total }) => total), bad: sum(({ bad }) => bad), slow: sum(({ bad }) => bad) };
  }

  errors(): readonly string[] {
    return this.results.flatMap((result) => (result.kind === 'error' ? [result.message] : []));
  }

  /** Readings that say that something is not known. */
  unknown(): readonly string[] {
    return this.results.flatMap((result) => {
      const reading = result.kind === 'measurement' ? result.measurement.readings.errors : undefined;
      return reading?.kind === 'error' ? [reading.message] : [];
    });
  }

  async end(): Promise<void> {
    await Promise.all([...this.pods, ...this.ended].map((pod) => pod.end()));
    await this.source.close();
  }
}

async function trial(during: (trial: Trial) => Promise<void>): Promise<Trial> {
  const under = new Trial();
  // What the Prometheus of the last trial knew of the same names is no concern of this one.
  await under.look();
  for (const name of ['web-1', 'web-2']) await under.add(`${name}-${under.pods.length}-${Date.now()}`, STABLE);
  await under.add(`web-canary-1-${Date.now()}`, CANARY);
  under.start();
  try {
    await Promise.all(under.pods.map((pod) => pod.scraped()));
    await sleep(1_500);
    await during(under);
    await sleep(1_500);
    await under.settle();
  } finally {
    await under.end();
  }
  return under;
}

function exact(under: Trial): void {
  for (const revision of [STABLE, CANARY]) assert.deepEqual(under.seen[revision], under.counted(revision), revision);
}

describe('a real Prometheus', { skip: noPrometheus }, () => {
  before(() => server.start());
  after(() => server.end());

  test('over many windows the sum is exactly what was counted, and whoever goes on from a cursor sees no less', async () => {
    const found: MeasurementResult[] = [];
    const under = await trial(async (here) => {
      const { policy, cursor } = here;
      const query = { policy, stable: STABLE, canary: CANARY, checks: CHECKS, cursor };
      for (const waitMs of [1_500, 2_500]) {
        await sleep(waitMs);
        found.push(await here.source.measure(query));
      }
    });
    exact(under);
    assert.ok(under.results.filter(({ kind }) => kind === 'measurement').length > 6);
    const totals = found.map((result) => (result.kind === 'measurement' ? result.measurement.requests[STABLE] : null));
    assert.ok((totals[1] ?? 0) > (totals[0] ?? 0), JSON.stringify(found));
  });

  test('counters that start anew, pods that go away and come back, new pods and pods that end: exactly what was counted', async () => {
    const under = await trial(async (here) => {
      const [first, second] = here.pods;
      await first?.restart(0);
      await first?.restart(0);
      await second?.restart(1_600);
      const young = await here.add(`web-young-${Date.now()}`, CANARY);
      await young.scraped();
      await sleep(1_200);
      await here.remove(young);
      await sleep(1_000);
    });
    exact(under);
    assert.deepEqual(under.unknown(), []);
  });

  test('row 34: a Prometheus that is frozen is an error with its reason, and nothing of the time is lost', async () => {
    const under = await trial(async () => {
      server.freeze();
      await sleep(4_000);
      server.thaw();
      await sleep(1_000);
    });
    exact(under);
    assert.ok(
      under.errors().some((message) => /did not answer/.test(message)),
      under.errors().join('\n'),
    );
  });

  test('series that are deleted behind our back are not counted twice, and the gap is said', async () => {
    const under = await trial(async (here) => {
      await server.remove(`http_requests_total{pod="${here.pods[0]?.name}"}`);
      await sleep(2_500);
    });
    const counted = under.counted(STABLE);
    assert.ok((under.seen[STABLE]?.total ?? 0) <= counted.total, 'no more than was counted');
    assert.ok(
      under.unknown().some((message) => /are gone/.test(message)),
      under.unknown().join('\n'),
    );
    assert.deepEqual(under.seen[CANARY]?.total, under.counted(CANARY).total);
  });

  test('row 72: an empty Prometheus in the place of the old one: nothing counts twice, and it is counted on', async () => {
    let seenBefore = 0;
    const under = await trial(async (here) => {
      await server.replaceByEmpty();
      await sleep(3_000);
      seenBefore = here.seen[STABLE]?.total ?? 0;
      await sleep(2_500);
    });
    const { total } = under.counted(STABLE);
    const seen = under.seen[STABLE]?.total ?? 0;
    assert.ok(seen <= total && seen > seenBefore, `${seenBefore}, ${seen} of ${total}`);
  });
});
