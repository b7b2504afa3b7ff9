// The two sets that stand beside others: compare and rest. They print what they find with the figures of the peers, and write
// pages of bench/results when asked to. A run that is there already is not made again with --resume.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Cluster } from '../../test/e2e/cluster.ts';
import { PROMETHEUS, ROUTERS, type RouterUnderTest } from '../../test/e2e/routers.ts';
import { FAKES_PODS, policy } from '../../test/e2e/world.ts';
import { ROOT } from '../run.ts';
import { CASES, type Case, type Run, rowsOf, runOnce, TABLES } from './compare.ts';
import { PEERS } from './peers.ts';
import { type Rest, rest, restLines } from './rest.ts';
import { commitNow, Results } from './results.ts';

export interface SideBySide {
  readonly cluster: Cluster;
  readonly runs: number;
  readonly shard: number;
  readonly of: number;
  readonly lanes: number;
  readonly resume: boolean;
  readonly write: boolean;
  /** Only these cases; empty: all. */
  readonly cases: readonly string[];
  readonly say: (line: string) => void;
}

interface Item {
  readonly table: keyof typeof TABLES;
  readonly each: Case;
  readonly run: number;
}

export async function compareAll(options: SideBySide): Promise<number> {
  const { cluster, runs, shard, of, lanes, resume, say, cases } = options;
  const commit = await commitNow();
  const results = new Results(commit, 'compare');
  const tables = Object.keys(TABLES) as (keyof typeof TABLES)[];
  const numbers = Array.from({ length: runs }, (_, index) => index + 1);
  const items = tables
    .flatMap((table) => CASES.flatMap((each) => numbers.map((run): Item => ({ table, each, run }))))
    .filter(
      ({ each, table }) => cases.length === 0 || cases.includes(each.name) || cases.includes(`${table}/${each.name}`),
    );
  const own = items.filter((_, index) => index % of === shard - 1);
  const place = { cluster, folder: results.folder, commit };
  const left = [...own];
  const lane = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      const name = `${item.table}-${item.each.name}-${item.run}`;
      if (resume && (await results.read<Run>(name)) !== null) continue;
      const run = await runOnce(item.table, item.each, item.run, place);
      await results.keep(name, run);
      say(
        `${name}: ${run.ended} after ${run.seconds.toFixed(1)} s (${run.secondsFromFirst} s from its first request), ${run.bad} bad, ${run.lost} of ${run.sent} lost`,
      );
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const found = await Promise.all(
    items.map(({ table, each, run }) => results.read<Run>(`${table}-${each.name}-${run}`)),
  );
  const done = found.filter((run) => run !== null);
  const text = comparePage(done);
  say(text);
  if (options.write) await writeFile(join(ROOT, 'bench/results/kubernetes-compare.md'), text);
  return rowsOf(done.filter(({ table }) => table === 'tuned')).every(({ isMet, runs: n }) => isMet || n === 0) ? 0 : 1;
}

function comparePage(runs: readonly Run[]): string {
  const router = ROUTERS.find(({ name }) => name === 'gateway-api') as RouterUnderTest;
  const tables = (Object.keys(TABLES) as (keyof typeof TABLES)[]).flatMap((table) => [
    table === 'tuned' ? '## One policy for all five cases' : '## A policy that says nothing of judging: the defaults',
    '',
    `Commit ${commitsOf(runs, table)}.`,
    '',
    '```yaml',
    withoutPlace(stringify(policy('shop', router, { judging: TABLES[table] })).trim()),
    '```',
    '',
    row(['case', 'Haldane, mean', ...(table === 'tuned' ? ['target', 'met'] : []), ...PEERS.map(({ name }) => name)]),
    row(Array.from({ length: (table === 'tuned' ? 4 : 2) + PEERS.length }, () => '---')),
    ...rowsOf(runs.filter((run) => run.table === table)).map(({ each, cell, target, isMet }) =>
      row([
        each.says,
        cell,
        ...(table === 'tuned' ? [target, isMet ? 'met' : '**missed**'] : []),
        ...PEERS.map((peer) => peer.cases[each.name] ?? ''),
      ]),
    ),
    '',
  ]);
  return [
    '# Kubernetes, side by side',
    '',
    '`npm run e2e -- compare`. One app, 2 replicas, 60 requests a second, base errors 0.1 %, Traefik. Bad: answers with 500 or above',
    'of the new version, counted by users (in brackets those of all versions, from 12 s before the push to 5 s after the end); for the peers, all of',
    'the run. Seconds: from the push until it is decided.',
    '',
    ...tables,
    ...PEERS.map(({ name, settings }) => `- ${name}: ${settings}`),
    '',
  ].join('\n');
}

function commitsOf(runs: readonly Run[], table: string): string {
  const own = runs.filter((run) => run.table === table).map(({ commit }) => commit);
  return [...new Set(own)].join(', ') || 'not run';
}

/** Where Prometheus was is of no use to anybody else. */
function withoutPlace(text: string): string {
  return PROMETHEUS === null ? text : text.replaceAll(PROMETHEUS, 'http://prometheus.monitoring:9090');
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

export async function restAll(
  options: Pick<SideBySide, 'cluster' | 'write' | 'say'> & { readonly policies: number },
): Promise<number> {
  const commit = await commitNow();
  const results = new Results(commit, 'rest');
  if (!FAKES_PODS) {
    options.say(
      `${options.policies} pods will really run; where the cluster can fake them, say how by HALDANE_E2E_POD_ANNOTATIONS`,
    );
  }
  const found: Rest = await rest(options.cluster, { folder: results.folder, commit, policies: options.policies });
  await results.keep('rest', found);
  const lines = [...restLines(found), ...PEERS.map(({ name, rest: figures }) => `${name}, 300 objects: ${figures}`)];
  for (const line of lines) options.say(line);
  if (options.write) {
    const text = [
      '# Kubernetes, at rest',
      '',
      `Commit ${commit}: \`npm run e2e -- rest\`.`,
      '',
      ...lines.map((line) => `- ${line.trim()}`),
      '',
    ];
    await writeFile(join(ROOT, 'bench/results/kubernetes-rest.md'), text.join('\n'));
  }
  return 0;
}
