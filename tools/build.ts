/**
 * `npm run build`: src/ compiled to dist/ as plain JavaScript with types, because Node does not strip types
 * inside node_modules. Files that are not TypeScript (pages, schemas) are copied beside.
 * It refuses to leave old files behind: dist/ is made anew.
 */
import { chmod, cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bin, ROOT, run } from './run.ts';

const NOT_SHIPPED = /\.(ts|md)$|tsconfig\.json$|\/simulator(\/|$)/;

await rm(join(ROOT, 'dist'), { recursive: true, force: true });
const { exitCode } = await run(bin('tsc'), ['-p', 'tsconfig.build.json'], { show: true });
if (exitCode === 0) {
  const source = join(ROOT, 'src');
  await cp(source, join(ROOT, 'dist'), {
    recursive: true,
    filter: (path) => !NOT_SHIPPED.test(path.slice(source.length)),
  });
  await chmod(join(ROOT, 'dist/main/haldane.js'), 0o755);
}
process.exitCode = exitCode;
