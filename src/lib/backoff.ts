/** Exponential back-off: how long to wait before the next try. Pure; the caller sleeps. */

export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/**
 * The wait after so many failures in a row: initial, twice that, four times, ... up to the longest.
 *
 * @example backoffMs({ initialMs: 100, maxMs: 1_000 }, 3) // 400
 */
export function backoffMs(limits: BackoffLimits, failures: number): number {
  if (failures <= 0) return 0;
  return Math.min(limits.maxMs, limits.initialMs * 2 ** Math.min(failures - 1, 40));
}
