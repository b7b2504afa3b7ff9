/**
 * `npm run pack:try`: packs haldane as it would be published, installs it into an empty project elsewhere, and uses it
 * there as a user would: the program by npx, the types by a compiler, the exports by an import.
 * It refuses to look at the repository from there: what is missing in the package is missing for the user.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { bin, type Ran, ROOT, run } from './run.ts';

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const NEVER_PACKED = /\.test\.|(?<!\.d)\.ts$|^(?:src|test|tools|bench)\//;
const ALWAYS_PACKED = [
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'package.json',
  'dist/main/haldane.js',
  'dist/main/kubectl-haldane.js',
  'dist/main/kubectl-complete-haldane.js',
  'dist/index.d.ts',
];

const CONSUMER = `import { HaldaneError, parseDuration, type ParsedDuration } from 'haldane';
import type { Clock } from 'haldane/ports';

const parsed: ParsedDuration = parseDuration('10m');
export const durationMs: number = parsed.ok ? parsed.durationMs : 0;
export const isHaldane = (error: unknown): boolean => error instanceof HaldaneError;
export type Now = ReturnType<Clock['now']>;
if (durationMs !== 600_000) throw new Error('the package computes something else than the sources');
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    outDir: 'out',
  },
  include: ['use.ts'],
};

let passed = 0;

async function step(name: string, go: () => Promise<Ran>): Promise<Ran> {
  const ran = await go();
  if (ran.exitCode !== 0) throw new Error(`${name} failed:\n${ran.output}`);
  passed += 1;
  process.stdout.write(`ok   ${name}\n`);
  return ran;
}

async function pack(folder: string): Promise<string> {
  const { output } = await step('npm pack', () => run('npm', ['pack', '--json', '--pack-destination', folder]));
  const json = output.slice(output.search(/^(?:\[|\{)\s*$/m), output.search(/^(?:\]|\})\s*$/m) + 1);
  const answer = JSON.parse(json) as readonly Packed[] | Record<string, Packed>;
  const packed = Object.values(answer)[0] as Packed;
  const paths = packed.files.map(({ path }) => path);
  const wrong = paths.filter((path) => NEVER_PACKED.test(path));
  const missing = ALWAYS_PACKED.filter((path) => !paths.includes(path));
  if (wrong.length > 0) throw new Error(`the package holds what nobody needs: ${wrong.slice(0, 5).join(', ')}`);
  if (missing.length > 0) throw new Error(`the package lacks ${missing.join(', ')}`);
  process.stdout.write(`     ${paths.length} files, ${Math.round(packed.size / 1024)} KiB\n`);
  return join(folder, packed.filename);
}

async function use(folder: string, tarball: string): Promise<void> {
  const cwd = join(folder, 'consumer');
  // The Node that runs this tool comes first, as a user's own Node would; npm's own variables would lead back here.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  env.PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  await mkdir(cwd);
  await writeFile(join(cwd, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  await writeFile(join(cwd, 'use.ts'), CONSUMER);
  await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  await step('npm install of the package', () =>
    run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd, env }),
  );
  const { output } = await step('npx haldane version', () =>
    run('npx', ['--no-install', 'haldane', 'version'], { cwd, env }),
  );
  if (!/\d+\.\d+\.\d+/.test(output)) throw new Error(`npx haldane version says no version:\n${output}`);
  await step('npx haldane --help', () => run('npx', ['--no-install', 'haldane', '--help'], { cwd, env }));
  const plugin = await step('npx kubectl-haldane --help', () =>
    run('npx', ['--no-install', 'kubectl-haldane', '--help'], { cwd, env }),
  );
  if (!plugin.output.includes('Usage: kubectl haldane'))
    throw new Error(`it is no plugin of kubectl:\n${plugin.output}`);
  const proposed = await step('npx kubectl_complete-haldane', () =>
    run('npx', ['--no-install', 'kubectl_complete-haldane', 'sta'], { cwd, env }),
  );
  if (!/^status$/m.test(proposed.output)) throw new Error(`it completes nothing:\n${proposed.output}`);
  await step('types of the package', () => run(bin('tsc'), ['-p', 'tsconfig.json'], { cwd, env }));
  await step('exports of the package', () => run(process.execPath, ['out/use.js'], { cwd, env }));
}

const folder = await mkdtemp(join(tmpdir(), 'haldane-pack-'));
try {
  await use(folder, await pack(folder));
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.stdout.write(`the package works elsewhere: ${passed} steps\n`);
