/**
 * Reads the tree as the rules see it: each file with its text, its code without comments and string contents,
 * and its imports. It refuses to be a parser: it relies on the formatter having run, and knows only as much
 * TypeScript as is needed to tell code, comments and strings apart.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { maskSource } from './mask.ts';

export interface ImportOf {
  readonly specifier: string;
  /** Path of the imported file relative to the repository; undefined for packages and node: modules. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Same length and lines as text; comments and contents of strings are blanks. */
  readonly code: string;
  /** Same length and lines as text; everything but contents of strings is blank. */
  readonly strings: string;
  readonly imports: readonly ImportOf[];
}

export interface Tree {
  /** TypeScript files. */
  readonly sources: readonly SourceFile[];
  /** Every text file of the repository, also those that git does not know yet; lock files and pictures left out. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface Finding {
  readonly rule: string;
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

const NOT_READ = /(?:^|\/)package-lock\.json$|\.(?:png|jpg|gif|ico|woff2?|gz|tgz|sqlite)$/;

export function readTree(root: string): Tree {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const texts = new Map<string, string>();
  for (const path of listed.split('\0').sort()) {
    if (path === '' || NOT_READ.test(path) || !existsSync(join(root, path))) continue;
    texts.set(path, readFileSync(join(root, path), 'utf8'));
  }
  return {
    texts,
    sources: [...texts].filter(([path]) => path.endsWith('.ts')).map(([path, text]) => readSource(path, text)),
  };
}

export function readSource(path: string, text: string): SourceFile {
  const { code, strings } = maskSource(text);
  return { path, text, code, strings, imports: importsOf(path, text, code) };
}

const STATIC = /^(?:import|export)\b(?<middle>[^;'"]*?)(?:\bfrom\s*)?(?<quote>['"])(?<hole>\s*)\k<quote>/gm;
const DYNAMIC = /\bimport\(\s*(?<quote>['"])(?<hole>\s*)\k<quote>/g;

function importsOf(path: string, text: string, code: string): ImportOf[] {
  const found: ImportOf[] = [];
  for (const pattern of [STATIC, DYNAMIC]) {
    for (const match of code.matchAll(pattern)) {
      const end = match.index + match[0].length - 1;
      const specifier = text.slice(end - (match.groups?.hole?.length ?? 0), end);
      if (pattern === STATIC && !/^import\b/.test(match[0]) && !/\bfrom\s*['"]/.test(match[0])) continue;
      found.push({
        specifier,
        target: specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined,
        typeOnly: /^\s*type\b/.test(match.groups?.middle ?? ''),
        line: lineAt(text, match.index),
      });
    }
  }
  return found;
}

export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
