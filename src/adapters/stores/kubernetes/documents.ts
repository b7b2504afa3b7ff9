// The custom resources of Haldane as the store reads and writes them. A record of a later program is refused, not guessed at.

import type { PodTemplate } from '../../../cluster/revision.ts';
import type { ReleasePolicy } from '../../../core/model/policy.ts';
import type { Version } from '../../../core/model/version.ts';
import type { KubeObject } from '../../../kubernetes/index.ts';
import { type ChainEnd, EMPTY_CHAIN, type JournalEntry } from '../../../ports/index.ts';
import { recordTooNew } from './errors.ts';

/** Raised when older programs could not go on from what is written. */
export const RECORD_SCHEMA = 1;

/** What is still to be written elsewhere though it is decided: in the same write as the state, so that no crash loses it. */
export interface Pending {
  readonly releases: readonly PendingRelease[];
  readonly answers: readonly { readonly id: string; readonly document: string }[];
}

export interface PendingRelease {
  readonly id: string;
  /** null: only its journal has grown. */
  readonly document: string | null;
  readonly journal: readonly JournalEntry[];
  /** Only of a release that begins. */
  readonly template: PodTemplate | null;
}

export interface PolicyRecord {
  readonly schema: number;
  readonly version: number;
  readonly state: string;
  readonly chain: ChainEnd;
  /** Journal entries of no release, the newest last. */
  readonly tail: readonly JournalEntry[];
  readonly pending: Pending;
  /** Commands answered last: none is carried out twice, however late their own status is heard of. */
  readonly answered: readonly string[];
}

export const NOTHING_PENDING: Pending = { releases: [], answers: [] };

export interface PolicyResource extends KubeObject {
  readonly spec: { readonly workload?: { readonly deployment?: { readonly name?: string } } };
  readonly status?: {
    readonly record?: Partial<PolicyRecord>;
    readonly conditions?: readonly StatusCondition[];
    readonly view?: string;
    readonly [field: string]: unknown;
  };
}

export interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

export interface ReleaseResource extends KubeObject {
  readonly spec: {
    readonly policy: string;
    readonly number: number;
    readonly revision: string;
    readonly label?: string;
    readonly template?: PodTemplate;
  };
  readonly status?: { readonly document?: string; readonly journal?: readonly JournalEntry[] };
}

export interface CommandResource extends KubeObject {
  readonly spec: {
    readonly policy: string;
    readonly verb: string;
    readonly release?: string;
    readonly reason?: string;
    readonly actor?: string;
    readonly gate?: string;
    readonly revision?: string;
    readonly skipAnalysis?: boolean;
  };
  readonly status?: { readonly accepted?: boolean; readonly message?: string; readonly answeredAt?: string };
}

/** null: nothing was ever decided. */
export function recordOf({ metadata, status }: PolicyResource): PolicyRecord | null {
  const record = status?.record;
  if (record?.version === undefined || record.state === undefined) return null;
  const { schema = RECORD_SCHEMA } = record;
  if (schema > RECORD_SCHEMA) throw recordTooNew(metadata, schema);
  return {
    schema,
    version: record.version,
    state: record.state,
    chain: record.chain ?? EMPTY_CHAIN,
    tail: record.tail ?? [],
    pending: record.pending ?? NOTHING_PENDING,
    answered: record.answered ?? [],
  };
}

/** What the store reads of a state; it is written and understood by the engine. */
export interface StateFacts {
  readonly suspended: unknown;
  readonly stable: Version | null;
  readonly release: {
    readonly phase: { readonly kind: string };
    readonly baseReplicas: number;
    readonly to: Version;
    readonly policy: ReleasePolicy;
  } | null;
  readonly waiting: { readonly version: Version } | null;
  readonly known: readonly { readonly version: Version }[];
}

const NO_FACTS: StateFacts = { suspended: null, stable: null, release: null, waiting: null, known: [] };

export function factsOf(state: string): StateFacts {
  return { ...NO_FACTS, ...(JSON.parse(state) as Partial<StateFacts>) };
}

/** What was read of its record; null if nothing was ever decided. */
export function factsIn(resource: PolicyResource): StateFacts | null {
  const record = recordOf(resource);
  return record === null ? null : factsOf(record.state);
}

/** The version that was released last, or is; null: nothing was ever released. */
export function lastVersion(facts: StateFacts | null): Version | null {
  return facts?.release?.to ?? facts?.stable ?? null;
}

/** The Deployment that the state is about, whatever the spec names by now; null: nothing was ever released. */
export function ownDeployment(facts: StateFacts | null): string | null {
  const workload = facts?.release?.policy.workload;
  return workload?.kind === 'deployment' ? workload.deployment : null;
}

export function namedDeployment({ spec }: PolicyResource): string {
  return spec.workload?.deployment?.name ?? '';
}

/** The one to look at: its own, or the one it names while it has none. */
export function deploymentOf(resource: PolicyResource, facts = factsIn(resource)): string {
  return ownDeployment(facts) ?? namedDeployment(resource);
}

export function isUnderWay({ release }: StateFacts): boolean {
  return release !== null && release.phase.kind !== 'ended';
}

/** "shop/web-3" -> { namespace: "shop", name: "web-3" } */
export function releaseAt(id: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = id.split('/');
  return { namespace, name };
}

export function withoutNulls(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

/** Deletes this very object and no other of its name. */
export function uidOf({ uid }: { readonly uid?: string }): { uid?: string } {
  return uid === undefined ? {} : { uid };
}
