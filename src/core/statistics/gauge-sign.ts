// A sign test by betting on whether the canary's replicas stay worse than stable's, block after block. A guardrail, not a
// claim: it takes each block for a fresh draw, and replicas on slow nodes are slow in every block. Refuses fewer than three
// canary replicas, where that objection is all there is; choose a margin above what stable's replicas differ by.
//
//   B_t = 1 if the median canary replica is worse than the median stable one by more than the margin, else 0
//   E = mean over λ of Π (1 + λ·(2·B_t − 1)),  λ ∈ {0.5, 0.95}
//
// If B_t = 1 has a chance of at most ½ in every block, whatever came before, each factor has a mean of at most 1 (Ville
// 1939; Shafer & Vovk, "Game-Theoretic Foundations", 2019). At α = 0.01 it takes eight blocks in a row.

import { checkReadings, median } from './gauge-blocks.ts';
import { checkWorse, type WorseEnd } from './gauge-rank.ts';
import { logSumExp } from './log-space.ts';

const BETS: readonly number[] = [0.5, 0.95];

export const LEAST_CANARY_REPLICAS = 3;

/** Plain data, the same after a trip through JSON, bit for bit. */
export interface SignState {
  readonly blocks: number;
  /** Blocks in which the canary was worse by more than the margin. */
  readonly worse: number;
  readonly logs: readonly number[];
  readonly peakLogE: number;
}

export interface SignOptions {
  readonly worse: WorseEnd;
  /** In the gauge's unit, >= 0. */
  readonly margin: number;
}

export function startSign(): SignState {
  return { blocks: 0, worse: 0, logs: BETS.map(() => 0), peakLogE: 0 };
}

/** The state after one more block: one value per replica, at equal ages of the replicas. */
export function addSignBlock(
  state: SignState,
  block: { readonly canary: readonly number[]; readonly stable: readonly number[] },
  { worse, margin }: SignOptions,
): SignState {
  checkWorse(worse);
  if (!(margin >= 0 && margin < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`margin must be a finite number >= 0, but got ${margin}`);
  }
  checkReadings([...block.canary, ...block.stable]);
  if (block.canary.length < LEAST_CANARY_REPLICAS || block.stable.length === 0) {
    throw new RangeError(
      `signs need ${LEAST_CANARY_REPLICAS} canary replicas and one of stable, ` +
        `but got ${block.canary.length} and ${block.stable.length}`,
    );
  }
  const gap = median(block.canary) - median(block.stable);
  const isWorse = (worse === 'higher' ? gap : -gap) > margin;
  const logs = state.logs.map((log, j) => log + Math.log1p(isWorse ? (BETS[j] ?? 0) : -(BETS[j] ?? 0)));
  return {
    blocks: state.blocks + 1,
    worse: state.worse + (isWorse ? 1 : 0),
    logs,
    peakLogE: Math.max(state.peakLogE, logAverage(logs)),
  };
}

/** ln E against "in each block the canary's replicas are no likelier to be worse by more than the margin than not". */
export function logSignE(state: SignState): number {
  return logAverage(state.logs);
}

function logAverage(logs: readonly number[]): number {
  return logSumExp(logs) - Math.log(logs.length);
}
