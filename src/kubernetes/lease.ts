// Which of several instances decides: the holder of a Lease, as client-go has it. Another's lease is judged by how long it
// has not changed on the own clock, never by the times in it. Held means: renewed less than its duration ago by the own
// monotonic clock, counted from before the renewal was sent. A process that was stopped for a minute finds itself without
// it before it writes anything (row 65). One that has run out, because nobody could be asked, is lost only when another has
// it: as long as it stands as this instance wrote it, nobody decided in between, and it is renewed (ADR 0053).
import type { Log } from '../lib/log.ts';
import type { KubeApi } from './api.ts';
import type { CacheClock } from './cache.ts';
import { FencedOut, isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { apiVersionOf, LEASES } from './resources.ts';
import type { KubeObject } from './types.ts';

export interface LeaderLeaseOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly clock: CacheClock;
  readonly wallTime: () => string;
  readonly random: () => number;
  readonly log: Log;
  readonly leaseMs?: number;
  readonly retryMs?: number;
}

interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

const LEASE_MS = 15_000;
const RETRY_MS = 2_000;
/** While it was held and has run out: whoever waits for an abort waits for this. */
const RUN_OUT_RETRY_MS = 500;
/** A write that is sent in the last moment arrives after it: it is not sent. */
const MARGIN = 0.2;

