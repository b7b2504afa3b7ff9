// The objects a policy works with, as a tree: the Deployment and its ReplicaSets by version, the one beside it, their pods,
// the Services and the HTTPRoute with its weights. What may not be read is said to be so, and keeps nothing else from being
// shown.
import { canaryName, LABEL } from '../../cluster/names.ts';
import type { Deployment, LabelSelector, Pod, ReplicaSet, Service } from '../../cluster/objects.ts';
import { type OwnSet, type Places, placesOf } from '../../cluster/places.ts';
import { isReady, isTerminating, restartsOf, troubleOf } from '../../cluster/pods.ts';
import { templateLabel } from '../../cluster/revision.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { compileObject } from '../../core/policy/index.ts';
import type { KubeObject, Resource } from '../../kubernetes/index.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import type { ObjectNode } from '../client.ts';
import type { Cluster, PolicyObject } from './cluster.ts';
import { isForbidden, isNotThere } from './errors.ts';

export interface Route extends KubeObject {
  readonly spec?: {
    readonly rules?: readonly {
      readonly backendRefs?: readonly { readonly name: string; readonly kind?: string; readonly weight?: number }[];
    }[];
  };
  readonly status?: {
    readonly parents?: readonly {
      readonly parentRef?: { readonly name?: string };
      readonly controllerName?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    }[];
  };
}

/** null: it may not be read; undefined: there is none. */
export interface FoundObjects {
  readonly policy: ReleasePolicy | null;
  readonly deploymentName: string;
  readonly places: Places | null;
  readonly deployment: Deployment | null | undefined;
  readonly services: readonly (readonly [name: string, service: Service | null | undefined])[];
  readonly route: readonly [name: string, route: Route | null | undefined] | null;
}

export async function objectsOf(cluster: Cluster, policy: PolicyObject): Promise<readonly ObjectNode[]> {
  return treeOf(await findObjects(cluster, policy));
}

export async function findObjects(cluster: Cluster, object: PolicyObject): Promise<FoundObjects> {
  const { kinds } = cluster;
  const { namespace = '' } = object.metadata;
  const compiled = compileObject(object, { hash: sha256Hex });
  const policy = compiled.kind === 'ok' ? compiled.policy : null;
  const deploymentName = object.spec?.workload?.deployment?.name ?? '';
  const get = <T extends KubeObject>(kind: Resource, name: string) => readOne<T>(cluster, kind, { namespace, name });
  const deployment = await get<Deployment>(kinds.deployments, deploymentName);
  const canary = await get<Deployment>(kinds.deployments, canaryName(deploymentName));
  const places = deployment == null ? null : await look(cluster, { deployment, canary: canary ?? null, object });
  const router = policy?.router;
  const service = router?.kind === 'gatewayApi' || router?.kind === 'replicaShare' ? router.service : null;
  const names = service === null ? [] : router?.kind === 'gatewayApi' ? [service, canaryName(service)] : [service];
  const services: (readonly [string, Service | null | undefined])[] = [];
  for (const name of names) services.push([name, await get<Service>(kinds.services, name)]);
  const routeName = router?.kind === 'gatewayApi' ? router.route.name : null;
  const route = routeName === null ? null : ([routeName, await get<Route>(kinds.routes, routeName)] as const);
  return { policy, deploymentName, places, deployment, services, route };
}

