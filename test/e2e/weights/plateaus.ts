// From what the cluster was seen to be, moment by moment, to stretches of time over which nothing changed, and whether the
// answers that users got in each agree with it: exact binomial tails, 1e-6 over the whole run. Pure. It refuses to judge
// the seconds around a change.
import { incompleteBeta } from '../../../src/core/statistics/index.ts';
import type { Slice } from '../load/account.ts';

/** One look. Two looks are alike when all but the times is. */
export interface Look {
  /** It was so at some moment between these two. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** Versions in stable's pods; more than one while it is rolled. */
  readonly stable: readonly string[];
  /** Version in the canary's place; null if there is none. */
  readonly canary: string | null;
  /** Percent of requests (of connections, for replica share) that the canary is to get. */
  readonly percent: number;
}

type What = Omit<Look, 'beganMs' | 'endedMs'>;

/** From when it was surely so until when it surely still was. */
export interface Plateau extends What {
  readonly fromMs: number;
  readonly toMs: number;
}

export function plateausOf(looks: readonly Look[]): readonly Plateau[] {
  const plateaus: Plateau[] = [];
  for (const { beganMs, endedMs, ...look } of looks) {
    const last = plateaus.at(-1);
    if (last !== undefined && keyOf(last) === keyOf(look)) plateaus[plateaus.length - 1] = { ...last, toMs: beganMs };
    else plateaus.push({ ...look, fromMs: endedMs, toMs: beganMs });
  }
  return plateaus;
}

function keyOf({ stable, canary, percent }: What): string {
  return `${stable.join(',')} ${canary} ${percent}`;
}

export interface Seen extends Plateau {
  readonly answers: number;
  readonly canaryAnswers: number;
  /** Probability of something at least as far off, if all is as it should be. */
  readonly probability: number;
}

export interface Judging {
  /** From a change until every proxy acts by it. */
  readonly settleMs: number;
  /** First answers of a connection only: a Service divides connections. */
  readonly connectionsOnly: boolean;
}

/** A request that was sent before the end may be answered after it. */
const END_MS = 1_000;

/** What users saw in each plateau that one version serves on each side, and that lasted long enough to be looked at. */
export function seenOn(plateaus: readonly Plateau[], slices: readonly Slice[], how: Judging): readonly Seen[] {
  return plateaus.flatMap((plateau): Seen[] => {
    const [stable] = plateau.stable;
    if (plateau.stable.length !== 1 || stable === undefined || plateau.canary === stable) return [];
    const counts = countsOf(slices, plateau.fromMs + how.settleMs, plateau.toMs - END_MS, how.connectionsOnly);
    const answers = [...counts.values()].reduce((sum, count) => sum + count, 0);
    if (answers === 0) return [];
    const others = answers - (counts.get(stable) ?? 0);
    return [
      { ...plateau, answers, canaryAnswers: others, probability: tailOf(others, answers, plateau.percent / 100) },
    ];
  });
}

function countsOf(slices: readonly Slice[], fromMs: number, toMs: number, connectionsOnly: boolean) {
  const counts = new Map<string, number>();
  for (const { second, versions } of slices) {
    if (second * 1_000 < fromMs || (second + 1) * 1_000 > toMs) continue;
    for (const [version, { all, fresh }] of Object.entries(versions)) {
      counts.set(version, (counts.get(version) ?? 0) + (connectionsOnly ? fresh : all));
    }
  }
  return counts;
}

/** Twice the smaller tail of the binomial distribution, at most 1. */
export function tailOf(count: number, of: number, p: number): number {
  if (of === 0) return 1;
  if (p <= 0) return count === 0 ? 1 : 0;
  if (p >= 1) return count === of ? 1 : 0;
  const atLeast = count === 0 ? 1 : incompleteBeta(p, count, of - count + 1);
  const atMost = count === of ? 1 : 1 - incompleteBeta(p, count + 1, of - count);
  return Math.min(1, 2 * Math.min(atLeast, atMost));
}

const LEAST_PROBABILITY = 1e-6;

/** In words, what cannot be chance; the probability is that of the whole run. */
export function weightFaults(seen: readonly Seen[]): readonly string[] {
  return seen
    .filter(({ probability }) => probability < LEAST_PROBABILITY / Math.max(1, seen.length))
    .map(
      ({ stable, canary, percent, answers, canaryAnswers, probability, fromMs }) =>
        `from ${new Date(fromMs).toISOString().slice(11, 19)} on ${canary ?? 'nothing'} was to get ${percent} % beside ${stable.join('+')}, and ${canaryAnswers} of ${answers} answers (${((100 * canaryAnswers) / answers).toFixed(1)} %) were not of stable (probability ${probability.toExponential(1)})`,
    );
}
