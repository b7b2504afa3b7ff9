// How long something has been the case, as seen by this process: the time a data plane is given to follow, where none can
// be asked. A restart counts anew, so it only ever waits longer.
import { elapsedMs, type Instant } from '../core/model/time.ts';

export class Lingering {
  readonly #since = new Map<string, { readonly what: string; readonly from: Instant }>();

  /** Milliseconds for which `what` has been the case for this key; another `what` starts anew. */
  for(key: string, what: string, now: Instant): number {
    const known = this.#since.get(key);
    // Another epoch of the clock: nothing can be said of the time between.
    if (known?.what === what && known.from.epoch === now.epoch) return elapsedMs(known.from, now);
    this.#since.set(key, { what, from: now });
    return 0;
  }

  end(key: string): void {
    this.#since.delete(key);
  }
}
