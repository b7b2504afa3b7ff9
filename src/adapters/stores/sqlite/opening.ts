// Opening the store: reads the database and its second witness, puts together what each of them can prove, and makes
// both whole again. Damaged files are set aside, never deleted. It refuses to start empty where something was.
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { randomId } from '../../../lib/random-id.ts';
import { connect, type DatabaseReading, readDatabase } from './database.ts';
import { isDiskFull, StoreTooNew, StoreUnreadable } from './errors.ts';
import { countRows, type Delta, Image, missingIn, soundEntries } from './image.ts';
import { Rows } from './rows.ts';
import { MIGRATIONS, type Migration, migrate } from './schema.ts';
import { readWitness, syncFolder, Witness, type WitnessReading } from './witness.ts';

export interface OpeningReport {
  /**
   * new         nothing was there
   * clean       both copies agree
   * caught-up   a crash had ended a write between the two copies; nothing was damaged
   * recovered   one copy was damaged or behind, and was made whole from the other
   */
  readonly kind: 'new' | 'clean' | 'caught-up' | 'recovered';
  /** What was found and done, for people. */
  readonly messages: readonly string[];
  /** Where damaged files were put. */
  readonly setAside: string | null;
  /** The first journal entry that neither copy could prove; null if the chain is whole. */
  readonly firstMissing: number | null;
}

export interface Opened {
  readonly database: DatabaseSync;
  readonly rows: Rows;
  /** null while the disk is too full to write it. */
  readonly witness: Witness | null;
  readonly storeId: string;
  readonly report: OpeningReport;
}

export const DATABASE_FILE = 'haldane.db';
export const WITNESS_FILE = 'witness.jsonl';

export function openFolder(folder: string, migrations: readonly Migration[] = MIGRATIONS): Opened {
  const databasePath = join(folder, DATABASE_FILE);
  const witnessPath = join(folder, WITNESS_FILE);
  const hadDatabase = existsSync(databasePath) && statSync(databasePath).size > 0;
  const told = readWitness(witnessPath);
  if ((told.schema ?? 0) > migrations.length) throw new StoreTooNew(folder, told.schema ?? 0, migrations.length);
  const found = readDatabase(databasePath, folder, migrations, told.schema);
  const merged = merge(found, told);
  if (found.problems.length + told.badLines.length > 0 && merged.whole.size === 0) {
    found.database?.close();
    throw new StoreUnreadable(folder, [...found.problems, ...merged.messages].join('; '));
  }
  const repair = repairDatabase(folder, found, merged, migrations);
  const storeId = found.storeId ?? told.storeId ?? randomId();
  if (repair.rows.meta('store') !== storeId) repair.rows.setMeta('store', storeId);
  const header = { storeId, schema: migrations.length };
  const aside = repair.setAside ?? (merged.messages.length > 0 ? keepWitness(folder) : null);
  const written = repairWitness(witnessPath, header, told, merged);
  const messages = [...found.problems, ...merged.messages, ...repair.messages, ...written.messages];
  const isNew = !hadDatabase && !told.exists;
  const isHurt = found.problems.length + merged.messages.length + repair.messages.length > 0;
  const kind = isNew ? 'new' : isHurt ? 'recovered' : written.messages.length > 0 ? 'caught-up' : 'clean';
  const report: OpeningReport = {
    kind,
    messages: isNew ? [] : messages,
    setAside: aside,
    firstMissing: merged.firstMissing,
  };
  return { ...repair, witness: written.witness, storeId, report };
}

interface Merged {
  readonly whole: Image;
  readonly missingInDatabase: Required<Delta>;
  readonly missingInWitness: Required<Delta>;
  readonly firstMissing: number | null;
  readonly messages: readonly string[];
}

