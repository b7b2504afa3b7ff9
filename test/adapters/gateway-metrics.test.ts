import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock/system.ts';
import { GatewayMetrics } from '../../src/adapters/metrics/gateway.ts';
import { GatewayRouter } from '../../src/adapters/routers/gateway.ts';
import type { Check } from '../../src/core/model/check.ts';
import { metricSourceConformance } from '../../src/ports/conformance/index.ts';
import { policyFor, until } from './support.ts';

const GATEWAY = new URL('../../src/main/gateway.ts', import.meta.url).pathname;
const check = (name: string, metric: Check['metric']): Check => ({
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
const CHECKS = [
  check('errors', { kind: 'errors' }),
  check('slow', { kind: 'latency', quantile: 0.99 }),
  check('memory', { kind: 'gauge', reading: 'residentMemoryBytes' }),
];

/** The whole way: requests over real HTTP through a real gateway process, counted by it, read by the source. */
metricSourceConformance('GatewayMetrics over a real gateway', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'haldane-metrics-'));
  const policy = policyFor({ checks: CHECKS });
  const router = new GatewayRouter({
    stateDir: folder,
    clock: systemClock,
    command: [process.execPath, GATEWAY],
    version: '0.1.0',
  });
  const servers = [0, 1].map(() =>
    createServer((request, response) => response.writeHead(request.url === '/bad' ? 500 : 200).end()),
  );
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoints = servers.map((server) => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }));
  await router.ensure(
    policy,
    {
      weights: [
        { revision: 'v1', weightPercent: 50 },
        { revision: 'v2', weightPercent: 50 },
      ],
      rules: ['v1', 'v2'].map((revision) => ({ revision, header: { name: 'x-audience', value: revision } })),
      salt: '',
      userKey: null,
      // What a rule sends is compared by no check, so the version is named by the cookie that keeps it.
      affinity: { cookie: 'version', ttlSeconds: 60 },
    },
    ['v1', 'v2'].map((revision) => ({ revision, label: revision, endpoints })),
  );
  const unwatch = router.watch(policy, () => {});
  const pid = async () => Number(/pid (\d+)/.exec((await router.observe(policy)).instances[0] ?? '')?.[1]);
  let stopped: number | null = null;
  const restarts: Record<string, number> = { v1: 0, v2: 0 };
  return {
    source: new GatewayMetrics({
      clock: systemClock,
      readInstances: ({ name }) => router.counts(name),
      readPasts: ({ name }) => router.pasts(name),
      readLives: async () =>
        Object.entries(restarts).map(([revision, times]) => ({
          revision,
          id: 'life',
          restarts: times,
          replicaMs: performance.now(),
        })),
      readReplicas: async () => [{ revision: 'v1', pid: process.pid }],
    }),
    query: { policy, stable: 'v1', canary: 'v2', checks: CHECKS },
    send: async (revision, { good, bad }) => {
      const at = await router.listening(policy.name);
      for (const path of [...Array.from({ length: good }, () => 'good'), ...Array.from({ length: bad }, () => 'bad')]) {
        const answer = await fetch(`http://${at?.host}:${at?.port}/${path}`, {
          headers: { cookie: `version=${revision}`, connection: 'close' },
        });
        await answer.arrayBuffer();
      }
    },
    sendByRule: async (revision, requests) => {
      const at = await router.listening(policy.name);
      for (let sent = 0; sent < requests; sent++) {
        const headers = { 'x-audience': revision, connection: 'close' };
        const answer = await fetch(`http://${at?.host}:${at?.port}/good`, { headers });
        await answer.arrayBuffer();
      }
    },
    replicas: 2,
    crash: async (revision, times) => {
      restarts[revision] = (restarts[revision] ?? 0) + times;
    },
    blind: async () => {
      stopped = await pid();
      process.kill(stopped, 'SIGSTOP');
    },
    restart: async () => {
      const before = await pid();
      process.kill(before, 'SIGKILL');
      await until('another gateway serves', async () => {
        const seen = await router.observe(policy);
        return seen.state === 'converged' && !seen.instances.some((instance) => instance.includes(`pid ${before}`));
      });
    },
    end: async () => {
      if (stopped !== null) process.kill(stopped, 'SIGCONT');
      unwatch();
      await router.release(policy.name);
      await until('the gateway has ended', async () => (await router.observe(policy)).state === 'absent');
      router.close();
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
