// Counts on a real cluster: users' requests through a Gateway to two Services by weight, and what Prometheus says of the
// proxy and of the pods, and what the pods say themselves, is exactly what the users saw.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/adapters/clock/system.ts';
import { PodScrapeMetrics } from '../../src/adapters/metrics/pods.ts';
import { PrometheusMetrics } from '../../src/adapters/metrics/prometheus.ts';
import type { Pod } from '../../src/cluster/objects.ts';
import { type PodsOfVersion, seenPod } from '../../src/cluster/pods.ts';
import type { CounterSet, MetricsFrom, ReleasePolicy } from '../../src/core/model/policy.ts';
import type { MetricSource } from '../../src/ports/index.ts';
import { access, CANARY, CHECKS, measuredBy, PODS, STABLE } from '../metrics/shop.ts';
import { Namespace, noCluster } from './cluster.ts';
import { ask, gateways, until } from './routed.ts';

const prometheus = process.env.HALDANE_E2E_PROMETHEUS;
const skip =
  noCluster ||
  (prometheus === undefined || gateways().length === 0
    ? 'the environment tells of no Prometheus (HALDANE_E2E_PROMETHEUS) or Gateway (HALDANE_E2E_URL_GATEWAY_API)'
    : false);

interface Seen {
  total: number;
  bad: number;
}

class Cluster {
  readonly space = new Namespace('counts-test');

  async start(): Promise<void> {
    this.space.create();
    for (const [name, image, rate] of [
      ['shop', 'app:v1', '0.02'],
      ['shop-canary', 'app:v2', '0.2'],
    ] as const) {
      const labels = { app: name };
      const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
      this.#apply({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: labels, ports } });
      const ready = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 };
      const env = [{ name: 'ERROR_RATE', value: rate }];
      const containers = [{ name: 'app', image, env, ports: [{ containerPort: 8080 }], readinessProbe: ready }];
      const template = { metadata: { labels, annotations: { 'prometheus.io/scrape': 'true' } }, spec: { containers } };
      const spec = { replicas: 2, selector: { matchLabels: labels }, template };
      this.#apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels }, spec });
    }
    for (const { title, namespace, name } of gateways()) {
      const backendRefs = ['shop', 'shop-canary'].map((to, i) => ({ name: to, port: 80, weight: i === 0 ? 70 : 30 }));
      const spec = { parentRefs: [{ namespace, name }], hostnames: [this.hostOf(title)], rules: [{ backendRefs }] };
      const metadata = { name: `shop-${title.toLowerCase()}` };
      this.#apply({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec });
    }
    await until('pods are ready', async () => {
      const { byRevision } = this.podsOf();
      return [STABLE, CANARY].every((of) => byRevision[of]?.filter(({ isReady }) => isReady).length === 2);
    });
  }

  hostOf(title: string): string {
    return `${title.toLowerCase()}.${this.space.name}.test`;
  }

  #apply(object: object): void {
    this.space.must(['apply', '-f', '-'], { input: object });
  }

  podsOf(): PodsOfVersion {
    const { items } = JSON.parse(this.space.must(['get', 'pods', '-o', 'json'])) as { items: Pod[] };
    const of = (app: string) => items.filter(({ metadata }) => metadata.labels?.app === app).map(seenPod);
    const byRevision = { [STABLE]: of('shop'), [CANARY]: of('shop-canary') };
    return { namespace: this.space.name, stable: STABLE, canary: CANARY, byRevision };
  }

  policy(metrics: MetricsFrom): ReleasePolicy {
    const policy = measuredBy(metrics, { name: `${this.space.name}/shop` });
    return policy.router.kind === 'gatewayApi' ? { ...policy, router: { ...policy.router, service: 'shop' } } : policy;
  }
}

/** As users saw it. */
async function send(
  cluster: Cluster,
  gateway: { title: string; url: string },
  requests: number,
): Promise<Record<string, Seen>> {
  const seen: Record<string, Seen> = { [STABLE]: { total: 0, bad: 0 }, [CANARY]: { total: 0, bad: 0 } };
  let left = requests;
  const user = async () => {
    while (left-- > 0) {
      const { status, version } = await ask(gateway.url, { host: cluster.hostOf(gateway.title) });
      const of = seen[version === 'v2' ? CANARY : STABLE];
      if (of === undefined || !['v1', 'v2'].includes(version)) throw new Error(`status ${status} of no version`);
      of.total += 1;
      if (status >= 500) of.bad += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, user));
  return seen;
}

