import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, systemRandomness } from '../../src/adapters/clock/system.ts';
import { MARKER, markedProcesses, stateId } from '../../src/adapters/workloads/processes/marker.ts';
import type { ReplicaRecord } from '../../src/adapters/workloads/processes/record.ts';
import { ProcessWorkloads } from '../../src/adapters/workloads/processes.ts';
import { identify, isRunning } from '../../src/lib/proc.ts';
import { PROCESSES, policyFor, serverVersion, temporaryFolder, until } from './support.ts';

const AGENT = new URL('../fixtures/agent.ts', import.meta.url).pathname;
const policy = policyFor();
const v1 = serverVersion('v1');

let folder: { path: string; remove: () => void };
let open: ProcessWorkloads[] = [];
let orphans: number[] = [];

function agent(): ProcessWorkloads {
  const workload = new ProcessWorkloads({
    stateDir: folder.path,
    clock: systemClock,
    ids: systemRandomness,
    inUse: async () => false,
    onOrphan: ({ pid }) => orphans.push(pid),
  });
  open.push(workload);
  return workload;
}

/** An agent in a process of its own, that can be killed. */
function agentProcess(replicas: number, ...labels: string[]): ChildProcess {
  return spawn(process.execPath, [AGENT, folder.path, String(replicas), ...labels], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function said(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(word)) resolve();
    });
    child.once('exit', () => reject(new Error(`the agent ended before it said ${word}: ${text}`)));
  });
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function observed(workload: ProcessWorkloads, revision = v1.revision) {
  return (await workload.observe(policy)).versions.find((version) => version.revision === revision) ?? null;
}

async function ready(workload: ProcessWorkloads, count: number) {
  return until(`${count} replicas are ready`, async () => {
    const now = await observed(workload);
    return now?.ready === count ? now : null;
  });
}

function registered(revision = v1.revision): readonly ReplicaRecord[] {
  const path = join(folder.path, 'processes', policy.name, revision);
  return readdirSync(path)
    .filter((name) => /^\d+\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as ReplicaRecord);
}

const ourId = () => stateId(join(folder.path, 'processes'));

beforeEach(() => {
  folder = temporaryFolder();
  open = [];
  orphans = [];
});

afterEach(async () => {
  for (const workload of open) workload.close();
  const last = agent();
  const { versions } = await last.observe(policy);
  await last.retire(
    policy,
    versions.map(({ revision }) => revision),
  );
  await until('everything has stopped', async () => (await last.observe(policy)).versions.length === 0);
  assert.deepEqual(markedProcesses(ourId()), [], 'no process is left behind');
  last.close();
  folder.remove();
});

