// A gateway as a process of its own: comes up with the configuration it had, is reached through a file in its state
// directory, keeps its counts on disk, and goes when asked, in good order. It refuses to depend on the agent being there.
import { randomBytes, randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import type { Endpoint, GatewayConfig } from '../core/model/gateway.ts';
import { describeError } from '../lib/errors.ts';
import { type AdminActions, AdminRefused, openAdmin, openMetrics } from './admin.ts';
import { parseConfig } from './config-schema.ts';
import { Gateway, ListenFailed } from './gateway.ts';
import { pastOf, snapshotOf } from './snapshot.ts';
import { type InstanceFile, StateFiles, type StoredConfig, startTicksOf } from './state-files.ts';
import { handOver, receiveHandover, sayReady, TAKEOVER_VARIABLE } from './takeover.ts';

const SNAPSHOT_EVERY_MS = 2_000;
const DRAIN_LIMIT_MS = 30_000;
const LISTEN_TRIES = 40;
const LISTEN_RETRY_MS = 250;

export interface GatewayProcessOptions {
  readonly stateDir: string;
  /** Of the program, for the instance file. */
  readonly version: string;
  /** A fixed place for /metrics without a token; null for none. */
  readonly metrics: Endpoint | null;
  readonly random: () => number;
  readonly exit: (code: number) => void;
  readonly log: (line: string) => void;
}

export class GatewayProcess implements AdminActions {
  readonly instance = randomUUID().slice(0, 13);
  readonly gateway: Gateway;
  readonly #options: GatewayProcessOptions;
  readonly #files: StateFiles;
  readonly #token = randomBytes(32).toString('hex');
  readonly #startedAt = new Date().toISOString();
  #admin: HttpServer | null = null;
  #adminAddress: Endpoint = { host: '127.0.0.1', port: 0 };
  #metrics: HttpServer | null = null;
  #leaving = false;
  #ended = false;
  #takingOver = false;
  #lastSnapshot = '';
  #timers: NodeJS.Timeout[] = [];

  constructor(options: GatewayProcessOptions) {
    this.#options = options;
    this.#files = new StateFiles(options.stateDir);
    this.gateway = new Gateway({ instance: this.instance, random: options.random });
  }

  async start(): Promise<void> {
    this.#files.tidy();
    const takesOver = process.env[TAKEOVER_VARIABLE] === '1' && process.send !== undefined;
    // Programs started by this one must not believe that they take over as well.
    delete process.env[TAKEOVER_VARIABLE];
    if (takesOver) await this.#startFromHandover();
    else await this.#startFromDisk();
    const admin = await openAdmin({ gateway: this.gateway, actions: this, token: this.#token });
    this.#admin = admin.server;
    this.#adminAddress = admin.address;
    await this.#writeInstanceFile();
    this.#timers.push(setInterval(() => void this.#keepSnapshot(), SNAPSHOT_EVERY_MS));
    this.#listenToSignals();
    if (takesOver) sayReady(this.instance);
    void this.#openMetrics();
    this.#options.log(`gateway ${this.instance} is up`);
  }

  async #startFromHandover(): Promise<void> {
    const { handover, server } = await receiveHandover();
    if (handover.config !== null) await this.gateway.apply(parseConfig(handover.config), { inherited: server });
  }

  /** A configuration that cannot be read must not keep the process from taking a new one. */
  async #startFromDisk(): Promise<void> {
    const stored = this.#files.read('config.json') as StoredConfig | null;
    if (stored === null) {
      this.#options.log('no readable config.json: waiting for a configuration');
      return;
    }
    let config: GatewayConfig;
    try {
      config = parseConfig(stored.config);
    } catch (error) {
      this.#options.log(`config.json is not used: ${describeError(error)}`);
      return;
    }
    await this.#listenAgain(config, stored.listening?.port);
  }

  /** The port may still be held for a moment by the process before. */
  async #listenAgain(config: GatewayConfig, port: number | undefined): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.gateway.apply(config, port === undefined ? {} : { port });
        return;
      } catch (error) {
        if (!(error instanceof ListenFailed) || tries === LISTEN_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, LISTEN_RETRY_MS));
      }
    }
  }

  async #openMetrics(): Promise<void> {
    const at = this.#options.metrics;
    // While another gateway drains it may hold the port for as long as that takes.
    for (let wait = 0; at !== null && !this.#leaving && this.#metrics === null; wait++) {
      this.#metrics = await openMetrics(this.gateway, at).catch(() => null);
      if (this.#metrics === null)
        await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 200 * (wait + 1))).unref());
    }
  }

  async #writeInstanceFile(): Promise<void> {
    const file: InstanceFile = {
      instance: this.instance,
      pid: process.pid,
      startTicks: startTicksOf(process.pid),
      startedAt: this.#startedAt,
      admin: this.#adminAddress,
      token: this.#token,
      listening: this.gateway.listening,
      version: this.#options.version,
    };
    await this.#files.write(`gateway-${this.instance}.json`, file);
  }

  /** In force first: an abort must reach the traffic even if the disk is full. */
  async configure(config: GatewayConfig): Promise<{ changed: boolean; persisted: boolean }> {
    if (this.#takingOver) throw new AdminRefused(503, 'a takeover is under way; send it again to the new instance');
    const changed = await this.gateway.apply(config);
    if (this.gateway.runtime.draining) return { changed, persisted: false };
    try {
      const stored: StoredConfig = { config: this.gateway.config ?? config, listening: this.gateway.listening };
      await this.#files.write('config.json', stored);
      await this.#writeInstanceFile();
      return { changed, persisted: true };
    } catch (error) {
      this.#options.log(`cannot keep the configuration on disk: ${String(error)}`);
      return { changed, persisted: false };
    }
  }

  drain(limitMs: number = DRAIN_LIMIT_MS): void {
    void this.#leave(limitMs);
  }

  async takeover(command: readonly string[]): Promise<string> {
    if (this.#takingOver || this.#leaving)
      throw new AdminRefused(409, 'this gateway is already being replaced or draining');
    this.#takingOver = true;
    try {
      const { config, listening, server } = this.gateway;
      const instance = await handOver(command, { type: 'listener', config, listening }, server);
      this.#metrics?.close();
      void this.#leave(DRAIN_LIMIT_MS);
      return instance;
    } finally {
      this.#takingOver = false;
    }
  }

  #listenToSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (this.#leaving) this.#end(0);
        else void this.#leave(DRAIN_LIMIT_MS);
      });
    }
    process.on('SIGHUP', () => undefined);
    process.on('uncaughtExceptionMonitor', (error) => {
      this.#options.log(`gateway ${this.instance} ends: ${error.stack ?? String(error)}`);
      this.#keepFinal();
    });
  }

  async #leave(limitMs: number): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    await this.gateway.drain(limitMs);
    await this.gateway.close();
    this.#end(0);
  }

  async #keepSnapshot(): Promise<void> {
    const snapshot = snapshotOf(this.gateway);
    const text = JSON.stringify({ ...snapshot, upMs: 0 });
    if (text === this.#lastSnapshot || this.#ended) return;
    this.#lastSnapshot = text;
    await this.#files.write(`snapshot-${this.instance}.json`, snapshot).catch(() => {
      this.#lastSnapshot = '';
    });
  }

  #keepFinal(): void {
    try {
      this.#files.writeNow(`final-${this.instance}.json`, snapshotOf(this.gateway));
      this.#files.remove(`snapshot-${this.instance}.json`);
    } catch (error) {
      this.#options.log(`cannot keep the final counts on disk: ${String(error)}`);
    }
  }

  /** For whoever asks what stable did in the hour before; without it they ask the process that comes next. */
  #keepPast(): void {
    try {
      const past = pastOf(this.gateway);
      if (past.endpoints.length > 0) this.#files.writeNow(`past-${this.instance}.json`, past);
    } catch (error) {
      this.#options.log(`cannot keep the past on disk: ${String(error)}`);
    }
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#keepFinal();
    this.#keepPast();
    this.#files.remove(`gateway-${this.instance}.json`);
    this.#admin?.close();
    this.#admin?.closeAllConnections();
    this.#options.log(`gateway ${this.instance} has ended`);
    this.#options.exit(code);
  }
}
