// What the API server has of one kind, kept by one list and one watch that never gives up. It says so while it is not sure
// (isSynced, lastContactMs), and it never takes an error for an absence (rows 70, 71). What this program wrote itself is
// seen at once, and no older event undoes it: resourceVersions are comparable (Kubernetes 1.35, KEP-5504).
import { backoffMs } from '../lib/backoff.ts';
import type { Log } from '../lib/log.ts';
import type { KubeApi, WatchEvent } from './api.ts';
import { isGone, isNotServed, KubeError } from './errors.ts';
import type { KubeObject, Resource } from './types.ts';

export type Change = 'added' | 'changed' | 'deleted';
export type ChangeListener<T> = (object: T, change: Change) => void;

/** Monotonic milliseconds. */
export interface CacheClock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface ResourceCacheOptions<T extends KubeObject> {
  readonly api: KubeApi;
  readonly resource: Resource;
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Cuts an object down to what is read of it. */
  readonly trim?: (object: T) => T;
  readonly clock: CacheClock;
  readonly random: () => number;
  readonly log: Log;
  readonly idleMs?: number;
}

/** What readers of a cache need of it. */
export interface CacheReader<T extends KubeObject = KubeObject> {
  readonly isSynced: boolean;
  /** Why it cannot be read now; null while it can, or before it was tried. */
  readonly failure: unknown;
  lastContactMs(): number;
  get(namespace: string, name: string): T | undefined;
  list(namespace?: string): readonly T[];
  onChange(listener: ChangeListener<T>): () => void;
  noteWritten(object: T): void;
  noteDeleted(object: T): void;
}

const BACKOFF = { initialMs: 200, maxMs: 30_000 };
/** Bookmarks come about once a minute. */
const IDLE_MS = 150_000;
const TOMBSTONES = 10_000;
const CALM_MS = 10_000;
const RELIST_AFTER = 3;
const SAY_EVERY_MS = 180_000;

interface Round {
  /** Where to go on; null: with a list. */
  readonly since: string | null;
  /** null: the server ended the watch. */
  readonly error: unknown;
  readonly hasTold: boolean;
}

