// The embedded store: SQLite (built into Node) for state and journal, every commit flushed, plus a second witness that
// can rebuild it. For one process on one machine with a local disk; it refuses a second process by name.
// Calls are synchronous inside: a record costs one or two flushes of the disk (docs/store.md has the figures).
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { describeError } from '../../lib/errors.ts';
import type {
  ChainCheck,
  Declaration,
  JournalEntry,
  RecordResult,
  StateChange,
  Store,
  StoredCommand,
} from '../../ports/index.ts';
import { chainEntry, checkChain, EMPTY_CHAIN } from '../../ports/index.ts';
import { isDiskFull, StoreFull } from './sqlite/errors.ts';
import { type Delta, Image } from './sqlite/image.ts';
import { lockFolder, type StoreLock } from './sqlite/lock.ts';
import { linesOf, type OpeningReport, openFolder, WITNESS_FILE } from './sqlite/opening.ts';
import { Reserve } from './sqlite/reserve.ts';
import type { Rows } from './sqlite/rows.ts';
import { MIGRATIONS, type Migration } from './sqlite/schema.ts';
import { readWitness, syncFolder, Witness } from './sqlite/witness.ts';

export { StoreFull, StoreLocked, StoreTooNew, StoreUnreadable } from './sqlite/errors.ts';
export type { OpeningReport } from './sqlite/opening.ts';

export interface SqliteStoreOptions {
  readonly folder: string;
  /** Given up when the disk is full, so that what is under way can be recorded to its end. */
  readonly reserveBytes?: number;
  /** Below this much free space no new release is started. */
  readonly minFreeBytes?: number;
  /** Superseded bytes of the witness beyond which it is written anew. */
  readonly witnessSlackBytes?: number;
  readonly keepAnsweredCommands?: number;
  /** Upper bound of the database, in pages of 4 KiB; reaching it is a full disk. */
  readonly maxPages?: number;
  readonly migrations?: readonly Migration[];
}

const MEBIBYTE = 1024 * 1024;
const DEFAULTS = {
  reserveBytes: 4 * MEBIBYTE,
  minFreeBytes: 16 * MEBIBYTE,
  witnessSlackBytes: 16 * MEBIBYTE,
  keepAnsweredCommands: 1_000,
};

const PROBE_BYTES = 64 * 1024;
const ROOMY = { writable: true, message: '' };

export class SqliteStore implements Store {
  /** What opening found and did. */
  readonly opening: OpeningReport;
  readonly #folder: string;
  readonly #limits: typeof DEFAULTS;
  readonly #lock: StoreLock;
  readonly #database: DatabaseSync;
  readonly #rows: Rows;
  readonly #header: { readonly storeId: string; readonly schema: number };
  readonly #reserve: Reserve;
  readonly #watchers = new Set<(policy: string) => void>();
  /** null while it lags behind the database because it could not be written. */
  #witness: Witness | null;
  /** Why the last write did not go as it should; null once there is room again. */
  #trouble: string | null = null;

