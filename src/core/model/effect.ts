// What the engine wants to be true next. Level-triggered and idempotent: performing one twice changes nothing more.

import type { Endpoint } from './gateway.ts';
import type { Gate } from './policy.ts';
import type { Revision, Split } from './split.ts';
import type { Version } from './version.ts';

export interface WantedVersion {
  readonly version: Version;
  readonly replicas: number;
  readonly role: 'stable' | 'canary';
}

export interface Backend {
  readonly revision: Revision;
  readonly label: string;
  readonly endpoints: readonly Endpoint[];
}

export interface NotifyMessage {
  /** The same key is delivered once, however often it is asked for. */
  readonly key: string;
  readonly kind: 'started' | 'advanced' | 'held' | 'waiting' | 'promoted' | 'aborted' | 'warning';
  readonly release: string | null;
  readonly sentence: string;
}

export interface GateRequest {
  /** One per gate, stage and release: a gate with side effects runs once per key (row 76). */
  readonly key: string;
  readonly gate: Gate;
  readonly release: string;
  readonly revision: Revision;
  readonly stage: number;
}

export type Effect =
  /** Adds and sizes; never takes a version away. */
  | { readonly kind: 'ensureWorkload'; readonly wanted: readonly WantedVersion[] }
  | { readonly kind: 'ensureSplit'; readonly split: Split; readonly backends: readonly Backend[] }
  /** The only effect that removes capacity; asked for only after share 0 and drained (I2). */
  | { readonly kind: 'retire'; readonly revisions: readonly Revision[] }
  /** The policy is withdrawn and nothing is under way: the workload is given back as if nobody had ever held it. */
  | { readonly kind: 'handBack'; readonly stable: Version | null }
  | { readonly kind: 'runGate'; readonly request: GateRequest }
  | { readonly kind: 'notify'; readonly message: NotifyMessage };
