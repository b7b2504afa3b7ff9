// What the operator watches: one watch per kind, shared by every adapter, each object cut down to what is read of it.
// Kinds the cluster does not know are not watched; asking for a router that needs them is refused by that router.

import { METRICS_PORT } from '../../cluster/pods.ts';
import {
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  HTTP_ROUTES,
  type KubeApi,
  type KubeObject,
  MUTATING_ADMISSION_POLICIES,
  MUTATING_ADMISSION_POLICY_BINDINGS,
  PODS,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
  REPLICA_SETS,
  type Resource,
  ResourceCache,
  SERVICES,
  VALIDATING_ADMISSION_POLICIES,
  VALIDATING_ADMISSION_POLICY_BINDINGS,
} from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import type { Clock, Randomness } from '../../ports/index.ts';

export interface OperatorCaches {
  readonly policies: ResourceCache<KubeObject>;
  readonly releases: ResourceCache<KubeObject>;
  readonly commands: ResourceCache<KubeObject>;
  readonly deployments: ResourceCache<KubeObject>;
  readonly replicaSets: ResourceCache<KubeObject>;
  readonly pods: ResourceCache<KubeObject>;
  readonly services: ResourceCache<KubeObject>;
  readonly endpointSlices: ResourceCache<KubeObject>;
  readonly httpRoutes: ResourceCache<KubeObject>;
  readonly mutatingPolicies: ResourceCache<KubeObject>;
  readonly mutatingBindings: ResourceCache<KubeObject>;
  readonly validatingPolicies: ResourceCache<KubeObject>;
  readonly validatingBindings: ResourceCache<KubeObject>;
}

export interface CacheDeps {
  readonly api: KubeApi;
  readonly namespace: string | null;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly log: Log;
}

const KINDS: Readonly<Record<keyof OperatorCaches, Resource>> = {
  policies: RELEASE_POLICIES,
  releases: RELEASES,
  commands: RELEASE_COMMANDS,
  deployments: DEPLOYMENTS,
  replicaSets: REPLICA_SETS,
  pods: PODS,
  services: SERVICES,
  endpointSlices: ENDPOINT_SLICES,
  httpRoutes: HTTP_ROUTES,
  mutatingPolicies: MUTATING_ADMISSION_POLICIES,
  mutatingBindings: MUTATING_ADMISSION_POLICY_BINDINGS,
  validatingPolicies: VALIDATING_ADMISSION_POLICIES,
  validatingBindings: VALIDATING_ADMISSION_POLICY_BINDINGS,
};

export function buildCaches(deps: CacheDeps): OperatorCaches {
  const entries = Object.entries(KINDS).map(([name, resource]) => [name, cacheOf(deps, resource)]);
  return Object.fromEntries(entries) as unknown as OperatorCaches;
}

function cacheOf({ api, namespace, clock, random, log }: CacheDeps, resource: Resource): ResourceCache<KubeObject> {
  const trim = TRIMS.get(resource);
  return new ResourceCache<KubeObject>({
    api,
    resource,
    ...(namespace !== null && resource.namespaced ? { namespace } : {}),
    ...(trim === undefined ? {} : { trim }),
    clock: { now: () => clock.now().monotonicMs, sleep: (ms, signal) => clock.sleep(ms, signal) },
    random: () => random.fraction(),
    log,
  });
}

/** Thousands are watched, and who wrote which field is asked of Deployments and routes only. */
const TRIMS = new Map<Resource, (object: KubeObject) => KubeObject>([
  [PODS, trimPod],
  [REPLICA_SETS, withoutManagedFields],
  [SERVICES, withoutManagedFields],
  [ENDPOINT_SLICES, withoutManagedFields],
]);

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** A few fields of each are read. */
function trimPod(pod: KubeObject): KubeObject {
  const { annotations = {}, ...metadata } = withoutManagedFields(pod).metadata;
  const port = annotations[METRICS_PORT];
  const spec = pod.spec as {
    nodeName?: string;
    containers?: readonly { name: string; ports?: unknown }[];
    readinessGates?: unknown;
  };
  const containers = spec?.containers?.map(({ name, ports }) => ({ name, ports }));
  const { nodeName, readinessGates } = spec ?? {};
  const kept = { ...metadata, ...(port === undefined ? {} : { annotations: { [METRICS_PORT]: port } }) };
  return { ...pod, metadata: kept, spec: { nodeName, readinessGates, containers } };
}
