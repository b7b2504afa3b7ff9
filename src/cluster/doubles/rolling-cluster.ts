// A cluster in memory whose Deployments roll as Kubernetes rolls them: one more pod at a time, none fewer; paused ones only
// scale, and from 0 the set of the written template comes up before the youngest. For tests of the workload. People's
// writes meet the hold and the lock. It knows no other strategy, no grace and no schema.

import type { Instant } from '../../core/model/time.ts';
import { MemoryKubeApi } from '../../kubernetes/doubles/index.ts';
import {
  DEPLOYMENTS,
  type KubeApi,
  KubeError,
  type KubeObject,
  PODS,
  REPLICA_SETS,
  type Resource,
  ResourceCache,
  SERVICES,
} from '../../kubernetes/index.ts';
import { canonicalJson } from '../../lib/canonical.ts';
import { silentLog } from '../../lib/log.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { ANNOTATION, TEMPLATE_HASH } from '../names.ts';
import { type Deployment, isControlledBy, type Pod, type ReplicaSet } from '../objects.ts';
import { createdAt } from '../places.ts';
import { isReady } from '../pods.ts';
import { type PodTemplate, templateRevision } from '../revision.ts';

export const NAMESPACE = 'shop';
const KINDS = { deployments: DEPLOYMENTS, replicaSets: REPLICA_SETS, pods: PODS, services: SERVICES } as const;
const PASS_MS = 1_000;

type Change = (deployment: Deployment) => Deployment;

export function podTemplate(image: string, more: object = {}): PodTemplate {
  const containers = [{ name: 'app', image, ports: [{ containerPort: 8080 }] }];
  return { metadata: { labels: { app: 'shop' } }, spec: { containers, ...more } };
}

