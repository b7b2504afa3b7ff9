// Reading and writing rows: the only file with the store's SQL beside the schema. It writes inside transactions that
// its caller opened, and it gives out only rows whose checksum fits.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { JournalEntry } from '../../../ports/index.ts';
import { type CommandRow, type DeclarationRow, type Delta, type ReleaseRow, type StateRow, sumOf } from './image.ts';

type Raw = Record<string, string | number | null>;

export class Rows {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  apply(delta: Delta): void {
    for (const row of delta.states ?? []) this.#putState(row);
    for (const row of delta.declarations ?? []) this.#putDeclaration(row);
    for (const row of delta.commands ?? []) this.#putCommand(row);
    for (const row of delta.releases ?? []) this.#putRelease(row);
    for (const entry of delta.journal ?? []) this.#putEntry(entry);
    if (delta.releases === undefined || delta.releases.length === 0) return;
    for (const { policy, keepReleases } of delta.states ?? []) this.#dropOldReleases(policy, keepReleases);
  }

  state(policy: string): StateRow | null {
    const raw = this.#get('SELECT * FROM states WHERE policy = ?', policy);
    return raw === null ? null : toState(raw);
  }

  declaration(policy: string): DeclarationRow | null {
    const raw = this.#get('SELECT * FROM declarations WHERE policy = ?', policy);
    return raw === null ? null : toDeclaration(raw);
  }

  command(id: string): CommandRow | null {
    const raw = this.#get('SELECT * FROM commands WHERE id = ?', id);
    return raw === null ? null : toCommand(raw);
  }

  pending(policy: string): CommandRow[] {
    const sql = 'SELECT * FROM commands WHERE policy = ? AND answer IS NULL ORDER BY position';
    return this.#all(sql, policy).map(toCommand);
  }

  lastPosition(): number {
    return Number(this.#get('SELECT max(position) AS last FROM commands')?.last ?? 0);
  }

  release(id: string): ReleaseRow | null {
    const raw = this.#get('SELECT * FROM releases WHERE id = ?', id);
    return raw === null ? null : toRelease(raw);
  }

  /** Oldest first. */
  releases(policy: string): ReleaseRow[] {
    return this.#all('SELECT * FROM releases WHERE policy = ? ORDER BY first', policy).map(toRelease);
  }

  declarations(): DeclarationRow[] {
    return this.#all('SELECT * FROM declarations ORDER BY policy').map(toDeclaration);
  }

  journal(query: { policy?: string; release?: string; after?: number; limit?: number }): JournalEntry[] {
    const { policy, release, after = 0, limit = -1 } = query;
    const conditions = ['sequence > ?'];
    const values: (string | number)[] = [after];
    for (const [name, value] of Object.entries({ policy, release })) {
      if (value === undefined) continue;
      conditions.push(`${name} = ?`);
      values.push(value);
    }
    const sql = `SELECT * FROM journal WHERE ${conditions.join(' AND ')} ORDER BY sequence LIMIT ?`;
    return this.#all(sql, ...values, limit).map(toEntry);
  }

  lastEntry(): JournalEntry | null {
    const raw = this.#get('SELECT * FROM journal ORDER BY sequence DESC LIMIT 1');
    return raw === null ? null : toEntry(raw);
  }

  /** Oldest first, one at a time: a journal may be larger than memory. */
  *entries(): Generator<JournalEntry> {
    for (const raw of this.#statement('SELECT * FROM journal ORDER BY sequence').iterate()) yield toEntry(raw as Raw);
  }

  meta(key: string): string | null {
    const value = this.#get('SELECT value FROM meta WHERE key = ?', key)?.value;
    return typeof value === 'string' ? value : null;
  }

  setMeta(key: string, value: string): void {
    this.#run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, value);
  }

  /** Answered commands beyond this many are forgotten, oldest first; pending ones never. */
  dropAnsweredCommands(keep: number): void {
    this.#run(
      `DELETE FROM commands WHERE answer IS NOT NULL AND position <=
        (SELECT position FROM commands WHERE answer IS NOT NULL ORDER BY position DESC LIMIT 1 OFFSET ?)`,
      keep,
    );
  }

  /** Every row that can be read and fits its checksum, and what is wrong with the others. */
  readAll(): { readonly delta: Required<Delta>; readonly bad: readonly string[] } {
    const { delta, bad } = this.readSmall();
    const problems = [...bad];
    return { delta: { ...delta, journal: this.#readableEntries(problems) }, bad: problems };
  }

  /** The same without the journal. */
  readSmall(): { readonly delta: Required<Omit<Delta, 'journal'>>; readonly bad: readonly string[] } {
    const bad: string[] = [];
    const sound = <Row>(table: string, to: (raw: Raw) => Row, fields: (row: Row) => Field[]): Row[] => {
      const kept: Row[] = [];
      try {
        for (const raw of this.#statement(`SELECT * FROM ${table} ORDER BY rowid`).iterate()) {
          const row = to(raw as Raw);
          if (sumOf(fields(row)) === Number((raw as Raw).sum)) kept.push(row);
          else bad.push(`a row of ${table} does not fit its checksum`);
        }
      } catch (error) {
        bad.push(`${table}: ${(error as Error).message}`);
      }
      return kept;
    };
    const delta = {
      states: sound('states', toState, stateFields),
      declarations: sound('declarations', toDeclaration, declarationFields),
      commands: sound('commands', toCommand, commandFields),
      releases: sound('releases', toRelease, releaseFields),
    };
    return { delta, bad };
  }

  #readableEntries(bad: string[]): JournalEntry[] {
    const entries: JournalEntry[] = [];
    try {
      for (const entry of this.entries()) entries.push(entry);
    } catch (error) {
      bad.push(`journal: ${(error as Error).message}`);
    }
    return entries;
  }

  #putState(row: StateRow): void {
    this.#put('states', 'policy, version, state, keep_releases', stateFields(row));
  }

  #putDeclaration(row: DeclarationRow): void {
    this.#put('declarations', 'policy, document, generation, removed', declarationFields(row));
  }

