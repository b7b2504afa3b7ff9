import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { systemClock, systemRandomness } from '../../src/adapters/clock/system.ts';
import { ProcessWorkloads } from '../../src/adapters/workloads/processes.ts';
import type { VersionObservation } from '../../src/core/model/observed.ts';
import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import type { Version } from '../../src/core/model/version.ts';
import { identify, isRunning } from '../../src/lib/proc.ts';
import { PROCESSES, policyFor, serverVersion, temporaryFolder, until } from './support.ts';

let folder: { path: string; remove: () => void };
let open: ProcessWorkloads[] = [];

function agent(options: Partial<ConstructorParameters<typeof ProcessWorkloads>[0]> = {}): ProcessWorkloads {
  const workload = new ProcessWorkloads({
    stateDir: folder.path,
    clock: systemClock,
    ids: systemRandomness,
    inUse: async () => false,
    ...options,
  });
  open.push(workload);
  return workload;
}

async function seen(
  workload: ProcessWorkloads,
  policy: ReleasePolicy,
  version: Version,
): Promise<VersionObservation | null> {
  const { versions } = await workload.observe(policy);
  return versions.find(({ revision }) => revision === version.revision) ?? null;
}

async function ready(workload: ProcessWorkloads, policy: ReleasePolicy, version: Version, count: number) {
  return until(`${count} replicas of ${version.label} are ready`, async () => {
    const observed = await seen(workload, policy, version);
    return observed?.ready === count ? observed : null;
  });
}

async function answer(endpoint: { host: string; port: number } | undefined): Promise<string> {
  assert.ok(endpoint);
  return (await fetch(`http://${endpoint.host}:${endpoint.port}/`)).text();
}

beforeEach(() => {
  folder = temporaryFolder();
  open = [];
});

afterEach(async () => {
  for (const workload of open) workload.close();
  const last = agent();
  const policy = policyFor();
  const { versions } = await last.observe(policy);
  await last.retire(
    policy,
    versions.map(({ revision }) => revision),
  );
  await until('everything has stopped', async () => (await last.observe(policy)).versions.length === 0);
  last.close();
  folder.remove();
});

