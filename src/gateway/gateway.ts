// The gateway: takes configurations, keeps the listening socket, the versions and the clock, and ends gracefully. It
// serves without anybody watching over it. It refuses a configuration that is older than the one in force.
import type { Server, Socket } from 'node:net';
import { connect } from 'node:net';
import type { Endpoint, GatewayConfig } from '../core/model/gateway.ts';
import { HaldaneError } from '../lib/errors.ts';
import { AccessLog } from './access-log.ts';
import { ClientConnection } from './client-connection.ts';
import type { EndpointState } from './endpoint-state.ts';
import { DEFAULT_TRUSTED, trustedPeers } from './forwarded.ts';
import { HeaderNames } from './header-names.ts';
import { Listener } from './listener.ts';
import { Repeats } from './repeats.ts';
import { Routing, wantedHeaders } from './routing.ts';
import type { Compiled, Runtime } from './runtime.ts';
import { VersionState } from './version-state.ts';

const SWEEP_EVERY_MS = 50;
/** A sweep that comes later than this was held up by the machine, not by any client or upstream. */
const LONGEST_SWEEP_MS = 150;
const PROBE_EVERY_MS = 1_000;
/** A version that left is forgotten with its counts after this long, so that a thousand releases leave nothing behind. */
const FORGET_AFTER_MS = 3_600_000;

export class ConfigStale extends HaldaneError {
  constructor(given: number, current: number) {
    super(`generation ${given} is not newer than ${current}, which is in force with other content`, {
      code: 'gateway-config-stale',
      path: 'generation',
      fix: `read the configuration in force and use a generation above ${current}`,
    });
  }
}

