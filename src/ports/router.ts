// What splits the traffic. `ensure` says what shall be true, `observe` reads what is.
import type { Backend } from '../core/model/effect.ts';
import type { RouterObservation } from '../core/model/observed.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Revision, Split } from '../core/model/split.ts';

/** Declared by each router; asking a policy for what a router cannot do is a policy error. */
export interface RouterCapabilities {
  readonly weightStepPercent: number;
  readonly headerMatch: boolean;
  readonly cookieMatch: boolean;
  readonly affinity: boolean;
  readonly userBuckets: boolean;
}

export type EnsureResult =
  | { readonly kind: 'converged' }
  | { readonly kind: 'progressing'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly reason: string };

export interface Router {
  readonly capabilities: RouterCapabilities;
  /** Refuses (rejected) a split that would send traffic to no endpoint; the last good one stays (row 17). */
  ensure(policy: ReleasePolicy, split: Split, backends: readonly Backend[]): Promise<EnsureResult>;
  /** From the data plane. `absent` only when it is known that there is none. Rejects when it cannot look. */
  observe(policy: ReleasePolicy): Promise<RouterObservation>;
  /** Requests in flight per revision right now, for draining; the same numbers as in observe(). */
  inFlight(policy: ReleasePolicy): Promise<Readonly<Record<Revision, number>>>;
  /** Leaves a route that sends everything to stable, and nothing of its own beside it. Idempotent. */
  handBack?(policy: ReleasePolicy): Promise<void>;
  watch(policy: ReleasePolicy, changed: () => void): () => void;
}
