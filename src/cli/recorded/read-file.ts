// One file of recorded data: what it is, by its content, and what is in it. Refuses to guess where nothing fits.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CliError } from '../errors.ts';
import { readCsvParts } from './csv-parts.ts';
import { readJsonParts } from './json-parts.ts';
import { type CounterBody, looksLikePrometheus, readBody } from './prometheus-body.ts';
import { badData, type ReadData } from './recorded.ts';

export const FORMATS = ['csv', 'json', 'prometheus'] as const;
export type Format = (typeof FORMATS)[number];

export interface FileOptions {
  readonly cwd: string;
  /** Null: recognised by content. */
  readonly format: Format | null;
  readonly rawStepMs: number;
}

export type FileContent =
  | { readonly kind: 'data'; readonly data: ReadData }
  | { readonly kind: 'counters'; readonly body: CounterBody };

export function readDataFile(file: string, { cwd, format, rawStepMs }: FileOptions): FileContent {
  const text = textOf(file, cwd);
  const isJson = format === null ? /^\s*[[{]/.test(text) : format !== 'csv';
  if (!isJson) return { kind: 'data', data: readCsvParts(text, { file, rawStepMs }) };
  const body = parseJson(text, file);
  if (format === 'prometheus' || (format === null && looksLikePrometheus(body))) {
    return { kind: 'counters', body: readBody(body, file) };
  }
  return { kind: 'data', data: readJsonParts(body, { file, text }) };
}

function textOf(file: string, cwd: string): string {
  try {
    return readFileSync(file === '-' ? 0 : resolve(cwd, file), 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CliError(isMissing ? 'there is no such file' : `it cannot be read: ${(error as Error).message}`, {
      code: 'file',
      path: file,
      fix: 'name a file that is there: --data windows.csv',
      cause: error,
    });
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = (error as Error).message;
    const at = /position (?<at>\d+)/.exec(message)?.groups?.at;
    const line = at === undefined ? null : text.slice(0, Number(at)).split('\n').length;
    throw badData({ file, line }, `this is not JSON: ${message}`, 'mend it, or say --format csv');
  }
}
