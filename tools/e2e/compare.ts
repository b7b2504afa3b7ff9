// Five cases, one policy, real Flagger and Argo beside it: how long until it is decided, how many bad answers of the new
// version users saw until then, and how many requests were lost. It refuses to judge by what Haldane says: seconds and bad
// answers are those that users counted.
import type { Cluster, Json } from '../../test/e2e/cluster.ts';
import { Hooks } from '../../test/e2e/hooks.ts';
import { answersOf, type Slice, totalOf } from '../../test/e2e/load/account.ts';
import { ROUTERS, type RouterUnderTest } from '../../test/e2e/routers.ts';
import { Stand } from '../../test/e2e/stand.ts';
import { failing, good, type Version } from '../../test/e2e/world.ts';

export interface Case {
  readonly name: string;
  readonly says: string;
  readonly version: Version;
  readonly end: 'promoted' | 'aborted' | 'deleted';
  /** What is promised of the mean of all runs. */
  readonly most: { readonly seconds?: number; readonly bad?: number };
}

export const CASES: readonly Case[] = [
  { name: 'healthy', says: 'healthy', version: good(2), end: 'promoted', most: { seconds: 200 } },
  { name: 'errors-2', says: '2 % errors', version: failing(2, 0.02), end: 'aborted', most: { bad: 15 } },
  {
    name: 'errors-0.8',
    says: '0.8 % errors (8x the base)',
    version: failing(2, 0.008),
    end: 'aborted',
    most: { bad: 20 },
  },
  {
    name: 'all-fail',
    says: 'every request fails',
    version: failing(2, 1),
    end: 'aborted',
    most: { seconds: 20, bad: 20 },
  },
  { name: 'deleted', says: 'policy deleted in mid-release', version: good(2), end: 'deleted', most: {} },
];

/** For the five cases; the second table is that of a policy that says nothing of this. */
export const TUNED: Json = {
  metrics: { pods: { port: 8080 } },
  stages: [
    { weight: 1, bake: '20s' },
    { weight: 10, bake: '10s' },
    { weight: 50, bake: '30s' },
  ],
  checks: [
    { name: 'errors', metric: { errors: {} }, tolerance: { ratio: 1.1, margin: '0.5%' }, warmUp: '10s' },
    {
      name: 'latency',
      metric: { latency: { quantile: 0.99 } },
      // Pods that share two cores with all the rest are unequally slow; the peers' rule is a p99 of at most half a second.
      tolerance: { ratio: 2, margin: '3%' },
      warmUp: '10s',
    },
  ],
  leastBake: '60s',
  interval: '1s',
};

export const TABLES: Readonly<Record<'tuned' | 'defaults', Json>> = { tuned: TUNED, defaults: {} };

export interface Run {
  readonly table: string;
  readonly case: string;
  readonly run: number;
  readonly commit: string;
  /** From the push to the end, as users see it; from the first request that met it, for one that fails at once. */
  readonly seconds: number;
  readonly secondsFromFirst: number;
  /** Of the new version. */
  readonly bad: number;
  readonly badInRun: number;
  readonly sent: number;
  readonly lost: number;
  readonly ended: string;
}

export interface Place {
  readonly cluster: Cluster;
  readonly folder: string;
  readonly commit: string;
}

/** The defaults want proof of a fifth of a percentage point: at 60 requests a second that takes its time. */
const ENDED_WITHIN_MS = 2_700_000;

export async function runOnce(table: keyof typeof TABLES, each: Case, run: number, place: Place): Promise<Run> {
  const stand = new Stand({
    cluster: place.cluster,
    router: traefik(),
    namespace: `e2e-compare-${table}-${each.name.replace('.', '')}-${run}`,
    folder: `${place.folder}/${table}-${each.name}-${run}`,
    hooks: new Hooks(null),
    isQuick: false,
    replicas: 2,
  });
  try {
    await stand.governed({ judging: TABLES[table] });
    await stand.startUsers();
    const pushedMs = performance.timeOrigin + performance.now();
    await stand.deploy(each.version);
    const ended = await endOf(stand, each);
    const seconds = (performance.timeOrigin + performance.now() - pushedMs) / 1_000;
    await stand.wait(each.end === 'deleted' ? 30_000 : 5_000);
    const slices = [...(await stand.stopUsers()).values()].flat();
    return { table, case: each.name, run, commit: place.commit, seconds, ended, ...counted(slices) };
  } finally {
    await stand.close();
  }
}

function traefik(): RouterUnderTest {
  const router = ROUTERS.find(({ name }) => name === 'gateway-api') as RouterUnderTest;
  return {
    ...router,
    users: [
      { connections: 'keep', rate: 40 },
      { connections: 'close', rate: 20 },
    ],
  };
}

async function endOf(stand: Stand, { end, version }: Case): Promise<string> {
  if (end === 'deleted') {
    await stand.until(
      'the new version has users',
      ENDED_WITHIN_MS,
      async () => (stand.looks.at(-1)?.percent ?? 0) >= 10,
    );
    await stand.deletePolicy();
    await stand.untilGone();
    return 'deleted';
  }
  const found = await stand.until('it is decided', ENDED_WITHIN_MS, () => stand.outcome(version.tag));
  return found.outcome;
}

function counted(slices: readonly Slice[]) {
  const { sent, lost, bad: badInRun } = totalOf(slices);
  const met = slices.filter(({ versions }) => (versions.v2?.all ?? 0) > 0).map(({ second }) => second);
  const secondsFromFirst = met.length === 0 ? 0 : Math.max(...met) - Math.min(...met) + 1;
  return { sent, lost, badInRun, bad: answersOf(slices, 'v2').bad, secondsFromFirst };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

export interface Row {
  readonly each: Case;
  readonly runs: number;
  readonly cell: string;
  readonly target: string;
  readonly isMet: boolean;
}

export function rowsOf(runs: readonly Run[]): readonly Row[] {
  return CASES.map((each) => {
    const own = runs.filter((run) => run.case === each.name);
    const right = own.filter(({ ended }) => ended === each.end).length;
    const at = { all: mean(own.map(({ seconds }) => seconds)), first: mean(own.map((run) => run.secondsFromFirst)) };
    const bad = mean(own.map((run) => run.bad));
    const badInRun = mean(own.map((run) => run.badInRun));
    const lost = own.reduce((sum, run) => sum + run.lost, 0);
    const seconds = each.name === 'all-fail' ? at.first : at.all;
    const { seconds: mostSeconds = Number.POSITIVE_INFINITY, bad: mostBad = Number.POSITIVE_INFINITY } = each.most;
    const wishes = [
      ...(Number.isFinite(mostSeconds)
        ? [`<= ${mostSeconds} s${each.name === 'all-fail' ? ' of its first request' : ''}`]
        : []),
      ...(Number.isFinite(mostBad) ? [`<= ${mostBad} bad`] : []),
      '0 lost',
    ];
    const isMet = own.length > 0 && right === own.length && lost === 0 && seconds <= mostSeconds && bad <= mostBad;
    const words = `${each.end} ${right} of ${own.length}, after ${at.all.toFixed(0)} s${each.name === 'all-fail' ? ` (${at.first.toFixed(0)} s of its first request)` : ''}, ${bad.toFixed(1)} bad (${badInRun.toFixed(1)} in the run), ${lost} lost`;
    return { each, runs: own.length, cell: own.length === 0 ? 'not run' : words, target: wishes.join(', '), isMet };
  });
}
