// What adapters look at: the shared caches, and the places of a policy in them. It refuses to answer from a cache that has
// not been filled, or that has not heard of the API server for long: what cannot be looked at is neither there nor gone.
import type { ReleasePolicy } from '../core/model/policy.ts';
import { elapsedMs, type Instant } from '../core/model/time.ts';
import type { CacheReader, KubeObject } from '../kubernetes/index.ts';
import { HaldaneError } from '../lib/errors.ts';
import { canaryOf } from './canary-labels.ts';
import { type PolicyKey, policyKey } from './names.ts';
import type { Deployment, Pod, ReplicaSet } from './objects.ts';
import { type Places, placesOf } from './places.ts';

export interface PlaceCaches {
  readonly deployments: CacheReader;
  readonly replicaSets: CacheReader;
  readonly pods: CacheReader;
}

export class NotLooked extends HaldaneError {}

/** A watch that is alive is heard of at least so often (its reader starts it anew before that). */
const SILENT_MS = 300_000;

export function needSynced(caches: Readonly<Record<string, CacheReader>>, now: Instant): void {
  for (const [name, cache] of Object.entries(caches)) {
    if (!cache.isSynced) throw notLooked(`the ${name} of the cluster have not been read yet`);
    const contact = { ...now, monotonicMs: cache.lastContactMs() };
    const silentMs = elapsedMs(contact, now);
    if (silentMs > SILENT_MS) {
      throw notLooked(`nothing has been heard of the ${name} of the cluster for ${Math.round(silentMs / 1_000)} s`);
    }
  }
}

function notLooked(message: string): NotLooked {
  return new NotLooked(message, {
    code: 'kubernetes-not-looked',
    retry: 'later',
    fix: 'see that the API server answers',
  });
}

export interface Looked {
  readonly key: PolicyKey;
  readonly deployment: string;
  /** null: there is no Deployment of that name. */
  readonly places: Places | null;
}

export function lookAt(policy: ReleasePolicy, caches: PlaceCaches): Looked {
  if (policy.workload.kind !== 'deployment') throw new Error(`${policy.name} has no Deployment`);
  const key = policyKey(policy.name);
  const name = policy.workload.deployment;
  const deployment = caches.deployments.get(key.namespace, name) as Deployment | undefined;
  if (deployment === undefined) return { key, deployment: name, places: null };
  const places = placesOf({
    deployment,
    canary: canaryOf(caches.deployments, key, name),
    replicaSets: caches.replicaSets.list(key.namespace) as readonly ReplicaSet[],
    pods: caches.pods.list(key.namespace) as readonly Pod[],
  });
  return { key, deployment: name, places };
}

/** Calls back when an object that is meant changed in any of the caches; returns what ends it. */
export function watchCaches(
  caches: readonly CacheReader[],
  isMeant: (object: KubeObject) => boolean,
  changed: () => void,
): () => void {
  const stops = caches.map((cache) =>
    cache.onChange((object) => {
      if (isMeant(object)) changed();
    }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