async function readOne<T extends KubeObject>(
  { api }: Cluster,
  kind: Resource,
  at: { readonly namespace: string; readonly name: string },
): Promise<T | null | undefined> {
  if (at.name === '') return undefined;
  try {
    return (await api.get<T>(kind, at)) ?? undefined;
  } catch (error) {
    if (isForbidden(error)) return null;
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

async function look(
  cluster: Cluster,
  given: { readonly deployment: Deployment; readonly canary: Deployment | null; readonly object: PolicyObject },
): Promise<Places> {
  const { kinds } = cluster;
  const { deployment, canary, object } = given;
  const { namespace = '', name } = object.metadata;
  const selectors = [selectorText(deployment.spec.selector), ...(canary === null ? [] : [`${LABEL.policy}=${name}`])];
  const replicaSets = await listAll<ReplicaSet>(cluster, kinds.replicaSets, { namespace, selectors });
  const pods = await listAll<Pod>(cluster, kinds.pods, { namespace, selectors });
  return placesOf({ deployment, canary, replicaSets, pods });
}

function selectorText({ matchLabels = {} }: LabelSelector): string {
  return Object.entries(matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

async function listAll<T extends KubeObject>(
  { api }: Cluster,
  kind: Resource,
  { namespace, selectors }: { readonly namespace: string; readonly selectors: readonly string[] },
): Promise<readonly T[]> {
  const found = new Map<string, T>();
  for (const labelSelector of selectors) {
    try {
      const { items } = await api.list<T>(kind, { namespace, ...(labelSelector === '' ? {} : { labelSelector }) });
      for (const item of items) found.set(item.metadata.name, item);
    } catch (error) {
      if (!isForbidden(error)) throw error;
    }
  }
  return [...found.values()];
}

export function treeOf(found: FoundObjects): readonly ObjectNode[] {
  const { places } = found;
  const labels = labelsOf(places);
  const nodes = [
    ...(places === null ? [unseen('Deployment', found.deploymentName, found.deployment)] : [stableNode(found, labels)]),
    ...(places?.canary == null ? [] : [canaryNode(places, labels)]),
    ...found.services.map(([name, service]) => serviceNode(name, service)),
    ...(found.route === null ? [] : [routeNode(...found.route)]),
  ];
  return nodes.filter((node) => node !== null);
}

type Labels = ReadonlyMap<string, string>;

function labelsOf(places: Places | null): Labels {
  if (places === null) return new Map();
  const { sets } = places.stable;
  const own = sets.map(({ revision, set }) => [revision, templateLabel(set.spec.template, null)] as const);
  const canary = places.canary;
  const tried =
    canary === null ? [] : ([[canary.revision, templateLabel(canary.deployment.spec.template, null)]] as const);
  return new Map([...own, ...tried]);
}

function unseen(kind: string, name: string, object: KubeObject | null | undefined): ObjectNode {
  const text = object === null ? 'may not be read with your rights' : 'is not there';
  return {
    kind,
    name,
    version: null,
    role: 'other',
    state: object === null ? 'pending' : 'trouble',
    text,
    children: [],
  };
}

function stableNode({ deployment, places }: FoundObjects, labels: Labels): ObjectNode {
  const { stable } = places as Places;
  const { metadata, spec, status = {} } = deployment as Deployment;
  const wanted = spec.replicas ?? 1;
  const ready = status.readyReplicas ?? 0;
  const written = templateLabel(spec.template, null);
  const what =
    stable.lock === null
      ? stable.isHeld
        ? `, ${written} waits`
        : stable.isPaused
          ? ', paused by somebody'
          : ''
      : `, ${stable.lock.verb === 'promote' ? 'rolling to' : 'being restored to'} ${labels.get(stable.lock.to) ?? stable.lock.to}`;
  return {
    kind: 'Deployment',
    name: metadata.name,
    version: stable.serving === null ? null : (labels.get(stable.serving) ?? stable.serving),
    role: 'stable',
    state: ready >= wanted ? 'ok' : 'pending',
    text: `${ready} of ${wanted} ready${what}`,
    children: stable.sets.filter(isShown(stable.active)).map((own) => setNode(own, stable.serving, labels)),
  };
}

/** Old sets without a pod are history, not what runs. */
const isShown = (active: readonly string[]) => (own: OwnSet) => active.includes(own.revision) || own.pods.length > 0;

function setNode({ set, revision, pods }: OwnSet, serving: string | null, labels: Labels): ObjectNode {
  const number = set.metadata.annotations?.['deployment.kubernetes.io/revision'];
  const wanted = set.spec.replicas ?? 0;
  const ready = pods.filter(isReady).length;
  return {
    kind: 'ReplicaSet',
    name: set.metadata.name,
    version: labels.get(revision) ?? revision,
    role: revision === serving ? 'stable' : 'other',
    state: ready >= wanted ? 'ok' : 'pending',
    text: `${ready} of ${wanted} ready${number === undefined ? '' : `, revision ${number}`}`,
    children: pods.map(podNode),
  };
}

function podNode(pod: Pod): ObjectNode {
  const trouble = troubleOf(pod);
  const restarts = restartsOf(pod);
  const ready = isReady(pod) ? 'ready' : isTerminating(pod) ? 'ending' : 'not ready';
  const again = restarts === 0 ? '' : `, ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`;
  return {
    kind: 'Pod',
    name: pod.metadata.name,
    version: null,
    role: pod.metadata.labels?.[LABEL.role] === 'canary' ? 'canary' : 'other',
    state: trouble !== null ? 'trouble' : isReady(pod) ? 'ok' : 'pending',
    text: `${ready}${again}${trouble === null ? '' : `: ${withoutName(trouble, pod.metadata.name)}`}`,
    children: [],
  };
}

function withoutName(text: string, name: string): string {
  return text.startsWith(name) ? text.slice(name.length).replace(/^[: ]+/, '') : text;
}

function canaryNode({ canary }: Places, labels: Labels): ObjectNode | null {
  if (canary === null) return null;
  const ready = canary.pods.filter(isReady).length;
  return {
    kind: 'Deployment',
    name: canary.deployment.metadata.name,
    version: labels.get(canary.revision) ?? canary.revision,
    role: 'canary',
    state: ready >= canary.wanted ? 'ok' : 'pending',
    text: `${ready} of ${canary.wanted} ready`,
    children: canary.pods.map(podNode),
  };
}

function serviceNode(name: string, service: Service | null | undefined): ObjectNode | null {
  // The canary's Service is there while a release is under way.
  if (service === undefined && name.endsWith('-canary')) return null;
  if (service == null) return unseen('Service', name, service);
  const selector = Object.entries(service.spec.selector ?? {}).map(([key, value]) => `${key}=${value}`);
  const text = selector.length === 0 ? 'selects nothing' : `selects ${selector.join(', ')}`;
  const role = name.endsWith('-canary') ? 'canary' : 'stable';
  return {
    kind: 'Service',
    name,
    version: null,
    role,
    state: selector.length === 0 ? 'trouble' : 'ok',
    text,
    children: [],
  };
}

function routeNode(name: string, route: Route | null | undefined): ObjectNode {
  if (route == null) return unseen('HTTPRoute', name, route);
  const refused = refusedParents(route);
  const rules = (route.spec?.rules ?? []).map(({ backendRefs = [] }) => weightsText(backendRefs));
  const shares = [...new Set(rules)].filter((text) => text !== '').join('; ');
  return {
    kind: 'HTTPRoute',
    name,
    version: null,
    role: 'other',
    state: refused.length === 0 ? 'ok' : 'trouble',
    text: [shares, ...refused].filter((text) => text !== '').join('; ') || 'sends nowhere',
    children: [],
  };
}

function weightsText(backends: readonly { readonly name: string; readonly weight?: number }[]): string {
  const total = backends.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const share = (weight: number) => (total === 0 ? 0 : Math.round((1_000 * weight) / total) / 10);
  return backends.map(({ name, weight = 1 }) => `${name} ${share(weight)} %`).join(', ');
}

/** What a Gateway says against it, each in a sentence. */
export function refusedParents(route: Route): readonly string[] {
  return (route.status?.parents ?? []).flatMap(({ parentRef, conditions = [] }) =>
    conditions
      .filter(({ type, status }) => (type === 'Accepted' || type === 'ResolvedRefs') && status !== 'True')
      .map(
        ({ type, message }) => `${parentRef?.name ?? 'a gateway'}: not ${type} (${message ?? 'no reason is given'})`,
      ),
  );
}
