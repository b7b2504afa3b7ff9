// The mixture over onset times of mixture.ts, for a grid of bets of equal weight. Refuses nothing; the step itself is
// stepOnsetMixture.

import { LOG_ZERO, logAddExp, logSumExp } from './log-space.ts';
import type { OnsetMixture } from './mixture.ts';

export function startEvenOnset(bets: number): OnsetMixture {
  return { logStaked: Array.from({ length: bets }, () => LOG_ZERO), logKept: 0 };
}

/** ln E: the plain average of what the bets hold, plus what is kept for later onsets. */
export function logEvenMixtureE(mixture: OnsetMixture): number {
  return logAddExp(logSumExp(mixture.logStaked) - Math.log(mixture.logStaked.length), mixture.logKept);
}
