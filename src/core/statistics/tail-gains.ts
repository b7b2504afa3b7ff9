// What a latency comparison gains by stopping: each of its lines has a threshold of its own, at which it alone would end
// the release, and evidence beyond it is of no use (truncation.ts). Given a window's margins the law of slow requests is
// known exactly at every line, so nothing is assumed. Refuses to move anything between lines.

import type { CheckedEvidence, TickCounts } from './counts.ts';
import { logAddExp, logSumExp } from './log-space.ts';
import { type OnsetMixture, weighBets } from './mixture.ts';
import { firstBet, gridOfPart, logStakeOfLine } from './tail-bets.ts';
import { gainToLine, MOST_TEMPER } from './truncation.ts';

/** One line's mixture before any gain: as if it had been the only line. */
export function logLineE(parts: readonly number[], line: number, { logStaked, logKept }: OnsetMixture): number {
  const grid = gridOfPart(parts[line] ?? 0);
  const first = firstBet(parts, line);
  return logAddExp(weighBets(logStaked.slice(first, first + grid.ratios.length), grid), logKept);
}

/** The stake-weighted mean over the lines, gains included. */
export function logLinesE(parts: readonly number[], onset: OnsetMixture, gains: readonly number[]): number {
  return logSumExp(gains.map((gain, line) => logStakeOfLine(parts, line) + logLineE(parts, line, onset) + gain));
}

export interface LineTick {
  readonly parts: readonly number[];
  readonly line: number;
  readonly tick: TickCounts;
  /** log F per bet of the line, untempered. */
  readonly factors: readonly number[];
  readonly toleranceRatio: number;
  readonly evidence: CheckedEvidence;
}

/** A line's gain after one more tick, from its gain before and the mixture before, with its stakes laid, and after. */
export function lineGain(
  { parts, line, tick, factors, toleranceRatio, evidence }: LineTick,
  gain: number,
  mixture: { readonly before: OnsetMixture; readonly staked: OnsetMixture; readonly after: OnsetMixture },
): number {
  const { logLine, temper, capNats } = evidence;
  if (logLine === Number.POSITIVE_INFINITY || temper > MOST_TEMPER) return gain;
  const ownLine = logLine - logStakeOfLine(parts, line);
  const before = logLineE(parts, line, mixture.before) + gain;
  const after = logLineE(parts, line, mixture.after);
  const grid = gridOfPart(parts[line] ?? 0);
  const first = firstBet(parts, line);
  const bets = {
    logStakes: grid.logWeights.map((weight, j) => (mixture.staked.logStaked[first + j] ?? 0) + weight),
    logRest: mixture.staked.logKept,
    slopes: grid.logRatios,
    offsets: factors.map((log, j) => log - tick.canaryBad * (grid.logRatios[j] ?? 0)),
    capNats: capNats * temper,
  };
  const { canaryTotal, stableTotal, canaryBad, stableBad } = tick;
  const margins = { canaryTotal, stableTotal, bad: canaryBad + stableBad };
  const lawful = { bets, margins, largestOdds: toleranceRatio };
  return gainToLine(gain, lawful, { before, after }, { ...evidence, logLine: ownLine });
}
