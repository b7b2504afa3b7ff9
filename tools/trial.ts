/**
 * `npm run trial -- --runs 50 [--seed S] [--parallel 2]`: releases over real HTTP with drawn truths and one policy; what
 * became of them against what is true of them. Finished runs are kept aside, so that the same call goes on where it was
 * broken off. It refuses a default seed: unless one is given it draws a fresh one, and prints it.
 */
import { createHash, randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '../src/lib/errors.ts';
import { Stand } from '../src/main/demo/stand.ts';
import { UsersProcess } from '../src/main/demo/users-process.ts';
import { ROOT, run as runProgram } from './run.ts';
import { cellsOf, faultsOf, HEAD, type Row, sumLines, sumOf } from './trial/row.ts';
import { runOnce } from './trial/run.ts';

interface Wanted {
  readonly runs: number;
  readonly seed: string;
  readonly parallel: number;
  readonly write: boolean;
}

const POLICY = join(ROOT, 'tools/trial/policy.yaml');
/** From this many runs on the set is the full one, and its results are kept in the repository. */
const FULL_RUNS = 50;

function wanted(): Wanted {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '50' },
      seed: { type: 'string' },
      parallel: { type: 'string', default: '2' },
      write: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  const seed = values.seed ?? String(randomInt(1_000_000, 9_999_999));
  return { runs, seed, parallel: Number(values.parallel), write: values.write || runs >= FULL_RUNS };
}

/** Results of runs already done, beside the place they will end up in. */
interface Kept {
  readonly rows: Row[];
  readonly users: { sent: number; lost: number };
  /** What ran: more than one where a set was broken off and went on later. */
  readonly commits: string[];
}

class Finished {
  readonly #path: string;
  readonly rows: Kept['rows'];
  readonly users: Kept['users'];
  readonly commits: Kept['commits'];

  private constructor(path: string, kept: Kept) {
    this.#path = path;
    this.rows = kept.rows;
    this.users = kept.users;
    this.commits = kept.commits;
  }

  static async read(seed: string): Promise<Finished> {
    const policy = createHash('sha256')
      .update(await readFile(POLICY))
      .digest('hex')
      .slice(0, 8);
    // In the checkout itself: what another one found is no finding of this one.
    const path = join(ROOT, '.haldane', `trial-${seed}-${policy}.json`);
    await mkdir(dirname(path), { recursive: true });
    const text = await readFile(path, 'utf8').catch(() => '{"rows":[],"users":{"sent":0,"lost":0},"commits":[]}');
    return new Finished(path, JSON.parse(text) as Kept);
  }

  has(run: number): boolean {
    return this.rows.some(({ draw }) => draw.run === run);
  }

  async keep(): Promise<void> {
    await writeFile(this.#path, JSON.stringify({ rows: this.rows, users: this.users, commits: this.commits }));
  }
}

const widths = [3, 11, 5, 26, 8, 14, 11, 7, 7, 4];

function print(cells: readonly string[]): void {
  process.stdout.write(
    `${cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`,
  );
}

/** One agent, one gateway and one crowd of users, for every run this lane takes. */
async function lane(number: number, seed: string, take: () => number | null, finished: Finished): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'haldane-trial-'));
  const stand = await Stand.make({ folder, name: `trial-${number}`, policyFile: POLICY });
  let users: UsersProcess | null = null;
  const cleanUp = async () => {
    users?.kill();
    await stand.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  lanes.add(cleanUp);
  try {
    await stand.startAgent();
    await stand.apply({ label: 'first', env: {} });
    await stand.untilEnded('first', 60_000);
    users = new UsersProcess({ program: stand.places.users, url: stand.url, rate: 400, seed: `${seed}/${number}` });
    let before = { sent: 0, lost: 0 };
    for (let run = take(); run !== null; run = take()) {
      const row = await runOnce({ stand, users }, seed, run);
      const { sent, lost } = users.counts ?? before;
      finished.users.sent += sent - before.sent;
      finished.users.lost += lost - before.lost;
      before = { sent, lost };
      finished.rows.push(row);
      await finished.keep();
      print(cellsOf(row));
    }
    const { sent, lost } = await users.stop();
    finished.users.sent += sent - before.sent;
    finished.users.lost += lost - before.lost;
    await finished.keep();
  } finally {
    lanes.delete(cleanUp);
    await cleanUp();
  }
}

const lanes = new Set<() => Promise<void>>();

/** Asked at the start: it is what runs. */
async function commit(): Promise<string> {
  const { output } = await runProgram('git', ['rev-parse', '--short', 'HEAD']);
  return output.trim();
}

async function writeResults(want: Wanted, finished: Finished): Promise<void> {
  const rows = [...finished.rows].sort((a, b) => a.draw.run - b.draw.run);
  const sum = sumOf(rows, finished.users);
  const about = {
    date: new Date().toISOString().slice(0, 10),
    commit: finished.commits.join(' and '),
    seed: want.seed,
    runs: rows.length,
  };
  const folder = join(ROOT, 'bench/results');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'trial.json'), `${JSON.stringify({ ...about, sum, rows }, null, 2)}\n`);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const text = [
    '# Trial over real HTTP',
    '',
    `${about.runs} runs, seed ${about.seed}, ${about.date}, commit ${about.commit}; parallel ${want.parallel}: \`npm run trial -- --runs ${about.runs} --seed ${about.seed}\`.`,
    'One policy (tools/trial/policy.yaml) for all runs, without absolute limits; truths drawn from the seed.',
    '',
    ...sumLines(sum).map((each) => `- ${each}`),
    '',
    line(HEAD),
    line(HEAD.map(() => '---')),
    ...rows.map((row) => line(cellsOf(row))),
    '',
  ];
  await writeFile(join(folder, 'trial.md'), text.join('\n'));
}

async function main(): Promise<number> {
  const want = wanted();
  const ran = await commit();
  const finished = await Finished.read(want.seed);
  const left = Array.from({ length: want.runs }, (_, run) => run).filter((run) => !finished.has(run));
  process.stdout.write(`seed ${want.seed}: ${want.runs} runs, ${want.runs - left.length} of them done before\n`);
  print(HEAD);
  if (left.length > 0 && !finished.commits.includes(ran)) finished.commits.push(ran);
  const take = () => left.shift() ?? null;
  await Promise.all(
    Array.from({ length: Math.min(want.parallel, left.length) }, (_, number) =>
      lane(number, want.seed, take, finished),
    ),
  );
  const sum = sumOf(finished.rows, finished.users);
  process.stdout.write(`\n${sumLines(sum).join('\n')}\n`);
  if (want.write) await writeResults(want, finished);
  const faults = faultsOf(sum);
  for (const fault of faults) process.stdout.write(`FAILED: ${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Promise.all([...lanes].map((cleanUp) => cleanUp())).then(() => process.exit(130));
  });
}
/** Every lane is taken down before the end, whichever of them failed. */
process.exit(
  await main().catch(async (error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    await Promise.all([...lanes].map((cleanUp) => cleanUp()));
    return 1;
  }),
);
