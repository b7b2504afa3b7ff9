// A plain Deployment as a workload (deployment.md, ADR 0051). Stable runs in the Deployment that a policy names, which is
// left as its owner wrote it; a new version is tried in a second one beside it, and promoted by letting the first roll.
// It refuses to look while it is not sure what runs (rows 70, 71), and to take up a Deployment that would stop serving while
// it rolls, or whose new templates would not wait.

import type { Admission } from '../../cluster/admission.ts';
import { canaryOf, canaryRevision, isCanaryOf } from '../../cluster/canary-labels.ts';
import { canaryDeployment } from '../../cluster/canary-template.ts';
import { needSynced } from '../../cluster/looking.ts';
import { canaryName, FIELD_MANAGER, type Lock, type PolicyKey, policyKey } from '../../cluster/names.ts';
import type { Deployment, Pod, ReplicaSet, Service } from '../../cluster/objects.ts';
import { canarySlot, isRolledOut, placesOf, podsByRevision } from '../../cluster/places.ts';
import { type PodsOfVersion, seenPod } from '../../cluster/pods.ts';
import { type PodTemplate, templateRevision } from '../../cluster/revision.ts';
import { type NamespaceSelector, selectorsIn } from '../../cluster/selectors.ts';
import type { WantedVersion } from '../../core/model/effect.ts';
import type { WorkloadObservation } from '../../core/model/observed.ts';
import { spareRevision } from '../../core/model/observed.ts';
import type { DeploymentWorkload, ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import type { Version } from '../../core/model/version.ts';
import {
  type CacheReader,
  DEPLOYMENTS,
  type KubeApi,
  NETWORK_POLICIES,
  POD_DISRUPTION_BUDGETS,
  REPLICA_SETS,
} from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import type { Clock, Workload } from '../../ports/index.ts';
import { movedTag } from './deployment/digests.ts';
import {
  missing,
  nameTaken,
  noAdmission,
  notGivenBack,
  ownedBy,
  templateUnknown,
  unfitStrategy,
} from './deployment/errors.ts';
import { InTurn } from './deployment/in-turn.ts';
import { type Move, nextMove } from './deployment/moves.ts';
import { observed, observedAlone, type Seen } from './deployment/observed.ts';
import { type DeploymentWrite, DeploymentWrites, isOwned } from './deployment/writes.ts';

export interface DeploymentsDeps {
  readonly api: KubeApi;
  readonly caches: {
    readonly deployments: CacheReader;
    readonly replicaSets: CacheReader;
    readonly pods: CacheReader;
    readonly services: CacheReader;
  };
  /** Templates of versions, by revision: kept in the Release of each. */
  readonly templates: { get(policy: string, revision: Revision): PodTemplate | null };
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the cluster holds new templates, and lets this operator's own writes through. */
  readonly admission: () => Admission;
  /** Hands off: new templates of this policy do not wait. */
  readonly isSuspended: (policy: string) => boolean;
}

/** Writes of one call; each is seen at once, so that the next may follow from it. */
const MOST_MOVES = 6;

interface Look {
  readonly key: PolicyKey;
  readonly workload: DeploymentWorkload;
  readonly canary: Deployment | null;
  /** null: there is no Deployment of that name. */
  readonly seen: Seen | null;
}

export class Deployments implements Workload {
  readonly #deps: DeploymentsDeps;
  readonly #writes: DeploymentWrites;
  readonly #turns = new InTurn();

  constructor(deps: DeploymentsDeps) {
    this.#deps = deps;
    this.#writes = new DeploymentWrites(deps.api, (written) => deps.caches.deployments.noteWritten(written));
  }

  async observe(policy: ReleasePolicy): Promise<WorkloadObservation> {
    const { seen, canary, workload, key } = this.#look(policy);
    const nowMs = Date.parse(this.#deps.clock.now().wallTime);
    if (seen !== null) return observed(seen, nowMs);
    if (canary === null) return { versions: [] };
    return observedAlone(canarySlot(canary, this.#objects(key.namespace), null), workload.container, nowMs);
  }

  ensure(policy: ReleasePolicy, wanted: readonly WantedVersion[]): Promise<void> {
    return this.#turns.run(policy.name, async () => {
      const { seen } = this.#look(policy);
      if (seen !== null && !isTakenUp(seen)) this.#refuseUnfit(seen.deployment);
      const stable = wanted.find(({ role }) => role === 'stable');
      if (stable !== undefined) await this.#place(policy, stable.version.revision);
      const canary = wanted.find(({ role }) => role === 'canary');
      if (canary !== undefined) await this.#try(policy, canary);
    });
  }

  async retire(policy: ReleasePolicy, revisions: readonly Revision[]): Promise<void> {
    const { canary } = this.#look(policy);
    if (canary === null) return;
    const revision = canaryRevision(canary);
    // Once the same version serves in stable's place, only the spare one is meant by its own name.
    if (revisions.includes(revision) || revisions.includes(spareRevision(revision))) await this.#remove(canary);
  }

  async handBack(policy: ReleasePolicy, stable: Version | null): Promise<void> {
    const { seen, canary, workload } = this.#look(policy);
    if (seen !== null) {
      const template = this.#templateAfter(policy.name, seen, { stable, onRemoval: workload.onRemoval });
      const given = await this.#writes.onCurrent(seen.deployment, (live) => this.#writes.giveBack(live, template));
      await this.#writes.onCurrent(given, (live) => this.#writes.disown(live));
    }
    if (canary === null) return;
    const { spec, status } = seen?.deployment ?? {};
    if (spec !== undefined && (spec.replicas ?? 1) > 0 && (status?.availableReplicas ?? 0) === 0) {
      throw notGivenBack(`no replica of ${workload.deployment} is available, so its canary stays`);
    }
    await this.#remove(canary);
  }

  watch(policy: ReleasePolicy, changed: () => void): () => void {
    const { namespace } = policyKey(policy.name);
    const { deployment: name } = workloadOf(policy);
    const { deployments, replicaSets, pods } = this.#deps.caches;
    const names = [name, canaryName(name)];
    const isOurs = (object: { metadata: { namespace?: string; name: string } }) =>
      object.metadata.namespace === namespace && names.some((own) => object.metadata.name.startsWith(own));
    const tell = (object: { metadata: { namespace?: string; name: string } }) => {
      if (isOurs(object)) changed();
    };
    const stops = [deployments.onChange(tell), replicaSets.onChange(tell), pods.onChange(tell)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** The pods of each version, for metric sources. */
  podsOf(policy: ReleasePolicy): PodsOfVersion {
    const { key, seen } = this.#look(policy);
    const found = seen === null ? [] : [...podsByRevision(seen.places)];
    return {
      namespace: key.namespace,
      stable: seen?.places.stable.serving ?? null,
      canary: seen?.places.canary?.seenAs ?? null,
      byRevision: Object.fromEntries(found.map(([revision, pods]) => [revision, pods.map(seenPod)])),
    };
  }

  /** One move after the other, each from what the one before left. */
  async #place(policy: ReleasePolicy, wanted: Revision): Promise<void> {
    for (let moves = 0; moves < MOST_MOVES; moves += 1) {
      const { seen } = this.#look(policy);
      if (seen === null) return;
      const move = nextMove(seen.standing, wanted);
      if (move.kind === 'none') return;
      this.#deps.log.info('deployment', { policy: policy.name, move: move.kind, wanted });
      await this.#carryOut(policy, seen, move);
    }
  }

  async #carryOut(policy: ReleasePolicy, seen: Seen, move: Exclude<Move, { kind: 'none' }>): Promise<void> {
    if (move.kind === 'forget') return this.#forget(seen.deployment, move.sets);
    if (move.kind === 'promote' && seen.places.stable.lock === null) this.#refuseUnfit(seen.deployment);
    const write = this.#writeOf(policy.name, seen, move);
    await this.#writes.onCurrent(seen.deployment, write);
  }

  #writeOf(policy: string, seen: Seen, move: Exclude<Move, { kind: 'none' | 'forget' }>): DeploymentWrite {
    const writes = this.#writes;
    switch (move.kind) {
      case 'lift':
        return (live) => writes.lift(live);
      case 'hold':
        return (live) => writes.hold(live);
      case 'promote':
        return (live) => writes.promote(live, move.lock);
      case 'restore': {
        const template = this.#template(policy, move.lock.to, seen);
        return (live) => writes.restore(live, move.lock, template);
      }
      case 'pause':
        return (live) => writes.pause(live, { ...move.lock, halted: seen.moved ?? 'another image was started' });
      case 'finish': {
        const template = this.#templateThatWaited(policy, seen, move.lock);
        return (live) => (template === null ? writes.unlock(live) : writes.putBack(live, template));
      }
      case 'unlock':
        return (live) => writes.unlock(live);
      case 'mark':
        return (live) => writes.mark(live, move.isHolding);
      case 'disown':
        return (live) => writes.disown(live);
    }
  }

  #templateThatWaited(policy: string, seen: Seen, { verb, waiting }: Lock): PodTemplate | null {
    if (verb !== 'restore' || waiting === null || waiting === seen.places.stable.written) return null;
    const template = this.#knownTemplate(policy, waiting, seen);
    if (template === null) {
      this.#deps.log.warn('the template that waited is not known any more; apply it again', { policy, waiting });
    }
    return template;
  }

  async #forget({ metadata: { namespace = '' } }: Deployment, names: readonly string[]): Promise<void> {
    const { replicaSets } = this.#deps.caches;
    for (const name of names) {
      const set = replicaSets.get(namespace, name);
      if (set === undefined) continue;
      const { uid, resourceVersion } = set.metadata;
      await this.#deps.api.delete(REPLICA_SETS, { namespace, name }, defined({ uid, resourceVersion }));
      replicaSets.noteDeleted(set);
    }
  }

  /** The canary beside stable, of this version and size. Another version's is first retired. */
  async #try(policy: ReleasePolicy, { version: { revision }, replicas }: WantedVersion): Promise<void> {
    const { canary, seen, key, workload } = this.#look(policy);
    if (seen === null || revision === seen.places.stable.serving) return;
    if (canary !== null) {
      const isOther = canaryRevision(canary) !== revision;
      if (isOther || canary.metadata.deletionTimestamp !== undefined) return;
    } else {
      this.#refuseUnfit(seen.deployment);
    }
    const template = this.#template(policy.name, revision, seen);
    const request = {
      policy: key.name,
      workload,
      deployment: seen.deployment,
      template,
      revision,
      replicas,
      serviceSelector: this.#serviceSelector(policy, key.namespace),
      others: canary === null ? await this.#selectorsOf(key.namespace) : [],
      canary,
    };
    await this.#applyCanary(key.name, canaryDeployment(request), canary);
  }

  async #applyCanary(policy: string, object: Deployment, canary: Deployment | null): Promise<void> {
    if (canary !== null && isSameCanary(canary, object)) return;
    const at = { namespace: object.metadata.namespace, name: object.metadata.name };
    const { api, caches } = this.#deps;
    const live = canary ?? (await api.get<Deployment>(DEPLOYMENTS, at));
    if (live !== null && !isCanaryOf(live, policy)) throw nameTaken(at.name);
    // With its uid it is that very one which is changed, or none.
    const metadata = { ...object.metadata, ...defined({ uid: live?.metadata.uid }) };
    const patch = { type: 'apply', body: { ...object, metadata }, force: true } as const;
    const written = await api.patch<Deployment>(DEPLOYMENTS, at, patch, { fieldManager: FIELD_MANAGER });
    caches.deployments.noteWritten(written);
  }

  /** Who else selects pods in the namespace, and would miss a canary with other labels. Asked once a canary. */
  async #selectorsOf(namespace: string): Promise<readonly NamespaceSelector[]> {
    const kinds = [NETWORK_POLICIES, POD_DISRUPTION_BUDGETS];
    const lists = await Promise.all(kinds.map((kind) => this.#deps.api.list(kind, { namespace })));
    return lists.flatMap(({ items }, at) => items.flatMap((item) => selectorsIn(kinds[at]?.kind ?? '', item)));
  }

  #serviceSelector({ router }: ReleasePolicy, namespace: string): Readonly<Record<string, string>> {
    if (router.kind === 'gateway') return {};
    const service = this.#deps.caches.services.get(namespace, router.service) as Service | undefined;
    return service?.spec.selector ?? {};
  }

  async #remove(canary: Deployment): Promise<void> {
    const { namespace, name, uid, deletionTimestamp } = canary.metadata;
    if (deletionTimestamp !== undefined) return;
    const { api, caches } = this.#deps;
    await api.delete(DEPLOYMENTS, { namespace, name }, { ...defined({ uid }) });
    caches.deployments.noteDeleted(canary);
  }

  /** What stands in the Deployment when it is given back; null: what stands there already. */
  #templateAfter(policy: string, seen: Seen, wish: { stable: Version | null; onRemoval: string }): PodTemplate | null {
    const { written, serving, lock, isHeld } = seen.places.stable;
    if (lock === null && !isHeld) return null;
    const theirs = lock?.verb === 'restore' ? (lock.waiting ?? written) : written;
    const wanted = wish.onRemoval === 'letGo' ? theirs : (wish.stable?.revision ?? serving ?? written);
    if (wanted === written) return null;
    const template = this.#knownTemplate(policy, wanted, seen);
    if (template === null)
      this.#deps.log.warn('a template is not known any more, so it is not put back', { policy, wanted });
    return template;
  }

  #template(policy: string, revision: Revision, seen: Seen): PodTemplate {
    const template = this.#knownTemplate(policy, revision, seen);
    if (template === null) throw templateUnknown(revision);
    return template;
  }

  /** As it stands in the Deployment or in a set of it, to the letter (else its pods would start anew); or as it was kept. */
  #knownTemplate(policy: string, revision: Revision, { deployment, places }: Seen): PodTemplate | null {
    if (places.stable.written === revision) return deployment.spec.template;
    const own = places.stable.sets.filter((each) => each.revision === revision);
    const set = own.findLast(({ pods }) => pods.length > 0) ?? own.at(-1);
    return set === undefined ? this.#deps.templates.get(policy, revision) : withoutHash(set.set.spec.template);
  }

  #look(policy: ReleasePolicy): Look {
    const { caches, clock, isSuspended } = this.#deps;
    const { deployments, replicaSets, pods } = caches;
    needSynced({ deployments, replicaSets, pods }, clock.now());
    const key = policyKey(policy.name);
    const workload = workloadOf(policy);
    const canary = canaryOf(deployments, key, workload.deployment);
    const deployment = deployments.get(key.namespace, workload.deployment) as Deployment | undefined;
    if (deployment === undefined) return { key, workload, canary, seen: null };
    const places = placesOf({ deployment, canary, ...this.#objects(key.namespace) });
    const moved = movedTag(places);
    const standing = {
      slot: places.stable,
      isRolledOut: isRolledOut(deployment),
      isMoved: moved !== null,
      isSuspended: isSuspended(policy.name),
      isOwned: isOwned(deployment),
    };
    return { key, workload, canary, seen: { workload, deployment, places, standing, moved } };
  }

  #objects(namespace: string) {
    const { replicaSets, pods } = this.#deps.caches;
    return {
      replicaSets: replicaSets.list(namespace) as readonly ReplicaSet[],
      pods: pods.list(namespace) as readonly Pod[],
    };
  }

  /** Asked before anything begins, and never of the way back (I3). */
  #refuseUnfit({ metadata, spec }: Deployment): void {
    const admission = this.#deps.admission();
    if (admission.kind !== 'there') throw noAdmission(admission);
    const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner !== undefined) throw ownedBy(`${owner.kind} ${owner.name}`);
    const { type = 'RollingUpdate', rollingUpdate } = spec.strategy ?? {};
    if (type !== 'RollingUpdate') throw unfitStrategy(`strategy ${type}`);
    const most = rollingUpdate?.maxUnavailable;
    const replicas = spec.replicas ?? 1;
    const isAll = most === '100%' || (typeof most === 'number' && most > 0 && most >= replicas && replicas > 0);
    if (isAll) throw unfitStrategy(`maxUnavailable ${most} of ${replicas}`);
  }
}

/** Something of Haldane's is out there, which must not be left for a refusal; or its owner asked for hands off. */
function isTakenUp({ places: { stable, canary }, standing }: Seen): boolean {
  return canary !== null || stable.lock !== null || stable.isHeld || stable.isMarked || standing.isSuspended;
}

function isSameCanary(there: Deployment, wanted: Deployment): boolean {
  const isSize = there.spec.replicas === wanted.spec.replicas;
  return isSize && templateRevision(there.spec.template) === templateRevision(wanted.spec.template);
}

export function workloadOf({ workload, name }: ReleasePolicy): DeploymentWorkload {
  if (workload.kind === 'deployment') return workload;
  throw missing(`of ${name}: its workload is ${workload.kind}`);
}

function withoutHash({ metadata = {}, spec }: PodTemplate): PodTemplate {
  const { 'pod-template-hash': _hash, ...labels } = metadata.labels ?? {};
  return { metadata: { ...metadata, labels }, spec };
}

function defined<T extends object>(object: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };
}
