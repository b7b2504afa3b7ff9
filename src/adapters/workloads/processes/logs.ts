// Log files of replicas. The processes write to them directly and outlive the agent, so a file is never replaced under
// them: it is copied to .1, .2, ... and then cut to nothing (they append, so they go on at the start).
// What a process writes in the microseconds between the last copied byte and the cut is lost; documented.
import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export interface LogFiles {
  readonly output: string;
  readonly errors: string;
}

export function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return openSync(path, 'a', 0o600);
}

/** Rotates the file if it has grown to its limit; returns whether it did. */
export function rotateLog(path: string, limits: { readonly maxBytes: number; readonly files: number }): boolean {
  let size: number;
  try {
    size = statSync(path).size;
  } catch {
    return false;
  }
  if (size < limits.maxBytes) return false;
  const temporary = `${path}.tmp`;
  try {
    copyAndCut(path, temporary);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  shift(path, temporary, limits.files);
  return true;
}

function copyAndCut(path: string, temporary: string): void {
  copyFileSync(path, temporary);
  const live = openSync(path, 'r+');
  const copy = openSync(temporary, 'a');
  try {
    let copied = fstatSync(copy).size;
    const rest = Buffer.alloc(64 * 1024);
    for (;;) {
      const bytes = readSync(live, rest, 0, rest.length, copied);
      if (bytes === 0) break;
      writeSync(copy, rest, 0, bytes);
      copied += bytes;
    }
    ftruncateSync(live, 0);
  } finally {
    closeSync(live);
    closeSync(copy);
  }
}

function shift(path: string, temporary: string, files: number): void {
  if (files <= 0) {
    rmSync(temporary, { force: true });
    return;
  }
  rmSync(`${path}.${files}`, { force: true });
  for (let index = files - 1; index >= 1; index--) {
    try {
      renameSync(`${path}.${index}`, `${path}.${index + 1}`);
    } catch {
      // There is none of this number yet.
    }
  }
  renameSync(temporary, `${path}.1`);
}

const TAIL_BYTES = 8 * 1024;
const TELLING = /^\s*(?:\[?\w*\]?\s*)?(?:uncaught )?(?:\w*error\b|\w*exception\b|panic|fatal)/i;

/**
 * The line of an error log that says most: the last that names an error, else the last that is not empty;
 * null if there is none. Runtimes end a crash with a stack and their version, which say nothing.
 */
export function lastErrorLine(path: string): string | null {
  const lines = tail(path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const line = lines.findLast((text) => TELLING.test(text)) ?? lines.at(-1);
  return line === undefined ? null : [...line].slice(0, 200).join('');
}

function tail(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const size = fstatSync(file).size;
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(file, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** Keeps the newest log folders of a policy; those of versions that still run are never taken away. */
export function pruneLogFolders(folder: string, keep: number, inUse: ReadonlySet<string>): void {
  const old = readdirSync(folder)
    .filter((name) => !inUse.has(name))
    .map((name) => ({ name, changedMs: statSync(join(folder, name)).mtimeMs }))
    .sort((left, right) => right.changedMs - left.changedMs);
  for (const { name } of old.slice(Math.max(0, keep))) rmSync(join(folder, name), { recursive: true, force: true });
}
