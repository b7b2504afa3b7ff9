// Which of several instances decides: the holder of a Lease, as client-go has it. Another's lease is judged by how long it
// has not changed on the own clock, never by the times in it. Held means: renewed less than its duration ago by the own
// monotonic clock, counted from before the renewal was sent. A process that was stopped for a minute finds itself without
// it before it writes anything (row 65).
import type { Log } from '../lib/log.ts';
import type { KubeApi } from './api.ts';
import type { CacheClock } from './cache.ts';
import { FencedOut, isAlreadyExists, isConflict } from './errors.ts';
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
/** A write that is sent in the last moment arrives after it: it is not sent. */
const MARGIN = 0.2;

export class LeaderLease {
  readonly #options: LeaderLeaseOptions;
  readonly #leaseMs: number;
  readonly #retryMs: number;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #wasHeld = false;
  #observed: { readonly version: string; readonly atMs: number; readonly durationMs: number } | null = null;
  #transitions = 0;
  readonly #gained = new Set<(transitions: number) => void>();
  readonly #lost = new Set<() => void>();
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

  /** Tries to get the lease, and keeps it, until the signal; ends for good when it was held and is lost. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted && !this.#isOver) {
      await this.#tryWhileHeld();
      if (this.#isLost()) return this.#lose();
      await clock.sleep(this.#retryMs * (0.8 + 0.4 * random()), signal);
      // Stopped in the meantime: lost before anything else is tried.
      if (this.#isLost()) return this.#lose();
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
      const spec = (lease?.spec ?? {}) as LeaseSpec;
      if (lease === null || spec.holderIdentity !== identity) return;
      await api.replace(LEASES, { ...lease, spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1 } });
    } catch (error) {
      log.warn('lease not released', { error });
    }
  }

  /** An answer that comes after the lease has run out is not waited for. */
  async #tryWhileHeld(): Promise<void> {
    const { clock } = this.#options;
    const tried = new AbortController();
    this.#trying = this.#try().finally(() => tried.abort());
    if (!this.#wasHeld) return this.#trying;
    await Promise.race([this.#trying, clock.sleep(Math.max(0, this.#heldUntilMs - clock.now()), tried.signal)]);
  }

  async #try(): Promise<void> {
    const { clock, log } = this.#options;
    const sentMs = clock.now();
    try {
      if (await this.#acquireOrRenew()) this.#hold(sentMs);
    } catch (error) {
      log.warn('lease not renewed', { error });
    }
  }

  #hold(sentMs: number): void {
    if (this.#isOver) return;
    this.#heldUntilMs = sentMs + this.#leaseMs;
    if (this.#wasHeld) return;
    this.#wasHeld = true;
    this.#tell(this.#gained, this.#transitions);
  }

  #isLost(): boolean {
    return this.#wasHeld && !this.isHeld && !this.#isOver;
  }

  #lose(): void {
    this.#isOver = true;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    this.#tell(this.#lost, this.#transitions);
  }

  #tell(listeners: ReadonlySet<(transitions: number) => void>, transitions: number): void {
    for (const listener of listeners) {
      try {
        listener(transitions);
      } catch (error) {
        this.#options.log.error('a listener failed', { error });
      }
    }
  }

  async #acquireOrRenew(): Promise<boolean> {
    const { api, namespace, name, identity } = this.#options;
    const lease = await api.get(LEASES, { namespace, name });
    if (lease === null) return this.#create();
    const spec = (lease.spec ?? {}) as LeaseSpec;
    const isOwn = spec.holderIdentity === identity;
    if (isOwn && this.#wasHeld) return this.#write(lease, spec, true);
    const isFree = !spec.holderIdentity;
    // Somebody took it away: another holds it from now on, whatever the own clock says.
    if (this.#wasHeld && !isFree) this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    // One of an earlier life of this identity may not be taken for held either, before it has run out.
    const isExpired = this.#isExpired(lease, spec);
    return isFree || isExpired ? this.#write(lease, spec, false) : false;
  }

  /** By the own clock: unchanged for its whole duration since it was first seen so. */
  #isExpired(lease: KubeObject, spec: LeaseSpec): boolean {
    const now = this.#options.clock.now();
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
    if (!this.#wasHeld && seen !== null && clock.now() - seen.atMs <= seen.durationMs) return false;
    const transitions = seen === null && !this.#wasHeld ? 0 : this.#transitions + 1;
    const spec = this.#spec(transitions, wallTime());
    const object = { apiVersion: apiVersionOf(LEASES), kind: 'Lease', metadata: { namespace, name }, spec };
    try {
      await api.create(LEASES, object);
      this.#transitions = transitions;
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  async #write(lease: KubeObject, spec: LeaseSpec, isRenewal: boolean): Promise<boolean> {
    const { api, wallTime } = this.#options;
    if (this.#isOver) return false;
    const transitions = (spec.leaseTransitions ?? 0) + (isRenewal ? 0 : 1);
    const acquired = isRenewal && spec.acquireTime !== undefined ? spec.acquireTime : wallTime();
    try {
      await api.replace(LEASES, { ...lease, spec: this.#spec(transitions, acquired) });
      this.#transitions = transitions;
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
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

/** MicroTime wants six digits. */
function micro(time: string): string {
  return time.replace(/\.(\d{3})Z$/, '.$1000Z');
}
