// The simulated source keeps what every source must keep: the same suite, over counters that the test fills.
import { metricSourceConformance } from '../../ports/conformance/metric-source.ts';
import type { MetricSource } from '../../ports/metric-source.ts';
import { errorCheck, latencyCheck, samplePolicy } from '../sample-policy.ts';
import type { Counters, DataPlane } from './data-plane.ts';
import { createMetricsWorld } from './metrics.ts';
import type { ReplicaWorld } from './replicas.ts';
import { HEALTHY } from './truth.ts';

metricSourceConformance('the simulated source', async () => {
  const counters = new Map<string, Counters>();
  let nowMs = 1_000;
  let epoch = 1;
  let isBlind = false;
  const counterOf = (revision: string): Counters => {
    const counter = counters.get(revision) ?? { total: 0, bad: 0, ruled: 0, classes: [0, 0, 0, 0] };
    counters.set(revision, counter);
    nowMs += 1_000;
    return counter;
  };
  const plane = {
    advance: () => {},
    counters,
    get epoch() {
      return epoch;
    },
  } as Partial<DataPlane> as DataPlane;
  const replicas = { ready: () => [] } as Partial<ReplicaWorld> as ReplicaWorld;
  const world = createMetricsWorld({
    nowMs: () => nowMs,
    plane,
    replicas: () => replicas,
    truthOf: () => HEALTHY,
    lagMs: 0,
    trouble: () => (isBlind ? 'outage' : 'none'),
    delivered: () => {},
  });
  const source: MetricSource = {
    measure: async (query) => world.measure(query),
    history: async (query) => world.history(query),
  };
  const checks = [errorCheck(), latencyCheck()];
  return {
    source,
    query: { policy: samplePolicy('shop', { checks }), stable: 'v1', canary: 'v2', checks },
    send: async (revision, { good, bad }) => {
      const counter = counterOf(revision);
      counter.total += good + bad;
      counter.bad += bad;
    },
    sendByRule: async (revision, requests) => {
      counterOf(revision).ruled += requests;
    },
    blind: async () => {
      isBlind = true;
    },
    restart: async () => {
      epoch += 1;
      counters.clear();
    },
    end: async () => {},
  };
});
