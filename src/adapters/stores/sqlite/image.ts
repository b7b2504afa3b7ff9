// What a store holds, as rows, whatever file they were read from; and how two readings of the same store are put
// together: row by row, the later one wins, and nothing that only one of them has is dropped.
import { crc32 } from 'node:zlib';
import { type ChainEnd, EMPTY_CHAIN, hashEntry, type JournalEntry } from '../../../ports/index.ts';

export interface StateRow {
  readonly policy: string;
  readonly version: number;
  readonly state: string;
  readonly keepReleases: number;
}

export interface DeclarationRow {
  readonly policy: string;
  readonly document: string;
  readonly generation: number;
  readonly removed: boolean;
}

export interface CommandRow {
  /** Rises with each command. */
  readonly position: number;
  readonly id: string;
  readonly policy: string;
  readonly document: string;
  readonly answer: string | null;
}

export interface ReleaseRow {
  readonly id: string;
  readonly policy: string;
  readonly document: string;
  /** Rises with each release of a policy: where it stands among them. */
  readonly first: number;
  /** The version of the policy's state it was last written with. */
  readonly written: number;
}

/** What one transaction changes. */
export interface Delta {
  readonly states?: readonly StateRow[];
  readonly declarations?: readonly DeclarationRow[];
  readonly commands?: readonly CommandRow[];
  readonly releases?: readonly ReleaseRow[];
  readonly journal?: readonly JournalEntry[];
}

/** A checksum over a row's fields: SQLite has none of its own, and a flipped bit in a text is valid text. */
export function sumOf(fields: readonly (string | number | boolean | null)[]): number {
  return crc32(JSON.stringify(fields));
}

export class Image {
  readonly states = new Map<string, StateRow>();
  readonly declarations = new Map<string, DeclarationRow>();
  readonly commands = new Map<string, CommandRow>();
  readonly releases = new Map<string, ReleaseRow>();
  /** By sequence. */
  readonly journal = new Map<number, JournalEntry>();

  fold(delta: Delta): void {
    for (const row of delta.states ?? []) keepLater(this.states, row.policy, row, (a, b) => a.version > b.version);
    for (const row of delta.declarations ?? []) {
      keepLater(this.declarations, row.policy, row, (a, b) => a.generation > b.generation);
    }
    for (const row of delta.commands ?? []) {
      keepLater(this.commands, row.id, row, (a, b) => a.answer !== null && b.answer === null);
    }
    for (const row of delta.releases ?? []) keepLater(this.releases, row.id, row, (a, b) => a.written > b.written);
    for (const entry of delta.journal ?? []) {
      if (!this.journal.has(entry.sequence)) this.journal.set(entry.sequence, entry);
    }
    if ((delta.releases ?? []).length > 0) this.dropOldReleases(delta.states ?? []);
  }

  /** Everything, as one change: rows in their order. */
  delta(): Required<Delta> {
    return {
      states: [...this.states.values()],
      declarations: [...this.declarations.values()],
      commands: [...this.commands.values()].sort((a, b) => a.position - b.position),
      releases: [...this.releases.values()].sort((a, b) => a.first - b.first),
      journal: [...this.journal.values()].sort((a, b) => a.sequence - b.sequence),
    };
  }

  /** Retention, as the database does it; two readings put together can bring dropped releases back. */
  dropOldReleases(states: Iterable<StateRow> = this.states.values()): void {
    for (const { policy, keepReleases } of states) {
      const own = [...this.releases.values()].filter((release) => release.policy === policy);
      own.sort((a, b) => a.first - b.first);
      for (const { id } of own.slice(0, -Math.max(1, keepReleases))) this.releases.delete(id);
    }
  }

  get size(): number {
    const { states, declarations, commands, releases, journal } = this;
    return states.size + declarations.size + commands.size + releases.size + journal.size;
  }
}

/** What `whole` has and `part` has not, or has in an older form. */
export function missingIn(part: Image, whole: Image): Required<Delta> {
  const all = whole.delta();
  return {
    states: all.states.filter((row) => part.states.get(row.policy)?.version !== row.version),
    declarations: all.declarations.filter((row) => part.declarations.get(row.policy)?.generation !== row.generation),
    commands: all.commands.filter((row) => {
      const there = part.commands.get(row.id);
      return there === undefined || (there.answer === null && row.answer !== null);
    }),
    releases: all.releases.filter((row) => part.releases.get(row.id)?.written !== row.written),
    journal: all.journal.filter((entry) => part.journal.get(entry.sequence)?.hash !== entry.hash),
  };
}

export function countRows(delta: Required<Delta>): number {
  return Object.values(delta).reduce((sum, rows) => sum + rows.length, 0);
}

/**
 * The entries that follow each other, hash by hash. An entry whose own hash does not fit what it holds is dropped;
 * after a gap, entries that fit their neighbour are kept: what was recorded is shown, and the gap is named.
 */
export function soundEntries(entries: readonly JournalEntry[]): { sound: JournalEntry[]; firstBad: number | null } {
  const sound: JournalEntry[] = [];
  let firstBad: number | null = null;
  let before: ChainEnd = EMPTY_CHAIN;
  for (const entry of entries) {
    const follows = entry.sequence === before.sequence + 1;
    const fits = follows && hashEntry(before.hash, entry) === entry.hash;
    if (!fits) firstBad ??= before.sequence + 1;
    if (fits || !follows) sound.push(entry);
    before = entry;
  }
  return { sound, firstBad };
}

function keepLater<Row>(rows: Map<string, Row>, key: string, row: Row, isLater: (a: Row, b: Row) => boolean): void {
  const there = rows.get(key);
  if (there === undefined || isLater(row, there)) rows.set(key, row);
}
