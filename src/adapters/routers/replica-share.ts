// Replica share as a router: nothing but a Service. The share of the canary is its part of the ready pods; a readiness gate
// on canary pods lets them in, and takes them out before they end. It refuses to leave a Service without a ready pod, and
// it never claims a share finer than a pod: what is asked and what is there are both said.

import { Lingering } from '../../cluster/lingering.ts';
import { type Looked, lookAt, needSynced, type PlaceCaches, watchCaches } from '../../cluster/looking.ts';
import { ANNOTATION, canaryName, FIELD_MANAGER, policyKey, TRAFFIC_GATE } from '../../cluster/names.ts';
import type { EndpointSlice, Pod } from '../../cluster/objects.ts';
import type { CanarySlot, Places } from '../../cluster/places.ts';
import {
  countEach,
  endpointsByRevision,
  type ReadyIn,
  readyIn,
  SERVICE_NAME,
  sentToNothing,
  unplaced,
} from '../../cluster/services.ts';
import type { Backend } from '../../core/model/effect.ts';
import type { RouterObservation } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { type Revision, type Split, weightOf } from '../../core/model/split.ts';
import type { Instant } from '../../core/model/time.ts';
import { type CacheReader, DEPLOYMENTS, type JsonPatchOperation, type KubeApi, PODS } from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import type { EnsureResult, Router, RouterCapabilities } from '../../ports/router.ts';
import { chosen, isLetIn, partOf, partText, podsFor, weightsOf } from './replica-share/shares.ts';

export interface ReplicaShareCaches extends PlaceCaches {
  readonly services: CacheReader;
  readonly endpointSlices: CacheReader;
}

export interface ReplicaShareOptions {
  readonly api: KubeApi;
  readonly caches: ReplicaShareCaches;
  readonly clock: { now(): Instant };
  readonly log: Log;
}

/** From a pod's leaving the Service until every node has been told: the next connection is then another pod's. */
export const SETTLE_MS = 5_000;

interface View extends Looked {
  readonly service: string;
  readonly isThere: boolean;
  readonly ready: readonly ReadyIn[];
}

interface Placed extends View {
  readonly places: Places;
  /** Ready in the Service now. */
  readonly stableIn: number;
  readonly canaryIn: readonly string[];
}

export class ReplicaShareRouter implements Router {
  readonly capabilities: RouterCapabilities = {
    weightStepPercent: 1,
    headerMatch: false,
    cookieMatch: false,
    affinity: false,
    userBuckets: false,
  };
  readonly #options: ReplicaShareOptions;
  readonly #out = new Lingering();
  /** What was asked last. A Service knows no salt, so that is remembered here; a restart is asked anew. */
  readonly #asked = new Map<string, Split>();

  constructor(options: ReplicaShareOptions) {
    this.#options = options;
  }

