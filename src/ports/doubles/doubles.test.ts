import assert from 'node:assert/strict';
import type { Check } from '../../core/model/check.ts';
import { metricSourceConformance } from '../conformance/metric-source.ts';
import { routerConformance } from '../conformance/router.ts';
import { workloadConformance } from '../conformance/workload.ts';
import { FakeMetricSource } from './fake-metric-source.ts';
import { FakeRouter } from './fake-router.ts';
import { FakeWorkload } from './fake-workload.ts';
import { samplePolicy, sampleVersion } from './samples.ts';

/** Doubles need no time: what is not true now never will be. */
async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  assert.ok(await condition(), what);
}

const policy = samplePolicy('shop');

workloadConformance('FakeWorkload', async () => {
  const workload = new FakeWorkload();
  const broken = sampleVersion('broken');
  workload.trouble(policy, broken.revision, 'it exits with code 1');
  return {
    workload,
    policy,
    stable: sampleVersion('v1'),
    canary: sampleVersion('v2'),
    broken,
    sizes: true,
    until,
    blind: () => workload.mishaps.fail('observe'),
    nextAgent: null,
    end: async () => {},
  };
});

routerConformance('FakeRouter', async () => {
  const router = new FakeRouter();
  return {
    router,
    policy,
    stable: { revision: 'rev-v1', label: 'v1', endpoints: [{ host: '127.0.0.1', port: 1 }] },
    canary: { revision: 'rev-v2', label: 'v2', endpoints: [{ host: '127.0.0.1', port: 2 }] },
    until,
    moveCanary: async () => ({ revision: 'rev-v2', label: 'v2', endpoints: [{ host: '127.0.0.1', port: 3 }] }),
    blind: async () => router.mishaps.fail('observe'),
    nextAgent: null,
    end: async () => {},
  };
});

const errors: Check = {
  name: 'errors',
  metric: { kind: 'errors' },
  selector: { routes: null, methods: null },
  role: 'required',
  tolerance: { ratio: 1.2, margin: 0.005, harmMargin: 0, atDeadline: null, bucketShift: 0 },
  limit: null,
  direction: 'increase',
  weight: 1,
  warmUpMs: 0,
  noDataMs: 60_000,
  clusterCap: 1,
  rule: null,
};

metricSourceConformance('FakeMetricSource', async () => {
  const source = new FakeMetricSource();
  source.replicas = 2;
  return {
    source,
    query: { policy, stable: 'rev-v1', canary: 'rev-v2', checks: [errors] },
    send: async (revision, { good, bad }) => {
      const counts = { [revision]: { total: good + bad, bad } };
      source.add({ spanMs: 1_000, counts: { errors: counts, 'aca/errors': counts } });
    },
    sendByRule: async (revision, requests) =>
      source.add({ spanMs: 1_000, counts: {}, ruled: { [revision]: requests } }),
    replicas: 2,
    crash: async (revision, times) => source.add({ spanMs: 1_000, counts: {}, restarts: { [revision]: times } }),
    blind: async () => source.mishaps.fail('measure'),
    restart: null,
    end: async () => {},
  };
});
