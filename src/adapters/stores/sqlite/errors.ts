// Errors of the embedded store, each with its code, and how SQLite's own are told apart.
import { HaldaneError } from '../../../lib/errors.ts';

/** Another process has the store; it is named. */
export class StoreLocked extends HaldaneError {
  constructor(folder: string, owner: string, cause?: unknown) {
    super(`the store in ${folder} is in use by ${owner}`, {
      code: 'store-locked',
      retry: 'later',
      cause,
      fix: 'stop that process first, or give this one another folder',
    });
  }
}

/** Written by a later program. */
export class StoreTooNew extends HaldaneError {
  constructor(folder: string, found: number, known: number) {
    super(`the store in ${folder} has schema ${found}, and this program knows ${known}`, {
      code: 'store-too-new',
      fix: 'run the version of Haldane that wrote it, or a newer one',
    });
  }
}

/** No room for this write. Nothing of it was written. */
export class StoreFull extends HaldaneError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'store-full', retry: 'later', cause, fix: 'free space on the disk that holds the store' });
  }
}

/** Nothing that could be read was left, neither in the database nor in its second copy. */
export class StoreUnreadable extends HaldaneError {
  constructor(folder: string, why: string, cause?: unknown) {
    super(`the store in ${folder} cannot be opened: ${why}`, {
      code: 'store-unreadable',
      cause,
      fix: 'restore a backup into an empty folder (docs/store.md)',
    });
  }
}

const SQLITE_FULL = 13;
/** PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, AUTH: the machine's trouble, not the file's. */
const TROUBLE_OF_MACHINE = new Set([3, 5, 6, 7, 8, 10, SQLITE_FULL, 14, 23]);

/** SQLite's main result code of an error; null if it is none of SQLite's. */
function sqliteCode(error: unknown): number | null {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : null;
}

export function isDiskFull(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return sqliteCode(error) === SQLITE_FULL || code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}

/** Whether an error while opening says that the file is not what was written. */
export function isDamageOfFile(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== null && !TROUBLE_OF_MACHINE.has(code);
}
