// The store on a disk that really is full: a file system of a few megabytes in memory, filled up by somebody else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SqliteStore } from '../../src/adapters/stores/sqlite.ts';
import { changeFrom } from '../support/store-trial.ts';

const MEBIBYTE = 1024 * 1024;

/** A small file system of its own, or null where this user may not make one. */
function mountSmall(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'haldane-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return null;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
}

/** Somebody else's file that takes all the room there is. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let chunk = 64 * 1024; chunk >= 512; chunk /= 2) {
      try {
        for (;;) if (writeSync(file, Buffer.alloc(chunk)) < chunk) break;
      } catch {
        // This chunk no longer fits; a smaller one may.
      }
    }
  } finally {
    closeSync(file);
  }
}

test('a full disk: the reserve records the way out, then nothing is half-written, then all is well again', async (t) => {
  const folder = mountSmall();
  if (folder === null) return t.skip('mounting a small file system needs root');
  const options = { folder: join(folder, 'store'), reserveBytes: MEBIBYTE, minFreeBytes: MEBIBYTE };
  try {
    const store = SqliteStore.open(options);
    assert.deepEqual(await store.health(), { writable: true, message: '' });
    await store.record(changeFrom(0));
    fillUp(join(folder, 'somebody-elses'));
    const nearlyFull = await store.health();
    assert.equal(nearlyFull.writable, false);
    assert.match(nearlyFull.message, /nearly full.*0 MiB/);

    const state = 'x'.repeat(20_000);
    let version = 1;
    let full = null;
    while (full === null && version < 1_000) {
      const result = await store.record(changeFrom(version, { state }));
      if (result.kind === 'recorded') version = result.version;
      else full = result;
    }
    assert.equal(full?.kind, 'full');
    assert.ok(version > 5, `the reserve took ${version} records`);
    assert.match((await store.health()).message, /the disk is full/);
    await assert.rejects(store.addCommand({ id: 'c', policy: 'shop', document: state }), { code: 'store-full' });
    assert.equal((await store.readState('shop'))?.version, version);
    await store.close();

    const onFullDisk = SqliteStore.open(options);
    assert.equal((await onFullDisk.readState('shop'))?.version, version);
    assert.equal((await onFullDisk.health()).writable, false);

    rmSync(join(folder, 'somebody-elses'));
    assert.deepEqual(await onFullDisk.health(), { writable: true, message: '' });
    assert.equal((await onFullDisk.record(changeFrom(version))).kind, 'recorded');
    assert.equal(onFullDisk.verifyJournal().kind, 'intact');
    assert.equal((await onFullDisk.journal({})).length, version + 1);
    await onFullDisk.close();

    const again = SqliteStore.open(options);
    assert.equal(again.opening.kind, 'clean');
    await again.close();
  } finally {
    unmount(folder);
  }
});
