// The evidence by itself against the limit of what any test can do: how many canary requests until it decides, as a
// multiple of Wald's bound. One cell is one setting; a unit is some of its replications.

import { linesFrom } from '../../src/core/analysis/index.ts';
import {
  addTailTick,
  addTick,
  canaryRequestsToTell,
  createRandom,
  logHarmE,
  logNoHarmE,
  logPlainHarmE,
  logTailHarmE,
  type Random,
  type RateRatioOptions,
  startRateRatio,
  startTails,
} from '../../src/core/statistics/index.ts';
import { LatencyDraw } from './worlds/latency.ts';
import type { LatencyTruth } from './worlds/scenario.ts';

export type BareCell =
  | {
      readonly kind: 'harm';
      readonly id: string;
      readonly stableRate: number;
      readonly canaryRate: number;
      readonly share: number;
      readonly ratio: number;
      /** Cap and onset mixture on, windows of 10 s. */
      readonly asShipped: boolean;
    }
  | {
      readonly kind: 'no-harm';
      readonly id: string;
      readonly rate: number;
      readonly margin: number;
      readonly share: number;
    }
  | {
      readonly kind: 'crash';
      readonly id: string;
      readonly stableRate: number;
      readonly share: number;
      readonly perTick: number;
    }
  | { readonly kind: 'latency'; readonly id: string; readonly truth: LatencyTruth; readonly share: number };

export interface BareResult {
  /** Canary requests until decided (crash: bad answers before the deciding tick), one per replication. */
  readonly values: readonly number[];
  /** The limit, in the same unit. */
  readonly limit: number;
}

const ALPHA = 0.01;
/** Evidence that stopped at its line stands there but for rounding. */
const ROUNDING = 1e-9;
const ALPHA_NO_HARM = 0.05;
/** Looks per limit: what is lost by looking seldom is below 1 %. */
const LOOKS = 150;
/** Given up after this many times the limit: such a run counts at that length. */
const MOST = 12;

export function runBare(cell: BareCell, reps: readonly number[]): BareResult {
  const limit = limitOf(cell);
  return { limit, values: reps.map((rep) => runOne(cell, limit, createRandom(`bare|${cell.id}|${rep}`))) };
}

function limitOf(cell: BareCell): number {
  switch (cell.kind) {
    case 'harm':
      return canaryRequestsToTell({ ...cell, toleranceRatio: cell.ratio }, { alpha: ALPHA });
    case 'no-harm': {
      const { rate, margin, share } = cell;
      return canaryRequestsToTell({ canaryRate: rate, stableRate: rate, share, margin }, { alpha: ALPHA_NO_HARM });
    }
    case 'crash':
      return 2;
    case 'latency':
      return bestLineLimit(cell.truth, cell.share);
  }
}

function runOne(cell: BareCell, limit: number, random: Random): number {
  switch (cell.kind) {
    case 'harm':
      return harm(cell, limit, random);
    case 'no-harm':
      return noHarm(cell, limit, random);
    case 'crash':
      return crash(cell, random);
    case 'latency':
      return latency(cell, limit, random);
  }
}

function arms(random: Random, n: readonly [number, number], rates: readonly [number, number]) {
  return {
    canaryTotal: n[0],
    canaryBad: random.binomial(n[0], rates[0]),
    stableTotal: n[1],
    stableBad: random.binomial(n[1], rates[1]),
  };
}

function harm(cell: Extract<BareCell, { kind: 'harm' }>, limit: number, random: Random): number {
  const { share, ratio: toleranceRatio, asShipped } = cell;
  const line = -Math.log(ALPHA);
  const bare: Partial<RateRatioOptions> = asShipped ? {} : { lateOnset: false, capFraction: Number.POSITIVE_INFINITY };
  const options: RateRatioOptions = { toleranceRatio, tickMs: 10_000, alpha: ALPHA, logLine: line, ...bare };
  const perLook = Math.max(1, Math.round(limit / (asShipped ? 20 : LOOKS)));
  const n = [perLook, Math.round((perLook * (1 - share)) / share)] as const;
  let state = startRateRatio(options);
  while (state.canaryTotal < MOST * limit) {
    state = addTick(state, arms(random, n, [cell.canaryRate, cell.stableRate]), options);
    if (logHarmE(state) >= line - ROUNDING) break;
  }
  return state.canaryTotal;
}

