// What a version is really like. The simulator knows; the controller has to find out.

export interface Truth {
  /** Probability that a request fails. */
  readonly errorRate: number;
  /** From this long after the version first served, requests fail at this rate (late onset). */
  readonly onset: { readonly afterMs: number; readonly errorRate: number } | null;
  /** Latency in units of the baseline: 2 = twice as slow. */
  readonly slowness: number;
  readonly startMs: { readonly least: number; readonly most: number };
  readonly neverReady: boolean;
  /** No more than so many replicas ever get ready; null for all. */
  readonly mostReady: number | null;
  /** Every replica dies by itself so long after it became ready; null for never. */
  readonly crashAfterReadyMs: number | null;
  /** Bytes of each replica, for gauges. */
  readonly residentBytes: number;
}

export const HEALTHY: Truth = {
  errorRate: 0.002,
  onset: null,
  slowness: 1,
  startMs: { least: 500, most: 3_000 },
  neverReady: false,
  mostReady: null,
  crashAfterReadyMs: null,
  residentBytes: 100_000_000,
};

export function errorRateAt(truth: Truth, servedForMs: number): number {
  return truth.onset !== null && servedForMs >= truth.onset.afterMs ? truth.onset.errorRate : truth.errorRate;
}
