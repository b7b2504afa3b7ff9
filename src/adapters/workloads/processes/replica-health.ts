// Asks one running process whether it is ready and whether it is alive, over and over, until its launch ends.
// One yes is enough for yes; "no" is believed after so many in a row. Liveness counts from the first readiness on, so
// that a slow start is never taken for a hang.
import type { Endpoint } from '../../../core/model/gateway.ts';
import type { ProcessWorkload } from '../../../core/model/policy.ts';
import { askProbe } from '../../../lib/http-probe.ts';
import type { Clock } from '../../../ports/clock.ts';

/** While a process starts it is asked more often than its probe says. */
const STARTING_INTERVAL_MS = 150;
/** Where the policy has no readiness probe: an accepted connection is a yes. */
const PORT_INTERVAL_MS = 1_000;
const PORT_FAILURES = 3;

export interface HealthOptions {
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  settings(): ProcessWorkload;
  isReady(): boolean;
  becameReady(): void;
  becameUnready(): void;
  becameDead(message: string): void;
}

export class ReplicaHealth {
  readonly #options: HealthOptions;
  /** The last "no" of the readiness probe, in words; null after a yes. */
  lastNo: string | null = null;
  /** Resolves after the first answer. */
  readonly firstLook: Promise<void>;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.firstLook = new Promise((resolve) => void this.#watchReadiness(resolve));
    void this.#watchLiveness();
  }

  async #watchReadiness(looked: () => void): Promise<void> {
    const { clock, signal } = this.#options;
    let noes = 0;
    while (!signal.aborted) {
      noes = await this.#askReadiness(noes);
      looked();
      const intervalMs = this.#options.settings().ready?.intervalMs ?? PORT_INTERVAL_MS;
      await clock.sleep(this.#options.isReady() ? intervalMs : Math.min(intervalMs, STARTING_INTERVAL_MS), signal);
    }
    looked();
  }

  /** Asks once; takes and returns how many times in a row the answer has been no. */
  async #askReadiness(noesBefore: number): Promise<number> {
    const probe = this.#options.settings().ready;
    const answer = await askProbe(this.#options.endpoint, probe);
    if (this.#options.signal.aborted || answer.yes === null) return noesBefore;
    const noes = answer.yes ? 0 : noesBefore + 1;
    this.lastNo = answer.yes ? null : answer.message;
    if (answer.yes && !this.#options.isReady()) this.#options.becameReady();
    if (noes >= (probe?.failures ?? PORT_FAILURES) && this.#options.isReady()) this.#options.becameUnready();
    return noes;
  }

  async #watchLiveness(): Promise<void> {
    const { endpoint, clock, signal } = this.#options;
    let noes = 0;
    let hasBeenReady = false;
    while (!signal.aborted) {
      const probe = this.#options.settings().live;
      await clock.sleep(probe?.intervalMs ?? PORT_INTERVAL_MS, signal);
      hasBeenReady ||= this.#options.isReady();
      if (probe === null || !hasBeenReady || signal.aborted) continue;
      const answer = await askProbe(endpoint, probe);
      if (signal.aborted) return;
      if (answer.yes === null) continue;
      noes = answer.yes ? 0 : noes + 1;
      if (noes >= probe.failures) {
        return this.#options.becameDead(`failed its liveness probe ${noes} times in a row (${answer.message})`);
      }
    }
  }
}
