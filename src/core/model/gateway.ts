// The documents the agent and the embedded gateway exchange over the gateway's admin port. Data only.
import type { Revision, Split } from './split.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface GatewayVersion {
  readonly revision: Revision;
  /** What people call it, e.g. "v2"; used as a metrics label. */
  readonly label: string;
  readonly endpoints: readonly Endpoint[];
}

/**
 * One path of a named set that is counted on its own; entries of one name are counted together. `pattern`: exact path,
 * or a prefix that ends in `*`. First match wins.
 */
export interface CountedRoute {
  readonly name: string;
  readonly pattern: string;
}

export interface GatewayTimeouts {
  readonly connectMs: number;
  /** Until the head of the response. */
  readonly responseMs: number;
  /** No byte on an idle keep-alive connection. */
  readonly idleMs: number;
  /** The whole request head must have come by then (slow clients). */
  readonly headMs: number;
}

export interface GatewayLimits {
  readonly headBytes: number;
  readonly bodyBytes: number;
  readonly connections: number;
}

/** PUT /v1/config: the whole wanted state. A generation at or below the current one with other content is refused (409). */
export interface GatewayConfig {
  readonly generation: number;
  readonly service: string;
  readonly listen: Endpoint;
  readonly versions: readonly GatewayVersion[];
  readonly split: Split;
  readonly routes: readonly CountedRoute[];
  /** Requests that repeat a value of this header within a minute are retries of one user request, counted once. */
  readonly retryHeader: string | null;
  readonly timeouts: GatewayTimeouts;
  readonly limits: GatewayLimits;
  readonly accessLog: string | null;
  /**
   * Peers whose X-Forwarded-* and Forwarded fields are believed and continued, as addresses or address/prefix; what any
   * other peer says of earlier hops is dropped. Absent: loopback only (a TLS terminator on the same machine).
   */
  readonly trustedProxies?: readonly string[];
}

/** Where requests that match no counted route are counted. */
export const OTHER_ROUTE = 'other';
/**
 * Where requests that a rule sent are counted, whatever their path: chance did not draw them, so no check compares them
 * (design of the statistics, 2.1); they still count as exposure.
 */
export const AUDIENCE_ROUTE = 'audience';

/** How a request ended when it has no status from the version: each is named, none is hidden. */
export type Ending = 'connect-failed' | 'timeout' | 'reset' | 'client-closed' | 'no-endpoint';

/** One counter: requests of one version, route, method that ended one way. Cumulative since the instance started. */
export interface RequestCell {
  readonly revision: Revision;
  /** Name of a CountedRoute, "other", or "audience". */
  readonly route: string;
  readonly method: string;
  /** Status code of the version, or how the request ended without one. */
  readonly ended: number | Ending;
  readonly count: number;
}

/** Latency of requests of one version and route: time to the last byte of the response. Cumulative. */
export interface LatencyCell {
  readonly revision: Revision;
  readonly route: string;
  /** counts[i] = requests with latency in (boundary(i-1), boundary(i)], boundaries as in latency-buckets.ts; sparse pairs. */
  readonly counts: readonly (readonly [index: number, count: number])[];
  readonly sumSeconds: number;
}

/** How a request ended, by the first digit of its status, or without one. */
export type EndedClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | Exclude<Ending, 'no-endpoint'>;

/** Requests of one endpoint that ended in one slice of time; what a rule sent is left out. */
export interface EndpointSlice {
  /** Begins at this many times `sliceMs` of Unix time. */
  readonly slice: number;
  readonly ended: readonly (readonly [EndedClass, number])[];
}

/** GET /v1/past: each endpoint's last hour, to tell endpoints of one version apart. No check counts with it. */
export interface GatewayPast {
  readonly sliceMs: number;
  readonly endpoints: readonly {
    readonly revision: Revision;
    readonly endpoint: Endpoint;
    /** Oldest first; a slice without requests is left out. */
    readonly slices: readonly EndpointSlice[];
  }[];
}

/** GET /v1/status and /v1/counts in one: taken in one turn of the event loop, so all versions are of the same instant. */
export interface GatewaySnapshot {
  /** New at each start of a gateway process; counters are only comparable within one instance. */
  readonly instance: string;
  readonly pid: number;
  readonly generation: number;
  /** Monotonic milliseconds since this instance started. */
  readonly upMs: number;
  readonly draining: boolean;
  readonly cells: readonly RequestCell[];
  readonly latency: readonly LatencyCell[];
  /** Requests in flight per revision, now; revisions that left the config stay listed until they reach 0. */
  readonly inFlight: Readonly<Record<Revision, number>>;
  /** Endpoints that accepted a connection lately / all, per revision, as this data plane sees them. */
  readonly endpoints: Readonly<Record<Revision, { readonly healthy: number; readonly total: number }>>;
  /** Distinct users seen per revision (by user key); exact below the cap, else at least that many. */
  readonly users: Readonly<Record<Revision, number>>;
}
