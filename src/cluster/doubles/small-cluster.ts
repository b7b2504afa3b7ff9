// A cluster in memory, for tests: Deployments with their ReplicaSets and pods, Services whose EndpointSlices follow the
// pods that are ready, and Gateways that accept every route unless told otherwise. Time passes when it is told to.
import type { Endpoint } from '../../core/model/gateway.ts';
import type { Instant } from '../../core/model/time.ts';
import { MemoryKubeApi } from '../../kubernetes/doubles/index.ts';
import {
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  HTTP_ROUTES,
  type KubeObject,
  PODS,
  REPLICA_SETS,
  type Resource,
  ResourceCache,
  SERVICES,
} from '../../kubernetes/index.ts';
import { silentLog } from '../../lib/log.ts';
import { canaryName, LABEL, TRAFFIC_GATE } from '../names.ts';
import type { Pod, Service } from '../objects.ts';
import { conditionOf } from '../pods.ts';
import { templateRevision } from '../revision.ts';
import { SERVICE_NAME } from '../services.ts';

const NAMESPACE = 'default';
const KINDS = {
  deployments: DEPLOYMENTS,
  replicaSets: REPLICA_SETS,
  pods: PODS,
  services: SERVICES,
  endpointSlices: ENDPOINT_SLICES,
  httpRoutes: HTTP_ROUTES,
} as const;

type Caches = Readonly<Record<keyof typeof KINDS, ResourceCache<KubeObject>>>;

export interface Deployed {
  readonly name: string;
  readonly revision: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly set: KubeObject;
  readonly isGated: boolean;
}

interface RouteStatusParts {
  readonly metadata: KubeObject['metadata'];
  readonly spec: { readonly parentRefs?: readonly object[] };
}