export class LeaderLease {
  readonly #options: LeaderLeaseOptions;
  readonly #leaseMs: number;
  readonly #retryMs: number;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  /** As this instance last wrote it; null if it never had it. */
  #own: KubeObject | null = null;
  #observed: { readonly version: string; readonly atMs: number; readonly durationMs: number } | null = null;
  #transitions = 0;
  #failures = 0;
  readonly #gained = new Set<(transitions: number) => void>();
  readonly #lost = new Set<() => void>();
  readonly #answered = new Set<() => void>();
  #isOver = false;
  #trying: Promise<void> = Promise.resolve();

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#retryMs = options.retryMs ?? RETRY_MS;
  }

  get isHeld(): boolean {
    return this.#options.clock.now() < this.#heldUntilMs;
  }

  /** How often the lease has changed hands: a number that only grows. */
  get transitions(): number {
    return this.#transitions;
  }

  /** Throws unless the lease is held for long enough to write by it. */
  fence(): void {
    if (this.#options.clock.now() >= this.#heldUntilMs - this.#leaseMs * MARGIN) throw new FencedOut();
  }

  onGained(listener: (transitions: number) => void): void {
    this.#gained.add(listener);
  }

  onLost(listener: () => void): void {
    this.#lost.add(listener);
  }

  /** The API server answers again after it did not. */
  onAnswered(listener: () => void): void {
    this.#answered.add(listener);
  }

  /** Tries to get the lease, and keeps it, until the signal; ends for good when it was held and another has it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted && !this.#isOver) {
      this.#trying = this.#try();
      await this.#trying;
      if (this.#isOver) return;
      const restMs = this.#own !== null && !this.isHeld ? Math.min(RUN_OUT_RETRY_MS, this.#retryMs) : this.#retryMs;
      await clock.sleep(restMs * (0.8 + 0.4 * random()), signal);
    }
  }

  /** Gives it up, so that the next instance need not wait. Call when nothing is written any more. */
  async release(): Promise<void> {
    if (!this.isHeld) return;
    this.#isOver = true;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    const { api, namespace, name, identity, log } = this.#options;
    await this.#trying;
    try {
      const lease = await api.get(LEASES, { namespace, name });
      if (lease === null || specOf(lease).holderIdentity !== identity) return;
      await api.replace(LEASES, { ...lease, spec: { ...specOf(lease), holderIdentity: '', leaseDurationSeconds: 1 } });
    } catch (error) {
      log.warn('lease not released', { error });
    }
  }

  async #try(): Promise<void> {
    const { clock, log, identity } = this.#options;
    const sentMs = clock.now();
    const isFirst = this.#own === null;
    try {
      const isWritten = await this.#renewOrAcquire();
      if (this.#failures > 0) this.#tell(this.#answered);
      this.#failures = 0;
      if (!isWritten || this.#isOver) return;
      const hadRunOut = !isFirst && !this.isHeld;
      this.#heldUntilMs = sentMs + this.#leaseMs;
      if (hadRunOut && this.isHeld) log.info('the lease is held again', { identity });
      if (isFirst) this.#tell(this.#gained, this.#transitions);
    } catch (error) {
      this.#failures += 1;
      log[this.#failures === 1 ? 'warn' : 'debug']('lease not renewed', { error, failures: this.#failures });
    }
  }

  /** Another has it, or had it. */
  #lose(): false {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    this.#tell(this.#lost);
    return false;
  }

  #tell<T extends readonly unknown[]>(listeners: ReadonlySet<(...told: T) => void>, ...told: T): void {
    for (const listener of listeners) {
      try {
        listener(...told);
      } catch (error) {
        this.#options.log.error('a listener failed', { error });
      }
    }
  }

  /** Resolves to whether it was written, and so is held from when it was sent. */
  async #renewOrAcquire(): Promise<boolean> {
    // As a rule nobody else writes it, and what was written last need not be read first.
    if (this.#own !== null && (await this.#write(this.#own, true))) return true;
    const { api, namespace, name } = this.#options;
    const lease = await api.get(LEASES, { namespace, name });
    if (this.#own !== null) return this.#renewOrLose(lease, this.#own);
    if (lease === null) return this.#create();
    const isFree = !specOf(lease).holderIdentity;
    // One of an earlier life of this identity is not taken for held either, before it has run out.
    return this.#isExpired(lease) || isFree ? this.#write(lease, false) : false;
  }

  /** Somebody wrote it since. What only touched its labels, say, took nothing away. */
  async #renewOrLose(lease: KubeObject | null, own: KubeObject): Promise<boolean> {
    if (lease === null) return this.isHeld ? this.#create() : this.#lose();
    const [now, before] = [specOf(lease), specOf(own)];
    const isOwn =
      now.holderIdentity === before.holderIdentity && (now.leaseTransitions ?? 0) === (before.leaseTransitions ?? 0);
    return isOwn ? this.#write(lease, true) : this.#lose();
  }

  /** By the own clock: unchanged for its whole duration since it was first seen so. */
  #isExpired(lease: KubeObject): boolean {
    const now = this.#options.clock.now();
    const spec = specOf(lease);
    const version = lease.metadata.resourceVersion ?? '';
    const durationMs = (spec.leaseDurationSeconds ?? LEASE_MS / 1_000) * 1_000;
    if (this.#observed?.version !== version) this.#observed = { version, atMs: now, durationMs };
    this.#transitions = spec.leaseTransitions ?? 0;
    return now - this.#observed.atMs > durationMs;
  }

  /** Whoever held one that was deleted holds it, by its own clock, until that one has run out. */
  async #create(): Promise<boolean> {
    const { api, namespace, name, wallTime, clock } = this.#options;
    const seen = this.#observed;
    const hadIt = this.#own !== null;
    if (!hadIt && seen !== null && clock.now() - seen.atMs <= seen.durationMs) return false;
    const transitions = seen === null && !hadIt ? 0 : this.#transitions + 1;
    const spec = this.#spec(transitions, wallTime());
    const object = { apiVersion: apiVersionOf(LEASES), kind: 'Lease', metadata: { namespace, name }, spec };
    try {
      this.#own = await api.create(LEASES, object);
      this.#transitions = transitions;
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  /** false: somebody else wrote it in between. */
  async #write(lease: KubeObject, isRenewal: boolean): Promise<boolean> {
    const { api, wallTime } = this.#options;
    if (this.#isOver) return false;
    const spec = specOf(lease);
    const transitions = (spec.leaseTransitions ?? 0) + (isRenewal ? 0 : 1);
    const acquired = isRenewal && spec.acquireTime !== undefined ? spec.acquireTime : wallTime();
    try {
      this.#own = await api.replace(LEASES, { ...lease, spec: this.#spec(transitions, acquired) });
      this.#transitions = transitions;
      return true;
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }

  #spec(leaseTransitions: number, acquireTime: string): LeaseSpec {
    const { identity, wallTime } = this.#options;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseMs / 1_000),
      acquireTime: micro(acquireTime),
      renewTime: micro(wallTime()),
      leaseTransitions,
    };
  }
}

function specOf(lease: KubeObject): LeaseSpec {
  return (lease.spec ?? {}) as LeaseSpec;
}

/** MicroTime wants six digits. */
function micro(time: string): string {
  return time.replace(/\.(\d{3})Z$/, '.$1000Z');
}
