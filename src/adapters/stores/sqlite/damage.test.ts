// One copy of the store is damaged at many places; every recorded decision must still be there after opening.
// HALDANE_STORE_TRIALS=2000 makes it a long run; the seed is fixed, so that a failing place is found again.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { changeFrom, decisionText, openTrial, recordMany, trialFolder } from '../../../../test/support/store-trial.ts';
import { SeededRandomness } from '../../../ports/doubles/index.ts';
import { connect } from './database.ts';
import type { OpeningReport } from './opening.ts';

const TRIALS = Number(process.env.HALDANE_STORE_TRIALS ?? 40);
const DECISIONS = 30;
const FILES = ['haldane.db', 'haldane.db-wal', 'witness.jsonl'] as const;
type File = (typeof FILES)[number];

const base = trialFolder(null);
const random = new SeededRandomness(20260101);

before(async () => {
  const live = join(base, 'live');
  const store = openTrial(live);
  await store.declare('shop', '{"declared":"shop"}');
  await recordMany(store, 10);
  await store.compact();
  await store.addCommand({ id: 'answered', policy: 'shop', document: '"a"' });
  await store.addCommand({ id: 'pending', policy: 'shop', document: '"p"' });
  await recordMany(store, DECISIONS - 11, 10);
  const answers = [{ id: 'answered', document: '"yes"' }];
  await store.record(changeFrom(DECISIONS - 1, { answers }));
  mkdirSync(join(base, 'image'));
  for (const file of FILES) copyFileSync(join(live, file), join(base, 'image', file));
  await store.close();
});

after(() => rmSync(base, { recursive: true, force: true }));

/** Opens a copy of the store after `damage`; asserts that nothing recorded is lost, and that it stays mended. */
async function survives(damage: (folder: string) => void): Promise<OpeningReport> {
  const folder = join(base, 'trial');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const file of FILES) copyFileSync(join(base, 'image', file), join(folder, file));
  damage(folder);
  const store = openTrial(folder);
  const { opening } = store;
  assert.deepEqual(
    (await store.journal({})).map(({ document }) => document),
    Array.from({ length: DECISIONS }, (_, index) => decisionText(index + 1)),
  );
  assert.equal(store.verifyJournal().kind, 'intact');
  assert.equal(opening.firstMissing, null);
  assert.deepEqual({ ...(await store.readState('shop')) }.version, DECISIONS);
  assert.equal((await store.readState('shop'))?.state, decisionText(DECISIONS));
  assert.equal((await store.declaration('shop'))?.document, '{"declared":"shop"}');
  assert.deepEqual(
    (await store.pendingCommands('shop')).map(({ id }) => id),
    ['pending'],
  );
  assert.equal((await store.command('answered'))?.answer, '"yes"');
  assert.deepEqual(
    (await store.releases('shop')).map(({ id }) => id),
    [26, 27, 28, 29, 30].map((number) => `shop-${number}`),
  );
  assert.equal((await store.record(changeFrom(DECISIONS))).kind, 'recorded');
  await store.close();
  const again = openTrial(folder);
  assert.equal(again.opening.kind, 'clean');
  await again.close();
  return opening;
}

function sizeOf(file: File): number {
  return readFileSync(join(base, 'image', file)).length;
}

function flipBit(folder: string, file: File, offset: number, bit: number): void {
  const path = join(folder, file);
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
  writeFileSync(path, bytes);
}

function overwrite(folder: string, file: File, offset: number, length: number): void {
  const path = join(folder, file);
  const bytes = readFileSync(path);
  bytes.fill(0xa5, offset, Math.min(bytes.length, offset + length));
  writeFileSync(path, bytes);
}

test('without damage the store opens clean, the write-ahead log of a killed process included', async () => {
  assert.ok(sizeOf('haldane.db-wal') > 0);
  assert.equal((await survives(() => {})).kind, 'clean');
});

