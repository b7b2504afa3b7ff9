// Tells web hooks. A message is taken over onto disk and delivered in the background, in order per address, tried again
// for a day; a slow or dead listener delays nobody (row 77). Each key is delivered once, as far as one can know:
// it is sent as Idempotency-Key, because an answer that was lost makes it be sent again.
import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { NotifyMessage } from '../../core/model/effect.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { elapsedMs, type Instant } from '../../core/model/time.ts';
import { readJsonFile, writeFileAtomic } from '../../lib/atomic-file.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { OutboundError, postJson } from '../../lib/outbound.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Notifier } from '../../ports/notifier.ts';

export interface WebhookNotifierOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  /** For the agent's log: this message was given up. */
  readonly onGivenUp?: (given: { readonly key: string; readonly reason: string }) => void;
}

interface Owed {
  readonly key: string;
  readonly url: string;
  readonly timeoutMs: number;
  readonly body: unknown;
  readonly since: Instant;
}

interface Stored {
  readonly schema: 1;
  readonly owed: readonly Owed[];
  /** Hashes of key and address of what was delivered or given up, oldest first. */
  readonly done: readonly string[];
}

const RETRY = { initialMs: 1_000, maxMs: 300_000 };
const GIVEN_UP_MS = 86_400_000;
const LONGEST_QUEUE = 1_000;
const REMEMBERED = 5_000;

export class WebhookNotifier implements Notifier {
  readonly #options: WebhookNotifierOptions;
  readonly #path: string;
  readonly #closing = new AbortController();
  readonly #busy = new Set<string>();
  #stored: Stored;

  constructor(options: WebhookNotifierOptions) {
    this.#options = options;
    this.#path = join(options.stateDir, 'notify.json');
    const stored = this.#read();
    this.#stored = stored?.schema === 1 ? renewed(stored, options.clock.now()) : { schema: 1, owed: [], done: [] };
    for (const { url } of this.#stored.owed) this.#deliver(url);
  }

  /** A file that cannot be read is set aside: news are not worth keeping the agent from starting. */
  #read(): Stored | undefined {
    try {
      return readJsonFile(this.#path) as Stored | undefined;
    } catch (error) {
      renameSync(this.#path, `${this.#path}.damaged`);
      this.#options.onGivenUp?.({
        key: '*',
        reason: `${this.#path} could not be read and was set aside: ${String(error)}`,
      });
      return undefined;
    }
  }

  async notify(policy: ReleasePolicy, message: NotifyMessage): Promise<void> {
    const body = { policy: policy.name, ...message };
    const since = this.#options.clock.now();
    const added = policy.notify
      .filter((notify) => notify.kind === 'webhook')
      .map(({ url, timeoutMs }): Owed => ({ key: message.key, url, timeoutMs, body, since }))
      .filter((owed) => !this.#isKnown(owed));
    if (added.length === 0) return;
    const owed = [...this.#stored.owed, ...added];
    for (const dropped of owed.slice(0, Math.max(0, owed.length - LONGEST_QUEUE))) {
      this.#options.onGivenUp?.({ key: dropped.key, reason: 'too many messages are waiting' });
    }
    this.#save({ ...this.#stored, owed: owed.slice(-LONGEST_QUEUE) });
    for (const { url } of added) this.#deliver(url);
  }

  /** Messages that wait to be delivered. */
  get waiting(): number {
    return this.#stored.owed.length;
  }

  /** Stops delivering; what is owed is delivered by the next agent. */
  close(): void {
    this.#closing.abort();
  }

  #isKnown(owed: Owed): boolean {
    return (
      this.#stored.done.includes(nameOf(owed)) || this.#stored.owed.some((waiting) => nameOf(waiting) === nameOf(owed))
    );
  }

  /** One delivery at a time per address, so that they come in order. */
  #deliver(url: string): void {
    if (this.#busy.has(url)) return;
    this.#busy.add(url);
    void this.#deliverAll(url).finally(() => this.#busy.delete(url));
  }

  async #deliverAll(url: string): Promise<void> {
    let failures = 0;
    for (;;) {
      const next = this.#stored.owed.find((owed) => owed.url === url);
      if (next === undefined || this.#closing.signal.aborted) return;
      const problem = await this.#send(next);
      if (this.#closing.signal.aborted) return;
      if (problem === null || problem.final || this.#isTooOld(next)) {
        if (problem !== null) this.#options.onGivenUp?.({ key: next.key, reason: problem.reason });
        failures = 0;
        this.#done(next);
        continue;
      }
      failures += 1;
      await this.#options.clock.sleep(backoffMs(RETRY, failures), this.#closing.signal);
    }
  }

  /** null when delivered. */
  async #send(owed: Owed): Promise<{ readonly reason: string; readonly final: boolean } | null> {
    try {
      const { status } = await postJson({
        url: owed.url,
        body: owed.body,
        headers: { 'idempotency-key': owed.key },
        timeoutMs: owed.timeoutMs,
        signal: this.#closing.signal,
      });
      if (status >= 200 && status < 300) return null;
      return { reason: `the hook answered ${status}`, final: status < 500 && status !== 429 && status !== 408 };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { reason, final: error instanceof OutboundError && error.retry === 'never' };
    }
  }

  #isTooOld({ since }: Owed): boolean {
    return elapsedMs(since, this.#options.clock.now()) > GIVEN_UP_MS;
  }

  #done(owed: Owed): void {
    const rest = this.#stored.owed.filter((waiting) => waiting !== owed);
    try {
      this.#save({ schema: 1, owed: rest, done: [...this.#stored.done, nameOf(owed)].slice(-REMEMBERED) });
    } catch {
      // A full disk: in memory it is done; after a restart it may be sent once more, under the same key.
      this.#stored = { ...this.#stored, owed: rest, done: [...this.#stored.done, nameOf(owed)].slice(-REMEMBERED) };
    }
  }

  #save(stored: Stored): void {
    writeFileAtomic(this.#path, JSON.stringify(stored));
    this.#stored = stored;
  }
}

/** After a reboot the time a message has waited is not known any more: it counts from now. */
function renewed(stored: Stored, now: Instant): Stored {
  return {
    ...stored,
    owed: stored.owed.map((owed) => (owed.since.epoch === now.epoch ? owed : { ...owed, since: now })),
  };
}

function nameOf({ key, url }: Owed): string {
  return createHash('sha256').update(`${key}\n${url}`).digest('hex').slice(0, 24);
}
