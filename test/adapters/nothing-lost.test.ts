// Workload, router and measurements together over real HTTP: a load generator in a process of its own, without retries,
// and everything that happens to a service in between. Not one request may be lost; the sabotaged control loses some.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { systemClock, systemRandomness } from '../../src/adapters/clock/system.ts';
import { GatewayMetrics } from '../../src/adapters/metrics/gateway.ts';
import { GatewayRouter } from '../../src/adapters/routers/gateway.ts';
import { ProcessWorkloads } from '../../src/adapters/workloads/processes.ts';
import type { Split } from '../../src/core/model/split.ts';
import type { Version } from '../../src/core/model/version.ts';
import { PROCESSES, policyFor, serverVersion, temporaryFolder, until } from './support.ts';

const GATEWAY = new URL('../../src/main/gateway.ts', import.meta.url).pathname;
const LOAD = new URL('../fixtures/load.mjs', import.meta.url).pathname;
const policy = policyFor({
  workload: { ...PROCESSES, ready: { path: '/ready', intervalMs: 100, timeoutMs: 1_000, failures: 3 } },
  deadlines: { startMs: 60_000, releaseMs: 600_000, gateMs: 600_000, drainMs: 5_000 },
});
const [v1, v2] = [serverVersion('v1'), serverVersion('v2')];

interface Agent {
  readonly workload: ProcessWorkloads;
  readonly router: GatewayRouter;
  close(): void;
}

interface LoadResult {
  readonly sent: number;
  readonly answered: Readonly<Record<string, number>>;
  readonly lost: readonly string[];
  readonly lostCount: number;
}

let folder: { path: string; remove: () => void };
let agents: Agent[] = [];
let loads: ChildProcess[] = [];

function agent(version = '0.1.0'): Agent {
  const router = new GatewayRouter({
    stateDir: folder.path,
    clock: systemClock,
    command: [process.execPath, GATEWAY],
    version,
  });
  const workload = new ProcessWorkloads({
    stateDir: folder.path,
    clock: systemClock,
    ids: systemRandomness,
    inUse: (name, revision, endpoint) => router.isInUse(name, revision, endpoint),
  });
  const made = {
    workload,
    router,
    close: () => {
      workload.close();
      router.close();
    },
  };
  agents.push(made);
  return made;
}

async function run({ workload }: Agent, version: Version, replicas: number): Promise<void> {
  await workload.ensure(policy, [{ version, replicas, role: 'stable' }]);
  await until(`${replicas} of ${version.label} are ready`, async () => {
    const { versions } = await workload.observe(policy);
    return versions.find(({ revision }) => revision === version.revision)?.ready === replicas;
  });
}

async function split({ workload, router }: Agent, ...shares: (readonly [Version, number])[]): Promise<void> {
  const wanted: Split = {
    weights: shares.map(([version, weightPercent]) => ({ revision: version.revision, weightPercent })),
    rules: [],
    salt: 'salt',
    userKey: null,
    affinity: null,
  };
  const { versions } = await workload.observe(policy);
  const backends = shares.map(([{ revision, label }]) => ({
    revision,
    label,
    endpoints: versions.find((version) => version.revision === revision)?.endpoints ?? [],
  }));
  assert.deepEqual(await router.ensure(policy, wanted, backends), { kind: 'converged' });
}

async function drained({ router }: Agent, version: Version): Promise<void> {
  await until(
    `${version.label} is drained`,
    async () => ((await router.inFlight(policy))[version.revision] ?? 0) === 0,
  );
}

async function gone({ workload }: Agent, version: Version): Promise<void> {
  await workload.retire(policy, [version.revision]);
  await until(`${version.label} is gone`, async () => {
    const { versions } = await workload.observe(policy);
    return versions.every(({ revision }) => revision !== version.revision);
  });
}

async function startLoad({ router }: Agent): Promise<{ stop: () => Promise<LoadResult> }> {
  const at = await router.listening(policy.name);
  const child = spawn(process.execPath, [LOAD, at?.host ?? '', String(at?.port), '16'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  loads.push(child);
  let text = '';
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += String(chunk);
      if (text.includes('started')) resolve();
    });
  });
  return {
    stop: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
      return JSON.parse(text.trim().split('\n').at(-1) ?? '') as LoadResult;
    },
  };
}

