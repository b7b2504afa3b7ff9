/**
 * `npm run generate` writes every generated file; `npm run generate -- --check` fails when one is out of date.
 *
 * A generator is a file `tools/generate/<name>.ts` with one export:
 *   export async function generate(): Promise<readonly GeneratedFile[]>
 * Paths are relative to the repository. TypeScript and JSON are formatted here, so generators need not care.
 * It refuses two generators that claim the same file.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bin, ROOT } from './run.ts';

export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

export interface Generator {
  generate(): Promise<readonly GeneratedFile[]>;
}

/** What differs between the files generated now and the ones that are there. */
export interface Difference {
  readonly path: string;
  readonly firstLine: number | 'missing';
}

export function firstDifferingLine(wanted: string, found: string): number | undefined {
  if (wanted === found) return undefined;
  const left = wanted.split('\n');
  const right = found.split('\n');
  const index = left.findIndex((line, at) => line !== right[at]);
  return index === -1 ? left.length + 1 : index + 1;
}

export async function generateAll(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  for (const name of names.sort()) {
    const generator = (await import(pathToFileURL(join(folder, name)).href)) as Partial<Generator>;
    if (generator.generate === undefined) throw new Error(`tools/generate/${name} exports no generate()`);
    for (const { path, text } of await generator.generate()) {
      if (files.has(path)) throw new Error(`tools/generate/${name}: ${path} is made by another generator too`);
      files.set(path, formatted(path, text));
    }
  }
  return files;
}

function formatted(path: string, text: string): string {
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  if (!/\.(ts|json)$/.test(path)) return whole;
  const made = spawnSync(bin('biome'), ['format', `--stdin-file-path=${path}`], {
    cwd: ROOT,
    input: whole,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`${path} cannot be formatted: ${made.stderr}`);
  return made.stdout;
}

export async function differences(files: ReadonlyMap<string, string>, root: string): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const [path, text] of files) {
    const there = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (there === undefined) found.push({ path, firstLine: 'missing' });
    else {
      const firstLine = firstDifferingLine(text, there);
      if (firstLine !== undefined) found.push({ path, firstLine });
    }
  }
  return found;
}

async function main(): Promise<void> {
  const files = await generateAll(join(ROOT, 'tools/generate'));
  const different = await differences(files, ROOT);
  if (process.argv.includes('--check')) {
    for (const { path, firstLine } of different) {
      process.stdout.write(`${path}: ${firstLine === 'missing' ? 'missing' : `differs from line ${firstLine}`}\n`);
    }
    if (different.length > 0) process.stdout.write('generated files are out of date; fix: npm run generate\n');
    process.exitCode = different.length > 0 ? 1 : 0;
    return;
  }
  for (const { path } of different) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    await writeFile(join(ROOT, path), files.get(path) ?? '');
    process.stdout.write(`wrote ${path}\n`);
  }
  process.stdout.write(`${files.size} generated files, ${different.length} changed\n`);
}

if (import.meta.main) await main();
