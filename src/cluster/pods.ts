// Pods as versions see them: ready or not and why, where they answer, what they ran. Pure.
import type { Endpoint } from '../core/model/gateway.ts';
import type { Revision } from '../core/model/split.ts';
import { TRAFFIC_GATE } from './names.ts';
import type { ContainerStatus, Pod } from './objects.ts';

/** One pod, for metric sources. */
export interface SeenPod {
  readonly name: string;
  readonly address: string;
  readonly uid: string;
  /** Milliseconds since 1970, by the cluster's clock. */
  readonly startedAtMs: number;
  readonly isReady: boolean;
  readonly restarts: number;
  /** Containers whose last end was one. */
  readonly oomKills: number;
  /** Where it says that it shows its counters, else the first port it names; null: neither. */
  readonly metricsPort: number | null;
}

/** An annotation of pods: where they answer with their metrics. */
export const METRICS_PORT = 'prometheus.io/port';

export interface PodsOfVersion {
  readonly namespace: string;
  /** What stable's Service means now, and the canary's; null: nothing. */
  readonly stable: Revision | null;
  readonly canary: Revision | null;
  readonly byRevision: Readonly<Record<Revision, readonly SeenPod[]>>;
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Evicted or at its end: it is kept as a memory only, and its set has made another. */
export function isOver({ status }: Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}

export function isReady(pod: Pod): boolean {
  return !isTerminating(pod) && conditionOf(pod, 'Ready')?.status === 'True';
}

/** Ready in all but the gates that others turn: its containers answer. */
export function isStarted(pod: Pod): boolean {
  return !isTerminating(pod) && conditionOf(pod, 'ContainersReady')?.status === 'True';
}

/** Behind the gate that the router of replica shares turns. */
export function isGated({ spec }: Pod): boolean {
  return spec.readinessGates?.some(({ conditionType }) => conditionType === TRAFFIC_GATE) ?? false;
}

/** Ready in all but that gate. */
export function isUp(pod: Pod): boolean {
  if (!isGated(pod)) return isReady(pod);
  const others = pod.spec.readinessGates?.filter(({ conditionType }) => conditionType !== TRAFFIC_GATE) ?? [];
  return isStarted(pod) && others.every(({ conditionType }) => conditionOf(pod, conditionType)?.status === 'True');
}

export function conditionOf(pod: Pod, type: string) {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

/** Its address, and the first port it names: the same for everybody who compares endpoints. */
export function podEndpoint(pod: Pod): Endpoint {
  const port = pod.spec.containers?.flatMap(({ ports = [] }) => ports)[0]?.containerPort ?? 80;
  return { host: pod.status?.podIP ?? '', port };
}

export function restartsOf(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
}

export function seenPod(pod: Pod): SeenPod {
  const statuses = pod.status?.containerStatuses ?? [];
  const killed = statuses.filter((status) => endOf(status)?.reason === 'OOMKilled');
  return {
    name: pod.metadata.name,
    address: pod.status?.podIP ?? '',
    uid: pod.metadata.uid ?? '',
    startedAtMs: Date.parse(pod.status?.startTime ?? pod.metadata.creationTimestamp ?? ''),
    isReady: isReady(pod),
    restarts: restartsOf(pod),
    oomKills: killed.length,
    metricsPort: metricsPort(pod),
  };
}

function metricsPort({ metadata, spec }: Pod): number | null {
  const said = Number(metadata.annotations?.[METRICS_PORT] ?? Number.NaN);
  if (Number.isInteger(said) && said > 0 && said < 65_536) return said;
  return spec.containers?.flatMap(({ ports = [] }) => ports)[0]?.containerPort ?? null;
}

function endOf({ state, lastState }: ContainerStatus) {
  return state?.terminated ?? lastState?.terminated;
}

/** The digests its containers really run, by container. */
export function digestsOf(pod: Pod): Readonly<Record<string, string>> {
  const statuses = (pod.status?.containerStatuses ?? []).filter(
    ({ imageID }) => imageID !== undefined && imageID !== '',
  );
  return Object.fromEntries(statuses.map(({ name, imageID = '' }) => [name, imageID.replace(/^.*@/, '')]));
}

/** Why it is not ready, in words a person can act on; null if it is, or is only starting. */
export function troubleOf(pod: Pod): string | null {
  if (isTerminating(pod) || isReady(pod)) return null;
  const { status } = pod;
  if (status?.phase === 'Failed')
    return `${pod.metadata.name} failed: ${status.reason ?? status.message ?? 'it ended'}`;
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False')
    return `${pod.metadata.name} is not scheduled: ${scheduled.message ?? scheduled.reason}`;
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const each of statuses) {
    const trouble = containerTrouble(each);
    if (trouble !== null) return `${pod.metadata.name}: ${trouble}`;
  }
  return null;
}

const STARTING = ['ContainerCreating', 'PodInitializing'];

function containerTrouble(status: ContainerStatus): string | null {
  const { name, restartCount = 0, state } = status;
  const { waiting } = state ?? {};
  const end = endOf(status);
  if (waiting?.reason !== undefined && !STARTING.includes(waiting.reason)) {
    const exit = end?.exitCode === undefined ? '' : `, exit code ${end.exitCode}`;
    const times = restartCount > 0 ? `, ${restartCount} restarts` : '';
    const why = waiting.message === undefined ? '' : ` (${waiting.message})`;
    return `${name} ${waiting.reason}${exit}${times}${why}`;
  }
  if (restartCount > 0 && end !== undefined && end.exitCode !== 0) {
    return `${name} ended ${restartCount} times, last with ${end.reason ?? 'exit code'} ${end.exitCode ?? ''}`.trim();
  }
  return null;
}
