import { PodScrapeMetrics } from '../../src/adapters/metrics/pods.ts';
import { PrometheusMetrics } from '../../src/adapters/metrics/prometheus.ts';
import type { CounterSet } from '../../src/core/model/policy.ts';
import { type MetricSourceUnderTest, metricSourceConformance } from '../../src/ports/conformance/index.ts';
import { VirtualClock } from '../../src/ports/doubles/index.ts';
import { FakePrometheus } from './fake-prometheus.ts';
import { access, byPrometheus, CANARY, CHECKS, measuredBy, PODS, QUERIES, Shop, type ShopPod, STABLE } from './shop.ts';

type Sending = { readonly good: number; readonly bad: number };

async function shop(): Promise<Shop> {
  return new Shop(await new FakePrometheus().start(), new VirtualClock());
}

/** As evenly as it goes. */
function spread(pods: readonly ShopPod[], { good, bad }: Sending): void {
  pods.forEach((pod, i) => {
    const part = (all: number) => Math.floor(all / pods.length) + (i < all % pods.length ? 1 : 0);
    pod.serve({ good: part(good), bad: part(bad) });
  });
}

function common(here: Shop): Omit<MetricSourceUnderTest, 'source' | 'query' | 'send' | 'replicas' | 'restart'> {
  return {
    sendByRule: null,
    sees: ['oomKills'],
    crash: async (revision, times) => {
      const [pod] = here.of(revision);
      if (pod !== undefined) pod.seen.restarts += times;
      await here.scrapes();
    },
    blind: async () => {
      here.prometheus.tamper = () => ({ status: 503, text: 'no' });
    },
    end: async () => here.prometheus.stop(),
  };
}

function prometheusOf(here: Shop): PrometheusMetrics {
  return new PrometheusMetrics({ clock: here.clock, podsOf: () => here.podsOf(), readSecret: async () => null });
}

function byPods(title: string, counters: CounterSet): void {
  metricSourceConformance(`PrometheusMetrics of ${title}`, async () => {
    const here = await shop();
    await here.scrapes(12);
    const policy = measuredBy(byPrometheus(access(here.prometheus.address), counters));
    return {
      ...common(here),
      source: prometheusOf(here),
      query: { policy, stable: STABLE, canary: CANARY, checks: CHECKS },
      send: async (revision, requests) => {
        spread(here.of(revision), requests);
        await here.scrapes();
      },
      replicas: 3,
      restart: async () => {
        for (const pod of here.pods) pod.target.restart();
      },
    };
  });
}

byPods("pods' own counters", PODS);
byPods('queries people wrote', QUERIES);

metricSourceConformance('PrometheusMetrics of a proxy', async () => {
  const here = await shop();
  await here.scrapes(12);
  const policy = measuredBy(byPrometheus(access(here.prometheus.address), { kind: 'traefik' }));
  return {
    ...common(here),
    source: prometheusOf(here),
    query: { policy, stable: STABLE, canary: CANARY, checks: CHECKS },
    send: async (revision, { good, bad }) => {
      const service = `shop-${revision === STABLE ? 'web' : 'web-canary'}-http-80@kubernetesgateway`;
      here.proxy.add('traefik_service_requests_total', { service, code: '200' }, good);
      here.proxy.add('traefik_service_requests_total', { service, code: '502' }, bad);
      await here.scrapes();
    },
    replicas: null,
    restart: async () => here.proxy.restart(),
  };
});

metricSourceConformance('PodScrapeMetrics', async () => {
  const here = await shop();
  let isBlind = false;
  const metrics = { kind: 'pods', port: null, path: '/metrics', counters: PODS, timeoutMs: 500 } as const;
  return {
    ...common(here),
    source: new PodScrapeMetrics({
      clock: here.clock,
      podsOf: () => here.podsOf(),
      read: async (url) => {
        if (isBlind) throw new Error('connection refused');
        const pod = here.pods.find(({ seen }) => seen.address === new URL(url).hostname);
        return [...(pod?.target.counters.values() ?? [])]
          .map(({ name, labels, value }) => `${name}${labelsText(labels)} ${value}\n`)
          .join('');
      },
    }),
    query: { policy: measuredBy(metrics), stable: STABLE, canary: CANARY, checks: CHECKS },
    send: async (revision, requests) => {
      spread(here.of(revision), requests);
      await here.scrapes();
    },
    replicas: null,
    restart: async () => {
      for (const pod of here.pods) pod.target.restart();
    },
    blind: async () => {
      isBlind = true;
    },
  };
});

function labelsText(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(',')}}`;
}