  async ensure(policy: ReleasePolicy, split: Split, backends: readonly Backend[]): Promise<EnsureResult> {
    const refused = sentToNothing(split, backends);
    if (refused !== null) return { kind: 'rejected', reason: refused };
    const view = placed(this.#view(policy));
    if (view === null) return { kind: 'rejected', reason: `there is no deployment ${deploymentOf(policy)}` };
    const reason = whyNot(view, split);
    if (reason !== null) return { kind: 'rejected', reason };
    this.#asked.set(policy.name, split);
    const { canary } = view.places;
    if (canary === null) return { kind: 'converged' };
    const percent = weightOf(split, canary.seenAs);
    await this.#keepWeight(view, canary, percent);
    const wanted = chosen(canary.pods, podsFor(percent, view.stableIn, Number.POSITIVE_INFINITY));
    await this.#turnGates(canary.pods, wanted);
    return isAsWanted(view, wanted)
      ? { kind: 'converged' }
      : {
          kind: 'progressing',
          reason: `${wanted.length} canary pods are to be in the Service, ${view.canaryIn.length} are`,
        };
  }

  async observe(policy: ReleasePolicy): Promise<RouterObservation> {
    const view = this.#view(policy);
    const instances = [`service ${view.key.namespace}/${view.service}`];
    if (!view.isThere) {
      return { ...nothing('absent', `there is no Service ${view.service}`), instances: [] };
    }
    const here = placed(view);
    if (here === null) return { ...nothing('progressing', `there is no deployment ${view.deployment}`), instances };
    const { stable, canary } = here.places;
    const serving = stable.serving ?? stable.heading;
    const endpoints = endpointsByRevision([{ ready: here.ready, revision: serving }], here.places);
    return {
      ...this.#splitOf(policy, here, serving),
      endpoints,
      healthy: countEach(endpoints),
      inFlight: canary === null ? {} : this.#inFlight(policy, here, canary),
      instances,
    };
  }

  async inFlight(policy: ReleasePolicy): Promise<Readonly<Record<Revision, number>>> {
    return (await this.observe(policy)).inFlight;
  }

  /** Nothing of it stays: a canary that is still there is taken out of the Service. */
  async handBack(policy: ReleasePolicy): Promise<void> {
    const view = placed(this.#view(policy));
    this.#asked.delete(policy.name);
    if (view?.places.canary == null || view.stableIn === 0) return;
    await this.#turnGates(view.places.canary.pods, []);
  }

  watch(policy: ReleasePolicy, changed: () => void): () => void {
    const { deployments, pods, services, endpointSlices } = this.#options.caches;
    const { namespace } = policyKey(policy.name);
    const names = [deploymentOf(policy), canaryName(deploymentOf(policy))];
    const service = serviceOf(policy);
    const isIn = (object: { metadata: { namespace?: string } }) => object.metadata.namespace === namespace;
    const stops = [
      watchCaches([deployments], (object) => isIn(object) && names.includes(object.metadata.name), changed),
      watchCaches([services], (object) => isIn(object) && object.metadata.name === service, changed),
      watchCaches(
        [endpointSlices],
        (object) => isIn(object) && object.metadata.labels?.[SERVICE_NAME] === service,
        changed,
      ),
      watchCaches([pods], (object) => isIn(object) && isGated(object as Pod), changed),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #view(policy: ReleasePolicy): View {
    const { caches, clock } = this.#options;
    const { deployments, replicaSets, pods, services, endpointSlices } = caches;
    // Of the kinds that the operator watches, these: what nothing here is read of keeps no abort waiting (I3).
    needSynced({ deployments, replicaSets, pods, services, endpointSlices }, clock.now());
    const looked = lookAt(policy, caches);
    const service = serviceOf(policy);
    const { namespace } = looked.key;
    const slices = caches.endpointSlices.list(namespace) as readonly EndpointSlice[];
    const isThere = caches.services.get(namespace, service) !== undefined;
    return { ...looked, service, isThere, ready: isThere ? readyIn(slices, service) : [] };
  }

  #splitOf(
    policy: ReleasePolicy,
    view: Placed,
    serving: Revision,
  ): Pick<RouterObservation, 'state' | 'reason' | 'split'> {
    const asked = this.#asked.get(policy.name);
    const { salt = '', userKey = null, affinity = null } = asked ?? {};
    const { canary } = view.places;
    const { canaryIn, stableIn } = view;
    const percent = canary === null ? 0 : keptWeight(canary);
    const wanted = canary === null ? [] : chosen(canary.pods, podsFor(percent, stableIn, Number.POSITIVE_INFINITY));
    const rest = { rules: [], userKey, affinity };
    if (isAsWanted(view, wanted) && (percent === 0 || wanted.length > 0)) {
      const weights = weightsOf(serving, canary?.seenAs ?? null, percent);
      const reason =
        percent === 0 ? 'every ready pod of the Service is stable' : partText(canaryIn.length, stableIn, percent);
      return { state: 'converged', reason, split: { weights, salt, ...rest } };
    }
    // As it is, and asked by nobody: whoever compares it with what is right asks again.
    const weights = weightsOf(serving, canary?.seenAs ?? null, partOf(canaryIn.length, stableIn));
    const reason = `${partText(canaryIn.length, stableIn, percent)}; ${wanted.length} canary pods are to be in the Service`;
    return { state: 'progressing', reason, split: { weights, salt: '', ...rest } };
  }

  /** A pod that is out may have connections until every node has followed; how many, nobody counts. */
  #inFlight(policy: ReleasePolicy, view: Placed, canary: CanarySlot): Readonly<Record<Revision, number>> {
    if (view.canaryIn.length > 0 || keptWeight(canary) > 0 || canary.pods.length === 0) {
      this.#out.end(policy.name);
      return {};
    }
    const outMs = this.#out.for(policy.name, canary.deployment.metadata.uid ?? '', this.#options.clock.now());
    return outMs >= SETTLE_MS ? {} : { [canary.seenAs]: 1 };
  }

  async #keepWeight(view: Placed, canary: CanarySlot, percent: number): Promise<void> {
    const { deployment, revision } = canary;
    const value = `${revision} ${percent}`;
    const { annotations, uid } = deployment.metadata;
    if (annotations?.[ANNOTATION.weight] === value) return;
    const operations: JsonPatchOperation[] = [{ op: 'test', path: '/metadata/uid', value: uid }];
    if (annotations === undefined) operations.push({ op: 'add', path: '/metadata/annotations', value: {} });
    operations.push({ op: 'add', path: `/metadata/annotations/${escaped(ANNOTATION.weight)}`, value });
    const at = { namespace: view.key.namespace, name: deployment.metadata.name };
    const { api, caches } = this.#options;
    const options = { fieldManager: FIELD_MANAGER };
    caches.deployments.noteWritten(await api.patch(DEPLOYMENTS, at, { type: 'json', operations }, options));
  }

