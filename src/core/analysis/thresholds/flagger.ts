// Fixed limits judged in Flagger's way, as a pure state machine: one value per check and interval against a range, failed
// looks counted over the whole release (scheduler.go and scheduler_metrics.go of fluxcd/flagger, 15bd6ad). Refuses to
// know about weights; those are the release's.
//
//   look:   failed looks >= threshold? ── yes ─→ abort          so the verdict falls one look after the last failure
//              │ no
//           check 1 ─→ check 2 ─→ ...                           the first check outside its range ends the look
//              │ all inside
//           passed                                              which takes nothing off the count

export interface FlaggerCheck {
  readonly name: string;
  /** Both ends belong to the range. */
  readonly min?: number;
  readonly max?: number;
}

export interface FlaggerThresholds {
  readonly checks: readonly FlaggerCheck[];
  /** Failed looks of the whole release that end it. */
  readonly threshold: number;
  /** Flagger counts a look without a value as failed. By default no data holds: neither failed nor passed. */
  readonly emptyIsFailure?: boolean;
}

export interface FlaggerState {
  readonly looks: number;
  /** Never reset by success. */
  readonly failedLooks: number;
  readonly verdict: 'open' | 'abort';
}

export interface FlaggerLook {
  readonly state: FlaggerState;
  readonly outcome: 'passed' | 'failed' | 'no-data' | 'abort';
  readonly reason: string;
}

export const FLAGGER_START: FlaggerState = { looks: 0, failedLooks: 0, verdict: 'open' };

/** One look. A value that is missing, null or not a number is no value. */
export function flaggerStep(
  thresholds: FlaggerThresholds,
  state: FlaggerState,
  values: Readonly<Record<string, number | null | undefined>>,
): FlaggerLook {
  const { threshold, emptyIsFailure = false } = thresholds;
  if (!(threshold >= 1)) throw new RangeError(`threshold must be a number of failed looks >= 1, but is ${threshold}`);
  if (state.verdict === 'abort') throw new RangeError('this release has been aborted already; start a new state');
  const looks = state.looks + 1;
  if (state.failedLooks >= threshold) {
    const reason = `${state.failedLooks} failed looks reach the threshold of ${threshold}`;
    return { state: { ...state, looks, verdict: 'abort' }, outcome: 'abort', reason };
  }
  for (const check of thresholds.checks) {
    const value = values[check.name];
    const missing = value === undefined || value === null || Number.isNaN(value);
    const reason = missing ? `${check.name}: no values` : outside(check, value);
    if (reason === undefined) continue;
    if (missing && !emptyIsFailure) return { state: { ...state, looks }, outcome: 'no-data', reason };
    return { state: { ...state, looks, failedLooks: state.failedLooks + 1 }, outcome: 'failed', reason };
  }
  return { state: { ...state, looks }, outcome: 'passed', reason: 'every check lies within its range' };
}

function outside({ name, min, max }: FlaggerCheck, value: number): string | undefined {
  if (min !== undefined && value < min) return `${name}: ${value} is below ${min}`;
  if (max !== undefined && value > max) return `${name}: ${value} is above ${max}`;
  return undefined;
}

/** Flagger's built-in request-success-rate, in percent; null without a request. */
export function flaggerSuccessRate(total: number, bad: number): number | null {
  return total === 0 ? null : ((total - bad) / total) * 100;
}

/** Flagger's built-in request-duration: whole milliseconds, cut off, so that 500.9 ms keeps a limit of 500 ms. */
export function flaggerDurationMs(seconds: number): number | null {
  return Number.isFinite(seconds) ? Math.trunc(seconds * 1000) : null;
}
