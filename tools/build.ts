/**
 * `npm run build`: src/ compiled to dist/ as plain JavaScript with types, because Node does not strip types
 * inside node_modules; and the sample shop of the demo to dist/examples. Files that are not TypeScript are copied beside.
 * It refuses to leave old files behind: dist/ is made anew.
 */
import { chmod, cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bin, ROOT, run } from './run.ts';

const NOT_SHIPPED = /\.(ts|md)$|tsconfig\.json$|\/simulator(\/|$)/;

async function copyRest(from: string, to: string): Promise<void> {
  const source = join(ROOT, from);
  const filter = (path: string) => !NOT_SHIPPED.test(path.slice(source.length));
  await cp(source, join(ROOT, to), { recursive: true, filter });
}

await rm(join(ROOT, 'dist'), { recursive: true, force: true });
for (const project of ['tsconfig.build.json', 'tsconfig.examples.json']) {
  const { exitCode } = await run(bin('tsc'), ['-p', project], { show: true });
  if (exitCode !== 0) process.exit(exitCode);
}
await copyRest('src', 'dist');
await copyRest('examples/shop', 'dist/examples/shop');
for (const program of ['haldane', 'kubectl-haldane', 'kubectl-complete-haldane']) {
  await chmod(join(ROOT, `dist/main/${program}.js`), 0o755);
}
