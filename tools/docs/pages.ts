/** The pages to check: every Markdown file of the repository, and the paths that links may lead to. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Pages {
  /** Text of each Markdown file by its path. */
  readonly markdown: ReadonlyMap<string, string>;
  /** Does a path relative to the repository exist? */
  readonly exists: (path: string) => boolean;
  readonly npmScripts: ReadonlySet<string>;
}

export interface Fault {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export interface Fence {
  readonly path: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export async function readPages(root: string): Promise<Pages> {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  });
  const there = (path: string) => statSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
  const paths = listed.split('\0').filter((path) => path !== '' && there(path));
  const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return {
    markdown: new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')])),
    exists: there,
    npmScripts: new Set(Object.keys(packageJson.scripts)),
  };
}

const FENCE = /^(?<indent> *)(?<mark>`{3,}|~{3,})(?<language>[\w-]*)[^\n]*\n(?<text>[\s\S]*?)^\k<indent>\k<mark> *$/gm;

export function fencesOf(path: string, text: string): Fence[] {
  return [...text.matchAll(FENCE)].map((match) => ({
    path,
    line: text.slice(0, match.index).split('\n').length,
    language: match.groups?.language ?? '',
    text: match.groups?.text ?? '',
  }));
}
