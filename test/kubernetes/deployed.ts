/**
 * A Deployment that is released on a real cluster: the workload with the rights of the installation (its service account's
 * token), admission as installed, people who deploy, and users who never stop asking. It refuses a cluster without kubectl.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/adapters/clock/system.ts';
import { Deployments } from '../../src/adapters/workloads/deployment.ts';
import type { Deployment, Pod, ReplicaSet } from '../../src/cluster/objects.ts';
import { type PodTemplate, templateImages, templateLabel, templateRevision } from '../../src/cluster/revision.ts';
import type { StablePlace } from '../../src/core/model/observed.ts';
import type { DeploymentWorkload, ReleasePolicy } from '../../src/core/model/policy.ts';
import type { Version } from '../../src/core/model/version.ts';
import {
  clusterConfigOf,
  DEPLOYMENTS,
  HttpKubeApi,
  type KubeObject,
  PODS,
  REPLICA_SETS,
  ResourceCache,
  SERVICES,
} from '../../src/kubernetes/index.ts';
import { HaldaneError } from '../../src/lib/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import { samplePolicy } from '../../src/ports/doubles/index.ts';
import { must, Namespace } from './cluster.ts';

const KINDS = { deployments: DEPLOYMENTS, replicaSets: REPLICA_SETS, pods: PODS, services: SERVICES } as const;

interface More {
  readonly replicas?: number;
  readonly minReadySeconds?: number;
  /** Of the pods. */
  readonly spec?: object;
}

export function manifest(image: string, more: More = {}): object {
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, initialDelaySeconds: 0 };
  const containers = [{ name: 'app', image, ports: [{ containerPort: 8080 }], readinessProbe: probe }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      replicas: more.replicas ?? 3,
      minReadySeconds: more.minReadySeconds ?? 0,
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: { containers, terminationGracePeriodSeconds: 5, ...more.spec },
      },
    },
  };
}

export class Deployed {
  readonly space = new Namespace('workload-test');
  readonly kept = new Map<string, PodTemplate>();
  readonly policy: ReleasePolicy;
  #api: HttpKubeApi | null = null;
  #caches: Readonly<Record<keyof typeof KINDS, ResourceCache<KubeObject>>> | null = null;
  #workload: Deployments | null = null;

  constructor(more: Partial<DeploymentWorkload> = {}) {
    this.policy = samplePolicy(`${this.space.name}/shop`, {
      workload: {
        kind: 'deployment',
        deployment: 'shop',
        container: null,
        pods: 'isolated',
        label: null,
        onRemoval: 'restore',
        ...more,
      },
      router: { kind: 'replicaShare', service: 'shop' },
    });
  }

