import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import {
  bootId,
  identify,
  isRunning,
  processesWithEnvironment,
  processUsage,
  signalGroup,
  signalProcess,
} from './proc.ts';

function sleeper(env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    env,
    detached: true,
    stdio: 'ignore',
  });
  const identity = identify(child.pid ?? 0);
  assert.ok(identity);
  return { child, identity, gone: new Promise((resolve) => child.once('exit', resolve)) };
}

test('a process is known by pid, start time and boot; what differs in one of them is somebody else', async () => {
  const { identity, gone } = sleeper();
  assert.equal(isRunning(identity), true);
  const others = [
    { ...identity, startTicks: '1' },
    { ...identity, bootId: 'another boot' },
    { ...identity, pid: 2 ** 22 + 1 },
  ];
  for (const other of others) {
    assert.equal(isRunning(other), false);
    assert.equal(signalProcess(other, 'SIGKILL'), false);
    assert.equal(signalGroup(other, 'SIGKILL'), false);
  }
  assert.equal(isRunning(identity), true);
  assert.equal(signalGroup(identity, 'SIGKILL'), true);
  await gone;
  assert.equal(isRunning(identity), false);
  assert.equal(processUsage(identity.pid), null);
});

test('processes are found by what is in their environment', async () => {
  const mark = `mark-${process.pid}`;
  const { identity, gone } = sleeper({ HALDANE_TEST: mark });
  const found = processesWithEnvironment('HALDANE_TEST').filter(({ value }) => value === mark);
  assert.deepEqual(found, [{ identity, value: mark }]);
  signalProcess(identity, 'SIGKILL');
  await gone;
  assert.deepEqual(
    processesWithEnvironment('HALDANE_TEST').filter(({ value }) => value === mark),
    [],
  );
});

test('memory and processor time of a process are read', () => {
  const usage = processUsage(process.pid);
  assert.ok(usage !== null && usage.residentMemoryBytes > 1_000_000 && usage.cpuSeconds > 0 && usage.ageSeconds >= 0);
  assert.match(bootId(), /^[0-9a-f-]{36}$/);
});
