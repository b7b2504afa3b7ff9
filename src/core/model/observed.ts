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

/**
 * The place in which stable runs, for workloads that are promoted in place (a Deployment): the new version is tried in a
 * second place and then rolled out in this one.
 */
export interface StablePlace {
  /** The version it serves; it changes only when another has wholly replaced it. null: nothing was ever ready in it. */
  readonly serving: Revision | null;
  /** The version it is set to end up with, unless it is told otherwise. */
  readonly heading: Revision;
  /** Nothing is on its way, and nothing of it is left to be put right. */
  readonly isSettled: boolean;
  /** What is on its way, e.g. "2 of 3 replicas are new"; empty at rest. */
  readonly progress: string;
  /** Why it does not come to rest, in words a person can act on. */
  readonly trouble: string | null;
}

export interface WorkloadObservation {
  /** Every version of which anything runs, those Haldane no longer wants included. */
  readonly versions: readonly VersionObservation[];
  /** Only of workloads that are promoted in place. */
  readonly place?: StablePlace;
}

/** The second place of a version that serves in the first one already: to be drained and retired, never to be wanted. */
export function spareRevision(revision: Revision): Revision {
  return `${revision}~spare`;
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
