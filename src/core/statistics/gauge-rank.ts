// Where the canary's gauge stands among the replicas: "1st of 9 in 6 of 6 blocks". For display. Refuses to turn blocks
// into evidence: one canary replica is one draw, however long it is watched, and the smallest p-value that ranks can give
// is 1/(P + 1) for P stable replicas.

import { checkSeries } from './gauge-blocks.ts';

/** Which end of the gauge is the bad one. */
export type WorseEnd = 'higher' | 'lower';

export interface RankDisplay {
  /** P + 1: stable's replicas and the canary. */
  readonly replicas: number;
  readonly blocks: number;
  /** The canary's place in each block, 1 being the worst. A tie counts for the canary. */
  readonly ranks: readonly number[];
  /** In how many blocks the canary is the worst, alone. */
  readonly worst: number;
  /** The canary's place by its mean over all blocks. */
  readonly overallRank: number;
  /** overallRank / (P + 1): the chance of such a place if the version makes no difference and replicas are alike. */
  readonly p: number;
  /** 1 / (P + 1): p cannot fall below this, whatever the duration. */
  readonly smallestP: number;
}

/**
 * Ranks block values (see `blockMeans`) of one canary replica among stable's. undefined without blocks or stable replicas.
 *
 * @example rankBlocks([9, 9, 9], [[1, 2, 3], [4, 5, 6]], 'higher')?.worst // 3
 */
export function rankBlocks(
  canary: readonly number[],
  stable: readonly (readonly number[])[],
  worse: WorseEnd,
): RankDisplay | undefined {
  checkWorse(worse);
  const blocks = checkSeries([canary, ...stable]);
  if (blocks === 0 || stable.length === 0) return undefined;
  const ranks = canary.map((value, block) =>
    rankOf(
      value,
      stable.map((series) => series[block] ?? Number.NaN),
      worse,
    ),
  );
  const replicas = stable.length + 1;
  const overallRank = rankOf(mean(canary), stable.map(mean), worse);
  return {
    replicas,
    blocks,
    ranks,
    worst: ranks.filter((rank) => rank === 1).length,
    overallRank,
    p: overallRank / replicas,
    smallestP: 1 / replicas,
  };
}

/** 1 + how many of the others are at least as bad: with ties, the chance of a low rank is not understated. */
function rankOf(value: number, others: readonly number[], worse: WorseEnd): number {
  return 1 + others.filter((other) => (worse === 'higher' ? other >= value : other <= value)).length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0);
}

export function checkWorse(worse: WorseEnd): void {
  if (worse !== 'higher' && worse !== 'lower') {
    throw new RangeError(`worse must be "higher" or "lower", but got ${JSON.stringify(worse)}`);
  }
}
