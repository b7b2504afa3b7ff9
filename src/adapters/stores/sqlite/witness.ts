// The second witness: an append-only file beside the database with every recorded change as one line, each with its own
// checksum, each flushed before the record counts as made. A database that lost its tail, or all of it, is made whole
// from here; a torn last line is cut off and written anew from the database. It refuses to guess at a damaged line.
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { isMissing } from '../../../lib/atomic-file.ts';
import type { Delta } from './image.ts';

const FORMAT = 1;
const CHUNK_CHARS = 1_000_000;

export interface WitnessReading {
  /** Whose witness it is; null if there is none, or its first line is damaged. */
  readonly storeId: string | null;
  /** The schema of the database when it was last written anew; null as above. */
  readonly schema: number | null;
  readonly exists: boolean;
  readonly deltas: readonly Delta[];
  /** Numbers of whole lines that cannot be trusted. */
  readonly badLines: readonly number[];
  /** The last line was cut short: the sign of a write that a crash ended. */
  readonly torn: boolean;
}

export interface WitnessHeader {
  readonly storeId: string;
  readonly schema: number;
}

const NO_WITNESS: WitnessReading = {
  storeId: null,
  schema: null,
  exists: false,
  deltas: [],
  badLines: [],
  torn: false,
};

export function readWitness(path: string): WitnessReading {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return NO_WITNESS;
    throw error;
  }
  const deltas: Delta[] = [];
  const badLines: number[] = [];
  let header: WitnessHeader | null = null;
  let start = 0;
  for (let number = 1; start < bytes.length; number += 1) {
    const end = bytes.indexOf(10, start);
    if (end === -1) break;
    const value = parseLine(bytes.toString('utf8', start, end));
    start = end + 1;
    if (value === null) badLines.push(number);
    else if (number === 1 && 'storeId' in value) header = value as unknown as WitnessHeader;
    else deltas.push(value as Delta);
  }
  const { storeId = null, schema = null } = header ?? {};
  return { storeId, schema, exists: true, deltas, badLines, torn: start < bytes.length };
}

function parseLine(line: string): Record<string, unknown> | null {
  const json = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) return null;
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function lineOf(value: object): string {
  const json = JSON.stringify(value);
  return `${checksum(json)} ${json}\n`;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}

export class Witness {
  readonly #path: string;
  #file: number;
  #bytes: number;
  /** What a file with nothing superseded in it would have, as of the last rewriting. */
  #liveBytes = 0;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
    this.#bytes = fstatSync(file).size;
    this.#liveBytes = this.#bytes;
  }

  /** Goes on with a witness that was read and found whole. */
  static resume(path: string): Witness {
    return new Witness(path, openSync(path, 'a', 0o600));
  }

  /** Writes a witness anew, whole or not at all. */
  static write(path: string, header: WitnessHeader, deltas: Iterable<Delta>): Witness {
    replaceFile(path, header, deltas);
    return Witness.resume(path);
  }

  /** Durable when it returns. Throws, with the file as before, if it cannot be (a full disk). */
  append(delta: Delta): void {
    try {
      this.#bytes += writeWhole(this.#file, lineOf(delta));
      fdatasyncSync(this.#file);
    } catch (error) {
      this.#bytes = cutBack(this.#file, this.#bytes);
      throw error;
    }
  }

  /** Whether more than `slackBytes` of it, and more than half, is superseded. */
  isWasteful(slackBytes: number): boolean {
    return this.#bytes > 2 * this.#liveBytes + slackBytes;
  }

  rewrite(header: WitnessHeader, deltas: Iterable<Delta>): void {
    replaceFile(this.#path, header, deltas);
    closeSync(this.#file);
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#bytes = fstatSync(this.#file).size;
    this.#liveBytes = this.#bytes;
  }

  close(): void {
    closeSync(this.#file);
  }
}

function replaceFile(path: string, header: WitnessHeader, deltas: Iterable<Delta>): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    try {
      let text = lineOf({ ...header, format: FORMAT });
      for (const delta of deltas) {
        text += lineOf(delta);
        if (text.length < CHUNK_CHARS) continue;
        writeWhole(file, text);
        text = '';
      }
      writeWhole(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

function writeWhole(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  return bytes.length;
}

/** Best effort: what stays behind is a torn line, which the next opening cuts off. */
function cutBack(file: number, bytes: number): number {
  try {
    ftruncateSync(file, bytes);
  } catch {
    return fstatSync(file).size;
  }
  return bytes;
}

export function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