for (const file of FILES) {
  test(`no recorded decision is lost when ${file} is cut short anywhere`, async () => {
    const size = sizeOf(file);
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const offset = Math.floor(random.fraction() * size);
      const opening = await survives((folder) => truncateSync(join(folder, file), offset));
      assert.notEqual(opening.kind, 'new', `cut at ${offset}`);
    }
  });

  test(`no recorded decision is lost when any bit of ${file} is flipped`, async () => {
    const size = sizeOf(file);
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const offset = Math.floor(random.fraction() * size);
      const bit = Math.floor(random.fraction() * 8);
      await survives((folder) => flipBit(folder, file, offset, bit)).catch((error: unknown) => {
        throw new Error(`bit ${bit} of byte ${offset} of ${file}`, { cause: error });
      });
    }
  });

  test(`no recorded decision is lost when a page of ${file} is overwritten`, async () => {
    const size = sizeOf(file);
    for (let trial = 0; trial < TRIALS / 2; trial += 1) {
      const offset = Math.floor(random.fraction() * size);
      await survives((folder) => overwrite(folder, file, offset, 4_096)).catch((error: unknown) => {
        throw new Error(`4096 bytes from ${offset} of ${file}`, { cause: error });
      });
    }
  });

  test(`no recorded decision is lost when ${file} is gone`, async () => {
    await survives((folder) => rmSync(join(folder, file)));
  });
}

test('no recorded decision is lost when the database and its log are gone together', async () => {
  const opening = await survives((folder) => {
    rmSync(join(folder, 'haldane.db'));
    rmSync(join(folder, 'haldane.db-wal'));
  });
  assert.equal(opening.kind, 'recovered');
});

test('a power cut that takes the ends of both copies leaves a whole, shorter history: the longer of the two', async () => {
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const folder = join(base, 'trial');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const file of FILES) copyFileSync(join(base, 'image', file), join(folder, file));
    const cut = Math.floor(random.fraction() * sizeOf('witness.jsonl'));
    const toldWhole = readFileSync(join(folder, 'witness.jsonl'), 'utf8').slice(0, cut);
    const told = Math.max(0, ...[...toldWhole.matchAll(/"sequence":(\d+).*\n/g)].map(([, number]) => Number(number)));
    truncateSync(join(folder, 'witness.jsonl'), cut);
    truncateSync(join(folder, 'haldane.db-wal'), Math.floor(random.fraction() * sizeOf('haldane.db-wal')));
    const store = openTrial(folder);
    const entries = await store.journal({});
    assert.ok(entries.length >= Math.max(10, told), `${entries.length} of ${told}`);
    assert.deepEqual(
      entries.map(({ document }) => document),
      entries.map((_, index) => decisionText(index + 1)),
    );
    assert.equal(store.verifyJournal().kind, 'intact');
    assert.equal((await store.readState('shop'))?.version, entries.length);
    assert.equal((await store.readState('shop'))?.state, decisionText(entries.length));
    await store.close();
  }
});

test('damage in both copies loses at most what neither can prove, names it, and never shows a wrong decision', async () => {
  let named = 0;
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const folder = join(base, 'trial');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const file of FILES) {
      copyFileSync(join(base, 'image', file), join(folder, file));
      for (let flips = 0; flips < 4; flips += 1) {
        flipBit(folder, file, Math.floor(random.fraction() * sizeOf(file)), Math.floor(random.fraction() * 8));
      }
    }
    const store = openTrial(folder);
    const entries = await store.journal({});
    for (const { sequence, document } of entries) assert.equal(document, decisionText(sequence));
    const check = store.verifyJournal();
    assert.equal(check.kind === 'broken' ? check.sequence : null, store.opening.firstMissing);
    if (store.opening.firstMissing !== null) named += 1;
    const state = await store.readState('shop');
    assert.equal(state?.state, decisionText(state?.version ?? 0));
    await store.close();
  }
  assert.ok(named > 0 || TRIALS < 40, 'the trial never lost anything: make it harder');
});

test('every commit is flushed: the pragmas of a connection', () => {
  const database = connect(join(base, 'pragmas.db'));
  const value = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  assert.equal(value('journal_mode'), 'wal');
  assert.equal(value('synchronous'), 2);
  assert.equal(value('locking_mode'), 'exclusive');
  database.close();
});

test('damaged files are set aside, not deleted, and the report says what was done', async () => {
  const opening = await survives((folder) => overwrite(folder, 'haldane.db', 0, 4_096));
  assert.equal(opening.kind, 'recovered');
  assert.match(opening.messages.join('; '), /rebuilt/);
  assert.ok(opening.setAside !== null && existsSync(join(opening.setAside, 'haldane.db')));
});

test('where nothing can be read any more the store refuses to start empty', () => {
  const folder = join(base, 'hopeless');
  mkdirSync(folder);
  for (const file of FILES) writeFileSync(join(folder, file), 'not what was written\n'.repeat(400));
  assert.throws(
    () => openTrial(folder),
    (error: Error & { code?: string; fix?: string }) => {
      assert.equal(error.code, 'store-unreadable');
      assert.match(error.fix ?? '', /backup/);
      return true;
    },
  );
});
