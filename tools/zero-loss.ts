/**
 * `npm run zero-loss`: whether any request is lost while weights change, versions are promoted and aborted, the agent is
 * killed, and the gateway is replaced; with a control that must lose. `--quick` (or `--reduced`) for the build.
 * The users are processes of their own, without retries, with kept connections and with one per request.
 */
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/statistics/index.ts';
import { Stand } from '../src/main/demo/stand.ts';
import { type UserCounts, UsersProcess } from '../src/main/demo/users-process.ts';
import { ROOT, run as runProgram } from './run.ts';
import { NewerProgram } from './zero-loss/newer-program.ts';
import { firstVersion, SCENARIOS, type Scenario, type Setting } from './zero-loss/scenarios.ts';
import { cellsOf, faultsOf, HEAD, type Line, totalOf } from './zero-loss/table.ts';

interface Size {
  readonly scale: number;
  readonly least: number;
  readonly keptPerSecond: number;
  readonly closedPerSecond: number;
}

const FULL: Size = { scale: 1, least: 200_000, keptPerSecond: 900, closedPerSecond: 300 };
const QUICK: Size = { scale: 0.1, least: 20_000, keptPerSecond: 700, closedPerSecond: 250 };

function wanted(): { size: Size; seed: string; isFull: boolean } {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      reduced: { type: 'boolean', default: false },
      seed: { type: 'string' },
    },
  });
  const isFull = !values.quick && !values.reduced;
  return { size: isFull ? FULL : QUICK, seed: values.seed ?? String(randomInt(1_000_000, 9_999_999)), isFull };
}

interface Crowd {
  readonly kept: UsersProcess;
  readonly closed: UsersProcess;
}

const living = new Set<UsersProcess>();

function gather(stand: Stand, size: Size, seed: string): Crowd {
  const make = (rate: number, close: boolean) => {
    const users = new UsersProcess({ program: stand.places.users, url: stand.url, rate, seed, close });
    living.add(users);
    return users;
  };
  return { kept: make(size.keptPerSecond, false), closed: make(size.closedPerSecond, true) };
}

/** The scenario, again and again for as long as it is to last, with users of its own; then two lines of the table. */
async function play(scenario: Scenario, setting: Setting, size: Size, seed: string): Promise<Line[]> {
  const crowd = gather(setting.stand, size, `${seed}/${scenario.name}`);
  const until = performance.now() + 1_000 * scenario.leastSeconds * size.scale;
  let done = 0;
  do done += await scenario.act(setting);
  while (performance.now() < until);
  const line = (connections: Line['connections'], { sent, lost, losses }: UserCounts): Line => ({
    scenario: scenario.name,
    mayLose: scenario.mayLose,
    done: `${scenario.counts}: ${done}`,
    connections,
    sent,
    lost,
    losses,
  });
  const [kept, closed] = await Promise.all([crowd.kept.stop(), crowd.closed.stop()]);
  for (const users of [crowd.kept, crowd.closed]) living.delete(users);
  return [line('kept alive', kept), line('one per request', closed)];
}

const widths = [88, 14, 16, 9, 6, 10];

function print(cells: readonly string[]): void {
  process.stdout.write(
    `${cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`,
  );
}

async function playAll(stand: Stand, folder: string, size: Size, seed: string): Promise<Line[]> {
  const random = createRandom(`zero-loss/${seed}`);
  const setting: Setting = { stand, random, newer: new NewerProgram(folder), scale: size.scale };
  const lines: Line[] = [];
  await stand.startAgent();
  await firstVersion(stand);
  print(HEAD);
  const playOne = async (scenario: Scenario) => {
    const own = await play(scenario, setting, size, `${seed}/${lines.length}`);
    lines.push(...own);
    for (const line of own) {
      print(cellsOf(line));
      if (line.lost > 0) print([`  ${JSON.stringify(line.losses)}`]);
    }
  };
  for (const scenario of SCENARIOS) await playOne(scenario);
  // What is short of the whole number goes into the scenario that says most.
  const topUp = SCENARIOS.find(({ counts }) => counts === 'kills') as Scenario;
  while (totalOf(lines).sent < size.least) await playOne(topUp);
  return lines;
}

/** Asked at the start: it is what runs. */
async function commit(): Promise<string> {
  const { output } = await runProgram('git', ['rev-parse', '--short', 'HEAD']);
  return output.trim();
}

async function writeResults(lines: readonly Line[], seed: string, ran: string): Promise<void> {
  const about = { date: new Date().toISOString().slice(0, 10), commit: ran, seed };
  const folder = join(ROOT, 'bench/results');
  await mkdir(folder, { recursive: true });
  const total = totalOf(lines);
  await writeFile(join(folder, 'zero-loss.json'), `${JSON.stringify({ ...about, total, lines }, null, 2)}\n`);
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const text = [
    '# Requests lost',
    '',
    `Seed ${seed}, ${about.date}, commit ${ran}: \`npm run zero-loss\`. Users in processes of their own, retries off.`,
    '',
    row(HEAD),
    row(HEAD.map(() => '---')),
    ...lines.map((line) => row(cellsOf(line))),
    row(cellsOf(total)),
    '',
  ];
  await writeFile(join(folder, 'zero-loss.md'), text.join('\n'));
}

async function main(): Promise<number> {
  const { size, seed, isFull } = wanted();
  const ran = await commit();
  process.stdout.write(`seed ${seed}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'haldane-zero-loss-'));
  const stand = await Stand.make({ folder, name: 'zero-loss', policyFile: join(ROOT, 'tools/zero-loss/policy.yaml') });
  const cleanUp = async () => {
    for (const users of living) users.kill();
    await stand.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanUp().then(() => process.exit(130)));
  }
  try {
    const lines = await playAll(stand, folder, size, seed);
    print(cellsOf(totalOf(lines)));
    if (isFull) await writeResults(lines, seed, ran);
    const faults = faultsOf(lines, size.least);
    for (const fault of faults) process.stdout.write(`FAILED: ${fault}\n`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await cleanUp();
  }
}

process.exit(await main());
