// Bounds on the excess of slow requests at one line of a latency comparison: the rate-ratio evidence of no harm, with
// fewer bets than rate-ratio.ts keeps (8 do as well as 11 within 3 %), and a coarse one of harm for the lower bound.
// Refuses excesses below 0 once slow requests are common: nothing that is decided asks for them.

import { crossingFromAbove, crossingFromBelow } from './boundary.ts';
import { commonNoHarmFactors, isCommonRate, swapChance } from './common-events.ts';
import { checkAlpha, type TickCounts } from './counts.ts';
import { isLogZero, LOG_ZERO } from './log-space.ts';
import { type BetGrid, makeBetGrid, weighBets, weighNoHarm } from './mixture.ts';

/** Plain data, 27 numbers at most. */
export interface TailBound {
  /** S_a = Σ log F_a at an excess of 0, per bet. */
  readonly noHarm: readonly number[];
  /** Σ n_c over ticks with plain factors. */
  readonly exposure: number;
  /** What exact factors add per unit of swapChance(excess). Empty before the first of them. */
  readonly exact: readonly number[];
  /** Σ n_c·x_s/n_s: the slow requests the canary would have had at stable's rate, tick by tick. */
  readonly expectedCanarySlow: number;
  /** Of the first bound line only: Σ log F and n_c·(a − 1) of the harm bets. */
  readonly harm: readonly number[];
  readonly harmExposure: readonly number[];
}

/** How many times better than the limit; 0 is the bet that slow requests do not happen at all. */
const BETS: readonly number[] = [0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92];
/** For the lower bound on the screen alone. */
const LOWER: BetGrid = makeBetGrid(4, 1.4, 60, 1 / 4);

export function startTailBound(withLower: boolean): TailBound {
  const none = withLower ? LOWER.ratios.map(() => 0) : [];
  return {
    noHarm: BETS.map(() => 0),
    exposure: 0,
    exact: [],
    expectedCanarySlow: 0,
    harm: none,
    harmExposure: none,
  };
}

export interface TailTolerance {
  readonly toleranceRatio: number;
  readonly temper: number;
  /** The part of requests that was slow in the ticks before this one, both arms together. */
  readonly pooled: number;
}

/** The bound after one more tick of its line. Which factors are used is decided by the ticks before, as in rate-ratio.ts. */
export function addToTailBound(bound: TailBound, counts: TickCounts, tolerance: TailTolerance): TailBound {
  const { toleranceRatio: r, temper, pooled } = tolerance;
  const harm = bound.harm.length === 0 ? null : lowerFactors(counts, r, temper);
  const common = {
    expectedCanarySlow: bound.expectedCanarySlow + (counts.canaryTotal / counts.stableTotal) * counts.stableBad,
    harm: harm === null ? bound.harm : bound.harm.map((log, j) => log + (harm.logs[j] ?? 0)),
    harmExposure:
      harm === null ? bound.harmExposure : bound.harmExposure.map((sum, j) => sum + (harm.exposures[j] ?? 0)),
  };
  if (isCommonRate(pooled, r)) {
    const share = counts.canaryTotal / (counts.canaryTotal + counts.stableTotal);
    const multiples = BETS.map((a) => (a * (1 - share)) / (1 - a * share));
    const factors = commonNoHarmFactors(counts, r, multiples);
    return {
      ...common,
      noHarm: bound.noHarm.map((log, i) => addLog(log, factors[i]?.log ?? 0, temper)),
      exposure: bound.exposure,
      exact: factors.map(({ above }, i) => (bound.exact[i] ?? 0) + above / temper),
    };
  }
  const odds = (r * counts.canaryTotal) / counts.stableTotal;
  return {
    ...common,
    noHarm: bound.noHarm.map((log, i) => addLog(log, plainLog(counts, odds, BETS[i] ?? 1), temper)),
    exposure: bound.exposure + counts.canaryTotal / temper,
    exact: bound.exact,
  };
}

/** x_c·log a + x_s·log b with b = 1 + r·(n_c/n_s)·(1−a), as in rate-ratio.ts. */
function plainLog({ canaryBad, stableBad }: TickCounts, odds: number, a: number): number {
  if (a === 0 && canaryBad > 0) return LOG_ZERO;
  return (
    (canaryBad === 0 ? 0 : canaryBad * Math.log(a)) + (stableBad === 0 ? 0 : stableBad * Math.log1p(odds * (1 - a)))
  );
}

/** A bet that was lost for good stays lost. */
function addLog(sum: number, log: number, temper: number): number {
  return isLogZero(sum) || isLogZero(log) ? LOG_ZERO : sum + log / temper;
}

/** The harm factors of rate-ratio.ts for the coarse grid. */
function lowerFactors({ canaryTotal, canaryBad, stableTotal, stableBad }: TickCounts, ratio: number, temper: number) {
  const scaled = ratio * canaryTotal + stableTotal;
  const share = (ratio * canaryTotal) / scaled;
  const logs = LOWER.ratios.map((k, j) => {
    const lost = (canaryBad + stableBad) * Math.log1p((k - 1) * share);
    return (canaryBad * (LOWER.logRatios[j] ?? 0) - lost) / temper;
  });
  const rest = (canaryTotal * stableTotal) / scaled / temper;
  return { logs, exposures: LOWER.ratios.map((k) => ((k - 1) * rest) / (1 + (k - 1) * share)) };
}

/** ln E against "p_c >= r·p_s + excess in every tick", p the rate of slow requests. */
export function logBoundNoHarmE(bound: TailBound, excess: number, toleranceRatio: number): number {
  if (excess < 0 && bound.exact.length > 0) return LOG_ZERO;
  const d = swapChance(excess, toleranceRatio);
  const logs = bound.noHarm.slice();
  for (let i = 0; i < logs.length; i++) {
    const log = bound.noHarm[i] as number;
    const gained = excess * bound.exposure * (1 - (BETS[i] ?? 1));
    logs[i] = isLogZero(log) ? LOG_ZERO : log + gained + d * (bound.exact[i] ?? 0);
  }
  return weighNoHarm(logs);
}

/** U: the excess is below it, with confidence 1 − alpha, at every moment. Not below 0 once slow requests are common. */
export function upperBoundExcess(bound: TailBound, toleranceRatio: number, alpha: number): number {
  checkAlpha(alpha);
  const least = bound.exact.length > 0 ? 0 : -toleranceRatio;
  return crossingFromBelow((excess) => logBoundNoHarmE(bound, excess, toleranceRatio), -Math.log(alpha), least, 1);
}

/** L: the excess is above it, with confidence 1 − alpha, at every moment; a little low, from few bets. */
export function lowerBoundExcess(bound: TailBound, toleranceRatio: number, alpha: number): number {
  checkAlpha(alpha);
  if (bound.harm.length === 0) return -toleranceRatio;
  const falling = (excess: number): number =>
    weighBets(
      bound.harm.map((log, j) => log - excess * (bound.harmExposure[j] ?? 0)),
      LOWER,
    );
  return crossingFromAbove(falling, -Math.log(alpha), -toleranceRatio, 1);
}
