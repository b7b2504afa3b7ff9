// What a tick says about scores: how many events of each score level went to each arm, and with what probability an
// event was sent to the canary. Refuses levels outside [0, 1] and shares that are no probability: the proofs of
// label-tilt.ts, bounded-mean.ts and asymptotic-mean.ts need both.
//
// A score is any outcome of one event, brought to [0, 1] by a rule fixed beforehand: revenue y becomes
// min(y, cap)/cap with the cap from stable's history. Levels keep the state small; rounding a score to a level is part
// of the rule, the same for both arms, and costs no validity.

/** Events of one tick, counted per score level in the order of the levels. */
export interface ScoreTick {
  /**
   * The probability with which each of these events was sent to the canary: the share *asked* when they were assigned,
   * not the share seen. It is trusted; gate on sample-ratio mismatch.
   */
  readonly share: number;
  readonly canary: readonly number[];
  readonly stable: readonly number[];
}

const LARGEST = Number.MAX_SAFE_INTEGER;
const MOST_LEVELS = 257;

/** Evenly spaced levels 0, 1/(n−1), …, 1. */
export function evenLevels(n: number): readonly number[] {
  if (!Number.isSafeInteger(n) || n < 2 || n > MOST_LEVELS) {
    throw new RangeError(`evenLevels needs a whole number from 2 to ${MOST_LEVELS}, but got ${n}`);
  }
  return Array.from({ length: n }, (_, k) => k / (n - 1));
}

/**
 * 0, then n − 1 levels from `smallest` to 1 at equal ratios: for heavy tails, whose middle would all round to 0 on even
 * levels. With 33 levels from 1/256, neighbours differ by 20 %.
 */
export function geometricLevels(n: number, smallest = 1 / 256): readonly number[] {
  if (!Number.isSafeInteger(n) || n < 3 || n > MOST_LEVELS) {
    throw new RangeError(`geometricLevels needs a whole number from 3 to ${MOST_LEVELS}, but got ${n}`);
  }
  if (!(smallest > 0 && smallest < 1)) {
    throw new RangeError(`the smallest level must lie between 0 and 1, but got ${smallest}`);
  }
  return [0, ...Array.from({ length: n - 1 }, (_, k) => smallest ** (1 - k / (n - 2)))];
}

/** The index of the level nearest to a score; the higher one at half way. */
export function nearestLevel(score: number, levels: readonly number[]): number {
  if (!(score >= 0 && score <= 1)) throw new RangeError(`a score must lie between 0 and 1, but got ${score}`);
  let low = 0;
  let high = levels.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((levels[middle] ?? 1) <= score) low = middle;
    else high = middle;
  }
  return score - (levels[low] ?? 0) < (levels[high] ?? 1) - score ? low : high;
}

export function checkLevels(levels: readonly number[]): void {
  if (levels.length < 1 || levels.length > MOST_LEVELS) {
    throw new RangeError(`levels must be 1 to ${MOST_LEVELS} scores, but got ${levels.length}`);
  }
  let last = Number.NEGATIVE_INFINITY;
  for (const level of levels) {
    if (!(level >= 0 && level <= 1)) throw new RangeError(`a level must be a score between 0 and 1, but got ${level}`);
    if (!(level > last)) throw new RangeError(`levels must rise, but ${level} follows ${last}`);
    last = level;
  }
}

export function checkScoreTick(tick: ScoreTick, levels: readonly number[]): void {
  checkLevels(levels);
  if (!(tick.share >= 0 && tick.share <= 1)) {
    throw new RangeError(`share must be a probability between 0 and 1, but got ${tick.share}`);
  }
  for (const [arm, counts] of [
    ['canary', tick.canary],
    ['stable', tick.stable],
  ] as const) {
    if (counts.length !== levels.length) {
      throw new RangeError(`${arm} needs one count per level (${levels.length}), but got ${counts.length}`);
    }
    for (const count of counts) {
      if (!(count >= 0 && count <= LARGEST)) {
        throw new RangeError(`a ${arm} count must be finite and >= 0 (at most 2^53), but got ${count}`);
      }
    }
  }
}

/** A share at which both arms can get events, far enough from 0 and 1 that its inverse stays a usable number. */
export function splits(share: number): boolean {
  return share >= 1e-9 && share <= 1 - 1e-9;
}

/** Events and the sum of their scores. */
export function totals(counts: readonly number[], levels: readonly number[]): { events: number; score: number } {
  let events = 0;
  let score = 0;
  counts.forEach((count, k) => {
    events += count;
    score += count * (levels[k] ?? 0);
  });
  return { events, score };
}
