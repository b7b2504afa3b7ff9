// What the server needs from the composition root.

import type { Controller } from '../controller/index.ts';
import type { Endpoint } from '../core/model/gateway.ts';
import type { Log } from '../lib/log.ts';
import type { Clock, MetricSource, Randomness, Store } from '../ports/index.ts';

/** Requests counted by the data plane since some start, for faces only. */
export interface Counts {
  readonly requests: Readonly<Record<string, number>>;
  readonly inFlight: Readonly<Record<string, number>>;
}

export interface ServerDeps {
  readonly store: Store;
  readonly controller: Controller;
  readonly metrics: MetricSource;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly log: Log;
  readonly version: string;
  readonly token: string;
  /** Loopback only; port 0 is any free one. */
  readonly listen: Endpoint;
  /** Where evidence over time is kept for reports, one file a release. */
  readonly traceFolder: string;
  readonly readCounts: (policy: string) => Promise<Counts | null>;
  /** Folder that relative paths of a policy are taken from when the caller names none. */
  readonly defaultFolder: string;
  /** The agent ends after the answer is sent; `everything` takes gateways and processes with it. */
  readonly shutdown: (everything: boolean) => void;
  /** What opening the store found, in words. */
  readonly notes: readonly string[];
}
