// The store under SIGKILL: a process that writes is killed at random moments, again and again, on the same folder.
// HALDANE_STORE_KILLS=200 makes it a long run.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { siblingModule } from '../../src/lib/sibling.ts';
import { SeededRandomness } from '../../src/ports/doubles/index.ts';
import { openTrial } from '../support/store-trial.ts';

const KILLS = Number(process.env.HALDANE_STORE_KILLS ?? 12);

interface Life {
  readonly opened: string;
  /** The last version the process said was recorded; null if it never got so far. */
  readonly said: number | null;
}

/** One life of the writer: from its start to its kill, some time after its first word. */
async function liveAndDie(folder: string, livesMs: number): Promise<Life> {
  const child: ChildProcess = spawn(process.execPath, [siblingModule(import.meta.url, 'writer-process'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let opened = '';
  let said: number | null = null;
  try {
    for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
      if (opened === '') {
        opened = line;
        void wait(livesMs).then(() => child.kill('SIGKILL'));
      } else said = Number(line);
    }
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
  return { opened, said };
}

test('what was said to be recorded is there after every SIGKILL, and nothing is found damaged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'haldane-kill-'));
  const random = new SeededRandomness(7);
  try {
    let recorded = 0;
    for (let life = 0; life < KILLS; life += 1) {
      const { opened, said } = await liveAndDie(folder, Math.floor(random.fraction() * 120));
      assert.match(opened, life === 0 ? /^opened new/ : /^opened (clean|caught-up)/);
      const store = openTrial(folder);
      assert.notEqual(store.opening.kind, 'recovered', store.opening.messages.join('; '));
      const version = (await store.readState('shop'))?.version ?? 0;
      // The write under way at the kill may have been recorded without being said.
      assert.ok(version >= (said ?? recorded), `said ${said}, found ${version}`);
      assert.ok(version <= (said ?? recorded) + 1, `said ${said}, found ${version}`);
      recorded = version;
      assert.equal((await store.journal({})).length, version);
      assert.equal(store.verifyJournal().kind, 'intact');
      await store.close();
    }
    assert.ok(recorded > 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('while a process has the store another is refused, by pid and start time; after its SIGKILL it is free at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'haldane-lock-'));
  const child = spawn(process.execPath, [siblingModule(import.meta.url, 'writer-process'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    assert.throws(
      () => openTrial(folder),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'store-locked');
        assert.match(error.message, new RegExp(`in use by process ${child.pid}, started \\d{4}-`));
        return true;
      },
    );
    child.kill('SIGKILL');
    await exited;
    await openTrial(folder).close();
  } finally {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
});
