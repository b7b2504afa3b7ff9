// The simulated source keeps what every source must keep: the same suite, over counters that the test fills.
import { createRandom } from '../../core/statistics/random.ts';
import { metricSourceConformance } from '../../ports/conformance/metric-source.ts';
import type { MetricSource } from '../../ports/metric-source.ts';
import { errorCheck, latencyCheck, samplePolicy } from '../sample-policy.ts';
import { createScheduler } from '../scheduler.ts';
import type { Counters, DataPlane } from './data-plane.ts';
import { createMetricsWorld } from './metrics.ts';
import { createReplicaWorld } from './replicas.ts';
import { createSlices } from './slices.ts';
import { HEALTHY } from './truth.ts';

metricSourceConformance('the simulated source', async () => {
  const counters = new Map<string, Counters>();
  let epoch = 1;
  let isBlind = false;
  const counterOf = (revision: string): Counters => {
    const counter = counters.get(revision) ?? { total: 0, bad: 0, ruled: 0, classes: [0, 0, 0, 0] };
    counters.set(revision, counter);
    return counter;
  };
  const slices = createSlices(createRandom(2));
  const plane = {
    advance: () => {},
    counters,
    slices,
    get epoch() {
      return epoch;
    },
  } as Partial<DataPlane> as DataPlane;
  const scheduler = createScheduler();
  const replicas = createReplicaWorld({
    scheduler,
    random: createRandom(1),
    truthOf: () => HEALTHY,
    stopMs: 1_000,
    openUntilMs: () => 0,
    beforeChange: () => {},
    changed: () => {},
  });
  for (const revision of ['v1', 'v2']) replicas.size(revision, revision, 2);
  const wait = (ms: number) => scheduler.run(scheduler.nowMs + ms, () => false);
  await wait(10_000);
  const world = createMetricsWorld({
    nowMs: () => scheduler.nowMs,
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
      await wait(1_000);
      const counter = counterOf(revision);
      counter.total += good + bad;
      counter.bad += bad;
      slices.note(revision, scheduler.nowMs, { total: good + bad, bad, replicas: 2 });
    },
    sendByRule: async (revision, requests) => {
      await wait(1_000);
      counterOf(revision).ruled += requests;
    },
    replicas: 2,
    crash: async (revision, times) => {
      await wait(1_000);
      for (let done = 0; done < times; done++) {
        replicas.crash(revision, false);
        // The next start waits longer each time.
        await wait(60_000);
      }
    },
    blind: async () => {
      isBlind = true;
    },
    restart: async () => {
      epoch += 1;
      counters.clear();
      slices.clear();
    },
    end: async () => {},
  };
});