describe('taking processes over', () => {
  test('processes outlive an agent that is killed and are taken over as they are, readiness and age included', async () => {
    const first = agentProcess(2, 'v1');
    await said(first, 'ready');
    await killed(first);
    const next = agent();
    const atOnce = await observed(next);
    assert.deepEqual([atOnce?.ready, atOnce?.running, atOnce?.restarts, atOnce?.wanted], [2, 2, 0, 2]);
    const before = (await next.readReplicas(policy.name)).map(({ pid }) => pid);
    await next.ensure(policy, [{ version: v1, replicas: 2, role: 'stable' }]);
    assert.deepEqual(
      (await next.readReplicas(policy.name)).map(({ pid }) => pid),
      before,
    );
    assert.ok((atOnce?.readyForMs ?? 0) > 0);
    assert.deepEqual(orphans, []);
  });

  test('a replica that died while no agent was there is started again', async () => {
    const first = agentProcess(1, 'v1');
    await said(first, 'ready');
    await killed(first);
    const [record] = registered();
    assert.ok(record?.process);
    process.kill(record.process.pid, 'SIGKILL');
    await until('it is gone', () => record.process !== null && !isRunning(record.process));
    const next = agent();
    const now = await ready(next, 1);
    assert.equal(now.restarts, 1);
  });

  test('a replica taken over is watched: when it dies later it is started again', async () => {
    const first = agentProcess(1, 'v1');
    await said(first, 'ready');
    await killed(first);
    const next = agent();
    await ready(next, 1);
    const [replica] = await next.readReplicas(policy.name);
    assert.ok(replica);
    process.kill(replica.pid, 'SIGKILL');
    await until('another process is ready', async () => {
      const now = await observed(next);
      return now?.ready === 1 && now.restarts === 1;
    });
  });

  test('restarts are counted once across agents, and replicas that go leave theirs with the version (I6)', async () => {
    const first = agent();
    await first.ensure(policy, [{ version: v1, replicas: 2, role: 'stable' }]);
    await ready(first, 2);
    for (const { pid } of await first.readReplicas(policy.name)) process.kill(pid, 'SIGKILL');
    await until('both were started again', async () => {
      const now = await observed(first);
      return now?.ready === 2 && now.restarts === 2;
    });
    const [before] = await first.readLives(policy.name);
    assert.equal(before?.restarts, 2);
    first.close();
    const [replica] = registered();
    assert.ok(replica?.process);
    process.kill(replica.process.pid, 'SIGKILL');
    await until('it is gone', () => replica.process !== null && !isRunning(replica.process));
    const next = agent();
    await ready(next, 2);
    const [taken] = await next.readLives(policy.name);
    assert.deepEqual([taken?.id, taken?.restarts], [before.id, 3]);
    assert.ok((taken?.replicaMs ?? 0) >= before.replicaMs);
    await next.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    await until('one is gone', async () => (await observed(next))?.running === 1);
    const [smaller] = await next.readLives(policy.name);
    assert.equal(smaller?.restarts, 3, 'those of the replica that went are kept');
    await next.retire(policy, [v1.revision]);
    await until('the version is gone', async () => (await observed(next)) === null);
    await next.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    const [anew] = await next.readLives(policy.name);
    assert.equal(anew?.restarts, 0);
    assert.notEqual(anew?.id, before.id, 'another life');
  });

  test('what carries our mark and is not registered is ended, also after a crash between start and registration', async () => {
    const first = agentProcess(1, 'v1');
    await said(first, 'ready');
    await killed(first);
    const lost = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      env: { [MARKER]: `${ourId()}/${policy.name}/${v1.revision}/1.deadbeef` },
      stdio: 'ignore',
      detached: true,
    });
    const foreign = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      env: { [MARKER]: `somebody-else/${policy.name}/${v1.revision}/1.deadbeef` },
      stdio: 'ignore',
    });
    assert.ok(lost.pid !== undefined && foreign.pid !== undefined);
    const gone = new Promise((resolve) => lost.once('exit', (_code, signal) => resolve(signal)));
    const next = agent();
    await ready(next, 1);
    assert.equal(await gone, 'SIGKILL');
    assert.deepEqual(orphans, [lost.pid]);
    const stranger = identify(foreign.pid);
    assert.ok(stranger !== null && isRunning(stranger), 'what belongs to another state folder is left alone');
    foreign.kill('SIGKILL');
  });

  test('a process that got the pid of a dead replica is never signalled (I5)', async () => {
    const first = agentProcess(1, 'v1');
    await said(first, 'ready');
    await killed(first);
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      stdio: 'ignore',
      detached: true,
    });
    const identity = identify(stranger.pid ?? 0);
    assert.ok(identity);
    const [record] = registered();
    assert.ok(record?.process);
    process.kill(record.process.pid, 'SIGKILL');
    // As if the kernel had given the pid out again: same number, another start time.
    const path = join(folder.path, 'processes', policy.name, v1.revision, '0.json');
    writeFileSync(path, JSON.stringify({ ...record, process: { ...record.process, pid: identity.pid } }));
    const next = agent();
    await ready(next, 1);
    await next.retire(policy, [v1.revision]);
    await until('the version is gone', async () => (await observed(next)) === null);
    assert.ok(isRunning(identity));
    stranger.kill('SIGKILL');
  });

  test('a graceful stop goes on under the next agent, and its time is not started anew (row 80)', async () => {
    const slow = serverVersion('v1', { STOP: 'ignore' });
    const first = agent();
    const patient = policyFor({ workload: { ...PROCESSES, stopMs: 3_000 } });
    await first.ensure(patient, [{ version: slow, replicas: 1, role: 'stable' }]);
    await ready(first, 1);
    await first.retire(patient, [slow.revision]);
    await until('SIGTERM was sent', () => registered()[0]?.stopping?.terminatedAt);
    const terminatedAt = registered()[0]?.stopping?.terminatedAt;
    first.close();
    const next = agent();
    const now = await observed(next);
    assert.deepEqual([now?.ready, now?.running], [0, 1]);
    assert.deepEqual(registered()[0]?.stopping?.terminatedAt, terminatedAt);
    await until('it is gone', async () => (await observed(next)) === null);
  });

  test('killed at any moment of its start, the agent leaves nothing the next one does not know (row 22, I6)', async () => {
    for (const afterMs of [0, 5, 15, 30, 60, 100, 160, 250]) {
      const first = agentProcess(3, 'v1');
      await said(first, 'up');
      await delay(afterMs);
      await killed(first);
      const next = agent();
      await next.ensure(policy, [{ version: v1, replicas: 3, role: 'stable' }]);
      await ready(next, 3);
      const known = registered()
        .map((record) => record.process?.pid)
        .sort();
      const marked = markedProcesses(ourId())
        .map(({ identity }) => identity.pid)
        .sort();
      assert.deepEqual(marked, known, `after a kill at ${afterMs} ms`);
      await next.retire(policy, [v1.revision]);
      await until('the version is gone', async () => (await observed(next)) === null);
      next.close();
    }
  });

  test('a port that somebody else took is left to them: the replica comes up on a fresh one', async () => {
    const workload = agent();
    const squatters = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        return server;
      }),
    );
    const taken = squatters.map((server) => (server.address() as { port: number }).port);
    // The first start is told to bind a port that is taken, as if another program had been faster.
    const flag = join(folder.path, 'raced');
    const script = `
      const { existsSync, writeFileSync } = require('node:fs');
      const first = !existsSync(${JSON.stringify(flag)});
      writeFileSync(${JSON.stringify(flag)}, '');
      require('node:http').createServer((q, r) => r.end('ok'))
        .listen(first ? ${taken[0]} : Number(process.env.PORT), process.env.HOST);
      process.on('SIGTERM', () => process.exit(0));`;
    const raced = {
      ...v1,
      template: {
        kind: 'processes' as const,
        command: [process.execPath, '-e', script],
        env: {},
        workingDirectory: null,
      },
    };
    await workload.ensure(policy, [{ version: raced, replicas: 1, role: 'stable' }]);
    const now = await ready(workload, 1);
    assert.equal(now.restarts, 1);
    assert.ok(!taken.includes(now.endpoints[0]?.port ?? 0));
    for (const server of squatters) server.close();
  });

  test('logs are rotated under a process that goes on writing, and it never notices', async () => {
    const workload = agent();
    const small = policyFor({ workload: { ...PROCESSES, logs: { maxBytes: 20_000, files: 2 } } });
    const chatty = serverVersion('v1', { LOG_BYTES: '5000' });
    await workload.ensure(small, [{ version: chatty, replicas: 1, role: 'stable' }]);
    const now = await ready(workload, 1);
    const [endpoint] = now.endpoints;
    assert.ok(endpoint);
    const logs = join(folder.path, 'logs', policy.name, 'v1-v1-01234');
    await until('two old files and a short new one', async () => {
      for (let i = 0; i < 6; i++) await (await fetch(`http://${endpoint.host}:${endpoint.port}/`)).text();
      const names = readdirSync(logs);
      return names.includes('0.log.1') && names.includes('0.log.2');
    });
    assert.ok(!readdirSync(logs).includes('0.log.3'));
    assert.equal((await observed(workload))?.restarts, 0);
  });

  test('a registry that takes no writes keeps no replica from coming up again; the next agent sorts it out', async () => {
    const workload = agent();
    await workload.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]);
    await ready(workload, 1);
    const path = join(folder.path, 'processes', policy.name, v1.revision, '0.json');
    rmSync(path);
    mkdirSync(join(path, 'in the way'), { recursive: true });
    const [replica] = await workload.readReplicas(policy.name);
    assert.ok(replica);
    process.kill(replica.pid, 'SIGKILL');
    await until('it is ready again', async () => {
      const now = await observed(workload);
      return now?.ready === 1 && now.restarts === 1;
    });
    const [unregistered] = await workload.readReplicas(policy.name);
    workload.close();
    rmSync(path, { recursive: true });
    const next = agent();
    await ready(next, 1);
    assert.deepEqual(orphans, [unregistered?.pid]);
    assert.equal(markedProcesses(ourId()).length, 1);
  });

  test('a damaged registry is an error, never an absence, and harms no other policy (rows 68, 71)', async () => {
    const first = agentProcess(1, 'v1');
    await said(first, 'ready');
    await killed(first);
    const [record] = registered();
    assert.ok(record?.process);
    const path = join(folder.path, 'processes', policy.name, v1.revision, '0.json');
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, whole.slice(0, 20));
    const next = agent();
    await assert.rejects(next.observe(policy), /cannot be read/);
    await assert.rejects(next.ensure(policy, [{ version: v1, replicas: 1, role: 'stable' }]), /cannot be read/);
    assert.deepEqual(await next.observe(policyFor({ name: 'other' })), { versions: [] });
    assert.ok(isRunning(record.process), 'of what cannot be read nothing is ended');
    writeFileSync(path, whole);
    assert.equal((await observed(next))?.ready, 1, 'and once it is mended, it goes on');
  });
});