export class ListenFailed extends HaldaneError {
  constructor(listen: Endpoint, cause: unknown) {
    super(`cannot listen on ${listen.host}:${listen.port}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: 'gateway-listen-failed',
      path: 'listen',
      retry: 'later',
      cause,
    });
  }
}

/** How the listening socket comes about when it is not simply opened. */
export interface ListenOptions {
  /** The listener received from the process before. */
  readonly inherited?: Server | undefined;
  /** The port to prefer when the configuration leaves it to the system. */
  readonly port?: number;
}

export interface GatewayOptions {
  readonly instance: string;
  /** In [0, 1). */
  readonly random: () => number;
}

export class Gateway {
  readonly instance: string;
  readonly startedMs = performance.now();
  readonly versions = new Map<string, VersionState>();
  readonly runtime: Runtime;
  config: GatewayConfig | null = null;
  connectionsTotal = 0;
  #listener: Listener | null = null;
  #applying: Promise<unknown> = Promise.resolve();
  #sweeper: NodeJS.Timeout;
  #probedMs = Number.NEGATIVE_INFINITY;
  #ended: (() => void)[] = [];

  constructor(options: GatewayOptions) {
    this.instance = options.instance;
    this.runtime = {
      compiled: undefined as unknown as Compiled,
      nowMs: performance.now(),
      patienceMs: 0,
      draining: false,
      clients: new Set(),
      repeats: new Repeats(),
      accessLog: null,
      refused: new Map(),
      random: options.random,
    };
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_EVERY_MS);
  }

  /** Where clients are really served; null before the first configuration and once draining. */
  get listening(): Endpoint | null {
    return this.#listener?.address ?? null;
  }

  get server(): Server | null {
    return this.#listener?.server ?? null;
  }

  get upMs(): number {
    return performance.now() - this.startedMs;
  }

  /** One at a time, whole or not at all; in force for the next request. True when it changed anything. */
  apply(config: GatewayConfig, listen: ListenOptions = {}): Promise<boolean> {
    const applied = this.#applying.then(() => this.#apply(config, listen));
    this.#applying = applied.catch(() => undefined);
    return applied;
  }

  async #apply(config: GatewayConfig, listen: ListenOptions): Promise<boolean> {
    const current = this.config;
    if (current !== null && config.generation <= current.generation) {
      if (sameContent(config, current)) return false;
      throw new ConfigStale(config.generation, current.generation);
    }
    const opened = await this.#openListener(config, listen);
    this.#putInForce(config);
    if (opened !== null) {
      this.#listener?.close();
      this.#listener = opened;
    }
    return true;
  }

  async #openListener(config: GatewayConfig, listen: ListenOptions): Promise<Listener | null> {
    const wanted = this.#listener?.wanted;
    const same = wanted?.host === config.listen.host && wanted.port === config.listen.port;
    if (same || this.runtime.draining) return null;
    try {
      return await Listener.open(config.listen, (socket) => this.#onSocket(socket), listen);
    } catch (error) {
      throw new ListenFailed(config.listen, error);
    }
  }

  /** Nothing here waits, so every request sees either the old configuration or the new one. */
  #putInForce(config: GatewayConfig): void {
    const named = new Set(config.versions.map((version) => version.revision));
    for (const version of config.versions) {
      const state = this.versions.get(version.revision) ?? new VersionState(version);
      this.versions.set(version.revision, state);
      state.label = version.label;
      state.configured = true;
      state.setEndpoints(version.endpoints);
    }
    for (const state of this.versions.values()) {
      if (named.has(state.revision)) continue;
      if (state.configured) state.leftMs = performance.now();
      state.configured = false;
      state.setEndpoints([]);
    }
    this.config = config;
    this.runtime.compiled = this.#compile(config);
    this.#useAccessLog(config.accessLog);
    this.#probe();
  }

  #compile(config: GatewayConfig): Compiled {
    const slots = wantedHeaders(config);
    return {
      config,
      names: new HeaderNames(slots),
      routing: new Routing(config, this.versions),
      trusted: trustedPeers(config.trustedProxies ?? DEFAULT_TRUSTED),
      retrySlot: config.retryHeader === null ? -1 : slots.indexOf(config.retryHeader.toLowerCase()),
    };
  }

  #useAccessLog(path: string | null): void {
    const log = this.runtime.accessLog;
    if ((log?.path ?? null) === path) return;
    this.runtime.accessLog = path === null ? null : new AccessLog(path);
    void log?.close();
  }

  #onSocket(socket: Socket): void {
    this.connectionsTotal += 1;
    const client = new ClientConnection(this.runtime, socket);
    if (this.runtime.clients.size > this.runtime.compiled.config.limits.connections) client.turnAway();
  }

  #sweep(): void {
    const { runtime } = this;
    const nowMs = performance.now();
    runtime.patienceMs += Math.min(nowMs - runtime.nowMs, LONGEST_SWEEP_MS);
    runtime.nowMs = nowMs;
    for (const client of runtime.clients) {
      if (runtime.patienceMs >= client.deadlineMs) client.expire();
    }
    if (nowMs - this.#probedMs >= PROBE_EVERY_MS) this.#probe();
    if (this.runtime.draining && this.runtime.clients.size === 0) this.#end();
  }

  /** Tries places that have not accepted a connection lately, so that it is known who could serve before anyone is sent. */
  #probe(): void {
    const nowMs = performance.now();
    this.#probedMs = nowMs;
    for (const version of this.versions.values()) {
      if (!version.configured && version.inFlight === 0 && nowMs - version.leftMs > FORGET_AFTER_MS) {
        this.versions.delete(version.revision);
      }
      for (const endpoint of version.endpoints) {
        endpoint.sweep(nowMs);
        if (!endpoint.probing && nowMs - endpoint.acceptedMs > PROBE_EVERY_MS) probe(endpoint, this.runtime);
      }
    }
  }

  /**
   * Takes no more connections, answers what comes on those it has with "Connection: close", and resolves when the last
   * is gone or the limit is reached. A connection is not closed under a client that may just be sending (compare
   * HAProxy's idle-close-on-response).
   */
  async drain(limitMs: number): Promise<void> {
    this.runtime.draining = true;
    this.#listener?.close();
    this.#listener = null;
    if (this.runtime.clients.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs);
        this.#ended.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #end(): void {
    for (const ended of this.#ended.splice(0)) ended();
  }

  /** Ends everything now; what is in flight is counted as the client's end. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.runtime.draining = true;
    this.#listener?.close();
    this.#listener = null;
    for (const client of [...this.runtime.clients]) client.destroy();
    for (const version of this.versions.values()) version.setEndpoints([]);
    await this.runtime.accessLog?.close();
  }
}

function probe(endpoint: EndpointState, runtime: Runtime): void {
  endpoint.probing = true;
  const socket = connect({ host: endpoint.host, port: endpoint.port });
  const done = (accepted: boolean): void => {
    if (!endpoint.probing) return;
    endpoint.probing = false;
    if (accepted) endpoint.noteAccepted(performance.now());
    else if (endpoint.acceptedMs < runtime.nowMs - PROBE_EVERY_MS) endpoint.acceptedMs = -1;
    socket.destroy();
  };
  socket.setTimeout(runtime.compiled.config.timeouts.connectMs, () => done(false));
  socket.on('connect', () => done(true));
  socket.on('error', () => done(false));
}

function sameContent(a: GatewayConfig, b: GatewayConfig): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
