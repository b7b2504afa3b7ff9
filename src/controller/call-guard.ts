// Contains calls into ports: one that throws, rejects or never answers is a rejection, within a bounded time, so that
// a hung port cannot hold up a policy for ever (row 30). It does not take back what the port may still do later.
import type { Clock } from '../ports/index.ts';
import { PortTimedOut } from './errors.ts';

interface Running {
  /** Half limits this call has outlived. */
  halves: number;
  readonly expire: () => void;
}

export class CallGuard {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #running = new Set<Running>();
  readonly #stopping = new AbortController();
  #armed = false;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  run<T>(what: string, call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry: Running = { halves: 0, expire: () => reject(new PortTimedOut(what, this.#limitMs)) };
      this.#running.add(entry);
      const settled = () => this.#running.delete(entry);
      try {
        call().then(
          (value) => {
            settled();
            resolve(value);
          },
          (error: unknown) => {
            settled();
            reject(error);
          },
        );
      } catch (error) {
        settled();
        reject(error);
      }
      if (!this.#armed) void this.#watch();
    });
  }

  /** Waits for nobody any more. */
  giveUp(): void {
    for (const entry of this.#running) entry.expire();
    this.#running.clear();
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** One sleeper for all calls, and none while nothing runs: a call costs no timer of its own. */
  async #watch(): Promise<void> {
    this.#armed = true;
    while (this.#running.size > 0 && !this.#stopping.signal.aborted) {
      await this.#clock.sleep(this.#limitMs / 2, this.#stopping.signal);
      for (const entry of this.#running) {
        entry.halves += 1;
        if (entry.halves <= 2) continue;
        this.#running.delete(entry);
        entry.expire();
      }
    }
    this.#armed = false;
  }
}
