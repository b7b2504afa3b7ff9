// Latency evidence at several lines at once: is the canary slower than each of them more often than stable? Harm is the
// mean, over the lines, of exact odds-ratio evidence (odds-ratio.ts), with one onset mixture for all; a mean of
// e-processes is one, whatever their dependence (Vovk & Wang 2021, arXiv 1912.06116). A canary that is stochastically no
// slower is within the hypothesis at every line, so speed-ups never alarm. At the bound lines it also keeps the rate-ratio
// evidence of no harm, whose bound is in slow requests, which is what a budget is counted in. Refuses to choose lines:
// that is line-choice.ts, before anything is compared.

import { crossingFromAbove, crossingFromBelow } from './boundary.ts';
import { checkAlpha, checkEvidence, checkTick, type EvidenceOptions, NO_TRAFFIC, type TickCounts } from './counts.ts';
import { isLogZero, LOG_ZERO, logSumExp } from './log-space.ts';
import {
  type BetGrid,
  logMixtureE,
  makeBetGrid,
  NO_HARM_RATIOS,
  type OnsetMixture,
  startOnsetMixture,
  stepOnsetMixture,
  weighBets,
  weighNoHarm,
} from './mixture.ts';
import { logOddsFactors } from './odds-ratio.ts';
import { noHarmFactors } from './rate-ratio-factors.ts';

export interface TailOptions extends EvidenceOptions {
  /** r: the canary's odds of a slow request may be this many times stable's; at the bound lines its rate. */
  readonly toleranceRatio: number;
  /** How many lines, 1 to 8. */
  readonly lines: number;
  /** The lines (by position) of which bounds are kept; the first is the one that is shown. */
  readonly boundLines: readonly number[];
}

/** One tick of both arms: all requests, and how many were slower than each line. */
export interface TailCounts {
  readonly canaryTotal: number;
  readonly stableTotal: number;
  readonly canarySlow: readonly number[];
  readonly stableSlow: readonly number[];
}

/** Plain data; at 8 lines and 2 bound lines under 1 KiB of doubles. */
export interface TailState {
  readonly toleranceRatio: number;
  readonly ticks: number;
  readonly canaryTotal: number;
  readonly stableTotal: number;
  readonly canarySlow: readonly number[];
  readonly stableSlow: readonly number[];
  /** Bets of line 0, then of line 1, ... */
  readonly onset: OnsetMixture;
  readonly peakLogHarmE: number;
  /** Per bound line: S_a as in rate-ratio.ts. */
  readonly noHarm: readonly (readonly number[])[];
  readonly noHarmExposure: number;
  /** The lower bound of the first bound line: log F and n_c·(a − 1) for a few bets. */
  readonly lower: readonly number[];
  readonly lowerExposure: readonly number[];
}

export const MOST_LINES = 8;
/** Odds of a slow request, as multiples of the tolerated ones. */
export const TAIL_GRID: BetGrid = makeBetGrid(9, 1.2, 100, 1 / 4);
/** For the lower bound on the screen alone: coarse, to save state. */
const LOWER_GRID: BetGrid = makeBetGrid(4, 1.4, 60, 1 / 4);

const GRIDS = new Map<number, BetGrid>();

/** The grid of all lines: each line has the whole grid and an equal part of the stake. */
function gridOf(lines: number): BetGrid {
  let grid = GRIDS.get(lines);
  if (grid === undefined) {
    const each = <T>(values: readonly T[]): T[] => Array.from({ length: lines }, () => values).flat();
    grid = {
      ratios: each(TAIL_GRID.ratios),
      logRatios: each(TAIL_GRID.logRatios),
      logWeights: each(TAIL_GRID.logWeights).map((log) => log - Math.log(lines)),
    };
    GRIDS.set(lines, grid);
  }
  return grid;
}

