// What a Deployment and the one beside it serve, head for and wait with, read from the objects alone. Pure: the same
// objects give the same answer to the workload, the routers and the metric sources. A lock that cannot be read is no lock,
// and is to be taken away (isLockBroken).

import { spareRevision } from '../core/model/observed.ts';
import type { Revision } from '../core/model/split.ts';
import { canaryRevision } from './canary-labels.ts';
import { ANNOTATION, type Lock } from './names.ts';
import { type Deployment, isControlledBy, type Pod, type ReplicaSet } from './objects.ts';
import { isOver, isTerminating } from './pods.ts';
import { templateRevision } from './revision.ts';

export interface PlaceObjects {
  readonly deployment: Deployment;
  readonly canary: Deployment | null;
  /** Of the namespace; those of others are left out. */
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
}

export interface OwnSet {
  readonly set: ReplicaSet;
  readonly revision: Revision;
  readonly pods: readonly Pod[];
}

export interface StableSlot {
  /** Of the template that stands in the Deployment. */
  readonly written: Revision;
  readonly isPaused: boolean;
  /** Its templates wait even where the API server does not know of the policy. */
  readonly isMarked: boolean;
  /** It says that its template waits; without a pause that means nothing. */
  readonly saysHeld: boolean;
  /** Paused by the admission policy or by Haldane: the template waits. */
  readonly isHeld: boolean;
  readonly lock: Lock | null;
  readonly isLockBroken: boolean;
  readonly serving: Revision | null;
  readonly heading: Revision;
  /** Oldest first. */
  readonly sets: readonly OwnSet[];
  /** Revisions of which any replica is asked or runs. */
  readonly active: readonly Revision[];
}

export interface CanarySlot {
  readonly deployment: Deployment;
  /** As tried. */
  readonly revision: Revision;
  /** As seen: spareRevision() once the same version serves in stable's place. */
  readonly seenAs: Revision;
  readonly wanted: number;
  readonly pods: readonly Pod[];
}

export interface Places {
  readonly stable: StableSlot;
  readonly canary: CanarySlot | null;
}

export function placesOf(objects: PlaceObjects): Places {
  const stable = stableSlot(objects);
  return { stable, canary: objects.canary === null ? null : canarySlot(objects.canary, objects, stable.serving) };
}

function stableSlot({ deployment, replicaSets, pods }: PlaceObjects): StableSlot {
  const sets = ownSets(deployment, replicaSets, pods);
  const written = templateRevision(deployment.spec.template);
  const lock = lockOf(deployment);
  const isPaused = deployment.spec.paused === true;
  const active = activeRevisions(sets);
  const { annotations = {} } = deployment.metadata;
  const saysHeld = annotations[ANNOTATION.held] === 'true';
  const serving = lock === null ? servingOf({ deployment, sets, written, isPaused, active }) : lock.serving;
  return {
    written,
    isPaused,
    isMarked: annotations[ANNOTATION.hold] !== undefined,
    saysHeld,
    isHeld: isPaused && saysHeld,
    lock,
    isLockBroken: lock === null && annotations[ANNOTATION.lock] !== undefined,
    serving,
    heading: lock?.to ?? (isPaused ? (serving ?? written) : written),
    sets,
    active,
  };
}

export function ownSets(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  pods: readonly Pod[],
): readonly OwnSet[] {
  return replicaSets
    .filter((set) => isControlledBy(set, deployment))
    .map((set) => ({
      set,
      revision: templateRevision(set.spec.template),
      pods: pods.filter((pod) => isControlledBy(pod, set) && !isOver(pod)),
    }))
    .sort((a, b) => createdAt(a.set) - createdAt(b.set) || (a.set.metadata.name < b.set.metadata.name ? -1 : 1));
}

export function createdAt({ metadata }: { readonly metadata: { readonly creationTimestamp?: string } }): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

/** Oldest first; two sets of one revision (a restart) are one. */
function activeRevisions(sets: readonly OwnSet[]): readonly Revision[] {
  const isActive = ({ set, pods }: OwnSet) => (set.spec.replicas ?? 0) > 0 || pods.some((pod) => !isTerminating(pod));
  return [...new Set(sets.filter(isActive).map(({ revision }) => revision))];
}

/** Without a lock: what wholly has the place; while two share it, the older of those it does not head for. */
function servingOf(slot: {
  readonly deployment: Deployment;
  readonly sets: readonly OwnSet[];
  readonly written: Revision;
  readonly isPaused: boolean;
  readonly active: readonly Revision[];
}): Revision | null {
  const { sets, written, isPaused, active, deployment } = slot;
  if (active.length === 1) return active[0] ?? null;
  if (active.length > 1) return active.find((revision) => revision !== written) ?? active[0] ?? null;
  if (!isPaused) return sets.length > 0 && (deployment.spec.replicas ?? 1) === 0 ? written : null;
  // Scaled to 0 while held: the Deployment controller scales up the set of the waiting template, else its newest.
  const waiting = sets.find(({ revision }) => revision === written);
  return waiting?.revision ?? sets.at(-1)?.revision ?? null;
}

export function lockOf({ metadata }: Deployment): Lock | null {
  const text = metadata.annotations?.[ANNOTATION.lock];
  if (text === undefined) return null;
  try {
    const lock = JSON.parse(text) as Lock;
    const { verb, serving, to, waiting, halted } = lock;
    const isRead = isText(to) && [serving, waiting, halted].every((value) => isText(value ?? ''));
    return isRead && (verb === 'promote' || verb === 'restore') ? lock : null;
  } catch {
    return null;
  }
}

const isText = (value: unknown) => typeof value === 'string';

/** @param serving in stable's place; null: nothing, or there is no such place. */
export function canarySlot(
  canary: Deployment,
  { replicaSets, pods }: Pick<PlaceObjects, 'replicaSets' | 'pods'>,
  serving: Revision | null,
): CanarySlot {
  const revision = canaryRevision(canary);
  const sets = replicaSets.filter((set) => isControlledBy(set, canary));
  return {
    deployment: canary,
    revision,
    seenAs: revision === serving ? spareRevision(revision) : revision,
    wanted: canary.spec.replicas ?? 1,
    pods: pods.filter((pod) => sets.some((set) => isControlledBy(pod, set)) && !isOver(pod)),
  };
}

/** Every pod of the policy with the version it is seen as. */
export function podsByRevision({ stable, canary }: Places): ReadonlyMap<Revision, readonly Pod[]> {
  const found = new Map<Revision, Pod[]>();
  const add = (revision: Revision, pods: readonly Pod[]) =>
    found.set(revision, [...(found.get(revision) ?? []), ...pods]);
  for (const { revision, pods } of stable.sets) add(revision, pods);
  if (canary !== null) add(canary.seenAs, canary.pods);
  return found;
}

/** As kubectl rollout status has it: every replica is new, and available. */
export function isRolledOut({ metadata, spec, status = {} }: Deployment): boolean {
  const wanted = spec.replicas ?? 1;
  const { observedGeneration = 0, updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedReplicas >= wanted &&
    replicas <= updatedReplicas &&
    availableReplicas >= updatedReplicas
  );
}