/** What both copies prove together. A journal entry that one copy cannot prove is taken from the other. */
function merge(found: DatabaseReading, told: WitnessReading): Merged {
  const messages: string[] = [];
  const isForeign = told.storeId !== null && found.storeId !== null && told.storeId !== found.storeId;
  if (isForeign) messages.push('the witness belongs to another store and was not used');
  if (told.badLines.length > 0) messages.push(`${told.badLines.length} lines of the witness are damaged`);
  const fromDatabase = imageOf([found.delta]);
  const fromWitness = imageOf(isForeign ? [] : told.deltas);
  const whole = new Image();
  const [first, second] = found.problems.length > 0 ? [fromWitness, fromDatabase] : [fromDatabase, fromWitness];
  whole.fold(first.delta());
  whole.fold(second.delta());
  whole.dropOldReleases();
  const { firstBad } = soundEntries(whole.delta().journal);
  if (firstBad !== null) messages.push(`journal entry ${firstBad} is lost in both copies`);
  return {
    whole,
    missingInDatabase: missingIn(fromDatabase, whole),
    missingInWitness: missingIn(fromWitness, whole),
    firstMissing: firstBad,
    messages,
  };
}

function imageOf(deltas: readonly Delta[]): Image {
  const image = new Image();
  for (const delta of deltas) image.fold(delta);
  const { sound } = soundEntries(image.delta().journal);
  image.journal.clear();
  image.fold({ journal: sound });
  return image;
}

interface RepairedDatabase {
  readonly database: DatabaseSync;
  readonly rows: Rows;
  readonly setAside: string | null;
  readonly messages: readonly string[];
}

function repairDatabase(
  folder: string,
  found: DatabaseReading,
  merged: Merged,
  migrations: readonly Migration[],
): RepairedDatabase {
  const missing = countRows(merged.missingInDatabase);
  if (found.database !== null && found.problems.length === 0) {
    const rows = new Rows(found.database);
    if (missing === 0) return { database: found.database, rows, setAside: null, messages: [] };
    applyAll(found.database, rows, merged.missingInDatabase);
    const messages = [`${missing} recorded changes were missing in the database and were brought back`];
    return { database: found.database, rows, setAside: null, messages };
  }
  found.database?.close();
  const setAside = moveAside(folder);
  const database = connect(join(folder, DATABASE_FILE));
  migrate(database, folder, migrations);
  const rows = new Rows(database);
  applyAll(database, rows, merged.whole.delta());
  const messages = [`the database was damaged; it was rebuilt with ${merged.whole.size} rows`];
  return { database, rows, setAside, messages };
}

function applyAll(database: DatabaseSync, rows: Rows, delta: Delta): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    rows.apply(delta);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Moves the database's files, and a copy of the witness, into a folder of their own. */
function moveAside(folder: string): string {
  const aside = keepWitness(folder);
  for (const ending of ['', '-wal', '-shm', '-journal']) {
    const from = join(folder, `${DATABASE_FILE}${ending}`);
    if (existsSync(from)) renameSync(from, join(aside, `${DATABASE_FILE}${ending}`));
  }
  syncFolder(folder);
  return aside;
}

function keepWitness(folder: string): string {
  let number = 1;
  while (existsSync(join(folder, `damaged-${number}`))) number += 1;
  const aside = join(folder, `damaged-${number}`);
  mkdirSync(aside, { mode: 0o700 });
  const witness = join(folder, WITNESS_FILE);
  if (existsSync(witness)) copyFileSync(witness, join(aside, WITNESS_FILE));
  return aside;
}

interface RepairedWitness {
  readonly witness: Witness | null;
  readonly messages: readonly string[];
}

function repairWitness(
  path: string,
  header: { readonly storeId: string; readonly schema: number },
  told: WitnessReading,
  merged: Merged,
): RepairedWitness {
  const missing = countRows(merged.missingInWitness);
  const isWhole = told.storeId === header.storeId && told.schema === header.schema && told.badLines.length === 0;
  if (isWhole && !told.torn && missing === 0) return { witness: Witness.resume(path), messages: [] };
  const messages = [`the witness was written anew (${missing} changes were missing in it)`];
  try {
    return { witness: Witness.write(path, header, linesOf(merged.whole.delta())), messages };
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    return { witness: null, messages: ['the witness could not be written anew: the disk is full'] };
  }
}

/** One row a line, so that one damaged line costs one row. */
export function* linesOf(delta: Required<Delta>): Generator<Delta> {
  for (const row of delta.declarations) yield { declarations: [row] };
  for (const row of delta.commands) yield { commands: [row] };
  for (const row of delta.states) yield { states: [row] };
  for (const row of delta.releases) yield { releases: [row] };
  for (const entry of delta.journal) yield { journal: [entry] };
}
