// Conversions that come late: keeps who is still at risk, cohort by cohort, and turns each tick into strata for the
// rate-ratio evidence. With one stratum per (cohort, age) that is the anytime-valid logrank test (ter Schure, Pérez-Ortiz,
// Ly & Grünwald, arXiv 2011.06931). Refuses totals: conversions of a tick over requests of a tick compare yesterday's
// weights with today's, and call a canary bad because its weight has just been raised.
//
// A cohort is the users first given a version in one tick (or in a few ticks of one share). At each later tick those of
// them who have not converted yet are at risk, and those who convert now are the events. Whatever the weights were when
// the cohort came, both arms' at-risk counts carry them. Why it is valid for r = 1, even if users differ in every way: the
// coin that sent a user to an arm knows nothing of when the user converts, so among the converters of a stratum the
// canary's number is hypergeometric given the at-risk counts (see rate-ratio.ts).

import type { TickCounts } from './counts.ts';

export interface CohortOptions {
  /** Conversions at this age in ticks or older are not waited for. */
  readonly horizonTicks: number;
  /** Ticks of one share that make up a cohort: fewer numbers to keep, ages less exact. Default 1. */
  readonly cohortTicks?: number;
}

/** One arm in one tick. */
export interface CohortArm {
  /** Users first given this version in this tick. */
  readonly exposed: number;
  /** Users who converted in this tick, each once, by the ticks since they were given the version. */
  readonly converted: readonly (readonly [ageTicks: number, count: number])[];
}

export interface CohortTick {
  /** A whole number that rises; a tick that was lost leaves a gap, so that ages stay right. */
  readonly tick: number;
  /** The share asked in this tick; null if it moved: such a tick is a cohort of its own. */
  readonly share: number | null;
  readonly canary: CohortArm;
  readonly stable: CohortArm;
}

export interface Cohort {
  readonly firstTick: number;
  readonly share: number | null;
  /** Users still at risk. */
  readonly canary: number;
  readonly stable: number;
}

/** Plain data, the same after a trip through JSON. At most 256 cohorts of some 60 characters. */
export interface CohortState {
  /** The newest tick taken in; −1 before the first. */
  readonly tick: number;
  /** Oldest first. */
  readonly cohorts: readonly Cohort[];
  /** Conversions of users who are not in any cohort kept: before the release, beyond the horizon, or counted twice. */
  readonly unmatched: number;
}

/** Beyond this, the oldest cohort is let go early; that answers to the clock and not to outcomes, so nothing is bent. */
const MOST_COHORTS = 256;

/** @example startCohorts({ horizonTicks: 240, cohortTicks: 4 }) */
export function startCohorts(options: CohortOptions): CohortState {
  checkOptions(options);
  return { tick: -1, cohorts: [], unmatched: 0 };
}

/**
 * The state after one more tick, and its strata for `addStrata`. All cohorts at risk on both arms are among them, those
 * without a conversion too: a bound on the excess needs to know of them.
 */
export function addCohortTick(
  state: CohortState,
  tick: CohortTick,
  options: CohortOptions,
): { readonly state: CohortState; readonly strata: readonly TickCounts[] } {
  const { cohortTicks } = checkOptions(options);
  if (!Number.isSafeInteger(tick.tick) || tick.tick <= state.tick) {
    throw new RangeError(
      `tick must be a whole number above ${state.tick}, the newest one taken in, but got ${tick.tick}`,
    );
  }
  checkArm('canary', tick.canary);
  checkArm('stable', tick.stable);
  const alive = state.cohorts.filter(({ firstTick }) => tick.tick - firstTick < options.horizonTicks);
  const exposed = enter(alive, tick, cohortTicks).slice(-MOST_COHORTS);
  const canary = distribute(tick.canary.converted, exposed, { tick: tick.tick, cohortTicks, arm: 'canary' });
  const stable = distribute(tick.stable.converted, exposed, { tick: tick.tick, cohortTicks, arm: 'stable' });
  const strata: TickCounts[] = [];
  const cohorts = exposed.map((cohort, i) => {
    const [canaryBad, stableBad] = [canary.events[i] ?? 0, stable.events[i] ?? 0];
    if (cohort.canary > 0 && cohort.stable > 0) {
      strata.push({ canaryTotal: cohort.canary, canaryBad, stableTotal: cohort.stable, stableBad });
    }
    return { ...cohort, canary: cohort.canary - canaryBad, stable: cohort.stable - stableBad };
  });
  const unmatched = state.unmatched + canary.unmatched + stable.unmatched;
  return { state: { tick: tick.tick, cohorts, unmatched }, strata };
}

