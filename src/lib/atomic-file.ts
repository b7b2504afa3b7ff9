/**
 * Small files that are whole or not there: written beside the old one, flushed to the disk, then renamed over it.
 * A crash at any point leaves the old text or the new one. It refuses nothing and hides nothing: a full disk throws.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

let written = 0;

/** Replaces `path` by `text`, durably; `mode` defaults to owner-only. Missing folders are made, owner-only too. */
export function writeFileAtomic(path: string, text: string, mode = 0o600): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.${written++}.tmp`;
  try {
    const file = openSync(temporary, 'w', mode);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(folder);
}

/** Takes a file away, durably. Nothing happens if it is not there. */
export function removeFileDurably(path: string): void {
  rmSync(path, { force: true });
  syncFolder(dirname(path));
}

/** The parsed JSON of a file; undefined if there is no such file. A damaged file throws. */
export function readJsonFile(path: string): unknown {
  const text = readTextFile(path);
  return text === undefined ? undefined : JSON.parse(text);
}

/** A file's text; undefined if there is no such file. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException)?.code === 'ENOENT';
}

function syncFolder(folder: string): void {
  let file: number;
  try {
    file = openSync(folder, 'r');
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
