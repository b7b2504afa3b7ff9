// The rate-ratio e-process: evidence, valid at every moment somebody looks, on whether the canary's bad-event rate p_c
// exceeds r · p_s + δ, p_s being stable's. It needs no knowledge of p_s, no constancy over time and no configured
// weight. Refuses to pool: every tick is its own stratum, so changing weights and common outages cannot mislead it.
//
//   log F_ψ = x_c·log(ψ/r) − (x_c+x_s)·log1p((ψ−r)·n_c/(r·n_c+n_s)) − δ·n_c·(a−1)
//   a = (ψ/r)·(r·n_c+n_s)/(ψ·n_c+n_s),  b = 1 − r·(n_c/n_s)·(a−1)
//
// Given the past, E[a^x_c b^x_s] <= exp(n_c·p_c·(a−1) + n_s·p_s·(b−1)) = exp(n_c·(a−1)·(p_c − r·p_s)), because
// 1 + z <= e^z; so E[F] <= 1 when p_c <= r·p_s + δ and a > 1 (harm), or p_c >= r·p_s + δ and a < 1 (no harm).
//
// Once bad events have been common (see isCommon), ticks are worth the exact factors of common-events.ts instead: valid
// under the same hypotheses, so that a product may mix both, as long as the choice is made by what was counted before the
// tick. Alarm at E >= 1/α: Ville 1939, "Étude critique de la notion de collectif". The likelihood ratio is that of Lindon &
// Malek (arXiv 2011.03567) with observed shares and a grid as prior. Proof and limits: docs/statistics.md.

import { isCommonRate } from './common-events.ts';
import { checkEvidence, checkTick, type EvidenceOptions, NO_TRAFFIC, type TickCounts } from './counts.ts';
import { isLogZero } from './log-space.ts';
import {
  HARM_GRID,
  logMixtureE,
  NO_HARM_RATIOS,
  type OnsetMixture,
  playOnset,
  stakeOnset,
  startOnsetMixture,
} from './mixture.ts';
import {
  commonHarmLogs,
  commonNoHarm,
  type HarmFactors,
  harmFactors,
  harmOffsets,
  type NoHarmFactors,
  noHarmFactors,
} from './rate-ratio-factors.ts';
import { gainToLine, MOST_TEMPER } from './truncation.ts';

export type { TickCounts } from './counts.ts';

export interface RateRatioOptions extends EvidenceOptions {
  /** r: the canary's rate may be this many times stable's. 1 means "not worse at all". */
  readonly toleranceRatio: number;
  /** δ_H: an excess rate on top that is not called harm. Default 0. */
  readonly harmMargin?: number;
}

/** Plain data: finite numbers and arrays of them, the same after a trip through JSON, bit for bit. */
export interface RateRatioState {
  readonly toleranceRatio: number;
  readonly harmMargin: number;
  /** Ticks in which both arms had traffic; the others say nothing about a comparison and are left out. */
  readonly ticks: number;
  readonly canaryTotal: number;
  readonly canaryBad: number;
  readonly stableTotal: number;
  readonly stableBad: number;
  /** Σ n_c·x_s/n_s: the bad events the canary would have had at stable's rate, tick by tick. */
  readonly expectedCanaryBad: number;
  /** The deciding evidence of harm: capped, mixed over onset times. */
  readonly onset: OnsetMixture;
  /** ln of what was gained, less what was cut off, by stopping at the line (truncation.ts). */
  readonly gain: number;
  readonly peakLogHarmE: number;
  /** Σ log F_ψ at δ = 0 per harm ratio, uncapped and from the first tick; with harmExposure it gives the lower bound. */
  readonly harm: readonly number[];
  /** D_j = Σ n_c·(a_j − 1). */
  readonly harmExposure: readonly number[];
  /** S_a = Σ log F_a at δ = 0 per no-harm bet: x_c·log a + x_s·log b, or exact where events were common. */
  readonly noHarm: readonly number[];
  /** Σ n_c over ticks with plain factors, tempered as the evidence is. */
  readonly noHarmExposure: number;
  /** What exact factors add to each no-harm bet per unit of swapChance(δ), for δ > 0. Empty before the first of them. */
  readonly exactAbove: readonly number[];
  /** What they take away for δ < 0. */
  readonly exactBelow: readonly number[];
}

/**
 * An empty state: E = 1, nothing known.
 *
 * @example startRateRatio({ toleranceRatio: 1.1, tickMs: 15_000 })
 */
