// Latency evidence at several lines at once: is the canary slower than each of them more often than stable? Harm is the
// mean, over the lines, of exact odds-ratio evidence (odds-ratio.ts), with one onset mixture for all; a mean of
// e-processes is one, whatever their dependence (Vovk & Wang 2021, arXiv 1912.06116). A canary that is stochastically no
// slower is within the hypothesis at every line, so speed-ups never alarm. At the bound lines it also keeps the rate-ratio
// evidence of no harm, whose bound is in slow requests, which is what a budget is counted in. Refuses to choose lines:
// that is line-choice.ts, before anything is compared.

import { checkEvidence, checkTick, type EvidenceOptions, NO_TRAFFIC, type TickCounts } from './counts.ts';
import { type OnsetMixture, playOnset, stakeOnset, startOnsetMixture } from './mixture.ts';
import { logOddsFactors } from './odds-ratio.ts';
import { gridOfPart, gridOfParts, partOf } from './tail-bets.ts';
import {
  addToTailBound,
  logBoundNoHarmE,
  lowerBoundExcess,
  startTailBound,
  type TailBound,
  upperBoundExcess,
} from './tail-bounds.ts';
import { lineGain, logLineE, logLinesE } from './tail-gains.ts';

export interface TailOptions extends EvidenceOptions {
  /** r: the canary's odds of a slow request may be this many times stable's; at the bound lines its rate. */
  readonly toleranceRatio: number;
  /** How many lines, 1 to 8. */
  readonly lines: number;
  /**
   * The share of stable's requests that was slower than each line in its past, before anything is compared: a line's bets
   * are those of its part of the tail (tail-bets.ts), which finds harm in a tenth fewer requests. Default: not known; once
   * started, the state remembers its parts and this may be left out.
   */
  readonly lineTails?: readonly number[];
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
  /** The part of the tail that each line lies in. */
  readonly parts: readonly number[];
  readonly ticks: number;
  readonly canaryTotal: number;
  readonly stableTotal: number;
  readonly canarySlow: readonly number[];
  readonly stableSlow: readonly number[];
  /** Bets of line 0, then of line 1, ... */
  readonly onset: OnsetMixture;
  /** Per line: ln of what was gained, less what was cut off, by stopping at the line's own threshold (truncation.ts). */
  readonly gains: readonly number[];
  readonly peakLogHarmE: number;
  /** One per bound line. */
  readonly bounds: readonly TailBound[];
}

export const MOST_LINES = 8;
/** @example startTails({ toleranceRatio: 1.1, lines: 2, lineTails: [0.1, 0.01], boundLines: [1, 0], tickMs: 10_000 }) */
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
  const parts = partsOf(options);
  return {
    toleranceRatio,
    parts,
    ticks: 0,
    canaryTotal: 0,
    stableTotal: 0,
    canarySlow: none,
    stableSlow: none,
    onset: startOnsetMixture(gridOfParts(parts)),
    gains: none,
    peakLogHarmE: 0,
    bounds: boundLines.map((_, i) => startTailBound(i === 0)),
  };
}

function partsOf({ lines, lineTails }: TailOptions): readonly number[] {
  if (lineTails !== undefined && lineTails.length !== lines) {
    throw new RangeError(`lineTails must have one tail for each of ${lines} lines, but got ${lineTails.length}`);
  }
  return Array.from({ length: lines }, (_, line) => partOf(lineTails?.[line]));
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
  const { toleranceRatio, parts } = state;
  const factors = ticks.map((tick, line) => logOddsFactors(tick, toleranceRatio, gridOfPart(parts[line] ?? 0).ratios));
  const step = { first: state.ticks === 0, tickMs, lateOnset };
  const capped = factors.flat().map((log) => Math.min(log / temper, capNats));
  const staked = stakeOnset(state.onset, step);
  const onset = playOnset(staked, capped);
  const gains = ticks.map((tick, line) =>
    lineGain({ parts, line, tick, factors: factors[line] ?? [], toleranceRatio, evidence }, state.gains[line] ?? 0, {
      before: state.onset,
      staked,
      after: onset,
    }),
  );
  return {
    toleranceRatio,
    parts,
    ticks: state.ticks + 1,
    canaryTotal: state.canaryTotal + counts.canaryTotal,
    stableTotal: state.stableTotal + counts.stableTotal,
    canarySlow: sum(state.canarySlow, counts.canarySlow),
    stableSlow: sum(state.stableSlow, counts.stableSlow),
    onset,
    gains,
    peakLogHarmE: Math.max(state.peakLogHarmE, logLinesE(parts, onset, gains)),
    bounds: state.bounds.map((bound, i) => {
      const line = options.boundLines[i] ?? 0;
      return addToTailBound(bound, tickAt(counts, line), { toleranceRatio, temper, pooled: pooledRate(state, line) });
    }),
  };
}

