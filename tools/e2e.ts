/**
 * `npm run e2e -- <replica-share|gateway-api|gateway-api-envoy> [--quick] [--shard i/n] [--resume] [--scenario NAME]`:
 * releases on a real cluster (KUBECONFIG) under users' requests, with faults; `-- compare` and `-- rest` beside others.
 * What it needs of the surroundings comes by HALDANE_E2E_*; a scenario without what it needs is skipped with the reason.
 * docs/kubernetes/proof.md says more.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '../src/lib/errors.ts';
import { Cluster } from '../test/e2e/cluster.ts';
import { Hooks } from '../test/e2e/hooks.ts';
import { install } from '../test/e2e/install.ts';
import { play, type Result, type Setting } from '../test/e2e/play.ts';
import { ROUTERS } from '../test/e2e/routers.ts';
import type { Scenario } from '../test/e2e/scenario.ts';
import { SCENARIOS } from '../test/e2e/scenarios/index.ts';
import { commitNow, Results } from './e2e/results.ts';
import { compareAll, restAll } from './e2e/side-by-side.ts';
import { page, sumLines, terminalLine } from './e2e/table.ts';
import { ROOT } from './run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    shard: { type: 'string', default: '1/1' },
    scenario: { type: 'string', multiple: true },
    parallel: { type: 'string' },
    runs: { type: 'string', default: '5' },
    policies: { type: 'string', default: '300' },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function chosen(): readonly Scenario[] {
  const named = values.scenario ?? [];
  const unknown = named.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no scenario ${unknown}: ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  }
  if (named.length > 0) return SCENARIOS.filter(({ name }) => named.includes(name));
  const all = values.quick ? SCENARIOS.filter(({ isQuick }) => isQuick === true) : SCENARIOS;
  const [shard = 1, of = 1] = values.shard.split('/').map(Number);
  return shardOf(all, shard, of);
}

/** The longest first, each to the shard that has least to do; every shard has the control. */
function shardOf(all: readonly Scenario[], shard: number, of: number): readonly Scenario[] {
  const loads = Array.from({ length: of }, () => 0);
  const own = new Set(all.filter(({ mustLose }) => mustLose === true));
  for (const scenario of all.filter((each) => !own.has(each)).toSorted((a, b) => b.seconds - a.seconds)) {
    const least = loads.indexOf(Math.min(...loads));
    loads[least] = (loads[least] ?? 0) + scenario.seconds;
    if (least === shard - 1) own.add(scenario);
  }
  return all.filter((scenario) => own.has(scenario));
}

async function playAll(name: string): Promise<number> {
  const router = ROUTERS.find((each) => each.name === name);
  if (router === undefined)
    throw new Error(`give one of ${ROUTERS.map((each) => each.name).join(', ')}, compare, rest`);
  const commit = await commitNow();
  const results = new Results(commit, name);
  const cluster = new Cluster();
  const hooks = new Hooks(process.env.HALDANE_E2E_HOOKS ?? null);
  const setting: Setting = { cluster, router, hooks, commit, folder: results.folder, isQuick: values.quick };
  const clean = async () => {
    await hooks.mendAll().catch(() => undefined);
    await cluster.api.close();
  };
  process.once('SIGINT', () => void clean().then(() => process.exit(130)));
  process.once('SIGTERM', () => void clean().then(() => process.exit(143)));
  say(`${name} at ${commit}`);
  await install(cluster);
  const done = new Map<string, Result>();
  const scenarios = chosen();
  const playOne = async (scenario: Scenario): Promise<void> => {
    const before = values.resume ? await results.read<Result>(scenario.name) : null;
    const result = before !== null && before.faults.length === 0 ? before : await play(scenario, setting);
    await results.keep(scenario.name, result);
    done.set(scenario.name, result);
    say(terminalLine(result));
  };
  // Faults are everybody's: such scenarios are played alone.
  const apart = scenarios.filter(({ needs }) => needs !== undefined);
  const together = scenarios.filter(({ needs }) => needs === undefined);
  await inLanes(together, Number(values.parallel ?? (values.quick ? together.length : 1)), playOne);
  await inLanes(apart, 1, playOne);
  await clean();
  const ordered = scenarios.flatMap((scenario) => done.get(scenario.name) ?? []);
  say(`\n${sumLines(ordered).join('\n')}`);
  if (values.write) await write(name, commit, results);
  return ordered.some(({ faults }) => faults.length > 0) ? 1 : 0;
}

async function inLanes<T>(items: readonly T[], lanes: number, act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: Math.max(1, lanes) }, lane));
}

/** Everything of this commit, from whichever shard. */
async function write(name: string, commit: string, results: Results): Promise<void> {
  const found = await Promise.all(SCENARIOS.map((scenario) => results.read<Result>(scenario.name)));
  const all = found.filter((result) => result !== null);
  const about = `Commit ${commit}, ${all[0]?.date}: \`npm run e2e -- ${name}\`. Users in processes of their own, retries off; the controller with its service account's token.`;
  await writeFile(join(ROOT, 'bench/results', `kubernetes-${name}.md`), page(`Kubernetes, ${name}`, about, all));
}

async function main(): Promise<number> {
  const [what = ''] = positionals;
  if (what !== 'compare' && what !== 'rest') return playAll(what);
  const cluster = new Cluster();
  await install(cluster);
  const [shard = 1, of = 1] = values.shard.split('/').map(Number);
  const { resume, write: isWritten, scenario: cases = [] } = values;
  const set = { cluster, shard, of, resume, write: isWritten, cases, say };
  try {
    return what === 'rest'
      ? await restAll({ ...set, policies: Number(values.policies) })
      : await compareAll({ ...set, runs: Number(values.runs), lanes: Number(values.parallel ?? 1) });
  } finally {
    await cluster.api.close();
  }
}

process.exit(
  await main().catch((error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    return 1;
  }),
);
