// How many distinct users a version has seen: a set of 64-bit fingerprints in two flat arrays, 16 bytes a user at most
// twice over. Exact up to the cap (two of a million users share a fingerprint with a chance of 3 in 10^8); beyond it,
// "at least that many". It refuses to keep a key that could be read back.
import { murmur3 } from '../core/model/bucketing.ts';

export const USER_CAP = 1_000_000;
const FIRST_SLOTS = 1024;

export class UserSet {
  size = 0;
  #low = new Uint32Array(FIRST_SLOTS);
  #high = new Uint32Array(FIRST_SLOTS);
  readonly #cap: number;

  constructor(cap = USER_CAP) {
    this.#cap = cap;
  }

  add(userKey: string): void {
    const low = murmur3(userKey, 0x5bd1e995);
    // 0 marks a free slot.
    const high = murmur3(userKey, 0x2f0e1b7d) || 1;
    if (this.size >= this.#cap || !this.#insert(low, high)) return;
    this.size += 1;
    if (this.size * 2 > this.#low.length) this.#grow();
  }

  /** False when it was there before. */
  #insert(low: number, high: number): boolean {
    const mask = this.#low.length - 1;
    let at = low & mask;
    for (;;) {
      const found = this.#high[at];
      if (found === 0) break;
      if (found === high && this.#low[at] === low) return false;
      at = (at + 1) & mask;
    }
    this.#low[at] = low;
    this.#high[at] = high;
    return true;
  }

  #grow(): void {
    const low = this.#low;
    const high = this.#high;
    this.#low = new Uint32Array(low.length * 2);
    this.#high = new Uint32Array(low.length * 2);
    for (let i = 0; i < low.length; i++) {
      if (high[i] !== 0) this.#insert(low[i] as number, high[i] as number);
    }
  }
}