/** New users join the newest cohort while it is young and its share stands; otherwise they open one. */
function enter(cohorts: readonly Cohort[], { tick, share, canary, stable }: CohortTick, cohortTicks: number): Cohort[] {
  if (canary.exposed + stable.exposed === 0) return [...cohorts];
  const newest = cohorts.at(-1);
  const joins =
    newest !== undefined && share !== null && newest.share === share && tick - newest.firstTick < cohortTicks;
  if (!joins) return [...cohorts, { firstTick: tick, share, canary: canary.exposed, stable: stable.exposed }];
  const joined = { ...newest, canary: newest.canary + canary.exposed, stable: newest.stable + stable.exposed };
  return [...cohorts.slice(0, -1), joined];
}

/** Conversions per cohort; no more than are at risk. */
function distribute(
  converted: CohortArm['converted'],
  cohorts: readonly Cohort[],
  { tick, cohortTicks, arm }: { tick: number; cohortTicks: number; arm: 'canary' | 'stable' },
): { events: number[]; unmatched: number } {
  const events = cohorts.map(() => 0);
  let unmatched = 0;
  for (const [age, count] of converted) {
    const exposure = tick - age;
    const i = cohorts.findLastIndex(({ firstTick }) => firstTick <= exposure);
    const cohort = cohorts[i];
    const isKept = cohort !== undefined && exposure - cohort.firstTick < cohortTicks;
    const taken = isKept ? Math.min(count, cohort[arm] - (events[i] ?? 0)) : 0;
    if (taken > 0) events[i] = (events[i] ?? 0) + taken;
    unmatched += count - taken;
  }
  return { events, unmatched };
}

/**
 * The same strata with the arms changed over: for the question whether stable converts more than r times as much as the
 * canary, because a conversion lost is harm and the rate-ratio evidence counts bad events.
 */
export function swapArms(strata: readonly TickCounts[]): readonly TickCounts[] {
  return strata.map(({ canaryTotal, canaryBad, stableTotal, stableBad }) => ({
    canaryTotal: stableTotal,
    canaryBad: stableBad,
    stableTotal: canaryTotal,
    stableBad: canaryBad,
  }));
}

function checkOptions({ horizonTicks, cohortTicks = 1 }: CohortOptions): { cohortTicks: number } {
  for (const [name, value] of [
    ['horizonTicks', horizonTicks],
    ['cohortTicks', cohortTicks],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name} must be a whole number >= 1, but got ${value}`);
    }
  }
  if (horizonTicks / cohortTicks > MOST_COHORTS) {
    throw new RangeError(
      `a horizon of ${horizonTicks} ticks needs cohorts of at least ${Math.ceil(horizonTicks / MOST_COHORTS)} ticks, ` +
        `but got ${cohortTicks}: at most ${MOST_COHORTS} cohorts are kept`,
    );
  }
  return { cohortTicks };
}

function checkArm(arm: string, { exposed, converted }: CohortArm): void {
  checkUsers(`${arm} exposed`, exposed);
  for (const [age, count] of converted) {
    if (!Number.isSafeInteger(age) || age < 0) {
      throw new RangeError(`${arm} age must be a whole number of ticks >= 0, but got ${age}`);
    }
    checkUsers(`${arm} converted`, count);
  }
}

function checkUsers(name: string, count: number): void {
  if (!(count >= 0 && count <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`${name} must be a finite count >= 0 (at most 2^53), but got ${count}`);
  }
}
