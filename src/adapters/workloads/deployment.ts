// A plain Deployment as a workload (deployment.md, ADR 0051). Stable runs in the Deployment that a policy names, which is
// left as its owner wrote it; a new version is tried in a second one beside it, and promoted by letting the first roll.
// It refuses to look while it is not sure what runs (rows 70, 71), and a Deployment that would stop serving while it rolls.
import { canaryDeployment } from '../../cluster/canary-template.ts';
import { canaryName, FIELD_MANAGER, type PolicyKey, policyKey } from '../../cluster/names.ts';
import type { Deployment, Pod, ReplicaSet, Service } from '../../cluster/objects.ts';
import { isRolledOut, type Places, placesOf, podsByRevision } from '../../cluster/places.ts';
import { type PodsOfVersion, seenPod } from '../../cluster/pods.ts';
import { type PodTemplate, templateRevision } from '../../cluster/revision.ts';
import type { WantedVersion } from '../../core/model/effect.ts';
import type { WorkloadObservation } from '../../core/model/observed.ts';
import { spareRevision } from '../../core/model/observed.ts';
import type { DeploymentWorkload, ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import type { Version } from '../../core/model/version.ts';
import { type CacheReader, DEPLOYMENTS, type KubeApi, REPLICA_SETS } from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import type { Clock, Workload } from '../../ports/index.ts';
import { movedTag } from './deployment/digests.ts';
import {
  DeploymentError,
  missing,
  noAdmission,
  notGivenBack,
  notSynced,
  templateUnknown,
  unfitStrategy,
} from './deployment/errors.ts';
import { type Move, nextMove } from './deployment/moves.ts';
import { observed } from './deployment/observed.ts';
import { DeploymentWrites } from './deployment/writes.ts';

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
  /** Whether the cluster holds new templates; false where the admission policy is not installed. */
  readonly hasAdmission: () => boolean;
  /** Hands off: new templates of this policy do not wait. */
  readonly isSuspended: (policy: string) => boolean;
}

interface Look {
  readonly key: PolicyKey;
  readonly workload: DeploymentWorkload;
  /** null: there is none. */
  readonly deployment: Deployment | null;
  readonly canary: Deployment | null;
  readonly places: Places | null;
  /** Containers whose tag names another image than the one that was analysed. */
  readonly moved: string | null;
  readonly isSuspended: boolean;
}

export class Deployments implements Workload {
  readonly #deps: DeploymentsDeps;
  readonly #writes: DeploymentWrites;

  constructor(deps: DeploymentsDeps) {
    this.#deps = deps;
    this.#writes = new DeploymentWrites(deps.api, (written) => deps.caches.deployments.noteWritten(written));
  }

