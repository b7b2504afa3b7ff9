/** Every adapter ships three files: the code, a page that says what it writes and needs, and a test that runs the port's suite. */
import { adapterStem, sameAdapter } from './rooms.ts';
import type { Finding, SourceFile, Tree } from './source.ts';

export function adapterFindings(tree: Tree): Finding[] {
  const stems = new Set(
    tree.sources
      .filter(({ path }) => path.startsWith('src/adapters/') && !path.endsWith('.test.ts'))
      .map(({ path }) => adapterStem(path)),
  );
  const adapters = [...stems].filter((stem) => ![...stems].some((other) => stem.startsWith(`${other}-`)));
  const isTested = (stem: string) => tree.sources.some((source) => tests(source, stem));
  return adapters.flatMap((stem) => {
    const name = stem.split('/')[1];
    const path = `src/adapters/${stem}.ts`;
    const page = `src/adapters/${stem}.md`;
    const missing = [
      ...(tree.texts.has(page) ? [] : [`write ${page}: what it writes, what it needs, its limits`]),
      ...(isTested(stem) ? [] : [`no test imports the ${name} adapter; run its port's conformance suite on it`]),
    ];
    return missing.map((message) => ({ rule: 'adapters', path, message }));
  });
}

/** A test beside the adapter, or one elsewhere that imports it. */
function tests({ path, imports }: SourceFile, stem: string): boolean {
  if (!path.endsWith('.test.ts')) return false;
  return [path, ...imports.map(({ target = '' }) => target)].some(
    (file) => file.startsWith('src/adapters/') && sameAdapter(file, `src/adapters/${stem}.ts`),
  );
}
