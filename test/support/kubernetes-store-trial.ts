// What the tests of the store in the API server share: an API server, caches over it, and stores as one instance after
// another would open them. Policies are read as written, by a stand-in for the compiler that takes everything but `refused`.

import type { PolicyResource } from '../../src/adapters/stores/kubernetes/documents.ts';
import type { Compiled, StoreCaches } from '../../src/adapters/stores/kubernetes/policies.ts';
import { KubernetesStore } from '../../src/adapters/stores/kubernetes.ts';
import type { Admission } from '../../src/cluster/admission.ts';
import { type PodTemplate, templateRevision } from '../../src/cluster/revision.ts';
import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import { MemoryKubeApi } from '../../src/kubernetes/doubles/index.ts';
import {
  apiVersionOf,
  DEPLOYMENTS,
  type KubeApi,
  type KubeObject,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
  REPLICA_SETS,
  ResourceCache,
} from '../../src/kubernetes/index.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { StateChange } from '../../src/ports/index.ts';

const KINDS = {
  policies: RELEASE_POLICIES,
  releases: RELEASES,
  commands: RELEASE_COMMANDS,
  deployments: DEPLOYMENTS,
  replicaSets: REPLICA_SETS,
} as const;

type Caches = StoreCaches & Readonly<Record<keyof typeof KINDS, ResourceCache<KubeObject>>>;

export interface Instance {
  readonly store: KubernetesStore;
  readonly caches: Caches;
  stop(): Promise<void>;
}

export const SPEC: Readonly<Record<string, unknown>> = {
  workload: { deployment: { name: 'shop' } },
  router: { replicaShare: { service: 'shop' } },
  metrics: { pods: {} },
};

export class StoreTrial {
  readonly api: KubeApi;
  readonly namespace: string;
  wallMs = Date.UTC(2026, 0, 1);
  compile: (object: KubeObject) => Compiled = compiled;
  stamp: Admission = { kind: 'there' };

  constructor(api: KubeApi = new MemoryKubeApi(), namespace = 'a') {
    this.api = api;
    this.namespace = namespace;
  }

  get memory(): MemoryKubeApi {
    return this.api as MemoryKubeApi;
  }

