// What many runs say together: I8 over the set, coverage of state x command x fault, and how it went. Plain counts, so
// that the tallies of several processes add up.
import { binomialInterval } from '../core/statistics/index.ts';
import type { EndedRelease, RunReport } from './trial-run.ts';

export interface Failure {
  readonly seed: number;
  readonly hash: string;
  readonly invariant: string;
  readonly atMs: number;
  readonly message: string;
}

export interface Tally {
  runs: number;
  steps: number;
  lives: number;
  requests: number;
  failures: Failure[];
  /** Key -> count; keys are made below. */
  readonly commands: Record<string, number>;
  readonly faults: Record<string, number>;
  readonly waits: Record<string, number>;
  readonly outcomes: Record<string, number>;
  /** Analysed releases of versions no different from stable, and of versions worse than the tolerance. */
  same: { total: number; aborted: number };
  worse: { total: number; promoted: number };
}

export function emptyTally(): Tally {
  return {
    runs: 0,
    steps: 0,
    lives: 0,
    requests: 0,
    failures: [],
    commands: {},
    faults: {},
    waits: {},
    outcomes: {},
    same: { total: 0, aborted: 0 },
    worse: { total: 0, promoted: 0 },
  };
}

/** Worse from its first request on, beyond ratio and margin both, for every drawn stable. */
const WORSE = new Set(['five times', 'broken']);

export function addRun(tally: Tally, report: RunReport): void {
  tally.runs += 1;
  tally.steps += report.steps;
  tally.lives += report.lives;
  tally.requests += report.requests;
  const { violation } = report;
  if (violation !== null) tally.failures.push({ seed: report.seed, hash: report.hash, ...violation });
  for (const [key, count] of report.commands) add(tally.commands, key, count);
  for (const [key, count] of report.faults) add(tally.faults, key, count);
  for (const wait of report.waits) add(tally.waits, wait.startsWith('paused') ? 'paused' : wait, 1);
  for (const release of report.releases) addRelease(tally, release);
}

function addRelease(tally: Tally, release: EndedRelease): void {
  add(tally.outcomes, `${release.nature ?? 'first again'}|${release.by ?? release.outcome}`, 1);
  if (release.unanalysed || !release.isFair || release.nature === null) return;
  if (release.nature === 'same') {
    tally.same.total += 1;
    if (release.by === 'verdict') tally.same.aborted += 1;
  }
  if (WORSE.has(release.nature)) {
    tally.worse.total += 1;
    if (release.outcome === 'promoted') tally.worse.promoted += 1;
  }
}

function add(counts: Record<string, number>, key: string, count: number): void {
  counts[key] = (counts[key] ?? 0) + count;
}

export function mergeTally(into: Tally, other: Tally): void {
  into.runs += other.runs;
  into.steps += other.steps;
  into.lives += other.lives;
  into.requests += other.requests;
  into.failures.push(...other.failures);
  for (const name of ['commands', 'faults', 'waits', 'outcomes'] as const) {
    for (const [key, count] of Object.entries(other[name])) add(into[name], key, count);
  }
  into.same.total += other.same.total;
  into.same.aborted += other.same.aborted;
  into.worse.total += other.worse.total;
  into.worse.promoted += other.worse.promoted;
}

/** The policies drawn all have these. */
export const ALPHAS = { abort: 0.01, promote: 0.05 };
/** How sure it must be that the true share is above alpha before the set fails. */
const CONFIDENCE = 0.999;

export interface SharesVerdict {
  readonly sentence: string;
  readonly holds: boolean;
}

/** I8: exact binomial (Clopper & Pearson 1934): the set fails only if the share is surely above alpha. */
export function judgeShares(tally: Tally): readonly SharesVerdict[] {
  const { same, worse } = tally;
  return [
    share('versions like stable aborted by a verdict', same.aborted, same.total, ALPHAS.abort),
    share('versions beyond the tolerance promoted', worse.promoted, worse.total, ALPHAS.promote),
  ];
}

function share(what: string, count: number, total: number, alpha: number): SharesVerdict {
  if (total === 0) return { sentence: `I8: no ${what.split(' ')[0]} to judge by`, holds: true };
  const { lower, upper } = binomialInterval(count, total, CONFIDENCE);
  const percent = (value: number): string => `${(value * 100).toFixed(2)} %`;
  const range = `${percent(lower)} to ${percent(upper)} at ${CONFIDENCE * 100} %`;
  return {
    sentence: `I8: ${what}: ${count} of ${total} = ${percent(count / total)} (${range}); alpha ${percent(alpha)}`,
    holds: lower <= alpha,
  };
}
