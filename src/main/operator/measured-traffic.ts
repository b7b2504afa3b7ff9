// Which part of the requests each version was seen to get, from the windows that are measured anyway: what the proxies or
// the pods counted, never what was written into a route. For faces only: no decision reads it. Where nothing was counted
// lately it says nothing.
import type { PolicyView } from '../../controller/index.ts';
import { elapsedMs, type Instant } from '../../core/model/time.ts';
import type { LiveTraffic } from '../../core/views/index.ts';
import type { Clock, MetricSource } from '../../ports/index.ts';
import { splitOf } from '../../server/index.ts';

interface Window {
  readonly at: Instant;
  readonly spanMs: number;
  readonly requests: Readonly<Record<string, number>>;
}

const LATELY_MS = 60_000;
/** A window that began sooner after a change of the split may hold requests from before it: lag, and proxies on their way. */
const CHANGING_MS = 5_000;

export class MeasuredTraffic {
  readonly #clock: Clock;
  readonly #windows = new Map<string, readonly Window[]>();
  readonly #splits = new Map<string, { readonly split: string; readonly sinceMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same source; what it measures is remembered here. */
  watching(source: MetricSource): MetricSource {
    return {
      measure: async (query) => {
        const result = await source.measure(query);
        if (result.kind === 'measurement') this.#keep(query.policy.name, result.measurement);
        return result;
      },
      history: (query) => source.history(query),
    };
  }

  /** Counts of two splits have no share in common. */
  note(view: PolicyView): void {
    const split = splitOf(view);
    if (this.#splits.get(view.name)?.split === split) return;
    this.#splits.set(view.name, { split, sinceMs: this.#clock.now().monotonicMs });
    this.#windows.delete(view.name);
  }

  of(policy: string): LiveTraffic | null {
    const now = this.#clock.now();
    const windows = this.#lately(policy, now);
    const newest = windows.at(-1);
    if (newest === undefined) return null;
    const requests: Record<string, number> = {};
    for (const window of windows) {
      for (const [revision, count] of Object.entries(window.requests)) {
        requests[revision] = (requests[revision] ?? 0) + count;
      }
    }
    const spanMs = windows.reduce((sum, window) => sum + window.spanMs, 0);
    return { spanMs, ageMs: elapsedMs(newest.at, now), requests, inFlight: {} };
  }

  #keep(policy: string, { spanMs, requests }: Omit<Window, 'at'>): void {
    const at = this.#clock.now();
    const beganMs = at.monotonicMs - spanMs;
    const { sinceMs } = this.#splits.get(policy) ?? { sinceMs: at.monotonicMs };
    if (spanMs <= 0 || beganMs < sinceMs + CHANGING_MS) return;
    this.#windows.set(policy, [...this.#lately(policy, at), { at, spanMs, requests }]);
  }

  #lately(policy: string, now: Instant): readonly Window[] {
    return (this.#windows.get(policy) ?? []).filter(({ at }) => elapsedMs(at, now) <= LATELY_MS);
  }
}

/** Percent of the requests seen lately; null where there were none. */
export function percentSeen(traffic: LiveTraffic | null, revision: string): number | null {
  const total = Object.values(traffic?.requests ?? {}).reduce((sum, count) => sum + count, 0);
  return total === 0 ? null : (100 * (traffic?.requests[revision] ?? 0)) / total;
}
