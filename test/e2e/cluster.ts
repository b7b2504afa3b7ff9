// The cluster as its administrator sees it: what stands in for kubectl in the scenarios, and git in the hands of a delivery
// tool. It reaches whatever KUBECONFIG names, and refuses to know more of that cluster than that.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import {
  clusterConfigOf,
  HttpKubeApi,
  isNotFound,
  type KubeObject,
  NAMESPACES,
  RELEASE_POLICIES,
  type Resource,
} from '../../src/kubernetes/index.ts';
import { ROOT } from '../../tools/run.ts';

export type Json = Readonly<Record<string, unknown>>;
export type Made = KubeObject & { readonly apiVersion: string; readonly kind: string };

/** What is read of objects here, and nothing else. */
export interface DeploymentObject extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly paused?: boolean;
    readonly template: {
      readonly metadata: { readonly labels?: Json; readonly annotations?: Json };
      readonly spec: { readonly containers: readonly { readonly image: string; readonly env?: readonly Json[] }[] };
    };
  };
  readonly status?: {
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly observedGeneration?: number;
  };
}

export interface PodObject extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status?: {
    readonly podIP?: string;
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const OF_THE_CLUSTER = [
  'Namespace',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
];

export function resourceOf({ apiVersion, kind }: Pick<Made, 'apiVersion' | 'kind'>): Resource {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const lower = kind.toLowerCase();
  const plural = lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : lower.endsWith('s') ? `${lower}es` : `${lower}s`;
  return { group, version, plural, kind, namespaced: !OF_THE_CLUSTER.includes(kind) };
}

export function imageTag(image: string): string {
  return image.slice(image.lastIndexOf(':') + 1);
}

export class Cluster {
  readonly api: HttpKubeApi;
  readonly config = clusterConfigOf({ kubeconfig: null, context: null, env: process.env });

  constructor() {
    this.api = new HttpKubeApi({ config: this.config, userAgent: 'haldane-e2e', callLimitMs: 5_000 });
  }

  /** As git tools apply: the manager owns what it says. */
  apply(object: Made, manager = 'git', force = false): Promise<KubeObject> {
    const patch = { type: 'apply', body: object, force } as const;
    return this.api.patch(resourceOf(object), object.metadata, patch, { fieldManager: manager });
  }

  async applyAll(objects: readonly Made[], manager = 'git'): Promise<void> {
    for (const object of objects) await this.apply(object, manager, true);
  }

  /** The manifests of a file of this repository. */
  async manifests(path: string): Promise<readonly Made[]> {
    const text = await readFile(join(ROOT, path), 'utf8');
    return parseAllDocuments(text)
      .map((document) => document.toJS() as Made | null)
      .filter((object) => object !== null);
  }

  /** A namespace of its own for a scenario; one of the same name goes first. */
  async freshNamespace(name: string): Promise<void> {
    await this.dropNamespace(name);
    await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  /** Policies that no controller gives back any more would keep it for ever. */
  async dropNamespace(name: string): Promise<void> {
    const { items } = await this.api.list(RELEASE_POLICIES, { namespace: name });
    for (const { metadata } of items) {
      const patch = { type: 'merge', body: { metadata: { finalizers: null } } } as const;
      await this.api.patch(RELEASE_POLICIES, metadata, patch);
    }
    await this.api.delete(NAMESPACES, { name });
    await until(`the namespace ${name} is gone`, 120_000, async () => (await this.#find(NAMESPACES, name)) === null);
  }

  /** A token of a service account: exactly its rights. */
  async token(namespace: string, name: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 7_200 },
    };
    const made = await this.api.raw<{ readonly status: { readonly token: string } }>('POST', path, body);
    return made.status.token;
  }

  async #find(resource: Resource, name: string): Promise<KubeObject | null> {
    try {
      return await this.api.get(resource, { name });
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }
}

export class NotSo extends Error {}

/** Looks again and again; in the end it says what did not come. Looks that fail are looked again, as after an outage. */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | null | false | undefined>,
  otherwise: () => Promise<string> = async () => '',
): Promise<T> {
  const endMs = performance.now() + withinMs;
  let trouble = '';
  for (;;) {
    try {
      const found = await look();
      if (found !== null && found !== false && found !== undefined) return found;
      trouble = '';
    } catch (error) {
      if (error instanceof NotSo) throw error;
      trouble = ` (${error instanceof Error ? error.message : String(error)})`;
    }
    if (performance.now() > endMs) {
      throw new NotSo(`not within ${Math.round(withinMs / 1_000)} s: ${what}${trouble}; ${await otherwise()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