/** @example startTails({ toleranceRatio: 1.1, lines: 8, boundLines: [5, 3], tickMs: 10_000 }) */
export function startTails(options: TailOptions): TailState {
  const { toleranceRatio, lines, boundLines } = options;
  if (!(toleranceRatio >= 1e-6 && toleranceRatio <= 1e6)) {
    throw new RangeError(`toleranceRatio must be a number between 1e-6 and 1e6, but got ${toleranceRatio}`);
  }
  if (!(Number.isSafeInteger(lines) && lines >= 1 && lines <= MOST_LINES)) {
    throw new RangeError(`lines must be a whole number from 1 to ${MOST_LINES}, but got ${lines}`);
  }
  checkBoundLines(boundLines, lines);
  checkEvidence(options);
  const none = Array.from({ length: lines }, () => 0);
  return {
    toleranceRatio,
    ticks: 0,
    canaryTotal: 0,
    stableTotal: 0,
    canarySlow: none,
    stableSlow: none,
    onset: startOnsetMixture(gridOf(lines)),
    peakLogHarmE: 0,
    noHarm: boundLines.map(() => NO_HARM_RATIOS.map(() => 0)),
    noHarmExposure: 0,
    lower: LOWER_GRID.ratios.map(() => 0),
    lowerExposure: LOWER_GRID.ratios.map(() => 0),
  };
}

function checkBoundLines(boundLines: readonly number[], lines: number): void {
  if (boundLines.length === 0) throw new RangeError('boundLines must name at least one line, but got none');
  for (const line of boundLines) {
    if (!(Number.isSafeInteger(line) && line >= 0 && line < lines)) {
      throw new RangeError(`a bound line must be a position from 0 to ${lines - 1}, but got ${line}`);
    }
  }
}

/** The state after one more tick. A tick without traffic on either arm changes nothing. */
export function addTailTick(state: TailState, counts: TailCounts, options: TailOptions): TailState {
  checkSame(state, counts, options);
  const evidence = checkEvidence(options);
  const ticks = state.canarySlow.map((_, line) => tickAt(counts, line));
  for (const tick of ticks) checkTick(tick);
  if (counts.canaryTotal < NO_TRAFFIC || counts.stableTotal < NO_TRAFFIC) return state;
  const { temper, capNats, tickMs, lateOnset } = evidence;
  const { toleranceRatio } = state;
  const logFactors = ticks.flatMap((tick) =>
    logOddsFactors(tick, toleranceRatio, TAIL_GRID.ratios).map((log) => Math.min(log / temper, capNats)),
  );
  const grid = gridOf(ticks.length);
  const onset = stepOnsetMixture(state.onset, logFactors, { first: state.ticks === 0, tickMs, lateOnset });
  const shown = lowerFactors(ticks[options.boundLines[0] ?? 0] as TickCounts, toleranceRatio, temper);
  return {
    toleranceRatio,
    ticks: state.ticks + 1,
    canaryTotal: state.canaryTotal + counts.canaryTotal,
    stableTotal: state.stableTotal + counts.stableTotal,
    canarySlow: sum(state.canarySlow, counts.canarySlow),
    stableSlow: sum(state.stableSlow, counts.stableSlow),
    onset,
    peakLogHarmE: Math.max(state.peakLogHarmE, logMixtureE(onset, grid)),
    noHarm: options.boundLines.map((line, i) => {
      const { logs } = noHarmFactors(ticks[line] as TickCounts, toleranceRatio, temper);
      return sumOrZero(state.noHarm[i] ?? [], logs);
    }),
    noHarmExposure: state.noHarmExposure + counts.canaryTotal / temper,
    lower: sum(state.lower, shown.logs),
    lowerExposure: sum(state.lowerExposure, shown.exposures),
  };
}

function checkSame(state: TailState, counts: TailCounts, options: TailOptions): void {
  const lines = state.canarySlow.length;
  if (options.toleranceRatio !== state.toleranceRatio || options.lines !== lines) {
    throw new RangeError(
      `this evidence was started for toleranceRatio ${state.toleranceRatio} and ${lines} lines; it cannot go on with ` +
        `${options.toleranceRatio} and ${options.lines}. Start new evidence instead`,
    );
  }
  checkBoundLines(options.boundLines, lines);
  if (counts.canarySlow.length !== lines || counts.stableSlow.length !== lines) {
    throw new RangeError(`slow counts must be given for each of ${lines} lines`);
  }
}

