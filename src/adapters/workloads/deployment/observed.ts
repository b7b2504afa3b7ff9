// From the places of a Deployment to what the engine sees: versions with their replicas, and where stable stands. Pure.
import type { Deployment, Pod } from '../../../cluster/objects.ts';
import { type Places, podsByRevision } from '../../../cluster/places.ts';
import {
  conditionOf,
  isReady,
  isStarted,
  isTerminating,
  podEndpoint,
  restartsOf,
  troubleOf,
} from '../../../cluster/pods.ts';
import { templateLabel } from '../../../cluster/revision.ts';
import type { StablePlace, VersionObservation, WorkloadObservation } from '../../../core/model/observed.ts';
import type { DeploymentWorkload } from '../../../core/model/policy.ts';
import type { Revision } from '../../../core/model/split.ts';

export interface ToObserve {
  readonly workload: DeploymentWorkload;
  readonly deployment: Deployment | null;
  readonly places: Places | null;
  readonly moved: string | null;
  readonly isSuspended: boolean;
}

export function observed(
  { workload, deployment, places, moved, isSuspended }: ToObserve,
  nowMs: number,
): WorkloadObservation {
  if (deployment === null || places === null) return { versions: [] };
  const versions = [...podsByRevision(places)].flatMap(([revision, pods]) => {
    const version = versionOf({ workload, deployment, places }, revision, pods, nowMs);
    return version.wanted > 0 || version.running > 0 ? [version] : [];
  });
  return { versions, place: placeOf(deployment, places, { moved, isSuspended }) };
}

type Seen = { readonly workload: DeploymentWorkload; readonly deployment: Deployment; readonly places: Places };

function versionOf(seen: Seen, revision: Revision, pods: readonly Pod[], nowMs: number): VersionObservation {
  const { stable, canary } = seen.places;
  const isCanary = canary?.seenAs === revision;
  const alive = pods.filter((pod) => !isTerminating(pod));
  // Behind a gate of its own a canary pod counts as ready when its containers are: the router opens the gate.
  const isGated = isCanary && seen.workload.pods === 'shared';
  const ready = alive.filter(isGated ? isStarted : isReady);
  const troubles = alive.filter((pod) => !ready.includes(pod)).map(troubleOf);
  const quota = isCanary ? failureOf(canary.deployment) : null;
  return {
    revision,
    label: labelOf(seen, revision),
    wanted: (isCanary ? canary.wanted : 0) + (revision === stable.serving ? (seen.deployment.spec.replicas ?? 1) : 0),
    running: pods.length,
    ready: ready.length,
    endpoints: ready.map(podEndpoint).sort((a, b) => (a.host < b.host ? -1 : 1)),
    readyForMs: youngestMs(ready, isGated ? 'ContainersReady' : 'Ready', nowMs),
    restarts: pods.reduce((sum, pod) => sum + restartsOf(pod), 0),
    trouble: troubles.find((trouble) => trouble !== null) ?? quota,
  };
}

function labelOf({ workload, deployment, places }: Seen, revision: Revision): string {
  const { stable, canary } = places;
  const set = stable.sets.find((own) => own.revision === revision)?.set;
  const isCanary = canary?.seenAs === revision || canary?.revision === revision;
  const template = isCanary ? canary.deployment.spec.template : (set?.spec.template ?? deployment.spec.template);
  return templateLabel(template, workload.container);
}

function youngestMs(pods: readonly Pod[], condition: string, nowMs: number): number {
  const ages = pods.map((pod) => nowMs - Date.parse(conditionOf(pod, condition)?.lastTransitionTime ?? ''));
  return ages.length === 0 ? 0 : Math.max(0, Math.min(...ages.map((age) => (Number.isNaN(age) ? 0 : age))));
}

function placeOf(
  deployment: Deployment,
  { stable }: Places,
  { moved, isSuspended }: Pick<ToObserve, 'moved' | 'isSuspended'>,
): StablePlace {
  const { serving, heading, sets } = stable;
  // The mark by which new templates wait is a part of it.
  const isSettled = stable.isSettled && stable.isMarked !== isSuspended;
  const wanted = deployment.spec.replicas ?? 1;
  const there = sets
    .filter(({ revision }) => revision === heading)
    .flatMap(({ pods }) => pods.filter((pod) => isReady(pod))).length;
  const stuck = sets
    .filter(({ revision }) => revision === heading)
    .flatMap(({ pods }) => pods.map(troubleOf))
    .find((trouble) => trouble !== null);
  return {
    serving,
    heading,
    isSettled,
    progress: isSettled ? '' : `${Math.min(there, wanted)} of ${wanted} replicas run it`,
    trouble: moved ?? failureOf(deployment) ?? (isSettled ? null : (stuck ?? null)),
  };
}

/** What the Deployment controller itself complains of. */
function failureOf({ status }: Deployment): string | null {
  const conditions = status?.conditions ?? [];
  const failure = conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
  if (failure !== undefined) return failure.message ?? failure.reason ?? 'replicas cannot be made';
  const late = conditions.find(({ reason }) => reason === 'ProgressDeadlineExceeded');
  return late === undefined ? null : (late.message ?? 'its progress deadline has passed');
}
