// Time as data. Durations are taken from the monotonic clock only; wall time is for people (row 81).
export interface Instant {
  /** Milliseconds since some fixed point of this boot; never steps back within one epoch. */
  readonly monotonicMs: number;
  /** Names the boot the monotonic clock belongs to; readings of two epochs cannot be subtracted. */
  readonly epoch: string;
  /** RFC 3339, for people and the journal. */
  readonly wallTime: string;
}

/** Milliseconds from one instant to a later one; 0 if the clock's epoch changed in between or it ran backwards. */
export function elapsedMs(from: Instant, to: Instant): number {
  return from.epoch === to.epoch ? Math.max(0, to.monotonicMs - from.monotonicMs) : 0;
}