function tickAt({ canaryTotal, stableTotal, canarySlow, stableSlow }: TailCounts, line: number): TickCounts {
  return { canaryTotal, stableTotal, canaryBad: canarySlow[line] ?? 0, stableBad: stableSlow[line] ?? 0 };
}

/** The rate-ratio factors of rate-ratio.ts for the coarse grid. */
function lowerFactors({ canaryTotal, canaryBad, stableTotal, stableBad }: TickCounts, ratio: number, temper: number) {
  const scaled = ratio * canaryTotal + stableTotal;
  const share = (ratio * canaryTotal) / scaled;
  const logs = LOWER_GRID.ratios.map((k, j) => {
    const tilt = (k - 1) * share;
    return (canaryBad * (LOWER_GRID.logRatios[j] ?? 0) - (canaryBad + stableBad) * Math.log1p(tilt)) / temper;
  });
  const exposures = LOWER_GRID.ratios.map(
    (k) => (canaryTotal * (k - 1) * (stableTotal / scaled)) / (1 + (k - 1) * share) / temper,
  );
  return { logs, exposures };
}

/** ln E against "at every line, the canary's odds of a slow request are at most r times stable's". */
export function logTailHarmE(state: TailState): number {
  return logMixtureE(state.onset, gridOf(state.canarySlow.length));
}

/** The part of one line alone, as if it had been the only one: which line to show. */
export function logTailHarmEAt({ onset }: TailState, line: number): number {
  const points = TAIL_GRID.ratios.length;
  const logs = onset.logStaked.slice(line * points, (line + 1) * points);
  return logSumExp([weighBets(logs, TAIL_GRID), onset.logKept]);
}

/** ln E against "p_c >= r·p_s + excess in every tick", p the rate of requests slower than that bound line. */
export function logTailNoHarmE(state: TailState, bound: number, excess: number): number {
  const sums = state.noHarm[bound] ?? [];
  return weighNoHarm(
    sums.map((log, i) =>
      isLogZero(log) ? LOG_ZERO : log + excess * state.noHarmExposure * (1 - (NO_HARM_RATIOS[i] ?? 1)),
    ),
  );
}

/** U at a bound line: the excess of slow requests is below it, with confidence 1 − alpha, at every moment. */
export function upperTailExcess(state: TailState, bound: number, alpha: number): number {
  checkAlpha(alpha);
  const rising = (excess: number): number => logTailNoHarmE(state, bound, excess);
  return crossingFromBelow(rising, -Math.log(alpha), -state.toleranceRatio, 1);
}

/** L at the first bound line, from a coarse grid: valid, and a little low. */
export function lowerTailExcess(state: TailState, alpha: number): number {
  checkAlpha(alpha);
  const falling = (excess: number): number =>
    weighBets(
      state.lower.map((log, j) => log - excess * (state.lowerExposure[j] ?? 0)),
      LOWER_GRID,
    );
  return crossingFromAbove(falling, -Math.log(alpha), -state.toleranceRatio, 1);
}

/** All requests and slow ones at one line, both arms. */
export function tailCounts(state: TailState, line: number) {
  return {
    canary: { total: state.canaryTotal, bad: state.canarySlow[line] ?? 0 },
    stable: { total: state.stableTotal, bad: state.stableSlow[line] ?? 0 },
  };
}

function sum(left: readonly number[], right: readonly number[]): number[] {
  return left.map((value, i) => value + (right[i] ?? 0));
}

/** A bet that was lost for good stays lost. */
function sumOrZero(left: readonly number[], right: readonly number[]): number[] {
  return left.map((value, i) => {
    const gained = right[i] ?? 0;
    return isLogZero(value) || isLogZero(gained) ? LOG_ZERO : value + gained;
  });
}
