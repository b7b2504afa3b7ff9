/**
 * Files only their owner may read: tokens and the like. Written with mode 0600.
 * It refuses to use one that others can read or that belongs to somebody else: a secret they know is none.
 */
import { lstatSync, readFileSync } from 'node:fs';
import { isMissing, writeFileAtomic } from './atomic-file.ts';
import { HaldaneError } from './errors.ts';

export class NotPrivate extends HaldaneError {
  constructor(path: string, why: string, fix: string) {
    super(`${path} ${why}`, { code: 'file-not-private', path, fix });
  }
}

/** The text of the file; undefined if there is none. */
export function readPrivateFile(path: string): string | undefined {
  try {
    const found = lstatSync(path);
    if (!found.isFile()) throw new NotPrivate(path, 'is not a plain file', `move it away: mv ${path} ${path}.old`);
    const me = process.getuid?.();
    if (me !== undefined && found.uid !== me && me !== 0) {
      throw new NotPrivate(path, 'belongs to another user', 'use a --state-dir of your own');
    }
    if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
      const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
      throw new NotPrivate(
        path,
        `has mode ${mode}, so others can read it`,
        `delete it; the agent makes a new one: rm ${path}`,
      );
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function writePrivateFile(path: string, text: string): void {
  writeFileAtomic(path, text, 0o600);
}
