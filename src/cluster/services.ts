// Services as data planes see them: which pods are ready in them, and which versions those run. Pure. It refuses, in words,
// a split that would send anyone to nothing (I1, row 17).
import type { Backend } from '../core/model/effect.ts';
import type { Endpoint } from '../core/model/gateway.ts';
import type { Revision, Split } from '../core/model/split.ts';
import type { EndpointSlice, Pod } from './objects.ts';
import { type Places, podsByRevision } from './places.ts';
import { podEndpoint } from './pods.ts';

export const SERVICE_NAME = 'kubernetes.io/service-name';

export interface ReadyIn {
  /** null: an address that is no pod's. */
  readonly pod: string | null;
  readonly host: string;
}

/** What is ready in a Service, each pod once, whatever its families of addresses. */
export function readyIn(slices: readonly EndpointSlice[], service: string): readonly ReadyIn[] {
  const found = new Map<string, ReadyIn>();
  for (const slice of slices) {
    if (slice.metadata.labels?.[SERVICE_NAME] !== service) continue;
    for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
      const host = addresses[0];
      if (conditions?.ready === false || host === undefined) continue;
      const pod = targetRef?.kind === 'Pod' ? (targetRef.name ?? null) : null;
      if (!found.has(pod ?? host)) found.set(pod ?? host, { pod, host });
    }
  }
  return [...found.values()];
}

export interface MeantService {
  readonly ready: readonly ReadyIn[];
  /** Of what is no pod of the policy. */
  readonly revision: Revision;
}

/** Where requests to these Services are answered, by version, in a steady order. */
export function endpointsByRevision(
  services: readonly MeantService[],
  places: Places,
): Readonly<Record<Revision, readonly Endpoint[]>> {
  const known = new Map<string, { readonly revision: Revision; readonly pod: Pod }>();
  for (const [revision, pods] of podsByRevision(places)) {
    for (const pod of pods) known.set(pod.metadata.name, { revision, pod });
  }
  const found: Record<Revision, Endpoint[]> = Object.fromEntries(services.map(({ revision }) => [revision, []]));
  for (const { ready, revision } of services) {
    for (const { pod, host } of ready) {
      const seen = pod === null ? undefined : known.get(pod);
      const endpoint = seen === undefined ? { host, port: 80 } : podEndpoint(seen.pod);
      const as = seen?.revision ?? revision;
      found[as] = [...(found[as] ?? []), endpoint];
    }
  }
  for (const list of Object.values(found)) list.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  return found;
}

function textOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}

export function countEach(endpoints: Readonly<Record<Revision, readonly Endpoint[]>>): Record<Revision, number> {
  return Object.fromEntries(Object.entries(endpoints).map(([revision, list]) => [revision, list.length]));
}

/** Why this split must not be put in force, in words; null if it may. */
export function sentToNothing(split: Split, backends: readonly Backend[]): string | null {
  const backendOf = (revision: Revision) => backends.find((backend) => backend.revision === revision);
  const isEmpty = (revision: Revision) => (backendOf(revision)?.endpoints.length ?? 0) === 0;
  const labelOf = (revision: Revision) => backendOf(revision)?.label ?? revision;
  const weighted = split.weights.find(({ revision, weightPercent }) => weightPercent > 0 && isEmpty(revision));
  if (weighted !== undefined) {
    const { revision, weightPercent } = weighted;
    return `${labelOf(revision)} has no ready endpoint, so its ${weightPercent} % would be answered by nothing; the last good split stays`;
  }
  const ruled = split.rules.find(({ revision }) => isEmpty(revision));
  if (ruled === undefined) return null;
  return `${labelOf(ruled.revision)} has no ready endpoint, so requests that match its rule would be answered by nothing; the last good split stays`;
}

/** Which of the two Services means a version; null: neither. */
export function roleOf(revision: Revision, split: Split, { stable, canary }: Places): 'stable' | 'canary' | null {
  if (revision === canary?.seenAs) return 'canary';
  if (revision === (stable.serving ?? stable.heading)) return 'stable';
  // Everything to the version that stable's place goes to, or back to: there is no other Service for it.
  return split.weights.length === 1 && revision === stable.heading ? 'stable' : null;
}

/** The first version of a split that neither Service means. */
export function unplaced(split: Split, places: Places): Revision | undefined {
  return [...split.weights.filter(({ weightPercent }) => weightPercent > 0), ...split.rules]
    .map(({ revision }) => revision)
    .find((revision) => roleOf(revision, split, places) === null);
}
