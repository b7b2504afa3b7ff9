import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint } from '../../core/model/gateway.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Version } from '../../core/model/version.ts';
import type { Clock } from '../../ports/clock.ts';
import { workloadConformance } from '../../ports/conformance/index.ts';
import { UpstreamWorkloads } from './upstreams.ts';

let folder: string;
let open: UpstreamWorkloads[] = [];
let servers: Server[] = [];
let sick = false;
let skipMs = 0;

/** Real time, hurried: waits are cut to a tenth, and the test may let minutes pass. */
const clock: Clock = {
  now: () => ({ monotonicMs: performance.now() + skipMs, epoch: 'test', wallTime: '2026-01-01T00:00:00Z' }),
  sleep: (ms, signal) => delay(ms / 10, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
};
const policy = {
  name: 'shop',
  workload: { kind: 'upstreams', ready: { path: '/ready', intervalMs: 100, timeoutMs: 1_000, failures: 2 } },
} as unknown as ReleasePolicy;

function workload(): UpstreamWorkloads {
  const made = new UpstreamWorkloads({ stateDir: folder, clock });
  open.push(made);
  return made;
}

async function place(): Promise<Endpoint> {
  const server = createServer((_request, response) => response.writeHead(sick ? 503 : 200).end());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const version = (...endpoints: Endpoint[]): Version => ({
  revision: 'r1',
  label: 'v1',
  template: { kind: 'upstreams', endpoints },
});

async function seen(from: UpstreamWorkloads) {
  return (await from.observe(policy)).versions[0] ?? null;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'haldane-upstreams-'));
  open = [];
  servers = [];
  sick = false;
  skipMs = 0;
});

afterEach(() => {
  for (const made of open) made.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('upstreams', () => {
  test('what answers is ready, what does not is not, and says why after a while', async () => {
    const well = await place();
    const gone = { host: '127.0.0.1', port: 1 };
    const made = workload();
    await made.ensure(policy, [{ version: version(well, gone), replicas: 1, role: 'stable' }]);
    const first = await seen(made);
    assert.deepEqual([first?.ready, first?.running, first?.wanted, first?.endpoints], [1, 2, 1, [well]]);
    assert.equal(first?.trouble, null);
    skipMs = 60_000;
    assert.match((await seen(made))?.trouble ?? '', /127\.0\.0\.1:1: GET \/ready failed: ECONNREFUSED/);
  });

  test('one "no" is not believed, several are; one yes is enough; watchers are told', async () => {
    const made = workload();
    let changes = 0;
    made.watch(policy, () => changes++);
    await made.ensure(policy, [{ version: version(await place()), replicas: 1, role: 'stable' }]);
    assert.equal((await seen(made))?.ready, 1);
    sick = true;
    while ((await seen(made))?.ready !== 0) await delay(5);
    sick = false;
    while ((await seen(made))?.ready !== 1) await delay(5);
    assert.ok(changes >= 3);
  });

  test('what is wanted survives a restart; retiring one forgets it and harms nobody', async () => {
    const first = workload();
    await first.ensure(policy, [{ version: version(await place()), replicas: 1, role: 'stable' }]);
    first.close();
    const next = workload();
    assert.equal((await seen(next))?.ready, 1);
    await next.retire(policy, ['r1']);
    await next.retire(policy, ['r1']);
    assert.equal(await seen(next), null);
    next.close();
    assert.equal(await seen(workload()), null);
  });

  test('a damaged file is an error, never an absence (row 71)', async () => {
    const first = workload();
    await first.ensure(policy, [{ version: version(await place()), replicas: 1, role: 'stable' }]);
    first.close();
    writeFileSync(join(folder, 'upstreams', 'shop.json'), '{"schema":1,');
    await assert.rejects(workload().observe(policy), /cannot be read/);
  });
});

workloadConformance('UpstreamWorkloads', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'haldane-upstreams-'));
  const agent = () => new UpstreamWorkloads({ stateDir, clock });
  const made: Server[] = [];
  const running = async (revision: string, status: number): Promise<Version> => {
    const server = createServer((_request, response) => response.writeHead(status).end());
    made.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    return { revision, label: revision, template: { kind: 'upstreams', endpoints: [endpoint] } };
  };
  let current = agent();
  skipMs = 0;
  return {
    workload: current,
    policy,
    stable: await running('v1', 200),
    canary: await running('v2', 200),
    broken: await running('v3', 503),
    sizes: false,
    until: async (what, condition) => {
      const endMs = performance.now() + 10_000;
      while (!(await condition())) {
        if (performance.now() > endMs) throw new Error(`still not: ${what}`);
        skipMs += 1_000;
        await delay(10);
      }
    },
    blind: null,
    nextAgent: async () => {
      current.close();
      current = agent();
      return current;
    },
    end: async () => {
      current.close();
      for (const server of made) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
});
