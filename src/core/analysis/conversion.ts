// Conversions with a delay: users are followed by the window they were first given a version in, and compared at equal ages
// (statistics 2.8). Fewer conversions are harm, so stable takes the place of the version that must not be too good: harm is
// stable's rate beyond ratio x the canary's. Refuses totals: while weights move they compare yesterday with today.
import type { Check } from '../model/check.ts';
import type { Sample } from '../model/measurement.ts';
import {
  addCohortTick,
  addStrata,
  type CohortState,
  type RateRatioOptions,
  type RateRatioState,
  startCohorts,
  swapArms,
} from '../statistics/index.ts';

type Cohort = Extract<Sample, { kind: 'cohort' }>;

/** Cohorts kept at most: with a longer horizon, windows of one share make up a cohort together. */
const MOST_COHORTS = 256;

function cohortOptions(check: Check, intervalMs: number) {
  const horizonMs = check.metric.kind === 'conversion' ? check.metric.horizonMs : intervalMs;
  const horizonTicks = Math.max(1, Math.ceil(horizonMs / intervalMs));
  return { horizonTicks, cohortTicks: Math.ceil(horizonTicks / MOST_COHORTS) };
}

export function startConversion(check: Check, { intervalMs }: { readonly intervalMs: number }): CohortState | null {
  if (check.metric.kind !== 'conversion' || check.tolerance === null) return null;
  return startCohorts(cohortOptions(check, intervalMs));
}

export interface ConversionWindow {
  readonly canary: Cohort;
  readonly stable: Cohort;
  /** Percent asked; null if it moved: such a window is a cohort of its own. */
  readonly weightPercent: number | null;
}

export function addConversion(
  check: Check,
  before: { readonly conversion: CohortState; readonly relative: RateRatioState },
  { canary, stable, weightPercent }: ConversionWindow,
  options: RateRatioOptions,
): { readonly conversion: CohortState; readonly relative: RateRatioState } {
  const share = weightPercent === null ? null : weightPercent / 100;
  const tick = { tick: before.conversion.tick + 1, share, canary, stable };
  const { state, strata } = addCohortTick(before.conversion, tick, cohortOptions(check, options.tickMs));
  return { conversion: state, relative: addStrata(before.relative, swapArms(strata), options) };
}
