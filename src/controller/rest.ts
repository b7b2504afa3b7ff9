// The pause between two passes: ends when the time has come or something happened. Events end it after a short quiet
// time (or after the back-off of a failed pass); a person's command ends it at once.
import { elapsedMs } from '../core/model/time.ts';
import type { Clock } from '../ports/index.ts';

export interface RestTimes {
  readonly delayMs: number;
  /** Events other than a person's wait at least this long. */
  readonly floorMs: number;
}

export class Rest {
  readonly #clock: Clock;
  #due = false;
  #urgent = false;
  #ended = false;
  #sleeping: AbortController | null = null;
  /** Whether an event that is not urgent may wake the sleeper. */
  #light = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether something happened since the pass began. */
  get isDue(): boolean {
    return this.#due;
  }

  /** Something happened. */
  trigger(urgent: boolean): void {
    this.#due = true;
    if (urgent) this.#urgent = true;
    if (urgent || this.#light) this.#sleeping?.abort();
  }

  /** No rest from now on. */
  end(): void {
    this.#ended = true;
    this.#sleeping?.abort();
  }

  /** A pass begins: what happened until now is seen by it. */
  begin(): void {
    this.#due = false;
    this.#urgent = false;
  }

  async take({ delayMs, floorMs }: RestTimes): Promise<void> {
    const from = this.#clock.now();
    if (!this.#due) await this.#sleep(delayMs, true);
    if (!this.#due || this.#urgent) return;
    const leftMs = Math.min(floorMs, delayMs) - elapsedMs(from, this.#clock.now());
    if (leftMs > 0) await this.#sleep(leftMs, false);
  }

  async #sleep(ms: number, light: boolean): Promise<void> {
    if (this.#ended) return;
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    this.#light = light;
    await this.#clock.sleep(ms, sleeping.signal);
    this.#sleeping = null;
  }
}