  private constructor(options: SqliteStoreOptions) {
    this.#folder = options.folder;
    this.#limits = { ...DEFAULTS, ...withoutUndefined(options) };
    const migrations = options.migrations ?? MIGRATIONS;
    this.#lock = lockFolder(options.folder);
    try {
      const opened = openFolder(options.folder, migrations);
      this.#database = opened.database;
      this.#rows = opened.rows;
      this.#witness = opened.witness;
      this.#header = { storeId: opened.storeId, schema: migrations.length };
      this.opening = opened.report;
      if (options.maxPages !== undefined)
        opened.database.exec(`PRAGMA max_page_count = ${Math.trunc(options.maxPages)}`);
      this.#reserve = new Reserve(options.folder, this.#limits);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  /** Opens or creates the store in a folder. Throws StoreLocked, StoreTooNew or StoreUnreadable. */
  static open(options: SqliteStoreOptions): SqliteStore {
    return new SqliteStore(options);
  }

  async readState(policy: string): Promise<{ readonly version: number; readonly state: string } | null> {
    return this.#rows.state(policy);
  }

  async record(change: StateChange): Promise<RecordResult> {
    const version = this.#rows.state(change.policy)?.version ?? 0;
    if (version !== change.expectedVersion) return { kind: 'conflict' };
    const delta = this.#deltaOf(change, version + 1);
    try {
      this.#commit(delta);
    } catch (error) {
      if (error instanceof StoreFull) return { kind: 'full', message: error.message };
      throw error;
    }
    return { kind: 'recorded', version: version + 1 };
  }

  async declare(policy: string, document: string): Promise<Declaration> {
    const before = this.#rows.declaration(policy);
    if (before !== null && before.document === document && !before.removed) return before;
    const declaration = { policy, document, generation: (before?.generation ?? 0) + 1, removed: false };
    this.#commit({ declarations: [declaration] });
    this.#tell(policy);
    return declaration;
  }

  async withdraw(policy: string): Promise<void> {
    const before = this.#rows.declaration(policy);
    if (before === null || before.removed) return;
    this.#commit({ declarations: [{ ...before, generation: before.generation + 1, removed: true }] });
    this.#tell(policy);
  }

  async declarations(): Promise<readonly Declaration[]> {
    return this.#rows.declarations();
  }

  async declaration(policy: string): Promise<Declaration | null> {
    return this.#rows.declaration(policy);
  }

  async addCommand(command: { id: string; policy: string; document: string }): Promise<void> {
    if (this.#rows.command(command.id) !== null) return;
    const { id, policy, document } = command;
    this.#commit({ commands: [{ position: this.#rows.lastPosition() + 1, id, policy, document, answer: null }] });
    this.#tell(policy);
  }

  async pendingCommands(policy: string): Promise<readonly StoredCommand[]> {
    return this.#rows.pending(policy);
  }

  async command(id: string): Promise<StoredCommand | null> {
    return this.#rows.command(id);
  }

  async releases(policy: string): Promise<readonly { readonly id: string; readonly document: string }[]> {
    return this.#rows.releases(policy).map(({ id, document }) => ({ id, document }));
  }

  async release(
    id: string,
  ): Promise<{ readonly id: string; readonly policy: string; readonly document: string } | null> {
    const row = this.#rows.release(id);
    return row === null ? null : { id, policy: row.policy, document: row.document };
  }

  async journal(query: {
    policy?: string;
    release?: string;
    after?: number;
    limit?: number;
  }): Promise<readonly JournalEntry[]> {
    return this.#rows.journal(query);
  }

  watch(changed: (policy: string) => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  async health(): Promise<{ readonly writable: boolean; readonly message: string }> {
    const isRoomy = this.#reserve.isRoomy;
    if (isRoomy && this.#trouble === null) return ROOMY;
    if (isRoomy && this.#isWritableAgain()) {
      this.#trouble = null;
      return ROOMY;
    }
    const freeMebibytes = Math.floor(this.#reserve.freeBytes() / MEBIBYTE);
    const where = `${freeMebibytes} MiB are free on the disk of ${this.#folder}`;
    return { writable: false, message: `${this.#trouble ?? 'the disk is nearly full'}; ${where}` };
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    this.#witness?.close();
    this.#witness = null;
    this.#database.close();
    this.#lock.release();
  }

  /**
   * Whether the journal is what was written: its hash chain, and every entry against the second witness, which also
   * shows entries cut off at the end. Names the first entry that cannot be trusted.
   */
  verifyJournal(): ChainCheck {
    const check = checkChain(this.#rows.entries());
    if (check.kind === 'broken') return check;
    const image = new Image();
    for (const delta of readWitness(join(this.#folder, WITNESS_FILE)).deltas)
      image.fold({ journal: delta.journal ?? [] });
    if (this.#witness === null) return check;
    for (const { sequence, hash } of this.#rows.entries()) {
      const told = image.journal.get(sequence)?.hash;
      if (told !== hash) {
        const message = `entry ${sequence} is not what the second witness has`;
        return { kind: 'broken', sequence, message };
      }
    }
    const last = Math.max(0, ...image.journal.keys());
    if (last <= check.end.sequence) return check;
    const sequence = check.end.sequence + 1;
    return { kind: 'broken', sequence, message: `entry ${sequence} is missing: the second witness has it` };
  }

  /** A consistent copy in one file, whole or not there. Restoring is putting it as haldane.db into an empty folder. */
  async backup(toPath: string): Promise<void> {
    const temporary = `${toPath}.new`;
    rmSync(temporary, { force: true });
    try {
      this.#database.prepare('VACUUM INTO ?').run(temporary);
      chmodSync(temporary, 0o600);
      renameSync(temporary, toPath);
      syncFolder(dirname(toPath));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** Forgets old answered commands, gives free pages back to the disk, and writes the witness without what is superseded. */
  async compact(): Promise<void> {
    this.#dropSuperseded();
    this.#database.exec('VACUUM');
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** Both copies in one: a crash in between leaves the witness behind the database, never before it. */
  #dropSuperseded(): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      this.#rows.dropAnsweredCommands(this.#limits.keepAnsweredCommands);
      this.#rewriteWitness();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #deltaOf(change: StateChange, version: number): Delta {
    const journal: JournalEntry[] = [];
    let end = this.#rows.lastEntry() ?? EMPTY_CHAIN;
    for (const entry of change.journal) {
      const chained = chainEntry(end, change.policy, entry);
      journal.push(chained);
      end = chained;
    }
    const { policy, state, keepReleases } = change;
    return {
      states: [{ policy, version, state, keepReleases }],
      journal,
      releases: change.releases.map(({ id, document }, index) => {
        const first = this.#rows.release(id)?.first ?? version * 1_000 + index;
        return { id, policy, document, first, written: version };
      }),
      commands: change.answers.flatMap(({ id, document }) => {
        const command = this.#rows.command(id);
        return command === null ? [] : [{ ...command, answer: document }];
      }),
    };
  }

  /** Database first, witness second: what the caller is told is recorded is in both, flushed. */
  #commit(delta: Delta): void {
    try {
      this.#commitOnce(delta);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#trouble = 'the disk is full';
      if (!this.#reserve.giveUp()) throw new StoreFull('the disk is full: nothing was written', error);
      this.#commitInReserve(delta);
    }
    this.#bearWitness(delta);
  }

  #commitInReserve(delta: Delta): void {
    try {
      this.#commitOnce(delta);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      throw new StoreFull('the disk is full: nothing was written', error);
    }
  }

  #commitOnce(delta: Delta): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      this.#rows.apply(delta);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** The change is in the database already; a witness that cannot be written lags, says so, and catches up later. */
  #bearWitness(delta: Delta): void {
    try {
      if (this.#witness === null) return this.#rewriteWitness();
      this.#witness.append(delta);
      if (this.#witness.isWasteful(this.#limits.witnessSlackBytes)) this.#dropSuperseded();
    } catch (error) {
      this.#witness?.close();
      this.#witness = null;
      this.#trouble = isDiskFull(error) ? 'the disk is full' : `the witness cannot be written: ${describeError(error)}`;
      if (isDiskFull(error) && this.#reserve.giveUp()) this.#canRewriteWitness();
    }
  }

  /** After trouble: room for a page as large as a record, and a witness that is whole again. */
  #isWritableAgain(): boolean {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      this.#rows.setMeta('probe', ' '.repeat(PROBE_BYTES));
    } catch {
      return false;
    } finally {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    }
    return this.#witness !== null || this.#canRewriteWitness();
  }

  #canRewriteWitness(): boolean {
    try {
      this.#rewriteWitness();
      return true;
    } catch {
      return false;
    }
  }

  #rewriteWitness(): void {
    const lines = this.#lines();
    if (this.#witness !== null) return this.#witness.rewrite(this.#header, lines);
    this.#witness = Witness.write(join(this.#folder, WITNESS_FILE), this.#header, lines);
  }

  /** Everything the database has; the journal entry by entry, since it may be larger than memory. */
  *#lines(): Generator<Delta> {
    yield* linesOf({ ...this.#rows.readSmall().delta, journal: [] });
    for (const entry of this.#rows.entries()) yield { journal: [entry] };
  }

  #tell(policy: string): void {
    for (const changed of this.#watchers) changed(policy);
  }
}

function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