export class ResourceCache<T extends KubeObject = KubeObject> implements CacheReader<T> {
  readonly #options: ResourceCacheOptions<T>;
  readonly #objects = new Map<string, Map<string, T>>();
  /** Deleted objects: an event older than the deletion brings none back. */
  readonly #tombstones = new Map<string, bigint>();
  readonly #listeners = new Set<ChangeListener<T>>();
  readonly #end = new AbortController();
  #loop: Promise<void> | null = null;
  #isSynced = false;
  #failure: unknown = null;
  #saidMs = Number.NEGATIVE_INFINITY;
  #synced: () => void = () => {};
  readonly #whenSynced = new Promise<void>((resolve) => {
    this.#synced = resolve;
  });
  #contactMs = Number.NEGATIVE_INFINITY;
  #resting: AbortController | null = null;

  constructor(options: ResourceCacheOptions<T>) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#loop;
  }

  /** The API server is known to answer again: a back-off is not waited out. */
  wake(): void {
    this.#resting?.abort();
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** What it is of, for people. */
  get kind(): string {
    return this.#options.resource.kind;
  }

  /** Resolves after the first whole list; rejects when the signal comes first. */
  whenSynced(signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return this.#whenSynced;
    return new Promise((resolve, reject) => {
      const give = () => reject(signal.reason);
      if (signal.aborted) return give();
      signal.addEventListener('abort', give, { once: true });
      void this.#whenSynced.then(() => {
        signal.removeEventListener('abort', give);
        resolve();
      });
    });
  }

  lastContactMs(): number {
    return this.#contactMs;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(namespace)?.get(name);
  }

  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return [...(this.#objects.get(namespace)?.values() ?? [])];
    return [...this.#objects.values()].flatMap((objects) => [...objects.values()]);
  }

  /** Calls back after each change, in order. A listener that throws is logged and left alone. */
  onChange(listener: ChangeListener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  noteWritten(object: T): void {
    this.#take(object);
  }

  noteDeleted(object: T): void {
    this.#remove(object);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    let failures = 0;
    let since: string | null = null;
    while (!this.#end.signal.aborted) {
      const startedMs = clock.now();
      const round: Round = await this.#round(since);
      if (this.#end.signal.aborted) return;
      // A watch that lived for a while, or told something, ends a row of failures. One that ends at once is a failure,
      // however politely.
      const isCalm = clock.now() - startedMs >= CALM_MS;
      if (isCalm || round.hasTold) failures = 0;
      if (!isCalm || round.error !== null) failures += 1;
      // In a long row of failures each try begins with a list, which stands in for a watch that never works.
      since = failures >= RELIST_AFTER ? null : round.since;
      await this.#rest(failures, round.error);
    }
  }

  async #rest(failures: number, error: unknown): Promise<void> {
    const { clock, random } = this.#options;
    const askedMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.round(Math.max(askedMs, backoffMs(BACKOFF, failures) * random()));
    if (failures > 0) this.#say({ failures, waitMs, error });
    this.#resting = new AbortController();
    await clock.sleep(waitMs, AbortSignal.any([this.#end.signal, this.#resting.signal]));
    this.#resting = null;
  }

  /** At the third failure in a row, and every few minutes from then on; once where the cluster has no such kind. */
  #say({ failures, waitMs, error }: { readonly failures: number; readonly waitMs: number; readonly error: unknown }) {
    const { clock, log, resource } = this.#options;
    const isDue = failures > RELIST_AFTER && !isNotServed(error) && clock.now() - this.#saidMs >= SAY_EVERY_MS;
    const isNews = failures === RELIST_AFTER || isDue;
    if (isNews) this.#saidMs = clock.now();
    const message = isNews ? 'a watch is broken' : 'watch interrupted';
    log[isNews ? 'warn' : 'debug'](message, { kind: resource.kind, failures, waitMs, error });
  }

  /** A list where one is needed, and a watch until it ends. */
  async #round(since: string | null): Promise<Round> {
    const { api, resource, clock, random, idleMs = IDLE_MS } = this.#options;
    let at = since;
    let hasTold = false;
    try {
      at ??= await this.#list();
      const timeoutSeconds = Math.round(300 + 300 * random());
      const scope = { ...this.#scope(), resourceVersion: at, signal: this.#end.signal };
      for await (const event of api.watch(resource, { ...scope, idleMs, timeoutSeconds })) {
        this.#contactMs = clock.now();
        this.#failure = null;
        this.#apply(event);
        at = event.object.metadata.resourceVersion ?? at;
        hasTold = true;
      }
      return { since: at, error: null, hasTold };
    } catch (error) {
      this.#failure = error;
      // What came before the break is kept. Too old to go on from: the whole list again, and what is gone is missed there.
      return { since: isGone(error) ? null : at, error, hasTold };
    }
  }

  async #list(): Promise<string> {
    const { api, resource, clock } = this.#options;
    const { items, resourceVersion } = await api.list<T>(resource, this.#scope());
    this.#contactMs = clock.now();
    this.#failure = null;
    const listed = new Set(items.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`));
    for (const object of items) this.#take(object);
    for (const object of this.list()) {
      const { namespace = '', name, resourceVersion: own } = object.metadata;
      // Written by us after the list was made: it is there.
      if (!listed.has(`${namespace}/${name}`) && versionOf(own) <= versionOf(resourceVersion)) this.#remove(object);
    }
    this.#isSynced = true;
    this.#synced();
    return resourceVersion;
  }

  #apply(event: WatchEvent): void {
    if (event.type === 'BOOKMARK') return;
    if (event.type === 'DELETED') this.#remove(event.object as T);
    else this.#take(event.object as T);
  }

  #scope() {
    const { namespace, labelSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    };
  }

  #take(object: T): void {
    const { namespace = '', name, resourceVersion } = object.metadata;
    const version = versionOf(resourceVersion);
    const before = this.get(namespace, name);
    if (before !== undefined && versionOf(before.metadata.resourceVersion) >= version) return;
    const grave = this.#tombstones.get(`${namespace}/${name}`);
    if (grave !== undefined && grave >= version) return;
    const kept = this.#trimmed(object);
    let objects = this.#objects.get(namespace);
    if (objects === undefined) {
      objects = new Map();
      this.#objects.set(namespace, objects);
    }
    objects.set(name, kept);
    this.#tell(kept, before === undefined ? 'added' : 'changed');
  }

  /** An object that cannot be trimmed is kept whole: it must not stop the others (row 68). */
  #trimmed(object: T): T {
    const { trim, log, resource } = this.#options;
    try {
      return trim?.(object) ?? object;
    } catch (error) {
      log.error('an object was not trimmed', { kind: resource.kind, name: object.metadata.name, error });
      return object;
    }
  }

  #remove(object: T): void {
    const { namespace = '', name, resourceVersion } = object.metadata;
    const version = versionOf(resourceVersion);
    const before = this.get(namespace, name);
    if (before !== undefined && versionOf(before.metadata.resourceVersion) > version) return;
    this.#bury(`${namespace}/${name}`, version);
    if (before === undefined) return;
    this.#objects.get(namespace)?.delete(name);
    this.#tell(before, 'deleted');
  }

  #bury(key: string, version: bigint): void {
    if ((this.#tombstones.get(key) ?? -1n) >= version) return;
    this.#tombstones.delete(key);
    this.#tombstones.set(key, version);
    if (this.#tombstones.size <= TOMBSTONES) return;
    const [oldest] = this.#tombstones.keys();
    if (oldest !== undefined) this.#tombstones.delete(oldest);
  }

  #tell(object: T, change: Change): void {
    for (const listener of this.#listeners) {
      try {
        listener(object, change);
      } catch (error) {
        this.#options.log.error('a listener failed', { kind: this.#options.resource.kind, error });
      }
    }
  }
}

/** 0 for what has none or is no number: older than everything. */
export function versionOf(resourceVersion: string | undefined): bigint {
  return resourceVersion !== undefined && /^[0-9]+$/.test(resourceVersion) ? BigInt(resourceVersion) : 0n;
}
