// Tells the first attempt of a user request from its repeats, by the value of one header: a repeat within a minute of
// the first attempt is not counted again. Two generations of a minute each, both bounded: when a generation is full,
// values not seen before are taken for first attempts, which errs towards counting.

const WINDOW_MS = 60_000;
const GENERATION_LIMIT = 200_000;

export class Repeats {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #turnedMs = 0;

  /** True when this value came before, within the last minute. */
  isRepeat(value: string, nowMs: number): boolean {
    if (nowMs - this.#turnedMs >= WINDOW_MS) this.#turn(nowMs);
    const firstMs = this.#young.get(value) ?? this.#old.get(value);
    if (firstMs !== undefined && nowMs - firstMs < WINDOW_MS) return true;
    if (this.#young.size < GENERATION_LIMIT) this.#young.set(value, nowMs);
    return false;
  }

  #turn(nowMs: number): void {
    this.#old = nowMs - this.#turnedMs >= 2 * WINDOW_MS ? new Map() : this.#young;
    this.#young = new Map();
    this.#turnedMs = nowMs;
  }
}