  #putCommand(row: CommandRow): void {
    this.#put('commands', 'position, id, policy, document, answer', commandFields(row));
  }

  #putRelease(row: ReleaseRow): void {
    this.#put('releases', 'id, policy, document, first, written', releaseFields(row));
  }

  #put(table: string, columns: string, fields: Field[]): void {
    const holes = fields.map(() => '?').join(', ');
    this.#run(`INSERT OR REPLACE INTO ${table} (${columns}, sum) VALUES (${holes}, ?)`, ...fields, sumOf(fields));
  }

  #putEntry({ sequence, policy, release, wallTime, document, hash }: JournalEntry): void {
    const columns = 'sequence, policy, release, wall_time, document, hash';
    this.#run(
      `INSERT INTO journal (${columns}) VALUES (?, ?, ?, ?, ?, ?)`,
      ...[sequence, policy, release, wallTime, document, hash],
    );
  }

  #dropOldReleases(policy: string, keepReleases: number): void {
    const kept = 'SELECT id FROM releases WHERE policy = ? ORDER BY first DESC LIMIT ?';
    const sql = `DELETE FROM releases WHERE policy = ? AND id NOT IN (${kept})`;
    this.#run(sql, policy, policy, Math.max(1, keepReleases));
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #get(sql: string, ...values: Field[]): Raw | null {
    return (this.#statement(sql).get(...values) as Raw | undefined) ?? null;
  }

  #all(sql: string, ...values: Field[]): Raw[] {
    return this.#statement(sql).all(...values) as Raw[];
  }

  #run(sql: string, ...values: Field[]): void {
    this.#statement(sql).run(...values);
  }
}

type Field = string | number | null;

function stateFields(row: StateRow): Field[] {
  return [row.policy, row.version, row.state, row.keepReleases];
}

function declarationFields(row: DeclarationRow): Field[] {
  return [row.policy, row.document, row.generation, row.removed ? 1 : 0];
}

function commandFields(row: CommandRow): Field[] {
  return [row.position, row.id, row.policy, row.document, row.answer];
}

function releaseFields(row: ReleaseRow): Field[] {
  return [row.id, row.policy, row.document, row.first, row.written];
}

function toState(raw: Raw): StateRow {
  return {
    policy: String(raw.policy),
    version: Number(raw.version),
    state: String(raw.state),
    keepReleases: Number(raw.keep_releases),
  };
}

function toDeclaration(raw: Raw): DeclarationRow {
  return {
    policy: String(raw.policy),
    document: String(raw.document),
    generation: Number(raw.generation),
    removed: raw.removed !== 0,
  };
}

function toCommand(raw: Raw): CommandRow {
  return {
    position: Number(raw.position),
    id: String(raw.id),
    policy: String(raw.policy),
    document: String(raw.document),
    answer: typeof raw.answer === 'string' ? raw.answer : null,
  };
}

function toRelease(raw: Raw): ReleaseRow {
  return {
    id: String(raw.id),
    policy: String(raw.policy),
    document: String(raw.document),
    first: Number(raw.first),
    written: Number(raw.written),
  };
}

function toEntry(raw: Raw): JournalEntry {
  return {
    sequence: Number(raw.sequence),
    policy: String(raw.policy),
    release: typeof raw.release === 'string' ? raw.release : null,
    wallTime: String(raw.wall_time),
    document: String(raw.document),
    hash: String(raw.hash),
  };
}
