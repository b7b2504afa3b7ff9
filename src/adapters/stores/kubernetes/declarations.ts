// What people declared: the ReleasePolicy as it stands and the template in its Deployment. Each policy is claimed, so that
// it is not gone before its workload is given back. A spec that cannot be read starts nothing new: what is under way goes on
// by the policy it began with.
import { FIELD_MANAGER, FINALIZER } from '../../../cluster/names.ts';
import type { Deployment } from '../../../cluster/objects.ts';
import { lockOf } from '../../../cluster/places.ts';
import { type PodTemplate, templateImages, templateLabel } from '../../../cluster/revision.ts';
import type { ReleasePolicy } from '../../../core/model/policy.ts';
import type { Version } from '../../../core/model/version.ts';
import { isConflict, isNotFound, type KubeApi, type KubeObject, RELEASE_POLICIES } from '../../../kubernetes/index.ts';
import { describeError } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import type { Declaration } from '../../../ports/index.ts';
import type { Commands } from './commands.ts';
import {
  deploymentOf,
  factsIn,
  isUnderWay,
  lastVersion,
  namedDeployment,
  ownDeployment,
  type PolicyResource,
  type StateFacts,
} from './documents.ts';
import { otherDeployment, refusedPolicy } from './errors.ts';
import { letGo } from './letting-go.ts';
import { missingDeployment } from './missing.ts';
import { type Compiled, nameOf, type Policies, type StoreCaches } from './policies.ts';
import type { Templates } from './templates.ts';

export interface DeclarationsDeps {
  readonly api: KubeApi;
  readonly caches: StoreCaches;
  readonly policies: Policies;
  readonly templates: Templates;
  readonly commands: Commands;
  readonly compile: (object: KubeObject) => Compiled;
  readonly encodeDeclared: (policy: ReleasePolicy, version: Version) => string;
  readonly wallTime: () => string;
  readonly log: Log;
}

export class Declarations {
  readonly #deps: DeclarationsDeps;
  #generations = 0;

  constructor(deps: DeclarationsDeps) {
    this.#deps = deps;
  }

  async all(): Promise<readonly Declaration[]> {
    const { policies, log } = this.#deps;
    const found: Declaration[] = [];
    for (const policy of policies.keys()) {
      try {
        const declaration = await this.get(policy);
        if (declaration !== null) found.push(declaration);
      } catch (error) {
        // One that cannot be read keeps no other from being released (row 68).
        log.warn('policy not read', { policy, error });
      }
    }
    return found;
  }

  /** null: there is no such policy, or nothing yet of what it names. */
  async get(policy: string): Promise<Declaration | null> {
    const resource = await this.#deps.policies.known(policy);
    if (resource === null) return null;
    const isDeleted = resource.metadata.deletionTimestamp !== undefined;
    if (!isDeleted) await this.#claim(resource);
    const facts = factsIn(resource);
    const deployment = this.#deployment(resource, facts);
    const last = lastVersion(facts);
    if (last === null && (isDeleted || deployment === null)) {
      // Nothing was ever released by it: refused or not, there is nothing to give back.
      if (isDeleted) await this.finish(policy);
      else await this.#sayMissing(resource);
      return null;
    }
    const { compiled, isRefused } = this.#inForce(policy, resource, facts);
    const wanted = deployment === null ? null : this.#wanted(resource, { deployment, compiled, facts });
    const version = wanted !== null && isRefused && facts !== null ? whileRefused(facts, wanted) : (wanted ?? last);
    if (version === null) return null;
    return this.#declaration(resource, { compiled, version, removed: isDeleted || wanted === null });
  }

  /** Why the spec as it stands is refused; null if it is not. */
  refusal(policy: string): string | null {
    const resource = this.#deps.policies.get(policy);
    if (resource === null) return null;
    const { compiled } = this.#deps.policies.memory(resource);
    const result = this.#compile(resource, compiled?.own ?? null);
    return result.kind === 'refused' ? describeError(refusedPolicy(policy, result.errors[0])) : null;
  }

  /** Hands off, as the admission policies have it too. */
  isSuspended(policy: string): boolean {
    return this.#deps.policies.get(policy)?.status?.suspended === true;
  }

  /** The workload is given back: the policy may go, and what was asked of it goes with it. */
  async finish(policy: string): Promise<void> {
    const { api, policies, caches, commands } = this.#deps;
    const resource = policies.get(policy);
    const { finalizers = [], deletionTimestamp } = resource?.metadata ?? {};
    if (resource === null || deletionTimestamp === undefined || !finalizers.includes(FINALIZER)) return;
    await letGo(this.#deps, resource);
    await commands.forgetAll(policy);
    try {
      await this.#setFinalizers(
        resource,
        finalizers.filter((each) => each !== FINALIZER),
      );
      if ((await api.get(RELEASE_POLICIES, resource.metadata)) === null) caches.policies.noteDeleted(resource);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      caches.policies.noteDeleted(resource);
    }
  }

