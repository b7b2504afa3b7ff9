// One run's line, and what a set of lines says: false aborts, missed harms, harms promoted, each with exact binomial
// limits. It refuses to judge a share by its point alone where too few runs stand behind it.
import { binomialInterval } from '../../src/core/statistics/index.ts';
import { type Draw, describeHarm, type Truth } from './draw.ts';

export interface Row {
  readonly draw: Draw;
  readonly truth: Truth;
  readonly ended: 'promoted' | 'aborted' | 'undecided';
  readonly by: string | null;
  readonly check: string | null;
  /** From the first request that met it to the verdict. */
  readonly seconds: number;
  readonly exposed: { readonly requests: number; readonly bad: number };
  readonly sentence: string;
}

export interface Share {
  readonly count: number;
  readonly of: number;
  readonly lower: number;
  readonly upper: number;
}

export interface Sum {
  readonly healthyPromoted: Share;
  readonly healthyAborted: Share;
  readonly harmfulTakenBack: Share;
  readonly harmfulPromoted: Share;
  readonly either: { readonly promoted: number; readonly aborted: number; readonly undecided: number };
  readonly lost: number;
  readonly requests: number;
  readonly median: {
    readonly secondsToTakeBack: number;
    readonly badBeforeTakeBack: number;
    readonly secondsToPromote: number;
  };
}

const CONFIDENCE = 0.95;

function share(rows: readonly Row[], isIt: (row: Row) => boolean): Share {
  const n = rows.length;
  const count = rows.filter(isIt).length;
  return { count, of: n, ...(n === 0 ? { lower: 0, upper: 1 } : binomialInterval(count, n, CONFIDENCE)) };
}

export function isTakenBack(row: Row): boolean {
  return row.ended === 'aborted' && row.by === 'verdict';
}

export function sumOf(rows: readonly Row[], users: { readonly sent: number; readonly lost: number }): Sum {
  const healthy = rows.filter(({ truth }) => truth === 'healthy');
  const harmful = rows.filter(({ truth }) => truth === 'harmful');
  const either = rows.filter(({ truth }) => truth === 'either');
  const ended = (kind: Row['ended']) => either.filter((row) => row.ended === kind).length;
  const takenBack = harmful.filter(isTakenBack);
  return {
    healthyPromoted: share(healthy, (row) => row.ended === 'promoted'),
    healthyAborted: share(healthy, (row) => row.ended === 'aborted'),
    harmfulTakenBack: share(harmful, isTakenBack),
    harmfulPromoted: share(harmful, (row) => row.ended === 'promoted'),
    either: { promoted: ended('promoted'), aborted: ended('aborted'), undecided: ended('undecided') },
    lost: users.lost,
    requests: users.sent,
    median: {
      secondsToTakeBack: median(takenBack.map(({ seconds }) => seconds)),
      badBeforeTakeBack: median(takenBack.map(({ exposed }) => exposed.bad)),
      secondsToPromote: median(healthy.filter(({ ended }) => ended === 'promoted').map(({ seconds }) => seconds)),
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** From this many runs on a share is held to its target by its point; below, only if its exact limits exclude it. */
const ENOUGH_RUNS = 15;

function isBelow(target: number, { count, of, upper }: Share): boolean {
  return of > 0 && (of >= ENOUGH_RUNS ? count / of < target : upper < target);
}

/** What is not as promised, in words; empty if all is. */
export function faultsOf(sum: Sum): string[] {
  const faults: string[] = [];
  const { healthyPromoted, healthyAborted, harmfulTakenBack, harmfulPromoted } = sum;
  if (harmfulPromoted.count > 0) faults.push(`${harmfulPromoted.count} harmful versions were promoted`);
  if (isBelow(0.95, harmfulTakenBack)) faults.push('fewer than 95 % of the harmful versions were taken back in time');
  if (isBelow(0.9, healthyPromoted)) faults.push('fewer than 90 % of the healthy versions were promoted');
  if (healthyAborted.count * 50 > Math.max(50, healthyAborted.of)) {
    faults.push('more than 1 in 50 of the healthy versions was aborted');
  }
  if (sum.lost > 0) faults.push(`${sum.lost} requests were lost`);
  return faults;
}

export const HEAD = ['run', 'base errors', 'req/s', 'harm', 'truth', 'end', 'check', 'seconds', 'exposed', 'bad'];

export function cellsOf(row: Row): string[] {
  const { draw, exposed } = row;
  return [
    String(draw.run),
    `${(100 * draw.baseErrors).toFixed(2)} %`,
    String(draw.requestsPerSecond),
    describeHarm(draw),
    row.truth,
    `${isRight(row) ? '' : '!! '}${row.ended}${row.by === null || row.by === 'verdict' ? '' : ` (${row.by})`}`,
    row.check ?? '',
    row.seconds.toFixed(1),
    String(exposed.requests),
    String(exposed.bad),
  ];
}

export function isRight(row: Row): boolean {
  if (row.truth === 'healthy') return row.ended === 'promoted';
  return row.truth === 'either' || isTakenBack(row);
}

export function sumLines(sum: Sum): string[] {
  const text = ({ count, of, lower, upper }: Share) =>
    `${count} of ${of} (95 % limits ${(100 * lower).toFixed(1)} to ${(100 * upper).toFixed(1)} %)`;
  const { median: middle, either } = sum;
  return [
    `harmful, taken back in time: ${text(sum.harmfulTakenBack)}`,
    `harmful, promoted: ${text(sum.harmfulPromoted)}`,
    `healthy, promoted: ${text(sum.healthyPromoted)}`,
    `healthy, aborted (false aborts): ${text(sum.healthyAborted)}`,
    `in between (either end is right): ${either.promoted} promoted, ${either.aborted} aborted, ${either.undecided} undecided`,
    `median: taken back after ${middle.secondsToTakeBack.toFixed(1)} s and ${middle.badBeforeTakeBack} bad requests, promoted after ${middle.secondsToPromote.toFixed(1)} s`,
    `requests: ${sum.requests.toLocaleString('en-US')}, lost: ${sum.lost}`,
  ];
}
