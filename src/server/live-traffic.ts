// Requests per second and shares as the data plane counted them in the last seconds. For faces only: no decision reads
// it. A look that fails leaves the last one, whose age is shown.

import { elapsedMs, type Instant } from '../core/model/time.ts';
import type { LiveTraffic } from '../core/views/index.ts';
import type { Clock } from '../ports/index.ts';
import type { Counts } from './deps.ts';

interface Sample {
  readonly at: Instant;
  /** The split in use: counts of two splits have no share in common. */
  readonly split: string;
  readonly counts: Counts;
}

const WINDOW_MS = 10_000;
const FRESH_MS = 900;

export class LiveTraffics {
  readonly #clock: Clock;
  readonly #read: (policy: string) => Promise<Counts | null>;
  readonly #samples = new Map<string, Sample[]>();
  readonly #looking = new Map<string, Promise<void>>();

  constructor(clock: Clock, read: (policy: string) => Promise<Counts | null>) {
    this.#clock = clock;
    this.#read = read;
  }

  /** Looks if the last look is older than a second; then the last seconds. */
  async of(policy: string, split: string): Promise<LiveTraffic | null> {
    const newest = this.#samples.get(policy)?.at(-1);
    const isFresh =
      newest !== undefined && newest.split === split && elapsedMs(newest.at, this.#clock.now()) < FRESH_MS;
    if (!isFresh) await this.look(policy, split);
    return this.#difference(policy);
  }

  async look(policy: string, split: string): Promise<void> {
    const running = this.#looking.get(policy);
    if (running !== undefined) return running;
    const look = this.#lookOnce(policy, split).finally(() => this.#looking.delete(policy));
    this.#looking.set(policy, look);
    return look;
  }

  async #lookOnce(policy: string, split: string): Promise<void> {
    let counts: Counts | null;
    try {
      counts = await this.#read(policy);
    } catch {
      return;
    }
    if (counts === null) return;
    const at = this.#clock.now();
    const samples = (this.#samples.get(policy) ?? []).filter(
      (sample) => sample.split === split && sample.at.epoch === at.epoch && elapsedMs(sample.at, at) <= WINDOW_MS * 3,
    );
    const last = samples.at(-1);
    const isAnew = last !== undefined && total(last.counts) > total(counts);
    this.#samples.set(policy, [...(isAnew ? [] : samples), { at, split, counts }]);
  }

  #difference(policy: string): LiveTraffic | null {
    const samples = this.#samples.get(policy) ?? [];
    const newest = samples.at(-1);
    if (newest === undefined) return null;
    const from = samples.findLast((sample) => elapsedMs(sample.at, newest.at) >= WINDOW_MS) ?? samples[0] ?? newest;
    const requests = Object.fromEntries(
      Object.entries(newest.counts.requests).map(([revision, count]) => [
        revision,
        Math.max(0, count - (from.counts.requests[revision] ?? 0)),
      ]),
    );
    return {
      spanMs: elapsedMs(from.at, newest.at),
      ageMs: elapsedMs(newest.at, this.#clock.now()),
      requests,
      inFlight: newest.counts.inFlight,
    };
  }
}

function total(counts: Counts): number {
  return Object.values(counts.requests).reduce((sum, count) => sum + count, 0);
}
