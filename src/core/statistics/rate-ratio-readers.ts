// What a rate-ratio state says: evidence for and against harm, bounds on the excess, and the plain estimate. Refuses
// to decide: thresholds and their meaning belong to whoever asked.

import { crossingFromAbove, crossingFromBelow } from './boundary.ts';
import { swapChance } from './common-events.ts';
import { checkAlpha } from './counts.ts';
import { isLogZero, LOG_ZERO } from './log-space.ts';
import { logMixtureE, NO_HARM_RATIOS, weighBets, weighNoHarm } from './mixture.ts';
import type { RateRatioState } from './rate-ratio.ts';

/** ln E against "p_c <= r·p_s + δ_H in every tick". Harm is shown at level α once this reaches ln(1/α). */
export function logHarmE(state: RateRatioState): number {
  return logMixtureE(state.onset) + state.gain;
}

/**
 * ln E against "p_c <= r·p_s + excess in every tick", for any excess: uncapped and without late onsets. It is what the
 * lower bound inverts; the alarm itself uses `logHarmE`.
 */
export function logPlainHarmE(state: RateRatioState, excess: number): number {
  const { harm, harmExposure } = state;
  const logs = harm.slice();
  for (let j = 0; j < logs.length; j++) logs[j] = (harm[j] as number) - excess * (harmExposure[j] ?? 0);
  return weighBets(logs);
}

/**
 * ln E against "p_c >= r·p_s + excess in every tick". Harm beyond that excess is refuted at level α once this reaches
 * ln(1/α).
 */
export function logNoHarmE(state: RateRatioState, excess: number): number {
  const { noHarm, noHarmExposure, exactAbove, exactBelow, toleranceRatio } = state;
  const d = swapChance(excess, toleranceRatio);
  const logs = noHarm.slice();
  for (let i = 0; i < logs.length; i++) {
    const log = noHarm[i] as number;
    const exact = excess > 0 ? (exactAbove[i] ?? 0) : -(exactBelow[i] ?? 0);
    const gained = excess * noHarmExposure * (1 - (NO_HARM_RATIOS[i] ?? 1));
    logs[i] = isLogZero(log) ? LOG_ZERO : log + gained + (d === 0 ? 0 : exact * d);
  }
  return weighNoHarm(logs);
}

/**
 * U: the excess p_c − r·p_s is below this, with confidence 1 − alpha, at every moment somebody looks. 1 with no data.
 * Read with L at alpha/2 each for a two-sided statement at alpha.
 */
export function upperExcess(state: RateRatioState, alpha: number): number {
  checkAlpha(alpha);
  return crossingFromBelow((excess) => logNoHarmE(state, excess), -Math.log(alpha), -state.toleranceRatio, 1);
}

/** L: the excess p_c − r·p_s is above this, with confidence 1 − alpha, at every moment. −r with no data. */
export function lowerExcess(state: RateRatioState, alpha: number): number {
  checkAlpha(alpha);
  return crossingFromAbove((excess) => logPlainHarmE(state, excess), -Math.log(alpha), -state.toleranceRatio, 1);
}

/** The anytime p-value: min(1, 1 / max E so far). It never rises, and looking often does not spoil it. */
export function anytimeP(state: { readonly peakLogHarmE: number }): number {
  return Math.exp(-Math.max(0, state.peakLogHarmE));
}

export interface RateRatioEstimate {
  /** Bad events per canary request; undefined without traffic. */
  readonly canaryRate: number | undefined;
  /** Stable's rate in the same ticks, each tick counted as the canary's traffic in it: not distorted by moving weights. */
  readonly stableRate: number | undefined;
  /** canaryRate − r · stableRate, the quantity between L and U. */
  readonly excess: number | undefined;
  /** canaryRate / stableRate; undefined while stable has had no bad event. */
  readonly ratio: number | undefined;
  /** Bad canary requests beyond those expected at stable's rate (with r = 1); may be negative. */
  readonly excessBad: number;
}

/** The plain numbers beside the evidence. Standardised to the canary's traffic, tick by tick; never pooled. */
export function estimate(state: RateRatioState): RateRatioEstimate {
  const { canaryTotal, canaryBad, expectedCanaryBad, toleranceRatio } = state;
  const seen = canaryTotal > 0;
  return {
    canaryRate: seen ? canaryBad / canaryTotal : undefined,
    stableRate: seen ? expectedCanaryBad / canaryTotal : undefined,
    excess: seen ? (canaryBad - toleranceRatio * expectedCanaryBad) / canaryTotal : undefined,
    ratio: expectedCanaryBad > 0 ? canaryBad / expectedCanaryBad : undefined,
    excessBad: canaryBad - expectedCanaryBad,
  };
}
