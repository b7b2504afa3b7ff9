// What one tick is worth to each bet of the rate-ratio evidence, from either method. Refuses to choose between them and
// to add anything up; rate-ratio.ts does, and has the proofs.

import { commonNoHarmFactors, logCommonHarmFactors } from './common-events.ts';
import type { TickCounts } from './counts.ts';
import { LOG_ZERO } from './log-space.ts';
import { HARM_GRID, NO_HARM_RATIOS } from './mixture.ts';

/** log F at δ = 0 per harm bet, and what it loses per unit of δ. */
export interface HarmFactors {
  readonly logs: readonly number[];
  readonly exposures: readonly number[];
}

/** log F at δ = 0 per no-harm bet, and what it gains with δ. */
export interface NoHarmFactors {
  readonly logs: readonly number[];
  /** Plain factors: the bet a gains this times 1 − a per unit of δ. */
  readonly exposure: number;
  /** Exact factors: what each bet gains above δ = 0 and loses below, per unit of swapChance(δ). Empty for plain ones. */
  readonly above: readonly number[];
  readonly below: readonly number[];
}

/** log F and n_c·(a−1) per harm ratio k = ψ/r. With s = r·n_c/(r·n_c+n_s): a = k/(1+(k−1)s), b = 1/(1+(k−1)s). */
export function harmFactors(counts: TickCounts, toleranceRatio: number, temper: number): HarmFactors {
  const { canaryTotal, canaryBad, stableTotal, stableBad } = counts;
  const scaled = toleranceRatio * canaryTotal + stableTotal;
  const share = (toleranceRatio * canaryTotal) / scaled;
  const rest = stableTotal / scaled;
  const bad = canaryBad + stableBad;
  const logs: number[] = [];
  const exposures: number[] = [];
  for (let j = 0; j < HARM_GRID.ratios.length; j++) {
    const beyond = (HARM_GRID.ratios[j] ?? 1) - 1;
    const tilt = beyond * share;
    logs.push((canaryBad * (HARM_GRID.logRatios[j] ?? 0) - bad * Math.log1p(tilt)) / temper);
    exposures.push((canaryTotal * beyond * rest) / (1 + tilt) / temper);
  }
  return { logs, exposures };
}

/** log F per harm ratio as a line in x_c, given all bad events: x_c·log k plus this. */
export function harmOffsets(counts: TickCounts, toleranceRatio: number): readonly number[] {
  const { canaryTotal, canaryBad, stableTotal, stableBad } = counts;
  const share = (toleranceRatio * canaryTotal) / (toleranceRatio * canaryTotal + stableTotal);
  return HARM_GRID.ratios.map((k) => -(canaryBad + stableBad) * Math.log1p((k - 1) * share));
}

/** x_c·log a + x_s·log b with b = 1 + r·(n_c/n_s)·(1−a) per no-harm bet a. The bet a = 0 is lost by one bad event. */
export function noHarmFactors(counts: TickCounts, toleranceRatio: number, temper: number): NoHarmFactors {
  const { canaryTotal, canaryBad, stableTotal, stableBad } = counts;
  const odds = (toleranceRatio * canaryTotal) / stableTotal;
  const logs = NO_HARM_RATIOS.map((a) => {
    if (a === 0 && canaryBad > 0) return LOG_ZERO;
    const gained = stableBad === 0 ? 0 : stableBad * Math.log1p(odds * (1 - a));
    const lost = canaryBad === 0 ? 0 : canaryBad * Math.log(a);
    return (gained + lost) / temper;
  });
  return { logs, exposure: canaryTotal / temper, above: [], below: [] };
}

/** The exact log F of common events for the same harm ratios, at the tolerated margin. */
export function commonHarmLogs(
  counts: TickCounts,
  tolerance: { readonly toleranceRatio: number; readonly harmMargin: number },
  temper: number,
): readonly number[] {
  return logCommonHarmFactors(counts, tolerance, HARM_GRID.ratios).map((log) => log / temper);
}

/** The exact no-harm factors of common events: each bet a as the rate ratio k that it stands for at this tick's share. */
export function commonNoHarm(counts: TickCounts, toleranceRatio: number, temper: number): NoHarmFactors {
  const share = counts.canaryTotal / (counts.canaryTotal + counts.stableTotal);
  const multiples = NO_HARM_RATIOS.map((a) => (a * (1 - share)) / (1 - a * share));
  const factors = commonNoHarmFactors(counts, toleranceRatio, multiples);
  return {
    logs: factors.map(({ log }) => (log === LOG_ZERO ? LOG_ZERO : log / temper)),
    exposure: 0,
    above: factors.map(({ above }) => above / temper),
    below: factors.map(({ below }) => (below === -LOG_ZERO ? -LOG_ZERO : below / temper)),
  };
}