describe('processes', () => {
  test('versions are started, sized up and down, and each replica has a port of its own', async () => {
    const workload = agent();
    const policy = policyFor();
    const v1 = serverVersion('v1');
    await workload.ensure(policy, [{ version: v1, replicas: 3, role: 'stable' }]);
    const three = await ready(workload, policy, v1, 3);
    assert.equal(new Set(three.endpoints.map(({ port }) => port)).size, 3);
    assert.match(await answer(three.endpoints[0]), /^v1 \d+$/);
    assert.equal(three.trouble, null);

    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    const atOnce = await seen(workload, policy, v1);
    assert.equal(atOnce?.endpoints.length, 1, 'those that leave are off the ready list at once');
    assert.equal(atOnce?.running, 3, 'and still run (I2)');
    await until('only one runs', async () => (await seen(workload, policy, v1))?.running === 1);
    assert.deepEqual((await seen(workload, policy, v1))?.endpoints, [three.endpoints[0]]);
  });

  test('ensure never removes a version; retire removes only what it is told (I2)', async () => {
    const workload = agent();
    const policy = policyFor();
    const [v1, v2] = [serverVersion('v1'), serverVersion('v2')];
    await workload.ensure(policy, [
      { version: v1, replicas: 1, role: 'stable' },
      { version: v2, replicas: 1, role: 'canary' },
    ]);
    await ready(workload, policy, v1, 1);
    await ready(workload, policy, v2, 1);
    await workload.ensure(policy, [{ version: v2, replicas: 1, role: 'stable' }]);
    assert.equal((await seen(workload, policy, v1))?.ready, 1);
    await workload.retire(policy, [v1.revision]);
    await until('v1 is gone', async () => (await seen(workload, policy, v1)) === null);
    assert.equal((await seen(workload, policy, v2))?.ready, 1);
  });

  test('a replica leaves the ready list first and is ended only when the data plane has let go (I2)', async () => {
    let used = true;
    let looks = 0;
    const workload = agent({
      inUse: async () => {
        looks++;
        return used;
      },
    });
    const policy = policyFor({ deadlines: { startMs: 1, releaseMs: 1, gateMs: 1, drainMs: 60_000 } });
    const v1 = serverVersion('v1');
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    await ready(workload, policy, v1, 1);
    await workload.retire(policy, [v1.revision]);
    await until('the data plane was asked', () => looks >= 2);
    const waiting = await seen(workload, policy, v1);
    assert.deepEqual([waiting?.running, waiting?.ready], [1, 0]);
    used = false;
    await until('it is gone', async () => (await seen(workload, policy, v1)) === null);
  });

  test('a slow stop is cut short after stopMs, the whole process group with it', async () => {
    const workload = agent();
    const policy = policyFor({ workload: { ...PROCESSES, stopMs: 300 } });
    const v1 = serverVersion('v1', { STOP: 'ignore', CHILD: 'yes' });
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    await ready(workload, policy, v1, 1);
    const [replica] = await workload.readReplicas(policy.name);
    assert.ok(replica);
    const child = Number(
      readFileSync(`/proc/${replica.pid}/task/${replica.pid}/children`, 'utf8').trim().split(' ')[0],
    );
    const identity = identify(child);
    assert.ok(identity);
    await workload.retire(policy, [v1.revision]);
    await until('it is gone', async () => (await seen(workload, policy, v1)) === null);
    assert.equal(isRunning(identity), false);
  });

  test('a crash loop is named with exit code and last error line, and backs off (row 28)', async () => {
    const workload = agent();
    const policy = policyFor({ workload: { ...PROCESSES, restart: { initialMs: 20, maxMs: 60_000 } } });
    const v1 = serverVersion('v1', { FAIL: 'exit:7' });
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'canary' }]);
    const observed = await until('it is called a crash loop', async () => {
      const now = await seen(workload, policy, v1);
      return now?.trouble?.includes('crash loop') ? now : null;
    });
    assert.match(observed.trouble ?? '', /exited with code 7.*Error: told to fail with 7/);
    assert.equal(observed.ready, 0);
    assert.ok(observed.restarts >= 3);
  });

  test('a program that does not exist is said so', async () => {
    const workload = agent();
    const policy = policyFor();
    const v1: Version = {
      revision: 'r1',
      label: 'v1',
      template: { kind: 'processes', command: ['no-such-program-here'], env: {}, workingDirectory: null },
    };
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    const observed = await until('trouble is named', async () => {
      const now = await seen(workload, policy, v1);
      return now?.trouble ? now : null;
    });
    assert.match(observed.trouble ?? '', /there is no program "no-such-program-here" on the PATH/);
  });

  test('a replica that never gets ready is not given as an endpoint', async () => {
    const workload = agent();
    const policy = policyFor();
    const v1 = serverVersion('v1', { READY: 'never' });
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    await until('it runs', async () => (await seen(workload, policy, v1))?.running === 1);
    const observed = await seen(workload, policy, v1);
    assert.deepEqual([observed?.ready, observed?.endpoints], [0, []]);
  });

  test('readiness that is lost takes the endpoint off the list, and comes back', async () => {
    const workload = agent();
    const policy = policyFor();
    const flag = join(folder.path, 'unready');
    const v1 = serverVersion('v1', { UNREADY_FILE: flag });
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    const before = await ready(workload, policy, v1, 1);
    writeFileSync(flag, '');
    await ready(workload, policy, v1, 0);
    const { rmSync } = await import('node:fs');
    rmSync(flag);
    const after = await ready(workload, policy, v1, 1);
    assert.deepEqual(after.endpoints, before.endpoints);
    assert.equal(after.restarts, 0);
  });

  test('a replica that fails its liveness probe is started again, on another port', async () => {
    const workload = agent();
    const flag = join(folder.path, 'dead');
    const policy = policyFor({
      workload: { ...PROCESSES, live: { path: '/live', intervalMs: 50, timeoutMs: 500, failures: 2 } },
    });
    const v1 = serverVersion('v1', { DEAD_FILE: flag });
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    const before = await ready(workload, policy, v1, 1);
    writeFileSync(flag, '');
    const troubled = await until('it was restarted', async () => {
      const now = await seen(workload, policy, v1);
      return now !== null && now.restarts > 0 && now.trouble !== null ? now : null;
    });
    assert.match(troubled.trouble ?? '', /failed its liveness probe 2 times in a row \(GET \/live answered 500\)/);
    const { rmSync } = await import('node:fs');
    rmSync(flag);
    const after = await ready(workload, policy, v1, 1);
    assert.notDeepEqual(after.endpoints, before.endpoints);
  });

  test('a crash of a ready replica is seen at once and it is started again', async () => {
    const workload = agent();
    const policy = policyFor();
    const v1 = serverVersion('v1');
    let changes = 0;
    workload.watch(policy, () => changes++);
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    await ready(workload, policy, v1, 1);
    const [replica] = await workload.readReplicas(policy.name);
    assert.ok(replica);
    const before = changes;
    process.kill(replica.pid, 'SIGKILL');
    await until('watchers were told', () => changes > before);
    const after = await until('it is ready again', async () => {
      const now = await seen(workload, policy, v1);
      return now?.ready === 1 && now.restarts === 1 ? now : null;
    });
    assert.equal(after.wanted, 1);
  });
});