  get workload(): Deployments {
    if (this.#workload === null) throw new Error('not started');
    return this.#workload;
  }

  async start(first: object = manifest('app:v1')): Promise<Version> {
    this.space.create();
    this.space.must(['create', 'service', 'clusterip', 'shop', '--tcp=80:8080']);
    this.gitApplies(first);
    this.space.must(['rollout', 'status', 'deployment/shop', '--timeout=60s']);
    const token = must(['create', 'token', 'haldane', '-n', 'haldane-system']).trim();
    const config = clusterConfigOf({ kubeconfig: null, context: null, env: process.env });
    const credentials = { get: async () => ({ token }) };
    const api = new HttpKubeApi({ config: { ...config, credentials }, userAgent: 'haldane-test' });
    const clock = {
      now: () => systemClock.now().monotonicMs,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal),
    };
    const namespace = this.space.name;
    const entries = Object.entries(KINDS).map(([name, resource]) => {
      const cache = new ResourceCache({ api, resource, namespace, clock, random: Math.random, log: silentLog });
      return [name, cache];
    });
    const caches = Object.fromEntries(entries) as Readonly<Record<keyof typeof KINDS, ResourceCache<KubeObject>>>;
    for (const cache of Object.values(caches)) cache.start();
    await Promise.all(Object.values(caches).map((cache) => cache.whenSynced()));
    this.#api = api;
    this.#caches = caches;
    this.#workload = new Deployments({
      api,
      caches,
      templates: { get: (_policy, revision) => this.kept.get(revision) ?? null },
      clock: systemClock,
      log: silentLog,
      admission: () => ({ kind: 'there' }),
      isSuspended: () => false,
    });
    const version = this.declared();
    await this.until(version);
    return version;
  }

  async end(): Promise<void> {
    for (const cache of Object.values(this.#caches ?? {})) await cache.stop();
    this.space.remove();
    await this.#api?.close();
  }

  read(): Deployment {
    return this.space.read<Deployment>('deployment', 'shop');
  }

  /** The version that stands in the Deployment; its Release keeps the template. */
  declared(): Version {
    const { template } = this.read().spec;
    const revision = templateRevision(template);
    this.kept.set(revision, template);
    return {
      revision,
      label: templateLabel(template, null),
      template: { kind: 'deployment', images: templateImages(template) },
    };
  }

  setImage(image: string): Version {
    this.space.must(['set', 'image', 'deployment/shop', `app=${image}`]);
    return this.declared();
  }

  gitApplies(object: object, options: readonly string[] = []): string {
    return this.space.must(['apply', '--server-side', '--field-manager=git', ...options, '-f', '-'], { input: object });
  }

  async place(): Promise<StablePlace> {
    const { place } = await this.workload.observe(this.policy);
    if (place === undefined) throw new Error('there is no place');
    return place;
  }

  /** One look of the engine that wants this in stable's place; what somebody else changed meanwhile is looked at again. */
  async ask(version: Version): Promise<void> {
    try {
      await this.workload.ensure(this.policy, [{ version, replicas: 3, role: 'stable' }]);
    } catch (error) {
      if (!(error instanceof HaldaneError && error.retry === 'now')) throw error;
    }
  }

  tryOut(version: Version, replicas = 1): Promise<void> {
    return this.workload.ensure(this.policy, [{ version, replicas, role: 'canary' }]);
  }

  async until(version: Version, limitMs = 90_000): Promise<void> {
    await this.heard();
    await eventually(`${version.label} in its place, at rest`, limitMs, async () => {
      const place = await this.place();
      if (place.serving === version.revision && place.heading === version.revision && place.isSettled) return true;
      await this.ask(version);
      return false;
    });
  }

  /** What was written by others is known here. */
  async heard(): Promise<void> {
    const { generation } = this.read().metadata;
    const known = () => this.#caches?.deployments.get(this.space.name, 'shop')?.metadata.generation;
    await eventually('what was written is heard of', 30_000, () => known() === generation);
  }

  /** One replica of it. */
  async untilReady(version: Version): Promise<void> {
    await eventually(`${version.label} is ready`, 60_000, async () => {
      const { versions } = await this.workload.observe(this.policy);
      return versions.find(({ revision }) => revision === version.revision)?.ready === 1;
    });
  }

  /** Asks until it is so. */
  async untilAsked(version: Version, what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
    await this.heard();
    await eventually(what, 60_000, async () => {
      if (await condition()) return true;
      await this.ask(version);
      return false;
    });
  }

  /** Sets that have no pods are gone, as revisionHistoryLimit would have it. */
  forgetSets(): void {
    const { items } = JSON.parse(this.space.must(['get', 'replicasets', '-o', 'json'])) as {
      readonly items: readonly ReplicaSet[];
    };
    const empty = items.filter(({ spec }) => spec.replicas === 0).map(({ metadata }) => metadata.name);
    this.space.must(['delete', 'replicasets', ...empty]);
  }

  async handBack(stable: Version): Promise<void> {
    await this.heard();
    await this.workload.handBack(this.policy, stable);
  }

  /** Images of the pods that are not on their way out, sorted. */
  images(of = 'shop'): readonly string[] {
    const text = this.space.must(['get', 'pods', '-o', 'json']);
    const { items } = JSON.parse(text) as { readonly items: readonly Pod[] };
    const own = items.filter(({ metadata }) => new RegExp(`^${of}-[0-9a-f]{6,10}-[a-z0-9]{5}$`).test(metadata.name));
    const alive = own.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return alive.map(({ spec }) => (spec.containers?.[0] as { image?: string } | undefined)?.image ?? '').sort();
  }
}

export async function eventually(what: string, limitMs: number, look: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs) {
    if (await look()) return;
    await delay(200);
  }
  throw new Error(`never: ${what}`);
}
