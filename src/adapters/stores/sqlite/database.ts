// Connecting to the database file and reading all of it that can be proved. Damage is an answer here, not an exception;
// trouble of the machine (no rights, failing disk, no room) is an exception and is never taken for damage.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isDamageOfFile, StoreTooNew } from './errors.ts';
import { type Delta, soundEntries } from './image.ts';
import { Rows } from './rows.ts';
import { type Migration, migrate, schemaOf } from './schema.ts';

export interface DatabaseReading {
  /** null if it could not be opened at all. */
  readonly database: DatabaseSync | null;
  readonly storeId: string | null;
  readonly delta: Required<Delta>;
  /** In words; empty if the database is whole in itself. */
  readonly problems: readonly string[];
}

const NOTHING: Required<Delta> = { states: [], declarations: [], commands: [], releases: [], journal: [] };

/** Every commit is flushed to the disk before it counts; nobody else reads or writes the file meanwhile. */
const PRAGMAS = [
  'PRAGMA locking_mode = EXCLUSIVE',
  'PRAGMA journal_mode = WAL',
  'PRAGMA synchronous = FULL',
  'PRAGMA fullfsync = 1',
  'PRAGMA checkpoint_fullfsync = 1',
  'PRAGMA cell_size_check = ON',
  'PRAGMA journal_size_limit = 16777216',
];

export function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    // Later than the oldest Node this runs on.
    if ('enableDefensive' in database) database.enableDefensive(true);
    for (const pragma of PRAGMAS) database.exec(pragma);
    return database;
  } catch (error) {
    closeQuietly(database);
    throw error;
  }
}

/** `schemaTold` is what the second witness says: a larger number in a damaged header is not a newer program's. */
export function readDatabase(
  path: string,
  folder: string,
  migrations: readonly Migration[],
  schemaTold: number | null,
): DatabaseReading {
  const isThere = existsSync(path);
  let database: DatabaseSync | null = null;
  try {
    database = connect(path);
    const problems = isThere ? integrityProblems(database) : [];
    const schema = schemaOf(database);
    const isHeaderDamaged = schemaTold !== null && isThere && (schema > migrations.length || schema < schemaTold);
    if (isHeaderDamaged) problems.push('the schema number in its header is not the one that was written');
    else migrate(database, folder, migrations);
    const rows = new Rows(database);
    const { delta, bad } = rows.readAll();
    const { firstBad } = soundEntries(delta.journal);
    if (firstBad !== null) problems.push(`journal entry ${firstBad} is missing or was changed`);
    return { database, storeId: rows.meta('store'), delta, problems: [...problems, ...bad] };
  } catch (error) {
    if (error instanceof StoreTooNew || !isDamageOfFile(error)) {
      if (database !== null) closeQuietly(database);
      throw error;
    }
    if (database !== null) closeQuietly(database);
    return { database: null, storeId: null, delta: NOTHING, problems: [(error as Error).message] };
  }
}

function integrityProblems(database: DatabaseSync): string[] {
  const answers = database
    .prepare('PRAGMA integrity_check(20)')
    .all()
    .map((row) => String(row.integrity_check));
  return answers.length === 1 && answers[0] === 'ok' ? [] : answers;
}

function closeQuietly(database: DatabaseSync): void {
  try {
    database.close();
  } catch {
    // It is damaged; there is nothing to flush that could be trusted.
  }
}
