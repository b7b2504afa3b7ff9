// The tables, and how an older file is brought forward. Each migration runs in a transaction with its number, after a
// copy of the file was set aside; a file of a later schema is refused.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { StoreTooNew } from './errors.ts';
import { sumOf } from './image.ts';

export type Migration = (database: DatabaseSync) => void;

/** `MIGRATIONS[n]` makes schema n one of schema n + 1. Never changed once released; only added to. */
export const MIGRATIONS: readonly Migration[] = [createTables, addSums];

function createTables(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE states (
      policy TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, keep_releases INTEGER NOT NULL) STRICT;
    CREATE TABLE declarations (
      policy TEXT PRIMARY KEY, document TEXT NOT NULL, generation INTEGER NOT NULL, removed INTEGER NOT NULL) STRICT;
    CREATE TABLE commands (
      position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, policy TEXT NOT NULL,
      document TEXT NOT NULL, answer TEXT) STRICT;
    CREATE INDEX commands_pending ON commands (policy, position) WHERE answer IS NULL;
    CREATE TABLE releases (
      id TEXT PRIMARY KEY, policy TEXT NOT NULL, document TEXT NOT NULL, first INTEGER NOT NULL,
      written INTEGER NOT NULL) STRICT;
    CREATE INDEX releases_by_policy ON releases (policy, first);
    CREATE TABLE journal (
      sequence INTEGER PRIMARY KEY, policy TEXT NOT NULL, release TEXT, wall_time TEXT NOT NULL,
      document TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
    CREATE INDEX journal_by_policy ON journal (policy, sequence);
    CREATE INDEX journal_by_release ON journal (release, sequence) WHERE release IS NOT NULL;
    CREATE TRIGGER journal_is_not_updated BEFORE UPDATE ON journal
      BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal
      BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  `);
}

/** Schema 2: rows carry a checksum, so that a flipped bit in a text is seen. */
function addSums(database: DatabaseSync): void {
  database.function('sum_of', { varargs: true, deterministic: true }, (...fields) =>
    sumOf(fields as (string | number | null)[]),
  );
  database.exec(`
    ALTER TABLE states ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE declarations ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE commands ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE releases ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
    UPDATE states SET sum = sum_of(policy, version, state, keep_releases);
    UPDATE declarations SET sum = sum_of(policy, document, generation, removed);
    UPDATE commands SET sum = sum_of(position, id, policy, document, answer);
    UPDATE releases SET sum = sum_of(id, policy, document, first, written);
  `);
}

export function schemaOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
}

/** Brings the database to the newest schema; an older one that holds anything is copied first. */
export function migrate(database: DatabaseSync, folder: string, migrations: readonly Migration[] = MIGRATIONS): void {
  const found = schemaOf(database);
  if (found > migrations.length) throw new StoreTooNew(folder, found, migrations.length);
  if (found > 0 && found < migrations.length) copyAside(database, join(folder, `before-schema-${found + 1}.db`));
  for (let schema = found; schema < migrations.length; schema += 1) {
    database.exec('BEGIN IMMEDIATE');
    try {
      migrations[schema]?.(database);
      database.exec(`PRAGMA user_version = ${schema + 1}`);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}

function copyAside(database: DatabaseSync, path: string): void {
  if (!existsSync(path)) database.prepare('VACUUM INTO ?').run(path);
}