  async observe(policy: ReleasePolicy): Promise<WorkloadObservation> {
    const look = this.#look(policy);
    if (look.deployment !== null) this.#refuseUnfit(look.deployment);
    return observed(look, Date.parse(this.#deps.clock.now().wallTime));
  }

  async ensure(policy: ReleasePolicy, wanted: readonly WantedVersion[]): Promise<void> {
    const look = this.#look(policy);
    const { deployment, places } = look;
    if (deployment === null || places === null) return;
    this.#refuseUnfit(deployment);
    const stable = wanted.find(({ role }) => role === 'stable');
    if (stable !== undefined) await this.#place(policy, look, stable.version.revision);
    const canary = wanted.find(({ role }) => role === 'canary');
    if (canary !== undefined && canary.version.revision !== places.stable.serving) {
      await this.#try(policy, { ...look, deployment, places }, canary);
    }
  }

  async retire(policy: ReleasePolicy, revisions: readonly Revision[]): Promise<void> {
    const { canary, places } = this.#look(policy);
    if (canary === null) return;
    const revision = canary.metadata.labels?.['haldane.dev/revision'] ?? '';
    const named = revisions.includes(places?.canary?.seenAs ?? revision) || revisions.includes(revision);
    // The same version in stable's place is not what is retired, unless the spare one is named.
    if (named || revisions.includes(spareRevision(revision))) await this.#remove(canary);
  }

  async handBack(policy: ReleasePolicy, stable: Version | null): Promise<void> {
    const look = this.#look(policy);
    const { deployment, places, canary, workload } = look;
    if (deployment !== null && places !== null) {
      const { lock, isPaused, written, serving } = places.stable;
      const wanted = stable?.revision ?? serving ?? written;
      if (lock !== null) {
        await this.#place(policy, look, workload.onRemoval === 'letGo' && lock.verb === 'promote' ? lock.to : wanted);
        throw notGivenBack(`${deployment.metadata.name} is rolled`);
      }
      if (isPaused && (written === serving || workload.onRemoval === 'letGo')) {
        await this.#writes.disown(await this.#writes.lift(deployment));
      } else if (isPaused) {
        const template = this.#template(policy.name, wanted, look);
        await this.#writes.restore(deployment, { verb: 'restore', serving, to: wanted, waiting: null }, template);
        throw notGivenBack(`${deployment.metadata.name} gets its last good template back`);
      }
      const { namespace, name } = deployment.metadata;
      await this.#writes.mark(await this.#writes.fresh({ namespace: namespace ?? '', name }), false);
    }
    if (canary !== null) await this.#remove(canary);
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
    const { key, places } = this.#look(policy);
    const byRevision: Record<Revision, ReturnType<typeof seenPod>[]> = {};
    if (places !== null) {
      for (const [revision, pods] of podsByRevision(places)) byRevision[revision] = pods.map(seenPod);
    }
    return {
      namespace: key.namespace,
      stable: places?.stable.serving ?? null,
      canary: places?.canary?.seenAs ?? null,
      byRevision,
    };
  }

  async #place(policy: ReleasePolicy, look: Look, wanted: Revision): Promise<void> {
    const { deployment, places, moved } = look;
    if (deployment === null || places === null) return;
    if (moved !== null && deployment.spec.paused !== true && places.stable.lock?.to === wanted) {
      // Another image than the one analysed: it stops where it is, until the deadline takes it back (I4).
      await this.#writes.pause(deployment);
      return;
    }
    const move = nextMove(places.stable, wanted, isRolledOut(deployment));
    if (move.kind === 'none' && places.stable.isMarked === look.isSuspended) {
      await this.#writes.mark(deployment, !look.isSuspended);
      return;
    }
    if (move.kind !== 'none') this.#deps.log.info('deployment', { policy: policy.name, move: move.kind, wanted });
    await this.#carryOut(policy, look, move);
  }

  async #carryOut(policy: ReleasePolicy, look: Look, move: Move): Promise<void> {
    const { deployment, key } = look;
    if (deployment === null) return;
    switch (move.kind) {
      case 'none':
        return;
      case 'lift':
        await this.#writes.disown(await this.#writes.lift(deployment));
        return;
      case 'hold':
        await this.#writes.disown(await this.#writes.hold(deployment));
        return;
      case 'promote':
        await this.#writes.promote(deployment, move.lock);
        return;
      case 'restore':
        await this.#writes.restore(deployment, move.lock, this.#template(policy.name, move.lock.to, look));
        return;
      case 'forget':
        for (const name of move.sets) await this.#forget(key.namespace, name);
        return;
      case 'finish':
        return this.#finish(policy, look, move.lock.verb === 'restore' ? move.lock.waiting : null);
    }
  }