export class SmallCluster {
  readonly api = new MemoryKubeApi();
  readonly clock = { now: (): Instant => ({ monotonicMs: this.#ms, epoch: 'test', wallTime: '2026-01-01T00:00:00Z' }) };
  /** What Gateways say of a route; null: nothing. */
  says: (
    route: KubeObject,
  ) => { readonly accepted: boolean; readonly resolved: boolean; readonly message?: string } | null = () => ({
    accepted: true,
    resolved: true,
  });
  #ms = 1_000_000;
  #caches: Caches = this.#newCaches();

  get caches(): Caches {
    return this.#caches;
  }

  async start(): Promise<void> {
    for (const cache of Object.values(this.#caches)) cache.start();
    await Promise.all(Object.values(this.#caches).map((cache) => cache.whenSynced()));
  }

  /** What another instance would have read. */
  async restart(): Promise<void> {
    await this.stop();
    this.#caches = this.#newCaches();
    await this.start();
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.#caches).map((cache) => cache.stop()));
  }

  /** Time passes, and every controller of the cluster has its turn. */
  async pass(ms: number): Promise<void> {
    this.#ms += ms;
    await this.#podsGetReady();
    await this.#slicesFollow();
    await this.#gatewaysAnswer();
    await this.flush();
  }

  /** Caches hear of what was written. */
  async flush(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async service(name: string, selector: Readonly<Record<string, string>>, more: object = {}): Promise<void> {
    const spec = {
      type: 'ClusterIP',
      selector,
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }],
      ...more,
    };
    await this.api.create(SERVICES, { metadata: { namespace: NAMESPACE, name }, spec });
  }

  /** A Deployment with one ReplicaSet and so many pods. */
  async deploy(
    name: string,
    image: string,
    labels: Readonly<Record<string, string>>,
    isGated = false,
  ): Promise<Deployed> {
    const gates = isGated ? { readinessGates: [{ conditionType: TRAFFIC_GATE }] } : {};
    const containers = [{ name: 'app', image, ports: [{ containerPort: 8080 }] }];
    const template = { metadata: { labels }, spec: { containers, ...gates } };
    const revision = templateRevision(template);
    const own = labels[LABEL.role] === undefined ? {} : { [LABEL.revision]: revision, ...labels };
    const deployment = await this.api.create(DEPLOYMENTS, {
      metadata: { namespace: NAMESPACE, name, labels: own },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    });
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name,
      uid: deployment.metadata.uid ?? '',
      controller: true,
    };
    const set = await this.api.create(REPLICA_SETS, {
      metadata: { namespace: NAMESPACE, name: `${name}-${revision}`, ownerReferences: [owner] },
      spec: { replicas: 1, template },
    });
    return { name, revision, labels, set, isGated };
  }

  /** The canary of a Deployment, as the workload makes it. */
  deployCanary(
    of: string,
    image: string,
    labels: Readonly<Record<string, string>>,
    isGated = false,
  ): Promise<Deployed> {
    const marks = { [LABEL.policy]: of, [LABEL.role]: 'canary' };
    return this.deploy(canaryName(of), image, { ...labels, ...marks }, isGated);
  }

  /** Its pods answer at exactly these addresses. */
  async runAt({ name, revision, labels, set, isGated }: Deployed, endpoints: readonly Endpoint[]): Promise<void> {
    const there = this.podsOf(name);
    for (const [index, { host }] of endpoints.entries()) {
      const pod = `${name}-${revision}-${index}`;
      const status = { podIP: host };
      if (there.some(({ metadata }) => metadata.name === pod)) {
        await this.api.patch(PODS, { namespace: NAMESPACE, name: pod }, { type: 'merge', body: { status } }, STATUS);
        continue;
      }
      const { uid = '' } = set.metadata;
      const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set.metadata.name, uid, controller: true };
      const gates = isGated ? { readinessGates: [{ conditionType: TRAFFIC_GATE }] } : {};
      await this.api.create(PODS, {
        metadata: { namespace: NAMESPACE, name: pod, labels, ownerReferences: [owner] },
        spec: { containers: [{ name: 'app', ports: [{ containerPort: 8080 }] }], ...gates },
        status: { ...status, conditions: [{ type: 'ContainersReady', status: 'True' }] },
      });
    }
    for (const { metadata } of there.slice(endpoints.length)) {
      await this.api.delete(PODS, { namespace: NAMESPACE, name: metadata.name });
    }
    await this.flush();
  }

  podsOf(deployment: string): readonly Pod[] {
    const pods = this.#caches.pods.list(NAMESPACE) as readonly Pod[];
    return pods.filter(({ metadata }) => new RegExp(`^${deployment}-[0-9a-f]{12}-`).test(metadata.name));
  }

  /** The Deployment and all that runs of it. */
  async remove({ name, set }: Deployed): Promise<void> {
    for (const { metadata } of this.podsOf(name)) await this.#drop(PODS, metadata.name);
    await this.#drop(REPLICA_SETS, set.metadata.name);
    await this.#drop(DEPLOYMENTS, name);
    await this.flush();
  }

  async #drop(resource: Resource, name: string): Promise<void> {
    await this.api.delete(resource, { namespace: NAMESPACE, name });
  }

  async #podsGetReady(): Promise<void> {
    for (const pod of (await this.api.list<Pod>(PODS)).items) {
      const gates = pod.spec.readinessGates ?? [];
      const isReady =
        conditionOf(pod, 'ContainersReady')?.status === 'True' &&
        gates.every(({ conditionType }) => conditionOf(pod, conditionType)?.status === 'True');
      const status = isReady ? 'True' : 'False';
      if (conditionOf(pod, 'Ready')?.status === status) continue;
      const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'Ready');
      const body = { status: { conditions: [...others, { type: 'Ready', status }] } };
      await this.api.patch(PODS, pod.metadata, { type: 'merge', body }, STATUS);
    }
    await this.flush();
  }

  async #slicesFollow(): Promise<void> {
    const pods = (await this.api.list<Pod>(PODS)).items;
    const services = (await this.api.list<Service>(SERVICES)).items;
    for (const slice of (await this.api.list(ENDPOINT_SLICES)).items) {
      const isMeant = services.some(({ metadata }) => metadata.name === slice.metadata.labels?.[SERVICE_NAME]);
      if (!isMeant) await this.#drop(ENDPOINT_SLICES, slice.metadata.name);
    }
    for (const { metadata, spec } of services) {
      const selected = pods.filter((pod) => {
        return Object.entries(spec.selector ?? {}).every(([key, value]) => pod.metadata.labels?.[key] === value);
      });
      const endpoints = selected.map((pod) => ({
        addresses: [pod.status?.podIP ?? ''],
        conditions: { ready: conditionOf(pod, 'Ready')?.status === 'True' },
        targetRef: { kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid },
      }));
      const at = { namespace: NAMESPACE, name: `${metadata.name}-slice` };
      const labels = { [SERVICE_NAME]: metadata.name };
      await this.api.patch(ENDPOINT_SLICES, at, { type: 'apply', body: { metadata: { ...at, labels }, endpoints } });
    }
  }

  async #gatewaysAnswer(): Promise<void> {
    for (const object of (await this.api.list(HTTP_ROUTES)).items) {
      const { metadata, spec } = object as unknown as RouteStatusParts;
      const said = this.says(object);
      if (said === null) continue;
      const word = (type: string, isTrue: boolean) => ({
        type,
        status: isTrue ? 'True' : 'False',
        message: said.message ?? '',
        observedGeneration: metadata.generation,
      });
      const conditions = [word('Accepted', said.accepted), word('ResolvedRefs', said.resolved)];
      const parents = (spec.parentRefs ?? []).map((parentRef) => ({ parentRef, conditions }));
      await this.api.patch(HTTP_ROUTES, metadata, { type: 'merge', body: { status: { parents } } }, STATUS);
    }
  }

  #newCaches(): Caches {
    const clock = {
      now: () => this.#ms,
      sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
    };
    const entries = Object.entries(KINDS).map(([name, resource]) => {
      return [name, new ResourceCache({ api: this.api, resource, clock, random: () => 0.5, log: silentLog })];
    });
    return Object.fromEntries(entries) as Caches;
  }
}

const STATUS = { subresource: 'status' } as const;
