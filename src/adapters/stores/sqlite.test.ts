import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { changeFrom, decisionText, openTrial, recordMany, trialFolder } from '../../../test/support/store-trial.ts';
import { storeConformance } from '../../ports/conformance/store.ts';
import { MIGRATIONS } from './sqlite/schema.ts';

storeConformance('SqliteStore', async () => {
  const folder = trialFolder(null);
  let store = openTrial(folder, { maxPages: 200 });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = openTrial(folder);
      assert.equal(store.opening.kind, 'clean');
      return store;
    },
    fillUp: async () => {
      const filler = async (number: number) => store.declare(`filler-${number}`, 'x'.repeat(60_000));
      await assert.rejects(
        async () => {
          for (let number = 0; number < 100; number += 1) await filler(number);
        },
        { code: 'store-full' },
      );
    },
    end: async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

test('a second opener is refused, and the owner is named by pid and start time', async (context) => {
  const folder = trialFolder(context);
  const store = openTrial(folder);
  assert.equal(store.opening.kind, 'new');
  assert.throws(
    () => openTrial(folder),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'store-locked');
      assert.match(error.message, new RegExp(`process ${process.pid}, started \\d{4}-\\d\\d-\\d\\dT`));
      return true;
    },
  );
  await store.record(changeFrom(0));
  await store.close();
  const next = openTrial(folder);
  assert.equal((await next.readState('shop'))?.version, 1);
  await next.close();
});

test('the store and all its files are for their owner only', async (context) => {
  const folder = trialFolder(context);
  const store = openTrial(join(folder, 'store'));
  await store.backup(join(folder, 'backup.db'));
  await store.close();
  assert.equal(statSync(join(folder, 'store')).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'backup.db')).mode & 0o777, 0o600);
});

/** The database as somebody with the file and a SQLite shell has it. */
function withDatabase(folder: string, body: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(folder, 'haldane.db'));
  body(database);
  database.close();
}

test('the journal can be added to, and neither changed nor deleted from', async (context) => {
  const folder = trialFolder(context);
  const store = openTrial(folder);
  await recordMany(store, 3);
  await store.close();
  withDatabase(folder, (database) => {
    assert.throws(() => database.exec("UPDATE journal SET document = '1' WHERE sequence = 2"), /append-only/);
    assert.throws(() => database.exec('DELETE FROM journal WHERE sequence = 3'), /append-only/);
  });
});

const tamperings: Record<string, { sql: string; firstBad: number }> = {
  'an entry is changed': { sql: "UPDATE journal SET document = '1' WHERE sequence = 2", firstBad: 2 },
  'an entry is deleted': { sql: 'DELETE FROM journal WHERE sequence = 3', firstBad: 3 },
  'the end is cut off': { sql: 'DELETE FROM journal WHERE sequence >= 4', firstBad: 4 },
};

for (const [what, { sql, firstBad }] of Object.entries(tamperings)) {
  test(`tampering with the journal is reported when the store is opened, and undone: ${what}`, async (context) => {
    const folder = trialFolder(context);
    const store = openTrial(folder);
    await recordMany(store, 5);
    assert.equal(store.verifyJournal().kind, 'intact');
    await store.close();
    withDatabase(folder, (database) => {
      database.exec('DROP TRIGGER journal_is_not_updated; DROP TRIGGER journal_is_not_deleted');
      database.exec(sql);
    });
    const again = openTrial(folder);
    assert.equal(again.opening.kind, 'recovered');
    assert.equal(again.opening.firstMissing, null);
    assert.equal(again.verifyJournal().kind, 'intact');
    const documents = (await again.journal({})).map(({ document }) => document);
    assert.deepEqual(documents, [1, 2, 3, 4, 5].map(decisionText));
    await again.close();
  });

  test(`tampering with both copies is named with the first bad entry: ${what}`, async (context) => {
    if (what === 'the end is cut off') return;
    const folder = trialFolder(context);
    const store = openTrial(folder);
    await recordMany(store, 5);
    await store.close();
    rmSync(join(folder, 'witness.jsonl'));
    withDatabase(folder, (database) => {
      database.exec('DROP TRIGGER journal_is_not_updated; DROP TRIGGER journal_is_not_deleted');
      database.exec(sql);
    });
    const again = openTrial(folder);
    assert.equal(again.opening.firstMissing, firstBad);
    const check = again.verifyJournal();
    assert.equal(check.kind === 'broken' ? check.sequence : null, firstBad);
    assert.equal((await again.readState('shop'))?.version, 5);
    await again.close();
  });
}

test('a changed line of the witness is found by verifying while the store is open', async (context) => {
  const folder = trialFolder(context);
  const store = openTrial(folder);
  await recordMany(store, 3);
  const path = join(folder, 'witness.jsonl');
  writeFileSync(path, readFileSync(path, 'utf8').replace('decision 2', 'decision 9'));
  const check = store.verifyJournal();
  assert.equal(check.kind === 'broken' ? check.sequence : null, 2);
  await store.close();
});

