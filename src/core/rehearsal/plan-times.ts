// Many rehearsals of one world as numbers for people: how they ended, when, and when each weight was left. A run that did
// not get there counts as later than all that did, so that a median is never better than the truth.
import type { Rehearsal } from './rehearse.ts';

/** Null: not by the end of what was rehearsed. */
export interface Times {
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
}

export interface Ends {
  readonly runs: number;
  /** Parts of the runs, 0 to 1. */
  readonly promoted: number;
  readonly aborted: number;
  readonly undecided: number;
  readonly promotedTimes: Times;
  readonly abortedTimes: Times;
  /** Means over the runs, until the release was decided. */
  readonly canaryRequests: number;
  readonly canaryBad: number;
  /** Median over the runs of the largest weight. */
  readonly largestWeightPercent: number;
}

export function quantileOf(values: readonly number[], quantile: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(quantile * sorted.length) - 1)] ?? 0;
  return Number.isFinite(value) ? value : null;
}

function timesOf(values: readonly number[]): Times {
  return { medianMs: quantileOf(values, 0.5), p90Ms: quantileOf(values, 0.9) };
}

/** Over all runs, whatever their end: those that did not get there never did. */
export function endsOf(runs: readonly Rehearsal[]): Ends {
  const part = (end: Rehearsal['end']) => runs.filter((run) => run.end === end).length / Math.max(1, runs.length);
  const times = (end: Rehearsal['end']) =>
    timesOf(runs.map((run) => (run.end === end ? run.atMs : Number.POSITIVE_INFINITY)));
  const mean = (of: (run: Rehearsal) => number) =>
    runs.reduce((sum, run) => sum + of(run), 0) / Math.max(1, runs.length);
  return {
    runs: runs.length,
    promoted: part('promoted'),
    aborted: part('aborted'),
    undecided: part('undecided'),
    promotedTimes: times('promoted'),
    abortedTimes: times('aborted'),
    canaryRequests: mean((run) => run.canaryRequests),
    canaryBad: mean((run) => run.canaryBad),
    largestWeightPercent: quantileOf(runs.map(largestWeight), 0.5) ?? 0,
  };
}

function largestWeight({ weights, end }: Rehearsal): number {
  return Math.max(...weights.map(([, weight]) => (end === 'promoted' && weight >= 100 ? 0 : weight)));
}

/** When a weight above this one was first asked, or the release was promoted. */
export function leftTimes(runs: readonly Rehearsal[], weightPercent: number): Times {
  return timesOf(
    runs.map(({ weights, end, atMs }) => {
      const left = weights.find(([, weight]) => weight > weightPercent)?.[0];
      return left ?? (end === 'promoted' ? atMs : Number.POSITIVE_INFINITY);
    }),
  );
}

/** When this weight or more was first asked. */
export function reachedTimes(runs: readonly Rehearsal[], weightPercent: number): Times {
  return timesOf(
    runs.map(({ weights }) => weights.find(([, weight]) => weight >= weightPercent)?.[0] ?? Number.POSITIVE_INFINITY),
  );
}

/** The weights of a run in the middle, and how long it had each. */
export function middleRun(runs: readonly Rehearsal[]): Rehearsal | null {
  return [...runs].sort((a, b) => a.atMs - b.atMs)[Math.floor((runs.length - 1) / 2)] ?? null;
}