  /** First in, then out: in between there are more pods than asked, never fewer. */
  async #turnGates(pods: readonly Pod[], wanted: readonly Pod[]): Promise<void> {
    for (const pod of wanted) if (!isLetIn(pod)) await this.#turnGate(pod, 'True');
    for (const pod of pods) if (isLetIn(pod) && !wanted.includes(pod)) await this.#turnGate(pod, 'False');
  }

  async #turnGate(pod: Pod, status: 'True' | 'False'): Promise<void> {
    const { api, caches, clock, log } = this.#options;
    const { namespace, name, uid } = pod.metadata;
    const conditions = pod.status?.conditions ?? [];
    const index = conditions.findIndex(({ type }) => type === TRAFFIC_GATE);
    const lastTransitionTime = `${clock.now().wallTime.slice(0, 19)}Z`;
    const value = { type: TRAFFIC_GATE, status, reason: 'Haldane', lastTransitionTime };
    const operations: JsonPatchOperation[] = [{ op: 'test', path: '/metadata/uid', value: uid }];
    if (index < 0) operations.push({ op: 'add', path: '/status/conditions/-', value });
    else {
      operations.push({ op: 'test', path: `/status/conditions/${index}/type`, value: TRAFFIC_GATE });
      operations.push({ op: 'replace', path: `/status/conditions/${index}`, value });
    }
    const options = { subresource: 'status', fieldManager: FIELD_MANAGER } as const;
    caches.pods.noteWritten(await api.patch(PODS, { namespace, name }, { type: 'json', operations }, options));
    log.debug(status === 'True' ? 'pod let in' : 'pod taken out', { pod: `${namespace}/${name}` });
  }
}

function placed(view: View): Placed | null {
  const { places } = view;
  if (places === null) return null;
  const own = new Set(places.canary?.pods.map(({ metadata }) => metadata.name));
  const canaryIn = view.ready.map(({ pod }) => pod).filter((pod) => pod !== null && own.has(pod)) as string[];
  return { ...view, places, canaryIn, stableIn: view.ready.length - canaryIn.length };
}

/** Why this must not be done, in words; null if it may. */
function whyNot(view: Placed, split: Split): string | null {
  const stranger = unplaced(split, view.places);
  if (stranger !== undefined) return `${stranger} runs neither in deployment ${view.deployment} nor beside it`;
  if (!view.isThere) return `there is no Service ${view.service}`;
  if (split.rules.length > 0) return 'a Service draws each connection by itself and knows no rules';
  const { canary } = view.places;
  const percent = canary === null ? 0 : weightOf(split, canary.seenAs);
  if (percent === 100) return 'the pods of stable stay in the Service, so the canary cannot have everything';
  if (canary !== null && view.stableIn === 0) {
    return `stable has no ready pod in Service ${view.service}, so the canary's pods stay as they are`;
  }
  return null;
}

function isAsWanted({ canaryIn }: Placed, wanted: readonly Pod[]): boolean {
  const names = wanted.map(({ metadata }) => metadata.name);
  return names.length === canaryIn.length && names.every((name) => canaryIn.includes(name));
}

/** The weight asked of this very version; what was asked of another one in this place counts for nothing. */
function keptWeight({ deployment, revision }: CanarySlot): number {
  const [of, percent] = (deployment.metadata.annotations?.[ANNOTATION.weight] ?? '').split(' ');
  const weight = Number(percent);
  return of === revision && Number.isFinite(weight) ? Math.min(Math.max(weight, 0), 99.99) : 0;
}

function isGated(pod: Pod): boolean {
  return pod.spec.readinessGates?.some(({ conditionType }) => conditionType === TRAFFIC_GATE) ?? false;
}

function nothing(state: RouterObservation['state'], reason: string): Omit<RouterObservation, 'instances'> {
  return { state, reason, split: null, endpoints: {}, healthy: {}, inFlight: {} };
}

function deploymentOf(policy: ReleasePolicy): string {
  if (policy.workload.kind !== 'deployment') throw new Error(`${policy.name} has no Deployment`);
  return policy.workload.deployment;
}

function serviceOf(policy: ReleasePolicy): string {
  if (policy.router.kind !== 'replicaShare') throw new Error(`${policy.name} is not routed by replica share`);
  return policy.router.service;
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