class Watched {
  readonly source: MetricSource;
  readonly policy: ReleasePolicy;
  readonly seen: Record<string, Seen> = {};
  readonly errors: string[] = [];
  #cursor: string | null = null;

  constructor(source: MetricSource, policy: ReleasePolicy) {
    this.source = source;
    this.policy = policy;
  }

  async look(): Promise<void> {
    const { policy } = this;
    const query = { policy, stable: STABLE, canary: CANARY, checks: CHECKS, cursor: this.#cursor };
    const result = await this.source.measure(query);
    if (result.kind === 'error') this.errors.push(result.message);
    if (result.kind !== 'measurement') return;
    this.#cursor = result.measurement.cursor;
    const { errors } = result.measurement.readings;
    if (errors?.kind !== 'samples') return;
    for (const [revision, sample] of Object.entries(errors.byRevision)) {
      if (sample.kind !== 'proportion') continue;
      const sum = this.seen[revision] ?? { total: 0, bad: 0 };
      this.seen[revision] = { total: sum.total + sample.total, bad: sum.bad + sample.bad };
    }
  }
}

const sum = (all: readonly Record<string, Seen>[], revision: string): Seen => ({
  total: all.reduce((total, each) => total + (each[revision]?.total ?? 0), 0),
  bad: all.reduce((bad, each) => bad + (each[revision]?.bad ?? 0), 0),
});

describe('counts on a real cluster', { skip }, () => {
  const cluster = new Cluster();
  before(() => cluster.start());
  after(() => cluster.space.remove());

  const podsOf = () => cluster.podsOf();
  const source = new PrometheusMetrics({ clock: systemClock, podsOf, readSecret: async () => null });
  after(() => source.close());

  function watchAll(): ReadonlyMap<string, Watched> {
    const by = (counters: CounterSet) =>
      new Watched(
        source,
        cluster.policy({
          ...{ kind: 'prometheus', access: access(prometheus ?? ''), counters },
          ...{ scrapeMs: 5_000, lagMs: 500, timeoutMs: 5_000 },
        }),
      );
    const direct: MetricsFrom = { kind: 'pods', port: null, path: '/metrics', counters: PODS, timeoutMs: 2_000 };
    return new Map([
      ...gateways().map(({ title }) => [title, by({ kind: title === 'Envoy' ? 'envoy' : 'traefik' })] as const),
      ['pods', by(PODS)],
      ['direct', new Watched(new PodScrapeMetrics({ podsOf, clock: systemClock }), cluster.policy(direct))],
    ]);
  }

  test('row 50: the proxies, the pods in Prometheus and the pods themselves say by version what users saw', async () => {
    // A route answers some time after it was accepted; what is asked until then is not counted.
    for (const gateway of gateways()) {
      await until(`${gateway.title} answers`, async () => (await send(cluster, gateway, 100)) !== null);
    }
    await sleep(12_000);
    const watched = watchAll();
    const lookAll = () => Promise.all([...watched.values()].map((each) => each.look()));
    await lookAll();
    const sent: { readonly title: string; readonly seen: Record<string, Seen> }[] = [];
    for (let round = 0; round < 4; round++) {
      for (const gateway of gateways()) sent.push({ title: gateway.title, seen: await send(cluster, gateway, 400) });
      await sleep(2_500);
      await lookAll();
    }
    await sleep(7_000);
    await lookAll();
    const isProxy = (title: string) => gateways().some((gateway) => gateway.title === title);
    for (const [title, { seen, errors }] of watched) {
      const own = sent.flatMap((each) => (each.title === title || !isProxy(title) ? [each.seen] : []));
      for (const revision of [STABLE, CANARY]) {
        assert.deepEqual(seen[revision], sum(own, revision), `${title} ${revision} ${errors.join('; ')}`);
      }
    }
  });
});