/** A file as schema 1 left it: rows without checksums. */
function writeSchemaOne(folder: string): void {
  withDatabase(folder, (database) => {
    MIGRATIONS[0]?.(database);
    database.exec(`
      INSERT INTO meta VALUES ('store', 'older');
      INSERT INTO states VALUES ('shop', 7, '{"from":"schema 1"}', 5);
      INSERT INTO declarations VALUES ('shop', '{"policy":"shop"}', 3, 0);
      INSERT INTO commands (id, policy, document, answer) VALUES ('c1', 'shop', '"pending"', NULL);
      INSERT INTO releases VALUES ('shop-1', 'shop', '"old"', 1000, 4);
      PRAGMA user_version = 1;
    `);
  });
}

test('an older database file is copied, brought forward, and keeps what it holds', async (context) => {
  const folder = trialFolder(context);
  writeSchemaOne(folder);
  const store = openTrial(folder);
  assert.equal(store.opening.kind, 'caught-up');
  assert.deepEqual({ ...(await store.readState('shop')) }.version, 7);
  assert.equal((await store.declaration('shop'))?.generation, 3);
  assert.equal((await store.pendingCommands('shop'))[0]?.id, 'c1');
  assert.equal((await store.release('shop-1'))?.document, '"old"');
  assert.equal((await store.record(changeFrom(7))).kind, 'recorded');
  await store.close();
  assert.ok(existsSync(join(folder, 'before-schema-2.db')));
  const again = openTrial(folder);
  assert.equal(again.opening.kind, 'clean');
  assert.equal((await again.readState('shop'))?.version, 8);
  await again.close();
});

test('a migration that fails leaves the file as it was', async (context) => {
  const folder = trialFolder(context);
  const store = openTrial(folder);
  await recordMany(store, 2);
  await store.close();
  const failing = [
    ...MIGRATIONS,
    (database: DatabaseSync) => {
      database.exec('DROP TABLE states');
      throw new Error('half-way');
    },
  ];
  assert.throws(() => openTrial(folder, { migrations: failing }), /half-way/);
  const again = openTrial(folder);
  assert.equal(again.opening.kind, 'clean');
  assert.equal((await again.readState('shop'))?.version, 2);
  await again.close();
});

test('a database of a later program is refused and left as it is', async (context) => {
  const folder = trialFolder(context);
  const later = [...MIGRATIONS, () => {}];
  const store = openTrial(folder, { migrations: later });
  await store.record(changeFrom(0));
  await store.close();
  assert.throws(
    () => openTrial(folder),
    (error: Error & { code?: string }) => error.code === 'store-too-new',
  );
  const again = openTrial(folder, { migrations: later });
  assert.equal(again.opening.kind, 'clean');
  assert.equal((await again.readState('shop'))?.version, 1);
  await again.close();
});

test('a backup taken while the store is open is a whole store of its own', async (context) => {
  const folder = trialFolder(context);
  const store = openTrial(join(folder, 'one'));
  await recordMany(store, 4);
  const restored = trialFolder(context);
  await store.backup(join(restored, 'haldane.db'));
  await recordMany(store, 2, 4);
  await store.close();
  const again = openTrial(restored);
  assert.equal((await again.readState('shop'))?.version, 4);
  assert.equal(again.verifyJournal().kind, 'intact');
  await again.close();
});

test('the witness stays in proportion however long a policy is recorded', async (context) => {
  const folder = trialFolder(context);
  const store = openTrial(folder, { witnessSlackBytes: 20_000 });
  const state = 'x'.repeat(5_000);
  for (let version = 0; version < 100; version += 1) {
    await store.record(changeFrom(version, { state, releases: [], journal: [] }));
  }
  assert.ok(statSync(join(folder, 'witness.jsonl')).size < 50_000);
  await store.close();
  const again = openTrial(folder);
  assert.equal(again.opening.kind, 'clean');
  assert.equal((await again.readState('shop'))?.version, 100);
  await again.close();
});

test('compacting forgets old answered commands and nothing else', async (context) => {
  const folder = trialFolder(context);
  const store = openTrial(folder, { keepAnsweredCommands: 2 });
  for (const id of ['a', 'b', 'c', 'd', 'e']) await store.addCommand({ id, policy: 'shop', document: '1' });
  const answers = ['a', 'b', 'c', 'd'].map((id) => ({ id, document: '"ok"' }));
  await store.record(changeFrom(0, { answers }));
  await store.compact();
  const there = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => store.command(id)));
  assert.deepEqual(
    there.map((command) => command?.id ?? null),
    [null, null, 'c', 'd', 'e'],
  );
  await store.close();
  const again = openTrial(folder);
  assert.equal(again.opening.kind, 'clean');
  assert.equal((await again.journal({})).length, 1);
  await again.close();
});
