// What ports report of the world, each with its own honest "I could not look".
import type { Endpoint } from './gateway.ts';
import type { Revision, Split } from './split.ts';

export interface VersionObservation {
  readonly revision: Revision;
  readonly label: string;
  /** Replicas asked of the workload, started, and ready for traffic. */
  readonly wanted: number;
  readonly running: number;
  readonly ready: number;
  /** Endpoints that are ready, in a steady order. */
  readonly endpoints: readonly Endpoint[];
  /** Age of the youngest ready replica; warm-up is counted from it. */
  readonly readyForMs: number;
  readonly restarts: number;
  /** Why it is not ready, in words a person can act on; null if it is or is still starting. */
  readonly trouble: string | null;
}

export interface WorkloadObservation {
  /** Every version of which anything runs, those Haldane no longer wants included. */
  readonly versions: readonly VersionObservation[];
}

/** What became of a version's replicas since it was first asked for, as numbers that only grow within one `id`. */
export interface VersionLife {
  readonly revision: Revision;
  /** Another one after the version was retired and asked for again. */
  readonly id: string;
  /** Ends that nobody asked for, each followed by another start. */
  readonly restarts: number;
  /**
   * Time of all its replicas together, from the first start of each until it is told to stop. Waits before another start
   * are in it: restarts must not shorten the time in which they are counted.
   */
  readonly replicaMs: number;
}

/** What is really there, read from the data plane, not from what was written. */
export interface RouterObservation {
  readonly state: 'converged' | 'progressing' | 'rejected' | 'absent';
  readonly reason: string;
  /** The split the data plane uses now; null if it has none. */
  readonly split: Split | null;
  /** Endpoints the data plane sends to now, per revision. */
  readonly endpoints: Readonly<Record<Revision, readonly Endpoint[]>>;
  /** Of these, how many it can reach. */
  readonly healthy: Readonly<Record<Revision, number>>;
  readonly inFlight: Readonly<Record<Revision, number>>;
  /** Identifies the processes behind the answer, for people. */
  readonly instances: readonly string[];
}

/** An error is never a difference and never an absence (rows 70, 71). */
export type Observed<T> =
  | { readonly kind: 'seen'; readonly value: T }
  | { readonly kind: 'error'; readonly message: string };

export interface GateAnswer {
  readonly status: 'pending' | 'yes' | 'no' | 'error';
  readonly message: string;
}
