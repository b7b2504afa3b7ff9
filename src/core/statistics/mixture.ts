// The fixed grids of bets, and the mixture over the moment at which harm begins, for any grid. Refuses to adapt the grids to
// data: weights chosen after looking would break the guarantee.

import { isLogZero, LOG_ZERO, logAddExp, logSumExp } from './log-space.ts';

/** Bets on how large the harm is, as multiples of what is tolerated, and what is staked on each beforehand. */
export interface BetGrid {
  readonly ratios: readonly number[];
  readonly logRatios: readonly number[];
  /** In logs, summing to 1. */
  readonly logWeights: readonly number[];
}

/** Evenly spaced in the logarithm from first to last, weights ∝ ratio^−decay. */
export function makeBetGrid(points: number, first: number, last: number, decay: number): BetGrid {
  const ratios = Array.from({ length: points }, (_, j) => first * (last / first) ** (j / (points - 1)));
  const logRatios = ratios.map((ratio) => Math.log(ratio));
  const logs = logRatios.map((log) => -decay * log);
  const total = logSumExp(logs);
  return { ratios, logRatios, logWeights: logs.map((log) => log - total) };
}

/**
 * How many times worse than the tolerated rate: 1.3 … 1000, 16 points, weights ∝ ratio^(−1/4): small harms are likelier
 * than crashes, but not by much.
 */
export const HARM_GRID: BetGrid = makeBetGrid(16, 1.3, 1000, 1 / 4);

/** The no-harm bets: how many times better than the limit. 0 is the bet that bad events do not happen at all. */
export const NO_HARM_RATIOS: readonly number[] = [0, ...Array.from({ length: 10 }, (_, j) => (5 + 10 * j) / 100)];

/** Expected time to onset under the prior: half of the weight is on harm from the start, the rest spread over time. */
const ONSET_MEAN_MS = 600_000;

/**
 * Evidence for each ratio, mixed over the tick in which harm began (Shiryaev-style; cf. e-detectors, Shin, Ramdas &
 * Rinaldo 2024, arXiv 2203.03532). A convex combination of e-processes that start at different ticks.
 */
export interface OnsetMixture {
  /** ln S_j per harm ratio: what is staked already, times what it has earned. */
  readonly logStaked: readonly number[];
  /** ln of the weight kept for onsets still to come. */
  readonly logKept: number;
}

export function startOnsetMixture(grid: BetGrid = HARM_GRID): OnsetMixture {
  return { logStaked: grid.ratios.map(() => LOG_ZERO), logKept: 0 };
}

/**
 * The weight that this tick's onset gets: ½ on the first tick, then a share h = tick / 10 min of what is kept, so that
 * w_t = ½ h (1−h)^(t−2). With lateOnset off, everything is staked at once.
 */
function stake(logKept: number, first: boolean, tickMs: number, lateOnset: boolean): [logStake: number, kept: number] {
  const share = !lateOnset ? 1 : first ? 0.5 : Math.min(1, tickMs / ONSET_MEAN_MS);
  if (isLogZero(logKept)) return [LOG_ZERO, LOG_ZERO];
  return [logKept + Math.log(share), share === 1 ? LOG_ZERO : logKept + Math.log1p(-share)];
}

/** The tick's stake laid, before it is played: S_j + w_t. */
export function stakeOnset(
  mixture: OnsetMixture,
  tick: { first: boolean; tickMs: number; lateOnset: boolean },
): OnsetMixture {
  const [logStake, logKept] = stake(mixture.logKept, tick.first, tick.tickMs, tick.lateOnset);
  return { logStaked: mixture.logStaked.map((log) => logAddExp(log, logStake)), logKept };
}

/** The tick played on what is staked: S_j ← S_j · F_j. */
export function playOnset({ logStaked, logKept }: OnsetMixture, logFactors: readonly number[]): OnsetMixture {
  return { logStaked: logStaked.map((log, j) => log + (logFactors[j] ?? 0)), logKept };
}

/** One tick: S_j ← (S_j + w_t) · F_j, in logs. */
export function stepOnsetMixture(
  mixture: OnsetMixture,
  logFactors: readonly number[],
  tick: { first: boolean; tickMs: number; lateOnset: boolean },
): OnsetMixture {
  return playOnset(stakeOnset(mixture, tick), logFactors);
}

/** ln E = ln( Σ_j π_j S_j + what is kept ). */
export function logMixtureE(mixture: OnsetMixture, grid: BetGrid = HARM_GRID): number {
  return logAddExp(weighBets(mixture.logStaked, grid), mixture.logKept);
}

/** ln Σ_j π_j e^(logs_j). */
export function weighBets(logs: readonly number[], grid: BetGrid = HARM_GRID): number {
  const weighed = logs.slice();
  for (let j = 0; j < logs.length; j++) weighed[j] = (logs[j] as number) + (grid.logWeights[j] ?? LOG_ZERO);
  return logSumExp(weighed);
}

/** ln of the plain average of e^(logs_a): no-harm bets have equal weights. */
export function weighNoHarm(logs: readonly number[]): number {
  const total = logSumExp(logs);
  return isLogZero(total) ? LOG_ZERO : total - Math.log(logs.length);
}