export class RollingCluster {
  readonly api = new MemoryKubeApi();
  readonly caches = Object.fromEntries(
    Object.entries(KINDS).map(([name, resource]) => [name, this.#cache(resource)]),
  ) as Readonly<Record<keyof typeof KINDS, ResourceCache<KubeObject>>>;
  /** Images whose pods never start. */
  readonly broken = new Set<string>();
  /** Images that another digest than their own is pulled for. */
  readonly moved = new Map<string, string>();
  #ms = 1_000_000;
  #pods = 0;

  constructor() {
    this.api.wallTime = () => this.#wallTime();
  }

  readonly clock = {
    now: (): Instant => ({ monotonicMs: this.#ms, epoch: 'test', wallTime: this.#wallTime() }),
    sleep: async (): Promise<void> => {},
  };

  async start(): Promise<void> {
    for (const cache of Object.values(this.caches)) cache.start();
    await Promise.all(Object.values(this.caches).map((cache) => cache.whenSynced()));
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.caches).map((cache) => cache.stop()));
  }

  /** Nothing is heard of the API server for so long. */
  silence(ms: number): void {
    this.#ms += ms;
  }

  /** The Deployment shop with its first template, once it stands, and a Service. */
  async deploy(template: PodTemplate, replicas = 3, metadata: object = {}): Promise<void> {
    await this.api.create(SERVICES, {
      metadata: { namespace: NAMESPACE, name: 'shop' },
      spec: { selector: { app: 'shop' } },
    });
    await this.api.create(DEPLOYMENTS, {
      metadata: { namespace: NAMESPACE, name: 'shop', ...metadata },
      spec: { replicas, selector: { matchLabels: { app: 'shop' } }, template },
    });
    await this.pass(6);
  }

  async deployment(name = 'shop'): Promise<Deployment> {
    return (await this.#all<Deployment>(DEPLOYMENTS)).find(({ metadata }) => metadata.name === name) as Deployment;
  }

  setsOf(owner: Deployment): Promise<readonly ReplicaSet[]> {
    return this.#ownedBy<ReplicaSet>(REPLICA_SETS, owner);
  }

  async pods(of = 'shop'): Promise<readonly Pod[]> {
    const found = await this.deployment(of);
    if (found === undefined) return [];
    const sets = await this.setsOf(found);
    return (await this.#all<Pod>(PODS)).filter((pod) => sets.some((set) => isControlledBy(pod, set)));
  }

  /** A write of somebody else: it meets the lock and the hold. */
  async write(change: Change): Promise<void> {
    const before = await this.deployment();
    const after = change(structuredClone(before));
    const isNew = templateRevision(before.spec.template) !== templateRevision(after.spec.template);
    const { annotations = {} } = before.metadata;
    if (isNew && annotations[ANNOTATION.lock] !== undefined) {
      throw new KubeError('update', 403, { reason: 'Forbidden', message: 'haldane is rolling it' });
    }
    const isHeld = before.spec.paused === true && annotations[ANNOTATION.held] === 'true';
    const kept = Object.entries(annotations).filter(([key]) => key === ANNOTATION.hold || key === ANNOTATION.lock);
    const holds = annotations[ANNOTATION.hold] !== undefined && (isNew || isHeld);
    const held = {
      ...after.metadata.annotations,
      ...Object.fromEntries(kept),
      ...(holds ? { [ANNOTATION.held]: 'true' } : {}),
    };
    const metadata = { ...after.metadata, annotations: held };
    await this.api.replace(DEPLOYMENTS, {
      ...after,
      metadata,
      spec: holds ? { ...after.spec, paused: true } : after.spec,
    });
    await this.#flush();
  }

  setTemplate(template: PodTemplate): Promise<void> {
    return this.write((deployment) => ({ ...deployment, spec: { ...deployment.spec, template } }));
  }

  scale(replicas: number): Promise<void> {
    return this.write((deployment) => ({ ...deployment, spec: { ...deployment.spec, replicas } }));
  }

  /** Every controller of the cluster has its turn, so often. */
  async pass(turns = 1): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) {
      this.#ms += PASS_MS;
      await this.#collect();
      for (const deployment of await this.#all<Deployment>(DEPLOYMENTS)) await this.#reconcile(deployment);
      await this.#collect();
      for (const set of await this.#all<ReplicaSet>(REPLICA_SETS)) await this.#fill(set);
      for (const pod of await this.#all<Pod>(PODS)) await this.#startPod(pod);
      for (const deployment of await this.#all<Deployment>(DEPLOYMENTS)) await this.#say(deployment);
    }
    await this.#flush();
  }

  async #reconcile(deployment: Deployment): Promise<void> {
    const sets = (await this.setsOf(deployment)).toSorted((a, b) => createdAt(a) - createdAt(b));
    const { paused, replicas = 1, template } = deployment.spec;
    const current = sets.find((set) => sameTemplate(set.spec.template, template));
    if (paused === true) return this.#scalePaused(sets, current, replicas);
    if (current === undefined) return this.#createSet(deployment);
    const others = sets.filter((set) => set !== current);
    const total = sets.reduce((sum, set) => sum + sizeOf(set), 0);
    const grown = Math.min(replicas, sizeOf(current) + Math.max(0, replicas + 1 - total));
    await this.#size(current, grown);
    const ready = (await this.pods(deployment.metadata.name)).filter(isReady);
    let spare = ready.length - replicas;
    for (const set of others) {
      const unready = sizeOf(set) - ready.filter((pod) => isControlledBy(pod, set)).length;
      const less = Math.min(sizeOf(set), unready + Math.max(0, spare));
      spare -= Math.max(0, less - unready);
      await this.#size(set, sizeOf(set) - less);
    }
  }

  async #scalePaused(sets: readonly ReplicaSet[], current: ReplicaSet | undefined, replicas: number): Promise<void> {
    const active = sets.filter((set) => sizeOf(set) > 0);
    const one = active.length === 0 ? (current ?? sets.at(-1)) : active[0];
    if (active.length <= 1 && one !== undefined) await this.#size(one, replicas);
  }

  async #createSet({ metadata, spec }: Deployment): Promise<void> {
    const hash = sha256Hex(canonicalJson(spec.template)).slice(0, 10);
    const labels = { ...spec.template.metadata?.labels, [TEMPLATE_HASH]: hash };
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name, uid: metadata.uid ?? '' };
    await this.api.create(REPLICA_SETS, {
      metadata: {
        namespace: NAMESPACE,
        name: `${metadata.name}-${hash}`,
        labels,
        ownerReferences: [{ ...owner, controller: true }],
      },
      spec: { replicas: 0, template: { ...spec.template, metadata: { ...spec.template.metadata, labels } } },
    });
  }

  async #size({ metadata, spec }: ReplicaSet, replicas: number): Promise<void> {
    if (spec.replicas === replicas) return;
    await this.api.patch(REPLICA_SETS, metadata, { type: 'merge', body: { spec: { replicas } } });
  }

  async #fill(set: ReplicaSet): Promise<void> {
    const own = (await this.#all<Pod>(PODS)).filter((pod) => isControlledBy(pod, set));
    for (let missing = sizeOf(set) - own.length; missing > 0; missing -= 1) {
      this.#pods += 1;
      const { name, uid = '' } = set.metadata;
      await this.api.create(PODS, {
        metadata: {
          namespace: NAMESPACE,
          name: `${name}-${this.#pods}`,
          ...(set.spec.template.metadata?.labels === undefined ? {} : { labels: set.spec.template.metadata.labels }),
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true }],
        },
        spec: set.spec.template.spec,
        status: { podIP: `10.0.0.${this.#pods}` },
      });
    }
    const surplus = own.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b))).slice(0, own.length - sizeOf(set));
    for (const { metadata } of own.length > sizeOf(set) ? surplus : []) await this.api.delete(PODS, metadata);
  }

  async #startPod(pod: Pod): Promise<void> {
    if (pod.status?.conditions !== undefined) return;
    const image = (pod.spec.containers?.[0] as { readonly image?: string } | undefined)?.image ?? '';
    const isBroken = this.broken.has(image);
    const word = (type: string) => ({
      type,
      status: isBroken ? 'False' : 'True',
      lastTransitionTime: this.#wallTime(),
    });
    const digest = `sha256:${sha256Hex(this.moved.get(image) ?? image)}`;
    const waiting = { waiting: { reason: 'ImagePullBackOff', message: `back-off pulling ${image}` } };
    const container = isBroken
      ? { name: 'app', restartCount: 0, state: waiting }
      : { name: 'app', restartCount: 0, imageID: `registry/app@${digest}`, state: { running: {} } };
    const status = {
      ...pod.status,
      conditions: [word('ContainersReady'), word('Ready')],
      containerStatuses: [container],
    };
    await this.api.patch(PODS, pod.metadata, { type: 'merge', body: { status } }, { subresource: 'status' });
  }

  async #say({ metadata, spec }: Deployment): Promise<void> {
    const sets = await this.#ownedBy<ReplicaSet>(REPLICA_SETS, { metadata } as Deployment);
    const updated = sets.find((set) => sameTemplate(set.spec.template, spec.template));
    const pods = await this.pods(metadata.name);
    const ready = pods.filter(isReady).length;
    const status = {
      observedGeneration: metadata.generation,
      replicas: pods.length,
      updatedReplicas: updated === undefined ? 0 : pods.filter((pod) => isControlledBy(pod, updated)).length,
      readyReplicas: ready,
      availableReplicas: ready,
    };
    await this.api.patch(DEPLOYMENTS, metadata, { type: 'merge', body: { status } }, { subresource: 'status' });
  }

  /** What belongs to nobody any more goes. */
  async #collect(): Promise<void> {
    const owners = await this.#all<KubeObject>(DEPLOYMENTS);
    const sets = await this.#all<KubeObject>(REPLICA_SETS);
    for (const set of sets.filter((each) => !owners.some((owner) => isControlledBy(each, owner)))) {
      await this.api.delete(REPLICA_SETS, set.metadata);
    }
    const left = await this.#all<KubeObject>(REPLICA_SETS);
    const pods = await this.#all<KubeObject>(PODS);
    for (const pod of pods.filter((each) => !left.some((set) => isControlledBy(each, set)))) {
      await this.api.delete(PODS, pod.metadata);
    }
  }

  async #ownedBy<T extends KubeObject>(resource: Resource, owner: KubeObject): Promise<readonly T[]> {
    return (await this.#all<T>(resource)).filter((object) => isControlledBy(object, owner));
  }

  async #all<T extends KubeObject>(resource: Resource): Promise<readonly T[]> {
    return (await this.api.list<T>(resource)).items;
  }

  async #flush(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  #wallTime(): string {
    return new Date(1_800_000_000_000 + this.#ms).toISOString();
  }

  #cache(resource: Resource): ResourceCache<KubeObject> {
    const clock = { now: () => this.#ms, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) };
    return new ResourceCache({ api: this.api, resource, clock, random: () => 0.5, log: silentLog });
  }
}

