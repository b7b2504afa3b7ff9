/** Every adapter ships three files: the code, a page that says what it writes and needs, and a test that runs the port's suite. */
import { adapterStem } from './rooms.ts';
import type { Finding, Tree } from './source.ts';

export function adapterFindings(tree: Tree): Finding[] {
  const stems = new Set(
    tree.sources
      .filter(({ path }) => path.startsWith('src/adapters/') && !path.endsWith('.test.ts'))
      .map(({ path }) => adapterStem(path)),
  );
  const adapters = [...stems].filter((stem) => ![...stems].some((other) => stem.startsWith(`${other}-`)));
  return adapters.flatMap((stem) => {
    const [kind, name] = stem.split('/');
    const has = (ending: string) =>
      [...tree.texts.keys()].some((path) => path.startsWith(`src/adapters/${stem}`) && path.endsWith(ending));
    const missing = ['.md', '.test.ts'].filter((ending) => !has(ending));
    return missing.map((ending) => ({
      rule: 'adapters',
      path: `src/adapters/${stem}.ts`,
      message: `the ${name} adapter of ${kind} has no ${name}${ending} beside it`,
    }));
  });
}