/** Lets some traffic flow: until so many more requests were answered. */
async function traffic({ router }: Agent, requests: number): Promise<void> {
  const total = async () =>
    (await router.counts(policy.name))
      .flatMap(({ snapshot }) => snapshot.cells)
      .reduce((sum, { count }) => sum + count, 0);
  const before = await total();
  await until(`${requests} more requests`, async () => (await total()) >= before + requests);
}

beforeEach(() => {
  folder = temporaryFolder();
  agents = [];
  loads = [];
});

afterEach(async () => {
  for (const load of loads) load.kill('SIGKILL');
  for (const made of agents) made.close();
  const last = agent();
  const { versions } = await last.workload.observe(policy);
  await last.router.release(policy.name);
  await last.workload.retire(
    policy,
    versions.map(({ revision }) => revision),
  );
  await until(
    'all is gone',
    async () => {
      const there = await last.workload.observe(policy);
      return there.versions.length === 0 && (await last.router.observe(policy)).state === 'absent';
    },
    60_000,
  );
  last.close();
  folder.remove();
});

describe('nothing is lost', () => {
  test('sizing, 100 weight changes, promotion, abort, agents that come and go, a new gateway: 0 requests lost (rows 2, 4, 5, 9)', async () => {
    let now = agent();
    await run(now, v1, 2);
    await split(now, [v1, 100]);
    const metrics = new GatewayMetrics({
      clock: systemClock,
      readInstances: ({ name }) => now.router.counts(name),
      readPasts: ({ name }) => now.router.pasts(name),
      readLives: async () => null,
      readReplicas: async () => null,
    });
    const query = { policy, stable: v1.revision, canary: v2.revision, checks: [] };
    const opening = await metrics.measure({ ...query, cursor: null });
    assert.ok(opening.kind === 'measurement');
    const load = await startLoad(now);
    await run(now, v2, 2);
    for (let i = 0; i < 100; i++) {
      const percent = (i * 37) % 96;
      await split(
        now,
        ...(
          [
            [v1, 100 - percent],
            [v2, percent],
          ] as const
        ).filter(([, weight]) => weight > 0),
      );
    }
    await traffic(now, 500);

    now.close();
    now = agent();
    await run(now, v1, 3);
    await split(now, [v1, 50], [v2, 50]);
    await now.workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    await split(now, [v1, 50], [v2, 50]);
    await traffic(now, 500);

    await split(now, [v1, 100]);
    await drained(now, v2);
    await gone(now, v2);
    await traffic(now, 500);

    await run(now, v2, 2);
    await split(now, [v2, 100]);
    await drained(now, v1);
    await gone(now, v1);
    await traffic(now, 500);

    now.close();
    const [old] = (await now.router.observe(policy)).instances;
    now = agent('9.9.9');
    const unwatch = now.router.watch(policy, () => {});
    await until('another gateway serves', async () => {
      const { instances } = await now.router.observe(policy);
      return instances.length === 2 || instances[0] !== old;
    });
    unwatch();
    await until('it is alone', async () => (await now.router.observe(policy)).instances.length === 1, 60_000);
    await traffic(now, 500);

    const result = await load.stop();
    assert.deepEqual([result.lostCount, result.lost], [0, []], JSON.stringify(result));
    const measured = await metrics.measure({ ...query, cursor: opening.measurement.cursor });
    assert.ok(measured.kind === 'measurement');
    const { [v1.revision]: stable = 0, [v2.revision]: canary = 0 } = measured.measurement.requests;
    assert.deepEqual({ v1: stable, v2: canary }, result.answered, 'counted by two gateways, each request exactly once');
    console.log(`  ${result.sent} requests sent, ${result.lostCount} lost`);
  });

  test('the control: a version that is killed before it is drained does lose requests', async () => {
    const now = agent();
    await run(now, v1, 1);
    await run(now, v2, 1);
    await split(now, [v1, 50], [v2, 50]);
    const load = await startLoad(now);
    await traffic(now, 500);
    const replica = (await now.workload.readReplicas(policy.name)).find(({ revision }) => revision === v2.revision);
    assert.ok(replica);
    process.kill(replica.pid, 'SIGKILL');
    await traffic(now, 500);
    const result = await load.stop();
    assert.ok(result.lostCount > 0);
    console.log(`  ${result.sent} requests sent, ${result.lostCount} lost (as it must)`);
  });
});