const sizeOf = ({ spec }: ReplicaSet): number => spec.replicas ?? 0;

function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return canonicalJson(withoutHash(a)) === canonicalJson(withoutHash(b));
}

function withoutHash({ metadata = {}, spec }: PodTemplate): object {
  const { [TEMPLATE_HASH]: _hash, ...labels } = metadata.labels ?? {};
  return { metadata: { ...metadata, labels }, spec };
}

/** The same API server to a process that ends right after its write number `at` (0: never), the answer unheard. */
export function dyingAfter(api: KubeApi, at: number): { readonly api: KubeApi; readonly writes: () => number } {
  let writes = 0;
  const alive = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (at > 0 && writes >= at) throw new Died();
    return ask();
  };
  const writing = <T>(ask: () => Promise<T>): Promise<T> =>
    alive(async () => {
      const answer = await ask();
      writes += 1;
      if (writes === at) throw new Died();
      return answer;
    });
  const face: KubeApi = {
    get: (...args) => alive(() => api.get(...args)),
    list: (...args) => alive(() => api.list(...args)),
    create: (...args) => writing(() => api.create(...args)),
    replace: (...args) => writing(() => api.replace(...args)),
    patch: (...args) => writing(() => api.patch(...args)),
    delete: (...args) => writing(() => api.delete(...args)),
    watch: (...args) => api.watch(...args),
    raw: (...args) => api.raw(...args),
  };
  return { api: face, writes: () => writes };
}

export class Died extends Error {}
