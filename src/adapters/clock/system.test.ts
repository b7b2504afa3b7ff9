import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { elapsedMs } from '../../core/model/time.ts';
import { systemClock, systemRandomness } from './system.ts';

test('time never steps back, and another process on this boot reads the same clock (row 81)', () => {
  const before = systemClock.now();
  const script = `import { systemClock } from ${JSON.stringify(new URL('./system.ts', import.meta.url).href)};
    process.stdout.write(JSON.stringify(systemClock.now()));`;
  const between = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
  const after = systemClock.now();
  assert.equal(between.epoch, before.epoch);
  assert.ok(elapsedMs(before, between) > 0 && elapsedMs(between, after) > 0);
  assert.ok(elapsedMs(before, between) <= elapsedMs(before, after));
});

test('a sleep ends at once when it is called off, and one longer than a timer can hold does not end at once', async () => {
  const off = new AbortController();
  let ended = false;
  const sleeping = systemClock.sleep(2 ** 40, off.signal).then(() => {
    ended = true;
  });
  await systemClock.sleep(20);
  assert.equal(ended, false);
  off.abort();
  await sleeping;
  await systemClock.sleep(1_000_000, off.signal);
});

test('identifiers differ', () => {
  assert.equal(new Set(Array.from({ length: 1_000 }, () => systemRandomness.id())).size, 1_000);
});
