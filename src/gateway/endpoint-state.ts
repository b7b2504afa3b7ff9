// One place a version runs at: its idle connections and what this gateway has seen of it. A place that fails again and
// again is left out for a while, for others of the same version only. It refuses to hide a failure: each one has
// already ended a request, and been counted, before it is noted here.
import type { Endpoint } from '../core/model/gateway.ts';
import { EndpointPast } from './endpoint-past.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

const FAILURES_TO_EJECT = 3;
const FIRST_EJECTION_MS = 2_000;
const LONGEST_EJECTION_MS = 30_000;
/** What servers commonly keep an idle connection at least; Node's own default is 5 s. */
const ASSUMED_KEEP_ALIVE_MS = 4_500;
/** Younger than this, an idle connection is taken to be open for any request. */
const FRESH_MS = 1_000;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,\s])timeout\s*=\s*"?([0-9]{1,6})/i;
const MAX_IDLE = 1_024;
/** An acceptance counts as "lately" for this long. */
export const HEALTHY_FOR_MS = 5_000;

export class EndpointState {
  readonly host: string;
  readonly port: number;
  /** For HTTP/1.0 requests that name no host. */
  readonly authority: string;
  retired = false;
  /** The last attempt to connect succeeded, at this time; -1 when the last one failed or there was none. */
  acceptedMs = -1;
  probing = false;
  ejectedUntilMs = 0;
  /** Null until something was counted here. */
  past: EndpointPast | null = null;
  #failures = 0;
  #ejections = 0;
  #keepAliveText = '';
  #keepAliveMs = ASSUMED_KEEP_ALIVE_MS;
  #idle: UpstreamConnection[] = [];

  constructor(endpoint: Endpoint) {
    this.host = endpoint.host;
    this.port = endpoint.port;
    this.authority = `${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
  }

  isHealthy(nowMs: number): boolean {
    return this.acceptedMs >= 0 && nowMs - this.acceptedMs <= HEALTHY_FOR_MS && this.ejectedUntilMs <= nowMs;
  }

  noteAccepted(nowMs: number): void {
    this.acceptedMs = nowMs;
  }

  noteAnswered(nowMs: number): void {
    this.acceptedMs = nowMs;
    this.#failures = 0;
    this.#ejections = 0;
    this.ejectedUntilMs = 0;
  }

  noteFailed(nowMs: number, refusedConnection: boolean): void {
    if (refusedConnection) this.acceptedMs = -1;
    this.#failures += 1;
    if (this.#failures < FAILURES_TO_EJECT) return;
    this.#failures = FAILURES_TO_EJECT - 1;
    this.ejectedUntilMs = nowMs + Math.min(LONGEST_EJECTION_MS, FIRST_EJECTION_MS * 2 ** this.#ejections);
    this.#ejections += 1;
  }

  /** A request that was sent here has ended so. */
  noteEnded(nowMs: number, ended: number): void {
    this.past ??= new EndpointPast();
    this.past.count(nowMs, ended);
  }

  /** What the upstream said in Keep-Alive: connections are let go one second earlier. */
  noteKeepAlive(text: string): void {
    if (text === this.#keepAliveText) return;
    this.#keepAliveText = text;
    const seconds = KEEP_ALIVE_TIMEOUT.exec(text)?.[1];
    this.#keepAliveMs = seconds === undefined ? ASSUMED_KEEP_ALIVE_MS : Math.max(500, Number(seconds) * 1_000 - 1_000);
  }

  /** An open connection, the one used last; for requests that may not be sent twice only a fresh one. */
  takeIdle(nowMs: number, repeatable: boolean): UpstreamConnection | null {
    const keepMs = repeatable ? this.#keepAliveMs : Math.min(FRESH_MS, this.#keepAliveMs);
    const connection = this.#idle.pop();
    if (connection === undefined) return null;
    if (nowMs - connection.idleSinceMs < keepMs) return connection;
    this.#idle.push(connection);
    return null;
  }

  addIdle(connection: UpstreamConnection): boolean {
    if (this.retired || this.#idle.length >= MAX_IDLE) return false;
    this.#idle.push(connection);
    return true;
  }

  removeIdle(connection: UpstreamConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Lets go of what has been idle for too long; the oldest are at the front. */
  sweep(nowMs: number): void {
    let spent = 0;
    while (spent < this.#idle.length) {
      const connection = this.#idle[spent] as UpstreamConnection;
      if (nowMs - connection.idleSinceMs < this.#keepAliveMs) break;
      spent += 1;
    }
    for (const connection of this.#idle.splice(0, spent)) connection.close();
  }

  retire(): void {
    this.retired = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  get idleCount(): number {
    return this.#idle.length;
  }
}
