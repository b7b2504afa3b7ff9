// Keeps an eye on the gateway processes of one policy: starts a dead one again, and says when something is worth a look.
// Whether a process lives is read from /proc; it is asked for its numbers only while one of them is waited for
// (requests in flight on a version that gets no more, a process that drains), and now and then otherwise.
import { backoffMs } from '../../../lib/backoff.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { GatewayInstances, GatewayStatus } from './instances.ts';
import { serving } from './observed.ts';
import { canonical } from './wanted-config.ts';

const LOOK_MS = 250;
const CALM_ASK_MS = 5_000;
const REVIVE = { initialMs: 250, maxMs: 10_000 };

export interface SupervisionOptions {
  readonly instances: GatewayInstances;
  readonly clock: Clock;
  changed(): void;
  /** Starts it again if it belongs there. */
  revive(): Promise<void>;
  /** Sees to it that one gateway of the right program version serves. */
  tend(statuses: readonly GatewayStatus[]): Promise<void>;
}

export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #closing = new AbortController();
  #living = '';
  #numbers = '';
  #isWaitedFor = false;
  #calmMs = 0;
  #failures = 0;
  #notBeforeMs = 0;

  constructor(options: SupervisionOptions) {
    this.#options = options;
    void this.#look();
  }

  close(): void {
    this.#closing.abort();
  }

  async #look(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closing.signal.aborted) {
      try {
        await this.#lookOnce();
      } catch {
        // It cannot be read now: the next observation says so to whoever asks.
      }
      await clock.sleep(LOOK_MS, this.#closing.signal);
    }
  }

  async #lookOnce(): Promise<void> {
    const { instances } = this.#options;
    const running = instances.running();
    const living = running.map(({ instance }) => instance).join(' ');
    if (living !== this.#living) {
      this.#living = living;
      this.#isWaitedFor = true;
      this.#options.changed();
    }
    if (running.length === 0) return this.#revive();
    this.#failures = 0;
    this.#calmMs += LOOK_MS;
    if (!this.#isWaitedFor && this.#calmMs < CALM_ASK_MS) return;
    this.#calmMs = 0;
    const statuses = await instances.status();
    this.#compare(statuses);
    await this.#options.tend(statuses);
  }

  #compare(statuses: readonly GatewayStatus[]): void {
    const main = serving(statuses);
    const weights = new Map((main?.config?.split.weights ?? []).map((entry) => [entry.revision, entry.weightPercent]));
    const leaving = statuses.flatMap(({ snapshot }) =>
      Object.entries(snapshot.inFlight).filter(([revision, count]) => count > 0 && (weights.get(revision) ?? 0) === 0),
    );
    this.#isWaitedFor = leaving.length > 0 || statuses.length !== 1;
    const numbers = canonical([
      leaving.map(([revision]) => revision),
      main?.snapshot.endpoints,
      main?.snapshot.generation,
    ]);
    if (numbers === this.#numbers) return;
    this.#numbers = numbers;
    this.#options.changed();
  }

  async #revive(): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.now().monotonicMs;
    if (nowMs < this.#notBeforeMs) return;
    this.#failures += 1;
    this.#notBeforeMs = nowMs + backoffMs(REVIVE, this.#failures);
    await this.#options.revive();
  }
}