  async #claim(resource: PolicyResource): Promise<void> {
    const { finalizers = [] } = resource.metadata;
    if (finalizers.includes(FINALIZER)) return;
    try {
      const written = await this.#setFinalizers(resource, [...finalizers, FINALIZER]);
      this.#deps.policies.noteWritten(written);
    } catch (error) {
      // Somebody changed it this moment: the next look claims what is there then.
      if (isConflict(error)) await this.#deps.policies.reread(resource);
      throw error;
    }
  }

  #setFinalizers({ metadata }: PolicyResource, finalizers: readonly string[]): Promise<KubeObject> {
    const body = { metadata: { resourceVersion: metadata.resourceVersion, finalizers } };
    return this.#deps.api.patch(RELEASE_POLICIES, metadata, { type: 'merge', body }, { fieldManager: FIELD_MANAGER });
  }

  async #sayMissing(resource: PolicyResource): Promise<void> {
    const { api, policies, wallTime } = this.#deps;
    const status = missingDeployment(resource, wallTime());
    if (status === null) return;
    const patch = { type: 'merge', body: { status } } as const;
    const how = { subresource: 'status', fieldManager: FIELD_MANAGER } as const;
    policies.noteWritten(await api.patch(RELEASE_POLICIES, resource.metadata, patch, how));
  }

  #inForce(policy: string, resource: PolicyResource, facts: StateFacts | null) {
    const result = this.#compile(resource, ownDeployment(facts));
    if (result.kind === 'ok') return { compiled: result.policy, isRefused: false };
    const last = facts?.release?.policy;
    if (last === undefined) throw refusedPolicy(policy, result.errors[0]);
    return { compiled: last, isRefused: true };
  }

  /** @param own the Deployment that its record is about: it goes over to no other, which would get that one's template. */
  #compile(resource: PolicyResource, own: string | null): Compiled {
    const memory = this.#deps.policies.memory(resource);
    const generation = resource.metadata.generation ?? 0;
    if (memory.compiled?.generation === generation && memory.compiled.own === own) return memory.compiled.result;
    const policy = nameOf(resource);
    const named = namedDeployment(resource);
    let result = this.#deps.compile(resource);
    if (result.kind === 'ok' && own !== null && own !== named) {
      result = { kind: 'refused', errors: [otherDeployment(policy, { own, named })] };
    }
    memory.compiled = { generation, own, result };
    if (result.kind === 'refused') {
      this.#deps.log.warn('policy refused', { policy, problem: result.errors[0]?.problem });
    }
    return result;
  }

  #deployment(resource: PolicyResource, facts: StateFacts | null): Deployment | null {
    const { namespace = '' } = resource.metadata;
    const name = deploymentOf(resource, facts);
    const found = this.#deps.caches.deployments.get(namespace, name) as Deployment | undefined;
    return found === undefined || found.metadata.deletionTimestamp !== undefined ? null : found;
  }

  /** The version that its owner wants: what stands in the Deployment, or waits while another is restored. */
  #wanted(
    resource: PolicyResource,
    given: { readonly deployment: Deployment; readonly compiled: ReleasePolicy; readonly facts: StateFacts | null },
  ): Version {
    const { templates } = this.#deps;
    const { deployment, compiled, facts } = given;
    const container = compiled.workload.kind === 'deployment' ? compiled.workload.container : null;
    const versionOf = (template: PodTemplate): Version => ({
      revision: templates.revisionOf(template),
      label: templateLabel(template, container),
      template: { kind: 'deployment', images: templateImages(template) },
    });
    const lock = lockOf(deployment);
    if (lock?.verb === 'restore' && lock.waiting !== null) {
      const waiting = templates.get(nameOf(resource), lock.waiting);
      const known = waiting === null ? versionIn(facts, lock.waiting) : versionOf(waiting);
      if (known !== null) return known;
    }
    const { template } = deployment.spec;
    templates.remember(resource, template);
    return versionOf(template);
  }

  #declaration(
    resource: PolicyResource,
    given: { readonly compiled: ReleasePolicy; readonly version: Version; readonly removed: boolean },
  ): Declaration {
    const memory = this.#deps.policies.memory(resource);
    const { compiled, version, removed } = given;
    const document = this.#deps.encodeDeclared(compiled, version);
    const key = `${removed} ${document}`;
    if (memory.declared?.key === key) return memory.declared.declaration;
    this.#generations += 1;
    const declaration = { policy: nameOf(resource), document, generation: this.#generations, removed };
    memory.declared = { key, declaration };
    return declaration;
  }
}

/** Nothing new begins: what is under way goes on, anything else is as if nobody had asked for it. */
function whileRefused(facts: StateFacts, wanted: Version): Version {
  const isItsOwn = isUnderWay(facts) && facts.release?.to.revision === wanted.revision;
  return isItsOwn ? wanted : (facts.stable ?? wanted);
}

function versionIn(facts: StateFacts | null, revision: string): Version | null {
  if (facts === null) return null;
  const versions = [
    facts.release?.to,
    facts.waiting?.version,
    facts.stable,
    ...facts.known.map((each) => each.version),
  ];
  return versions.find((version) => version?.revision === revision) ?? null;
}