export function startRateRatio(options: RateRatioOptions): RateRatioState {
  const { toleranceRatio, harmMargin = 0 } = options;
  if (!(toleranceRatio >= 1e-6 && toleranceRatio <= 1e6)) {
    throw new RangeError(`toleranceRatio must be a number between 1e-6 and 1e6, but got ${toleranceRatio}`);
  }
  if (!(harmMargin >= 0 && harmMargin <= 1)) {
    throw new RangeError(`harmMargin must be a rate between 0 and 1, but got ${harmMargin}`);
  }
  checkEvidence(options);
  return {
    toleranceRatio,
    harmMargin,
    ticks: 0,
    canaryTotal: 0,
    canaryBad: 0,
    stableTotal: 0,
    stableBad: 0,
    expectedCanaryBad: 0,
    onset: startOnsetMixture(),
    gain: 0,
    peakLogHarmE: 0,
    harm: HARM_GRID.ratios.map(() => 0),
    harmExposure: HARM_GRID.ratios.map(() => 0),
    noHarm: NO_HARM_RATIOS.map(() => 0),
    noHarmExposure: 0,
    exactAbove: [],
    exactBelow: [],
  };
}

/**
 * The state after one more tick. A tick without traffic on either arm changes nothing. The hypotheses (r and δ_H) are
 * those the state was started with; options that name others are refused, because changing them after looking would
 * void the guarantee.
 *
 * @example addTick(state, { canaryTotal: 50, canaryBad: 1, stableTotal: 950, stableBad: 2 }, options)
 */
export function addTick(state: RateRatioState, counts: TickCounts, options: RateRatioOptions): RateRatioState {
  return addStrata(state, [counts], options);
}

/**
 * The state after one more tick that came in several strata (cohorts, ages), each with counts of both arms. Factors
 * multiply, as those of ticks do; the cap and the step of the onset mixture are the tick's, and apply once.
 *
 * @example addStrata(state, [{ canaryTotal: 50, canaryBad: 1, stableTotal: 950, stableBad: 2 }], options)
 */
export function addStrata(
  state: RateRatioState,
  strata: readonly TickCounts[],
  options: RateRatioOptions,
): RateRatioState {
  for (const counts of strata) checkTick(counts);
  checkSameHypothesis(state, options);
  const evidence = checkEvidence(options);
  const seen = strata.filter(({ canaryTotal, stableTotal }) => canaryTotal >= NO_TRAFFIC && stableTotal >= NO_TRAFFIC);
  if (seen.length === 0) return state;

  const worth = seen.map((counts) => worthOf(state, counts, evidence.temper));
  const betting = totals(worth.map(({ betting: logs }) => logs));
  const tick = { first: state.ticks === 0, tickMs: evidence.tickMs, lateOnset: evidence.lateOnset };
  const staked = stakeOnset(state.onset, tick);
  const onset = playOnset(
    staked,
    betting.map((log) => Math.min(log, evidence.capNats)),
  );
  const gain = gainOf(state, seen, { evidence, staked, onset });
  return {
    toleranceRatio: state.toleranceRatio,
    harmMargin: state.harmMargin,
    ticks: state.ticks + 1,
    canaryTotal: state.canaryTotal + sumOf(seen, ({ canaryTotal }) => canaryTotal),
    canaryBad: state.canaryBad + sumOf(seen, ({ canaryBad }) => canaryBad),
    stableTotal: state.stableTotal + sumOf(seen, ({ stableTotal }) => stableTotal),
    stableBad: state.stableBad + sumOf(seen, ({ stableBad }) => stableBad),
    expectedCanaryBad: state.expectedCanaryBad + sumOf(seen, (c) => (c.canaryTotal / c.stableTotal) * c.stableBad),
    onset,
    gain,
    peakLogHarmE: Math.max(state.peakLogHarmE, logMixtureE(onset) + gain),
    harm: totals([state.harm, ...worth.map(({ harm }) => harm.logs)]),
    harmExposure: totals([state.harmExposure, ...worth.map(({ harm }) => harm.exposures)]),
    noHarm: totals([state.noHarm, ...worth.map(({ noHarm }) => noHarm.logs)]),
    noHarmExposure: state.noHarmExposure + sumOf(worth, ({ noHarm }) => noHarm.exposure),
    exactAbove: addExact(
      state.exactAbove,
      worth.map(({ noHarm }) => noHarm.above),
    ),
    exactBelow: addExact(
      state.exactBelow,
      worth.map(({ noHarm }) => noHarm.below),
    ),
  };
}

interface Taken {
  readonly evidence: ReturnType<typeof checkEvidence>;
  /** The mixture with this tick's stake laid, before and after the tick was played. */
  readonly staked: OnsetMixture;
  readonly onset: OnsetMixture;
}

/** Fewer requests than this in a tick say too little of stable's rate to bound the odds ratio by. */
const ENOUGH_FOR_LAW = 200;