function noHarm(
  { rate, margin, share }: Extract<BareCell, { kind: 'no-harm' }>,
  limit: number,
  random: Random,
): number {
  const options: RateRatioOptions = { toleranceRatio: 1, tickMs: 10_000 };
  const perLook = Math.max(1, Math.round(limit / LOOKS));
  const n = [perLook, Math.round((perLook * (1 - share)) / share)] as const;
  const line = -Math.log(ALPHA_NO_HARM);
  let state = startRateRatio(options);
  while (state.canaryTotal < MOST * limit) {
    state = addTick(state, arms(random, n, [rate, rate]), options);
    if (logNoHarmE(state, margin) >= line) break;
  }
  return state.canaryTotal;
}

/** Bad answers before the tick in which it is decided: what any wait for evidence costs beyond that tick. */
function crash({ stableRate, share, perTick }: Extract<BareCell, { kind: 'crash' }>, random: Random): number {
  const options: RateRatioOptions = {
    toleranceRatio: 1.1,
    tickMs: 10_000,
    lateOnset: false,
    capFraction: Number.POSITIVE_INFINITY,
  };
  let state = startRateRatio(options);
  let before = 0;
  while (before < 1000) {
    const canary = random.binomial(perTick, share);
    state = addTick(state, arms(random, [canary, perTick - canary], [1, stableRate]), options);
    if (logPlainHarmE(state, 0) >= -Math.log(ALPHA)) break;
    before = state.canaryBad;
  }
  return before;
}

const PAST_REQUESTS = 300_000;

function latency({ truth, share }: Extract<BareCell, { kind: 'latency' }>, limit: number, random: Random): number {
  const draw = new LatencyDraw(truth);
  const past = counted(draw, PAST_REQUESTS, 'stable', random);
  const chosen = linesFrom(
    { kind: 'latency', counts: past.map((count, i) => [i, count] as const), boundaries: draw.boundaries },
    0.99,
  );
  if (chosen === null) throw new Error('the past is too short for its lines');
  const options = {
    toleranceRatio: 1,
    lines: chosen.lines.length,
    lineTails: chosen.tails,
    boundLines: chosen.bound,
    tickMs: 10_000,
    alpha: ALPHA,
    logLine: -Math.log(ALPHA),
  };
  const perLook = Math.max(20, Math.round(limit / 30));
  const stablePerLook = Math.round((perLook * (1 - share)) / share);
  let state = startTails(options);
  while (state.canaryTotal < MOST * limit) {
    const canary = slower(counted(draw, perLook, 'canary', random), chosen.lines);
    const stable = slower(counted(draw, stablePerLook, 'stable', random), chosen.lines);
    state = addTailTick(
      state,
      { canaryTotal: perLook, stableTotal: stablePerLook, canarySlow: canary, stableSlow: stable },
      options,
    );
    if (logTailHarmE(state) >= -Math.log(ALPHA) - ROUNDING) break;
  }
  return state.canaryTotal;
}

function counted(draw: LatencyDraw, requests: number, arm: 'canary' | 'stable', random: Random): number[] {
  const counts = new Array<number>(draw.boundaries.length).fill(0);
  draw.add(counts, requests, { arm, atSeconds: 0, random });
  return counts;
}

function slower(counts: readonly number[], lines: readonly number[]): number[] {
  return lines.map((line) => counts.slice(line + 1).reduce((sum, count) => sum + count, 0));
}

/** L2 of the one bucket boundary that tells the two apart best, known to nobody beforehand. */
function bestLineLimit(truth: LatencyTruth, share: number): number {
  const draw = new LatencyDraw(truth);
  const stable = draw.stable();
  const canary = draw.canaryAt(0);
  let best = Number.POSITIVE_INFINITY;
  let [stableRate, canaryRate] = [1, 1];
  for (let i = 0; i < stable.length - 1; i++) {
    stableRate -= stable[i] ?? 0;
    canaryRate -= canary[i] ?? 0;
    if (canaryRate <= stableRate || canaryRate < 1e-6) continue;
    const contrast = { canaryRate: Math.min(1, canaryRate), stableRate: Math.max(0, stableRate), share };
    best = Math.min(best, canaryRequestsToTell(contrast, { alpha: ALPHA }));
  }
  return best;
}