/** The part of requests slower than a line so far; 0 before anything was seen. */
function pooledRate({ canaryTotal, stableTotal, canarySlow, stableSlow }: TailState, line: number): number {
  const total = canaryTotal + stableTotal;
  return total === 0 ? 0 : ((canarySlow[line] ?? 0) + (stableSlow[line] ?? 0)) / total;
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
  const parts = options.lineTails === undefined ? state.parts : partsOf(options);
  if (options.boundLines.length !== state.bounds.length || parts.some((part, line) => part !== state.parts[line])) {
    throw new RangeError('this evidence was started for other boundLines or lineTails. Start new evidence instead');
  }
  if (counts.canarySlow.length !== lines || counts.stableSlow.length !== lines) {
    throw new RangeError(`slow counts must be given for each of ${lines} lines`);
  }
}

function tickAt({ canaryTotal, stableTotal, canarySlow, stableSlow }: TailCounts, line: number): TickCounts {
  return { canaryTotal, stableTotal, canaryBad: canarySlow[line] ?? 0, stableBad: stableSlow[line] ?? 0 };
}

/** ln E against "at every line, the canary's odds of a slow request are at most r times stable's". */
export function logTailHarmE({ onset, parts, gains }: TailState): number {
  return logLinesE(parts, onset, gains);
}

/** The part of one line alone, as if it had been the only one: which line to show. */
export function logTailHarmEAt({ onset, parts, gains }: TailState, line: number): number {
  return logLineE(parts, line, onset) + (gains[line] ?? 0);
}

/** ln E against "p_c >= r·p_s + excess in every tick", p the rate of requests slower than that bound line. */
export function logTailNoHarmE(state: TailState, bound: number, excess: number): number {
  return logBoundNoHarmE(boundAt(state, bound), excess, state.toleranceRatio);
}

/** U at a bound line: the excess of slow requests is below it, with confidence 1 − alpha, at every moment. */
export function upperTailExcess(state: TailState, bound: number, alpha: number): number {
  return upperBoundExcess(boundAt(state, bound), state.toleranceRatio, alpha);
}

/** L at the first bound line, from a coarse grid: valid, and a little low. */
export function lowerTailExcess(state: TailState, alpha: number): number {
  return lowerBoundExcess(boundAt(state, 0), state.toleranceRatio, alpha);
}

/**
 * The excess between the bounds as it was seen, p_c − r·p_s at a bound line: stable's rate tick by tick, each tick counted
 * as the canary's traffic in it, so that moving weights do not bend it. undefined without traffic.
 */
export function tailExcess(
  state: TailState,
  bound: number,
  options: Pick<TailOptions, 'boundLines'>,
): number | undefined {
  const { canaryTotal, canarySlow, toleranceRatio } = state;
  if (canaryTotal === 0) return undefined;
  const slow = canarySlow[options.boundLines[bound] ?? 0] ?? 0;
  return (slow - toleranceRatio * boundAt(state, bound).expectedCanarySlow) / canaryTotal;
}

function boundAt({ bounds }: TailState, bound: number): TailBound {
  const found = bounds[bound];
  if (found === undefined) throw new RangeError(`there are ${bounds.length} bound lines, but got position ${bound}`);
  return found;
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