  async #finish(policy: ReleasePolicy, look: Look, waiting: Revision | null): Promise<void> {
    const { deployment, places } = look;
    if (deployment === null || places === null) return;
    if (waiting === null || waiting === places.stable.written) {
      await this.#writes.disown(await this.#writes.unlock(deployment));
      return;
    }
    await this.#writes.putBack(deployment, this.#template(policy.name, waiting, look));
  }

  async #forget(namespace: string, name: string): Promise<void> {
    const seen = this.#deps.caches.replicaSets.get(namespace, name) as ReplicaSet | undefined;
    if (seen === undefined) return;
    const { uid, resourceVersion } = seen.metadata;
    await this.#deps.api.delete(REPLICA_SETS, { namespace, name }, { ...defined({ uid, resourceVersion }) });
    this.#deps.caches.replicaSets.noteDeleted(seen);
  }

  /** The canary beside stable, of this version and size. Another version's is first retired. */
  async #try(
    policy: ReleasePolicy,
    look: Look & { readonly deployment: Deployment; readonly places: Places },
    { version, replicas }: WantedVersion,
  ): Promise<void> {
    const { revision } = version;
    const { canary, deployment, key } = look;
    if (canary !== null) {
      const isOther = canary.metadata.labels?.['haldane.dev/revision'] !== revision;
      if (isOther || canary.metadata.deletionTimestamp !== undefined || canary.spec.replicas === replicas) return;
    }
    const object = canaryDeployment({
      policy: key.name,
      workload: look.workload,
      deployment,
      template: this.#template(policy.name, revision, look),
      revision,
      replicas,
      serviceSelector: this.#serviceSelector(policy, key.namespace),
    });
    const at = { namespace: key.namespace, name: object.metadata.name };
    const written = await this.#deps.api.patch<Deployment>(
      DEPLOYMENTS,
      at,
      { type: 'apply', body: object, force: true },
      { fieldManager: FIELD_MANAGER },
    );
    this.#deps.caches.deployments.noteWritten(written);
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

  /** Kept in its Release; else still written somewhere. */
  #template(policy: string, revision: Revision, { deployment, places }: Look): PodTemplate {
    const kept = this.#deps.templates.get(policy, revision);
    if (kept !== null) return kept;
    if (deployment !== null && templateRevision(deployment.spec.template) === revision) return deployment.spec.template;
    const set = places?.stable.sets.find((own) => own.revision === revision)?.set;
    if (set === undefined) throw templateUnknown(revision);
    return withoutHash(set.spec.template);
  }

  #look(policy: ReleasePolicy): Look {
    const { deployments, replicaSets, pods } = this.#deps.caches;
    if (![deployments, replicaSets, pods].every(({ isSynced }) => isSynced)) throw notSynced();
    const key = policyKey(policy.name);
    const workload = workloadOf(policy);
    const deployment = (deployments.get(key.namespace, workload.deployment) ?? null) as Deployment | null;
    const canary = this.#canary(key, workload);
    const places =
      deployment === null
        ? null
        : placesOf({
            deployment,
            canary,
            replicaSets: replicaSets.list(key.namespace) as readonly ReplicaSet[],
            pods: pods.list(key.namespace) as readonly Pod[],
          });
    const moved = places === null ? null : movedTag(places);
    return { key, workload, deployment, canary, places, moved, isSuspended: this.#deps.isSuspended(policy.name) };
  }

  /** A Deployment that happens to have the canary's name and is not ours is nobody's canary. */
  #canary(key: PolicyKey, workload: DeploymentWorkload): Deployment | null {
    const name = canaryName(workload.deployment);
    const found = this.#deps.caches.deployments.get(key.namespace, name) as Deployment | undefined;
    if (found === undefined) return null;
    if (found.metadata.labels?.['haldane.dev/policy'] === key.name) return found;
    throw new DeploymentError(`there is a Deployment ${name} that is not Haldane's`, {
      code: 'canary-name-taken',
      path: name,
      fix: 'rename or remove it',
    });
  }

  #refuseUnfit({ spec }: Deployment): void {
    if (!this.#deps.hasAdmission()) throw noAdmission();
    const { type = 'RollingUpdate', rollingUpdate } = spec.strategy ?? {};
    if (type !== 'RollingUpdate') throw unfitStrategy(`strategy ${type}`);
    const most = rollingUpdate?.maxUnavailable;
    const replicas = spec.replicas ?? 1;
    const isAll = most === '100%' || (typeof most === 'number' && most > 0 && most >= replicas && replicas > 0);
    if (isAll) throw unfitStrategy(`maxUnavailable ${most} of ${replicas}`);
  }
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
