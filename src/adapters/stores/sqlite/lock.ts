// One process at a time: an exclusive lock of the operating system on a file beside the database. It dies with its
// process, SIGKILL included, so that nobody has to clean up; the owner's name beside it is only for people.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { writeFileAtomic } from '../../../lib/atomic-file.ts';
import { StoreLocked } from './errors.ts';

export interface StoreLock {
  release(): void;
}

/** Takes the folder for this process; throws StoreLocked, naming the owner, if another has it. */
export function lockFolder(folder: string): StoreLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ownerFile = join(folder, 'owner.json');
  // SQLite's locks are the portable ones Node has: an empty database, held in an exclusive transaction that never writes.
  const holder = new DatabaseSync(join(folder, 'lock'));
  try {
    holder.exec('PRAGMA busy_timeout = 0');
    holder.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    holder.close();
    throw new StoreLocked(folder, readOwner(ownerFile), error);
  }
  nameOwner(ownerFile);
  return { release: () => holder.close() };
}

/** The lock holds without a name, so a full disk at this point stops nothing. */
function nameOwner(ownerFile: string): void {
  const startedAt = new Date(Date.now() - process.uptime() * 1_000).toISOString();
  try {
    writeFileAtomic(ownerFile, JSON.stringify({ pid: process.pid, startedAt }));
  } catch {
    // Only the name in a refusal is lost.
  }
}

function readOwner(ownerFile: string): string {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(ownerFile, 'utf8'));
    return `process ${pid}, started ${startedAt}`;
  } catch {
    return 'another process';
  }
}
