// Policies as cached, and what is remembered of each for as long as it is the same object: another of the same name begins
// with nothing. The first look at a policy asks the API server itself, since what an instance before this one wrote may not
// have been heard of here yet (row 71). What this one writes it has heard of.
import { keyOf, policyKey } from '../../../cluster/names.ts';
import type { PodTemplate } from '../../../cluster/revision.ts';
import type { ReleasePolicy } from '../../../core/model/policy.ts';
import {
  type CacheReader,
  DEPLOYMENTS,
  type KubeApi,
  type KubeObject,
  RELEASE_POLICIES,
} from '../../../kubernetes/index.ts';
import type { Declaration } from '../../../ports/index.ts';
import { deploymentOf, type PolicyResource } from './documents.ts';
import { notSynced } from './errors.ts';

export type Compiled =
  | { readonly kind: 'ok'; readonly policy: ReleasePolicy }
  | { readonly kind: 'refused'; readonly errors: readonly { path: string; problem: string; fix: string }[] };

export interface StoreCaches {
  readonly policies: CacheReader;
  readonly releases: CacheReader;
  readonly commands: CacheReader;
  readonly deployments: CacheReader;
  readonly replicaSets: CacheReader;
}

export interface PolicyMemory {
  readonly uid: string;
  /** Resolves when the API server itself was asked. */
  met: Promise<void> | null;
  /** The record of which everything owed was written. */
  flushed: number | null;
  /** `own`: the Deployment that its record is about. */
  compiled: { readonly generation: number; readonly own: string | null; readonly result: Compiled } | null;
  declared: { readonly key: string; readonly declaration: Declaration } | null;
  /** By revision, as last declared; the newest last. */
  readonly templates: Map<string, PodTemplate>;
}

export class Policies {
  readonly #api: KubeApi;
  readonly #caches: StoreCaches;
  readonly #memories = new Map<string, PolicyMemory>();

  constructor(api: KubeApi, caches: StoreCaches) {
    this.#api = api;
    this.#caches = caches;
    caches.policies.onChange((resource, change) => {
      if (change === 'deleted') this.#memories.delete(nameOf(resource));
    });
  }

  get(policy: string): PolicyResource | null {
    const { namespace, name } = policyKey(policy);
    return (this.#caches.policies.get(namespace, name) ?? null) as PolicyResource | null;
  }

  keys(): readonly string[] {
    this.#refuseUnsynced();
    return this.#caches.policies.list().map(nameOf);
  }

  /** As good as the API server's own answer. */
  async known(policy: string): Promise<PolicyResource | null> {
    this.#refuseUnsynced();
    const resource = this.get(policy);
    if (resource === null) return null;
    const memory = this.memory(resource);
    memory.met ??= this.#meet(resource).catch((error) => {
      memory.met = null;
      throw error;
    });
    await memory.met;
    return this.get(policy);
  }

  memory({ metadata }: PolicyResource): PolicyMemory {
    const { namespace = '', name, uid = '' } = metadata;
    const key = keyOf({ namespace, name });
    const before = this.#memories.get(key);
    if (before?.uid === uid) return before;
    const memory = { uid, met: null, flushed: null, compiled: null, declared: null, templates: new Map() };
    this.#memories.set(key, memory);
    return memory;
  }

  noteWritten(resource: KubeObject): void {
    this.#caches.policies.noteWritten(resource);
  }

  /** Another has written, or the object may be gone: what the API server says is noted. */
  async reread(resource: PolicyResource): Promise<void> {
    const live = await this.#api.get(RELEASE_POLICIES, resource.metadata);
    if (live === null) this.#caches.policies.noteDeleted(resource);
    else this.#caches.policies.noteWritten(live);
  }

  async #meet(resource: PolicyResource): Promise<void> {
    await this.reread(resource);
    const { namespace } = resource.metadata;
    const met = this.get(nameOf(resource)) ?? resource;
    const name = deploymentOf(met);
    if (name === '') return;
    const deployment = await this.#api.get(DEPLOYMENTS, { namespace, name });
    if (deployment !== null) this.#caches.deployments.noteWritten(deployment);
  }

  #refuseUnsynced(): void {
    if (Object.values(this.#needed()).some(({ isSynced }) => !isSynced)) throw notSynced();
  }

  #needed() {
    const { policies, releases, commands, deployments, replicaSets } = this.#caches;
    return { policies, releases, commands, deployments, replicaSets };
  }
}

export function nameOf({ metadata: { namespace = '', name } }: KubeObject): string {
  return keyOf({ namespace, name });
}
