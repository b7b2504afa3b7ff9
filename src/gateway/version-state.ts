// One version as the gateway knows it: where it runs, what is in flight, what was counted. It outlives configurations:
// a version that leaves the configuration stays until its last request has ended, and its counts for an hour more.
import type { Endpoint, GatewayVersion } from '../core/model/gateway.ts';
import { RouteCounts } from './counters.ts';
import { EndpointState } from './endpoint-state.ts';
import { UserSet } from './user-set.ts';

/** Each takes 16 KB; a replica that is started again is another place. */
const KEPT_PASTS = 32;

export class VersionState {
  readonly revision: string;
  label: string;
  configured = true;
  /** When it left the configuration. */
  leftMs = 0;
  endpoints: readonly EndpointState[] = [];
  /** Places that left, for their past: the last few. */
  left: readonly EndpointState[] = [];
  inFlight = 0;
  /** Requests not counted because they repeat one of the minute before. */
  repeats = 0;
  /** Requests sent once more because an idle connection had gone stale. */
  resent = 0;
  readonly users = new UserSet();
  readonly routes = new Map<string, RouteCounts>();
  #cursor = 0;

  constructor(version: GatewayVersion) {
    this.revision = version.revision;
    this.label = version.label;
  }

  /** Places that stay keep their connections; those that go are closed once idle. */
  setEndpoints(wanted: readonly Endpoint[]): void {
    const known = new Map(this.endpoints.map((state) => [`${state.host} ${state.port}`, state]));
    this.endpoints = wanted.map((endpoint) => {
      const key = `${endpoint.host} ${endpoint.port}`;
      const kept = known.get(key);
      known.delete(key);
      return kept ?? new EndpointState(endpoint);
    });
    for (const gone of known.values()) gone.retire();
    this.left = [...this.left, ...known.values()].filter(({ past }) => past !== null).slice(-KEPT_PASTS);
  }

  countsFor(route: string): RouteCounts {
    let counts = this.routes.get(route);
    if (counts === undefined) {
      counts = new RouteCounts(route);
      this.routes.set(route, counts);
    }
    return counts;
  }

  /** In turn, leaving out places that fail; when all of them fail, in turn all the same. Null when there is none. */
  nextEndpoint(nowMs: number): EndpointState | null {
    const count = this.endpoints.length;
    for (let i = 0; i < count; i++) {
      this.#cursor = (this.#cursor + 1) % count;
      const endpoint = this.endpoints[this.#cursor] as EndpointState;
      if (endpoint.ejectedUntilMs <= nowMs) return endpoint;
    }
    if (count === 0) return null;
    this.#cursor = (this.#cursor + 1) % count;
    return this.endpoints[this.#cursor] as EndpointState;
  }
}
