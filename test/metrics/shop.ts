// A shop of two versions on Kubernetes as metric sources see it: its pods, what they count, and a policy that measures them.

import type { PodsOfVersion, SeenPod } from '../../src/cluster/pods.ts';
import type { Check } from '../../src/core/model/check.ts';
import type { CounterSet, MetricsFrom, PrometheusAccess, ReleasePolicy } from '../../src/core/model/policy.ts';
import { samplePolicy, type VirtualClock } from '../../src/ports/doubles/index.ts';
import { type FakePrometheus, FakeTarget } from './fake-prometheus.ts';

export const SCRAPE_MS = 5_000;
export const STABLE = 'rev-a';
export const CANARY = 'rev-b';

export const check = (name: string, metric: Check['metric']): Check => ({
  name,
  metric,
  selector: { routes: null, methods: null },
  role: 'required',
  tolerance: { ratio: 1.5, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 },
  limit: null,
  direction: 'increase',
  weight: 1,
  warmUpMs: 0,
  noDataMs: 60_000,
  clusterCap: 1,
  rule: null,
});

export const CHECKS = [check('errors', { kind: 'errors' }), check('slow', { kind: 'latency', quantile: 0.99 })];

export const PODS: Extract<CounterSet, { kind: 'pods' }> = {
  kind: 'pods',
  requests: 'http_requests_total',
  statusLabel: 'code',
  latency: 'http_request_duration_seconds',
};

export const QUERIES: Extract<CounterSet, { kind: 'queries' }> = {
  kind: 'queries',
  total: 'http_requests_total{namespace="$namespace",pod=~"$pods"}',
  bad: 'http_requests_total{namespace="$namespace",pod=~"$pods",code=~"5.."}',
  latency: 'http_request_duration_seconds_bucket{pod=~"$pods"}',
};

export function access(address: string, more: Partial<PrometheusAccess> = {}): PrometheusAccess {
  return { address, bearer: null, basic: null, ca: null, clientCertificate: null, headers: {}, ...more };
}

export function measuredBy(metrics: MetricsFrom, more: Partial<ReleasePolicy> = {}): ReleasePolicy {
  return samplePolicy('shop/web', {
    router: {
      kind: 'gatewayApi',
      service: 'web',
      port: null,
      route: { kind: 'adopted', name: 'web' },
      mirrorPercent: null,
      settleMs: 0,
    },
    checks: CHECKS,
    metrics,
    ...more,
  });
}

export function byPrometheus(at: PrometheusAccess, counters: CounterSet = PODS, timeoutMs = 2_000): MetricsFrom {
  return { kind: 'prometheus', access: at, counters, scrapeMs: SCRAPE_MS, lagMs: 0, timeoutMs };
}

/** A pod that counts its requests. */
export class ShopPod {
  readonly seen: { -readonly [K in keyof SeenPod]: SeenPod[K] };
  readonly target: FakeTarget;
  readonly revision: string;

  constructor(name: string, revision: string, startedAtMs: number) {
    const address = `10.0.0.${[...name].reduce((sum, each) => (sum * 7 + each.charCodeAt(0)) % 251, 1)}`;
    this.revision = revision;
    this.seen = {
      ...{ name, address, uid: `uid-${name}`, startedAtMs, isReady: true },
      ...{ restarts: 0, oomKills: 0, metricsPort: null },
    };
    this.target = new FakeTarget({ job: 'pods', instance: `${name}:8080`, namespace: 'shop', pod: name });
  }

  /** So many requests, slow ones among the good. */
  serve({ good, bad, slow = 0 }: { readonly good: number; readonly bad: number; readonly slow?: number }): void {
    if (good > 0) this.target.add('http_requests_total', { code: '200' }, good);
    if (bad > 0) this.target.add('http_requests_total', { code: '503' }, bad);
    const all = good + bad;
    if (all === 0) return;
    this.target.add('http_request_duration_seconds_bucket', { le: '0.1' }, all - slow);
    this.target.add('http_request_duration_seconds_bucket', { le: '1' }, all);
    this.target.add('http_request_duration_seconds_bucket', { le: '+Inf' }, all);
  }

  restart(): void {
    this.seen.restarts += 1;
    this.target.restart();
  }
}

export class Shop {
  readonly prometheus: FakePrometheus;
  readonly clock: VirtualClock;
  readonly pods: ShopPod[] = [];
  /** What it counts, for versions told apart by a proxy. */
  readonly proxy = new FakeTarget({ job: 'traefik', instance: '192.0.2.1:8082' });

  constructor(prometheus: FakePrometheus, clock: VirtualClock) {
    this.prometheus = prometheus;
    this.clock = clock;
    prometheus.targets.add(this.proxy);
    for (const name of ['web-1', 'web-2', 'web-3']) this.start(name, STABLE, this.nowMs() - 600_000);
    this.start('web-canary-1', CANARY, this.nowMs() - 600_000);
  }

  nowMs(): number {
    return Date.parse(this.clock.now().wallTime);
  }

  start(name: string, revision: string, startedAtMs = this.nowMs()): ShopPod {
    const pod = new ShopPod(name, revision, startedAtMs);
    this.pods.push(pod);
    this.prometheus.targets.add(pod.target);
    return pod;
  }

  /** Its samples stay in Prometheus. */
  end(pod: ShopPod): void {
    this.pods.splice(this.pods.indexOf(pod), 1);
    this.prometheus.targets.delete(pod.target);
  }

  pod(name: string): ShopPod {
    const found = this.pods.find(({ seen }) => seen.name === name);
    if (found === undefined) throw new Error(name);
    return found;
  }

  of(revision: string): readonly ShopPod[] {
    return this.pods.filter((pod) => pod.revision === revision);
  }

  /** As the workload tells it. */
  podsOf(): PodsOfVersion {
    const seen = (revision: string) => this.of(revision).map((pod) => ({ ...pod.seen }));
    const byRevision = { [STABLE]: seen(STABLE), [CANARY]: seen(CANARY) };
    return { namespace: 'shop', stable: STABLE, canary: CANARY, byRevision };
  }

  /** Time goes on by so many scrapes. */
  async scrapes(times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      await this.clock.advance(SCRAPE_MS);
      this.prometheus.scrape(this.nowMs());
    }
  }
}