  /** As an instance that begins: nothing is remembered. */
  async open(api: KubeApi = this.api): Promise<Instance> {
    const entries = Object.entries(KINDS).map(([name, resource]) => [name, this.#cache(api, resource)]);
    const caches = Object.fromEntries(entries) as unknown as Caches;
    const all = Object.keys(KINDS).map((name) => caches[name as keyof typeof KINDS]);
    for (const cache of all) cache.start();
    await Promise.all(all.map((cache) => cache.whenSynced()));
    const store = new KubernetesStore({
      api,
      caches,
      compile: (object) => this.compile(object),
      encodeDeclared: (policy, version) => JSON.stringify({ policy, version }),
      wallTime: () => new Date(this.wallMs).toISOString(),
      stamp: () => this.stamp,
      log: silentLog,
    });
    return { store, caches, stop: async () => void (await Promise.all(all.map((cache) => cache.stop()))) };
  }

  #cache(api: KubeApi, resource: (typeof KINDS)[keyof typeof KINDS]): ResourceCache<KubeObject> {
    const sleep = async (ms: number, signal?: AbortSignal) => {
      if (signal?.aborted !== true) await new Promise((resolve) => setTimeout(resolve, Math.min(ms, 10)).unref());
    };
    return new ResourceCache<KubeObject>({
      api,
      resource,
      namespace: this.namespace,
      clock: { now: () => performance.now(), sleep },
      random: () => 0,
      log: silentLog,
    });
  }

  async policy(name = 'shop', spec: unknown = SPEC): Promise<PolicyResource> {
    const metadata = { namespace: this.namespace, name };
    return this.api.create(RELEASE_POLICIES, { ...heading(RELEASE_POLICIES), metadata, spec });
  }

  async deployment(
    name = 'shop',
    image = 'app:v1',
    labels: Readonly<Record<string, string>> = {},
  ): Promise<KubeObject> {
    const metadata = { namespace: this.namespace, name };
    const selector = { matchLabels: { app: name } };
    const spec = { replicas: 0, selector, template: template(name, image, labels) };
    return this.api.create(DEPLOYMENTS, { ...heading(DEPLOYMENTS), metadata, spec });
  }

  async setImage(image: string, name = 'shop'): Promise<KubeObject> {
    const body = { spec: { template: { spec: { containers: [{ name: 'app', image }] } } } };
    return this.api.patch(DEPLOYMENTS, { namespace: this.namespace, name }, { type: 'merge', body });
  }

  async command(spec: object): Promise<KubeObject> {
    const metadata = { namespace: this.namespace, name: '', generateName: 'command-' };
    const { name: _name, ...rest } = metadata;
    const object = { ...heading(RELEASE_COMMANDS), metadata: rest, spec: { policy: 'shop', ...spec } };
    return this.api.create(RELEASE_COMMANDS, object as unknown as KubeObject);
  }

  async read(name = 'shop'): Promise<PolicyResource | null> {
    return this.api.get<PolicyResource>(RELEASE_POLICIES, { namespace: this.namespace, name });
  }

  /** Caches hear of what was written. */
  async heard(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

export function template(name: string, image: string, labels: Readonly<Record<string, string>> = {}): PodTemplate {
  return { metadata: { labels: { app: name, ...labels } }, spec: { containers: [{ name: 'app', image }] } };
}

export function versionOf(image: string) {
  const revision = templateRevision(template('shop', image));
  return { revision, label: image.split(':')[1] ?? '', template: { kind: 'deployment', images: [['app', image]] } };
}

interface ReleaseText {
  readonly number: number;
  readonly to: string;
  readonly phase?: string;
  readonly endedAt?: string | null;
}

/** A release with what the store reads of it. */
export function releaseOf({ number, to, phase = 'testing', endedAt = null }: ReleaseText) {
  return {
    number,
    to: versionOf(to),
    from: versionOf('app:v1'),
    policy: { name: 'a/shop', workload: { kind: 'deployment', deployment: 'shop', container: null }, frozen: number },
    phase:
      phase === 'ended'
        ? { kind: phase, outcome: { kind: 'promoted', sentence: 'no harm was found' } }
        : { kind: phase },
    weightPercent: 5,
    baseReplicas: 4,
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt,
    verdicts: [{ check: 'errors', outcome: 'undecided' }],
  };
}

export function stateOf(release: object | null, more: object = {}): string {
  return JSON.stringify({ stable: versionOf('app:v1'), release, suspended: null, waiting: null, known: [], ...more });
}

export function change(expectedVersion: number, rest: Partial<StateChange> = {}): StateChange {
  const base = { policy: 'a/shop', expectedVersion, state: stateOf(null), journal: [], releases: [], answers: [] };
  return { ...base, keepReleases: 3, ...rest };
}

/** A decision in a release: state, document and one line of the journal. */
export function step(expectedVersion: number, release: ReleaseText, rest: Partial<StateChange> = {}): StateChange {
  const whole = releaseOf(release);
  const id = `a/shop-${release.number}`;
  const wallTime = new Date(Date.UTC(2026, 0, 1) + expectedVersion * 1_000).toISOString();
  return change(expectedVersion, {
    state: stateOf(whole),
    journal: [{ release: id, wallTime, document: JSON.stringify({ sentence: `decision ${expectedVersion + 1}` }) }],
    releases: [{ id, document: JSON.stringify({ schema: 2, release: whole }) }],
    ...rest,
  });
}

function heading(resource: typeof DEPLOYMENTS) {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind };
}

function compiled({ metadata, spec }: KubeObject): Compiled {
  const { refused, workload, ...rest } = spec as { refused?: string; workload?: { deployment?: { name?: string } } };
  if (refused !== undefined) return { kind: 'refused', errors: [{ path: 'spec', problem: refused, fix: 'mend it' }] };
  const deployment = workload?.deployment?.name ?? '';
  const policy = {
    name: `${metadata.namespace}/${metadata.name}`,
    workload: { kind: 'deployment', deployment, container: null },
    spec: rest,
  };
  return { kind: 'ok', policy: policy as unknown as ReleasePolicy };
}
