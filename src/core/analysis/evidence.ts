// What a check remembers between windows. Plain JSON data; the numbers inside are the statistics room's own.
import type { AbsoluteRateState, RateRatioState } from '../statistics/index.ts';

export interface Counts {
  readonly total: number;
  readonly bad: number;
}

export interface Evidence {
  /** Against stable; null if the check has no tolerance. */
  readonly relative: RateRatioState | null;
  /** Against the absolute limit; null if the check has none (or is a gauge). */
  readonly absolute: AbsoluteRateState | null;
  readonly canary: Counts;
  readonly stable: Counts;
  /** Latency: the bucket index whose upper boundary is the line; null until it is chosen from stable's history. */
  readonly boundary: number | null;
  /** Latency without a long enough past: stable's bucket counts gathered until the boundary can be chosen. */
  readonly gathering: readonly (readonly [index: number, count: number])[];
  /** Gauge: the last worst value, and how many readings in a row were over the limit. */
  readonly gauge: { readonly worst: number; readonly over: number; readonly readings: number } | null;
  /** Unpaused milliseconds since the canary was last heard of in this check. */
  readonly silentMs: number;
  readonly trouble: { readonly outcome: 'no-data' | 'error'; readonly message: string } | null;
  /** During warm-up: shown, not counted. */
  readonly warmUp: Counts;
}
