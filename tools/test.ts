/**
 * `npm test`: the unit and integration tests, on Node's own runner. `npm test -- <path or pattern>...` narrows.
 * It refuses to hide what was skipped: skipped tests are listed with their reasons before the runner's closing lines.
 */
import { statSync } from 'node:fs';
import { cpus } from 'node:os';
import { argv, exit } from 'node:process';
import { run } from './run.ts';

const EVERYTHING = ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'];

/** One hung test must not hang the run; none may need this long. */
const LONGEST_TEST_MS = 300_000;

/** The runner's arguments for some test files or patterns. */
export function testArguments(
  patterns: readonly string[],
  reporter: 'spec' | 'dot',
  concurrency: number,
): readonly string[] {
  return [
    '--disable-warning=ExperimentalWarning',
    '--test',
    `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${LONGEST_TEST_MS}`,
    ...patterns,
  ];
}

/** A folder means the tests below it. */
export function patternsOf(given: readonly string[]): string[] {
  if (given.length === 0) return [...EVERYTHING];
  return given.map((path) => {
    const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    return folder ? `${path.replace(/\/$/, '')}/**/*.test.ts` : path;
  });
}

if (import.meta.main) {
  const { exitCode } = await run(process.execPath, testArguments(patternsOf(argv.slice(2)), 'spec', cpus().length), {
    show: true,
  });
  exit(exitCode);
}
