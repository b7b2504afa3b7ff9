// The hash chain of the decision journal: each entry's hash covers the hash before it and all its own fields, so that
// no entry can be changed, dropped or put in between without every later hash giving it away.
// It refuses nothing and stores nothing: it hashes and compares. Every Store uses it, so that all journals verify alike.
import { createHash } from 'node:crypto';
import type { JournalEntry, NewJournalEntry } from './store.ts';

/** What the first entry's hash is chained to. */
export const CHAIN_START = '0'.repeat(64);

export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

export const EMPTY_CHAIN: ChainEnd = { sequence: 0, hash: CHAIN_START };

export type ChainCheck =
  | { readonly kind: 'intact'; readonly end: ChainEnd }
  /** `sequence` names the first entry that cannot be trusted. */
  | { readonly kind: 'broken'; readonly sequence: number; readonly message: string };

export function hashEntry(previousHash: string, entry: Omit<JournalEntry, 'hash'>): string {
  const fields = [entry.sequence, entry.policy, entry.release, entry.wallTime, entry.document];
  return createHash('sha256').update(previousHash).update(JSON.stringify(fields)).digest('hex');
}

/** The entry that follows `end`. */
export function chainEntry(end: ChainEnd, policy: string, entry: NewJournalEntry): JournalEntry {
  const { release, wallTime, document } = entry;
  const fields = { sequence: end.sequence + 1, policy, release, wallTime, document };
  return { ...fields, hash: hashEntry(end.hash, fields) };
}

/** Whether entries, oldest first, follow `from` without gap or change. */
export function checkChain(entries: Iterable<JournalEntry>, from: ChainEnd = EMPTY_CHAIN): ChainCheck {
  let end = from;
  for (const entry of entries) {
    const expected = end.sequence + 1;
    if (entry.sequence !== expected) {
      return broken(expected, `entry ${expected} is missing: the one found in its place is ${entry.sequence}`);
    }
    if (hashEntry(end.hash, entry) !== entry.hash) {
      return broken(expected, `entry ${expected} does not match its hash: it, or an entry before it, was changed`);
    }
    end = { sequence: entry.sequence, hash: entry.hash };
  }
  return { kind: 'intact', end };
}

function broken(sequence: number, message: string): ChainCheck {
  return { kind: 'broken', sequence, message };
}
