// What the store's tests share: a folder, small limits, and decisions that can be told apart.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { SqliteStore, type SqliteStoreOptions } from '../../src/adapters/stores/sqlite.ts';
import type { StateChange } from '../../src/ports/index.ts';

/** In memory where the machine has such a place: flushing is then quick, and nothing else differs. */
const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export function trialFolder(context: TestContext | null): string {
  const folder = mkdtempSync(join(BASE, 'haldane-store-'));
  context?.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** With a tiny reserve, so that tests write little. */
export function openTrial(folder: string, options: Partial<SqliteStoreOptions> = {}): SqliteStore {
  return SqliteStore.open({ folder, reserveBytes: 4_096, minFreeBytes: 0, ...options });
}

/** The text of the decision that makes version `version`. */
export function decisionText(version: number): string {
  return JSON.stringify(`decision ${version}`);
}

export function changeFrom(expectedVersion: number, rest: Partial<StateChange> = {}): StateChange {
  const text = decisionText(expectedVersion + 1);
  return {
    policy: 'shop',
    expectedVersion,
    state: text,
    journal: [{ release: 'shop-1', wallTime: '2026-01-01T00:00:00.000Z', document: text }],
    releases: [{ id: `shop-${expectedVersion + 1}`, document: text }],
    answers: [],
    keepReleases: 5,
    ...rest,
  };
}

export async function recordMany(store: SqliteStore, count: number, from = 0): Promise<void> {
  for (let version = from; version < from + count; version += 1) await store.record(changeFrom(version));
}
