// Time and randomness, injected everywhere so that the simulator can run the shipped controller under virtual time.
import type { Instant } from '../core/model/time.ts';

export interface Clock {
  now(): Instant;
  /** Resolves after so many milliseconds of monotonic time, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Randomness {
  /** A fresh identifier, e.g. a release's salt. */
  id(): string;
  /** A number in [0, 1), for jitter only. */
  fraction(): number;
}