/**
 * The gain after this tick. Which ticks can gain is decided by the past and the arms' totals; how much, by the margins. At
 * r = 1 the law of the canary's bad events given the margins is known exactly. At other r its odds ratio is
 * r(1 − p_s)/(1 − r·p_s) at most, which rises with p_s: it is taken at a rate q that p_s is beyond with a probability below
 * 1e-9 given so few bad events (q = 2·pooled + 0.15, at 200 requests or more; Chernoff).
 */
function gainOf(state: RateRatioState, seen: readonly TickCounts[], { evidence, staked, onset }: Taken): number {
  const after = logMixtureE(onset);
  const { temper, logLine, capNats } = evidence;
  const [counts] = seen;
  const cut = (gain: number): number => Math.min(gain, logLine - after);
  if (seen.length !== 1 || counts === undefined || temper > MOST_TEMPER || logLine === Number.POSITIVE_INFINITY)
    return state.gain;
  if (state.harmMargin > 0 || isCommon(state) || !Object.values(counts).every(Number.isSafeInteger))
    return cut(state.gain);
  const { canaryTotal, stableTotal, canaryBad, stableBad } = counts;
  const requests = canaryTotal + stableTotal;
  if (state.toleranceRatio !== 1 && requests < ENOUGH_FOR_LAW) return cut(state.gain);
  const bad = canaryBad + stableBad;
  const odds = largestOdds(state.toleranceRatio, bad / requests);
  if (odds === null) return cut(state.gain);
  const before = logMixtureE(state.onset) + state.gain;
  const bets = {
    logStakes: staked.logStaked.map((log, j) => log + (HARM_GRID.logWeights[j] ?? 0)),
    logRest: staked.logKept,
    slopes: HARM_GRID.logRatios,
    offsets: harmOffsets(counts, state.toleranceRatio),
    capNats: capNats * temper,
  };
  const margins = { canaryTotal, stableTotal, bad };
  return gainToLine(state.gain, { bets, margins, largestOdds: odds }, { before, after }, evidence);
}

/** The most the odds ratio can be under p_c <= r·p_s; null where the bound says nothing. */
function largestOdds(r: number, pooled: number): number | null {
  if (r === 1) return 1;
  if (r < 1) return r;
  const q = 2 * pooled + 0.15;
  return r * q >= 1 ? null : (r * (1 - q)) / (1 - r * q);
}

/** Decided by the ticks before the next one, so that the choice cannot answer to what it is about. */
function isCommon(state: RateRatioState): boolean {
  const total = state.canaryTotal + state.stableTotal;
  return total > 0 && isCommonRate((state.canaryBad + state.stableBad) / total, state.toleranceRatio);
}

/** One stratum's factors. */
interface Worth {
  /** What the harm bets gain, at the tolerated margin. */
  readonly betting: readonly number[];
  /** The plain ones at δ = 0, which lower bounds are made from however common events are. */
  readonly harm: HarmFactors;
  readonly noHarm: NoHarmFactors;
}

/** Weighted counts have no exact factors; whether counts are weighted is a matter of the source, not of the outcome. */
function worthOf(state: RateRatioState, counts: TickCounts, temper: number): Worth {
  const { toleranceRatio, harmMargin } = state;
  const harm = harmFactors(counts, toleranceRatio, temper);
  if (isCommon(state) && Object.values(counts).every((count) => Number.isSafeInteger(count))) {
    return {
      betting: commonHarmLogs(counts, state, temper),
      harm,
      noHarm: commonNoHarm(counts, toleranceRatio, temper),
    };
  }
  const betting = harm.logs.map((log, j) => log - harmMargin * (harm.exposures[j] ?? 0));
  return { betting, harm, noHarm: noHarmFactors(counts, toleranceRatio, temper) };
}

function addExact(before: readonly number[], lists: readonly (readonly number[])[]): readonly number[] {
  const exact = lists.filter((list) => list.length > 0);
  if (exact.length === 0) return before;
  return totals(before.length === 0 ? exact : [before, ...exact]);
}

function checkSameHypothesis(state: RateRatioState, options: RateRatioOptions): void {
  const { toleranceRatio, harmMargin = 0 } = options;
  if (toleranceRatio !== state.toleranceRatio || harmMargin !== state.harmMargin) {
    throw new RangeError(
      `this evidence was started for toleranceRatio ${state.toleranceRatio} and harmMargin ${state.harmMargin}; ` +
        `it cannot go on with ${toleranceRatio} and ${harmMargin}. Start new evidence instead`,
    );
  }
}

/** Sums per bet; a bet that was lost for good (±LOG_ZERO) stays so. */
function totals(lists: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = lists;
  return first.map((start, j) => {
    let sum = start;
    for (const list of others) {
      const term = list[j] ?? 0;
      sum = isEnormous(sum) ? sum : isEnormous(term) ? term : sum + term;
    }
    return sum;
  });
}

function isEnormous(value: number): boolean {
  return isLogZero(value) || isLogZero(-value);
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
