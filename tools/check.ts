/**
 * `npm run check`: everything that must hold before a change is shared, in the order of how fast it fails.
 * `npm run check -- src/core/policy` narrows lint and unit tests to that path; the rest is always whole.
 * It refuses to stop at the first red step: it names all of them, then fails.
 */
import { cpus } from 'node:os';
import { bin, type Ran, run } from './run.ts';
import { testArguments } from './test.ts';

interface Step {
  readonly name: string;
  readonly fix: string;
  readonly go: () => Promise<Ran>;
}

const path = process.argv[2]?.replace(/\/$/, '');
const node = process.execPath;

function unitPatterns(): string[] {
  if (path === undefined) return ['src/**/*.test.ts', 'tools/**/*.test.ts'];
  return path.endsWith('.test.ts') ? [path] : [`${path}/**/*.test.ts`];
}

const steps: readonly Step[] = [
  { name: 'types', fix: 'npm run types', go: () => run(bin('tsc'), ['-p', 'tsconfig.json']) },
  { name: 'types of core', fix: 'npm run types', go: () => run(bin('tsc'), ['-p', 'src/core/tsconfig.json']) },
  {
    name: 'lint and format',
    fix: 'npm run format, then mend by hand what is left',
    go: () => run(bin('biome'), ['check', '--error-on-warnings', path ?? '.']),
  },
  { name: 'boundaries', fix: 'npm run boundaries', go: () => run(node, ['tools/house/check.ts']) },
  { name: 'generated files', fix: 'npm run generate', go: () => run(node, ['tools/generate.ts', '--check']) },
  { name: 'documents', fix: 'npm run docs', go: () => run(node, ['tools/docs-check.ts']) },
  {
    name: 'unit tests',
    fix: 'npm run check -- <path> runs the tests below a path',
    go: () => run(node, testArguments(unitPatterns(), 'dot', cpus().length)),
  },
];

let failed = 0;
for (const step of steps) {
  const startedMs = performance.now();
  const { exitCode, output } = await step.go();
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${exitCode === 0 ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)\n`);
  if (exitCode === 0) continue;
  failed += 1;
  process.stdout.write(`${output.trimEnd()}\n  to see it alone: ${step.fix}\n`);
}
process.stdout.write(failed === 0 ? 'check: all well\n' : `check: ${failed} of ${steps.length} steps failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
