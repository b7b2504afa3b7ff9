// From the places of a Deployment to what the engine sees: versions with their replicas, and where stable stands. Pure.
import type { Deployment, Pod } from '../../../cluster/objects.ts';
import { type CanarySlot, type Places, podsByRevision } from '../../../cluster/places.ts';
import { conditionOf, isGated, isReady, isUp, podEndpoint, restartsOf, troubleOf } from '../../../cluster/pods.ts';
import { templateLabel } from '../../../cluster/revision.ts';
import type { StablePlace, VersionObservation, WorkloadObservation } from '../../../core/model/observed.ts';
import type { DeploymentWorkload } from '../../../core/model/policy.ts';
import type { Revision } from '../../../core/model/split.ts';
import { isAtRest, type Standing } from './moves.ts';

export interface Seen {
  readonly workload: DeploymentWorkload;
  readonly deployment: Deployment;
  readonly places: Places;
  readonly standing: Standing;
  /** Which images are not those that were analysed, in words; null: none. */
  readonly moved: string | null;
}

export function observed(seen: Seen, nowMs: number): WorkloadObservation {
  const versions = [...podsByRevision(seen.places)].flatMap(([revision, pods]) => {
    const version = versionOf(seen, revision, pods, nowMs);
    return version.wanted > 0 || version.running > 0 ? [version] : [];
  });
  return { versions, place: placeOf(seen) };
}

/** Stable's Deployment is not there; what is tried beside it goes on. */
export function observedAlone(canary: CanarySlot, container: string | null, nowMs: number): WorkloadObservation {
  const { revision, deployment, wanted, pods } = canary;
  const label = templateLabel(deployment.spec.template, container);
  return { versions: [{ revision, label, wanted, ...seenOf(pods, failureOf(deployment), nowMs) }] };
}

function versionOf(seen: Seen, revision: Revision, pods: readonly Pod[], nowMs: number): VersionObservation {
  const { stable, canary } = seen.places;
  const isCanary = canary?.seenAs === revision;
  const own = revision === stable.serving ? (seen.deployment.spec.replicas ?? 1) : 0;
  return {
    revision,
    label: labelOf(seen, revision),
    wanted: own + (isCanary ? canary.wanted : 0),
    ...seenOf(pods, isCanary ? failureOf(canary.deployment) : null, nowMs),
  };
}

type OfPods = Omit<VersionObservation, 'revision' | 'label' | 'wanted'>;

function seenOf(pods: readonly Pod[], failure: string | null, nowMs: number): OfPods {
  // Behind the gate that the router turns, a canary pod is ready when all but that gate is.
  const ready = pods.filter(isUp);
  const troubles = pods.filter((pod) => !ready.includes(pod)).map(troubleOf);
  return {
    running: pods.length,
    ready: ready.length,
    endpoints: ready.map(podEndpoint).sort((a, b) => (a.host < b.host ? -1 : 1)),
    readyForMs: youngestMs(ready, nowMs),
    restarts: pods.reduce((sum, pod) => sum + restartsOf(pod), 0),
    trouble: troubles.find((trouble) => trouble !== null) ?? failure,
  };
}

function labelOf({ workload, deployment, places }: Seen, revision: Revision): string {
  const { stable, canary } = places;
  const set = stable.sets.find((own) => own.revision === revision)?.set;
  const isCanary = canary?.seenAs === revision || canary?.revision === revision;
  const template = isCanary ? canary.deployment.spec.template : (set?.spec.template ?? deployment.spec.template);
  return templateLabel(template, workload.container);
}

function youngestMs(pods: readonly Pod[], nowMs: number): number {
  const since = (pod: Pod) => conditionOf(pod, isGated(pod) ? 'ContainersReady' : 'Ready')?.lastTransitionTime ?? '';
  const ages = pods.map((pod) => nowMs - Date.parse(since(pod)));
  return ages.length === 0 ? 0 : Math.max(0, Math.min(...ages.map((age) => (Number.isNaN(age) ? 0 : age))));
}

function placeOf({ deployment, places: { stable }, standing, moved }: Seen): StablePlace {
  const { serving, heading, sets, lock, isLockBroken } = stable;
  const isSettled = isAtRest(standing);
  const wanted = deployment.spec.replicas ?? 1;
  const pods = sets.filter(({ revision }) => revision === heading).flatMap((own) => own.pods);
  const stuck = isSettled ? null : pods.map(troubleOf).find((trouble) => trouble !== null);
  const there = Math.min(pods.filter(isReady).length, wanted);
  return {
    serving,
    heading,
    isSettled,
    progress: isSettled ? '' : `${there} of ${wanted} replicas run it`,
    trouble: lock?.halted ?? moved ?? failureOf(deployment) ?? stuck ?? (isLockBroken ? BROKEN : null),
  };
}

const BROKEN = 'its annotation haldane.dev/lock cannot be read; it is taken away';

/** What the Deployment controller itself complains of. */
function failureOf({ status }: Deployment): string | null {
  const conditions = status?.conditions ?? [];
  const failure = conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
  if (failure !== undefined) return failure.message ?? failure.reason ?? 'replicas cannot be made';
  const late = conditions.find(({ reason }) => reason === 'ProgressDeadlineExceeded');
  return late === undefined ? null : (late.message ?? 'its progress deadline has passed');
}
