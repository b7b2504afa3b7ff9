// Exact counts per version: every request that was given to a version ends in exactly one cell. Integers in memory, no
// sampling, no decay; a retry inside the gateway is not a request of its own. It refuses to know what an error is.
import type { Ending, LatencyCell, RequestCell } from '../core/model/gateway.ts';
import { LATENCY_BUCKETS, latencyBucket } from '../core/model/latency-buckets.ts';
import { METHODS } from './methods.ts';

/** Endings as numbers above every status code, so that one integer is the key of a cell. */
const ENDINGS: readonly Ending[] = ['connect-failed', 'timeout', 'reset', 'client-closed', 'no-endpoint'];
const ENDED_LIMIT = 1024;
const FIRST_ENDING = 1000;

export const Ended = {
  connectFailed: FIRST_ENDING,
  timeout: FIRST_ENDING + 1,
  reset: FIRST_ENDING + 2,
  clientClosed: FIRST_ENDING + 3,
  noEndpoint: FIRST_ENDING + 4,
} as const;

export function endedName(ended: number): number | Ending {
  return ended < FIRST_ENDING ? ended : (ENDINGS[ended - FIRST_ENDING] as Ending);
}

/** The counts of one version on one route. */
export class RouteCounts {
  readonly route: string;
  readonly #cells = new Map<number, number>();
  readonly #latency = new Float64Array(LATENCY_BUCKETS);
  #sumSeconds = 0;
  #timed = 0;

  constructor(route: string) {
    this.route = route;
  }

  count(methodNumber: number, ended: number): void {
    const key = methodNumber * ENDED_LIMIT + ended;
    this.#cells.set(key, (this.#cells.get(key) ?? 0) + 1);
  }

  time(seconds: number): void {
    const index = latencyBucket(seconds);
    this.#latency[index] = (this.#latency[index] as number) + 1;
    this.#sumSeconds += seconds;
    this.#timed += 1;
  }

  cells(revision: string): RequestCell[] {
    return [...this.#cells].map(([key, count]) => ({
      revision,
      route: this.route,
      method: METHODS[Math.floor(key / ENDED_LIMIT)] ?? 'OTHER',
      ended: endedName(key % ENDED_LIMIT),
      count,
    }));
  }

  latency(revision: string): LatencyCell | null {
    if (this.#timed === 0) return null;
    const counts: [number, number][] = [];
    for (let i = 0; i < LATENCY_BUCKETS; i++) {
      const count = this.#latency[i] as number;
      if (count > 0) counts.push([i, count]);
    }
    return { revision, route: this.route, counts, sumSeconds: this.#sumSeconds };
  }
}
