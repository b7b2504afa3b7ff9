// What runs the versions. Adds, sizes, and takes away only what it is told to retire.
import type { WantedVersion } from '../core/model/effect.ts';
import type { WorkloadObservation } from '../core/model/observed.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Revision } from '../core/model/split.ts';
import type { Version } from '../core/model/version.ts';

export interface Workload {
  /** What is there now, read from the world. Rejects when it cannot look: an error is never an absence (row 71). */
  observe(policy: ReleasePolicy): Promise<WorkloadObservation>;
  /** Starts and sizes the wanted versions; leaves every other version as it is. Idempotent; does not wait for readiness. */
  ensure(policy: ReleasePolicy, wanted: readonly WantedVersion[]): Promise<void>;
  /** Stops these versions gracefully. Idempotent; does not wait for the end. */
  retire(policy: ReleasePolicy, revisions: readonly Revision[]): Promise<void>;
  /**
   * Gives the workload back: nothing held, nothing locked, no second place, stable serving. Idempotent; rejects while it
   * is not done. Absent where withdrawing a policy leaves nothing to give back.
   */
  handBack?(policy: ReleasePolicy, stable: Version | null): Promise<void>;
  /** Calls back when something changed that is worth a look. Returns a function that stops it. */
  watch(policy: ReleasePolicy, changed: () => void): () => void;
}
