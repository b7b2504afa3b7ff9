// A clock that stands still until a test moves it, and the seeded randomness to go with it. Sleepers wake in the order
// of their time. It refuses to run backwards.
import type { Instant } from '../../core/model/time.ts';
import type { Clock, Randomness } from '../clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

const WALL_START_MS = Date.UTC(2026, 0, 1);

export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #epoch = 'boot-1';
  #wallOffsetMs = 0;
  #sleepers: Sleeper[] = [];

  now(): Instant {
    const wallTime = new Date(WALL_START_MS + this.#wallOffsetMs + this.#nowMs).toISOString();
    return { monotonicMs: this.#nowMs, epoch: this.#epoch, wallTime };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#order += 1;
      const sleeper = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order, wake: done };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  /** Milliseconds until the next sleeper is due; null if nobody sleeps. */
  nextInMs(): number | null {
    const next = this.#first();
    return next === undefined ? null : Math.max(0, next.atMs - this.#nowMs);
  }

  /** Moves time on, waking sleepers one by one and letting each go as far as it can before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + Math.max(0, ms);
    await settle();
    for (let next = this.#first(); next !== undefined && next.atMs <= untilMs; next = this.#first()) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /** The wall clock is set by somebody; the monotonic one is not (row 81). */
  stepWallTime(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** A reboot: a monotonic clock that has nothing to do with the one before. */
  reboot(epoch: string): void {
    this.#epoch = epoch;
    this.#nowMs = 0;
  }

  #first(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      const earlier = first === undefined || sleeper.atMs < first.atMs;
      if (earlier || (sleeper.atMs === first?.atMs && sleeper.order < first.order)) first = sleeper;
    }
    return first;
  }
}

/** Lets everything that only waits for promises go as far as it can. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Steady identifiers and a small linear congruential generator: the same seed gives the same run. */
export class SeededRandomness implements Randomness {
  #state: number;
  #count = 0;

  constructor(seed = 1) {
    this.#state = seed >>> 0;
  }

  id(): string {
    this.#count += 1;
    return `id-${this.#count}`;
  }

  fraction(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }
}
