// Real requests through a real gateway process to two endpoints, one of which misbehaves: the past tells them apart.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/adapters/clock/system.ts';
import { GatewayMetrics } from '../../src/adapters/metrics/gateway.ts';
import { GatewayRouter } from '../../src/adapters/routers/gateway.ts';
import type { Check } from '../../src/core/model/check.ts';
import type { ReplicaTally } from '../../src/core/model/measurement.ts';
import { policyFor, temporaryFolder, until } from './support.ts';

const GATEWAY = new URL('../../src/main/gateway.ts', import.meta.url).pathname;
const ERRORS = { name: 'errors', metric: { kind: 'errors' }, selector: { routes: null, methods: null } };
const SLOW = { ...ERRORS, name: 'slow', metric: { kind: 'latency', quantile: 0.99 } };
const checks = [ERRORS, SLOW] as unknown as readonly Check[];

describe('the past of two endpoints', () => {
  const folder = temporaryFolder();
  const policy = policyFor({ checks });
  const router = new GatewayRouter({
    stateDir: folder.path,
    clock: systemClock,
    command: [process.execPath, GATEWAY],
    version: '0.1.0',
  });
  const source = new GatewayMetrics({
    clock: systemClock,
    readInstances: ({ name }) => router.counts(name),
    readPasts: ({ name }) => router.pasts(name),
    readLives: async () => null,
    readReplicas: async () => null,
  });
  const servers: Server[] = [];
  const split = {
    weights: [{ revision: 'v1', weightPercent: 100 }],
    rules: [{ revision: 'v1', header: { name: 'x-audience', value: 'yes' } }],
    salt: '',
    userKey: null,
    affinity: null,
  };

  before(async () => {
    // The second place fails every second request it gets; a status 404 is no error of this policy.
    let turn = 0;
    const answers = [() => 200, () => (turn++ % 2 === 0 ? 500 : 200)];
    for (const answer of answers) {
      const server = createServer((request, response) =>
        response.writeHead(request.url === '/missing' ? 404 : answer()).end(),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push(server);
    }
    const endpoints = servers.map((server) => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }));
    await router.ensure(policy, split, [{ revision: 'v1', label: 'v1', endpoints }]);
  });

  after(async () => {
    await router.release(policy.name);
    await until('the gateway has ended', async () => (await router.observe(policy)).state === 'absent');
    router.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    folder.remove();
  });

  async function send(path: string, times: number, headers: Record<string, string> = {}): Promise<void> {
    const at = await router.listening(policy.name);
    for (let sent = 0; sent < times; sent++) {
      const answer = await fetch(`http://${at?.host}:${at?.port}${path}`, {
        headers: { connection: 'close', ...headers },
      });
      await answer.arrayBuffer();
    }
  }

  /** By endpoint over all slices; those that fail come last. */
  async function tallies(): Promise<readonly ReplicaTally[]> {
    const { replicas } = await source.history({ policy, stable: 'v1', checks });
    assert.deepEqual(Object.keys(replicas ?? {}), ['errors']);
    const sums = [0, 1].map((place) => ({
      total: (replicas?.errors ?? []).reduce((sum, slice) => sum + (slice[place]?.total ?? 0), 0),
      bad: (replicas?.errors ?? []).reduce((sum, slice) => sum + (slice[place]?.bad ?? 0), 0),
    }));
    return sums.sort((left, right) => left.bad - right.bad);
  }

  /** A slice that begins or ends with one request of one place says nothing and is left out. */
  function isAbout(actual: number | undefined, expected: number): void {
    assert.ok(actual !== undefined && Math.abs(actual - expected) <= 1, `${actual} instead of ${expected}`);
  }

  test('each place has its own counts, slice by slice; what a rule sent is left out', async () => {
    await send('/', 80);
    await send('/missing', 20);
    await send('/', 10, { 'x-audience': 'yes' });
    const [well, misbehaving] = await tallies();
    assert.equal(well?.bad, 0);
    isAbout(misbehaving?.bad, 20);
    const total = (well?.total ?? 0) + (misbehaving?.total ?? 0);
    assert.ok(total >= 98 && total <= 100, `${total} of 100`);
  });

  test('it outlives a gateway that ends in order, and goes on with the next', async () => {
    const [, earlier] = await tallies();
    await router.release(policy.name);
    await until('the gateway has ended', async () => (await router.observe(policy)).state === 'absent');
    const [, ended] = await tallies();
    assert.deepEqual(ended, earlier);
    const endpoints = servers.map((server) => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }));
    await until('the next one serves', async () => {
      await router.ensure(policy, split, [{ revision: 'v1', label: 'v1', endpoints }]);
      return router.listening(policy.name);
    });
    await send('/', 40);
    const [, later] = await tallies();
    isAbout(later?.bad, (earlier?.bad ?? 0) + 10);
  });

  test('a past that cannot be read is not known: the history stands without it', async () => {
    const blind = new GatewayMetrics({
      clock: systemClock,
      readInstances: ({ name }) => router.counts(name),
      readPasts: async () => {
        throw new Error('a gateway of a former version');
      },
      readLives: async () => null,
      readReplicas: async () => null,
    });
    const { readings, replicas } = await blind.history({ policy, stable: 'v1', checks });
    assert.equal(readings.errors?.kind, 'samples');
    assert.equal(replicas, undefined);
  });
});
