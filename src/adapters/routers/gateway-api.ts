// Gateway API as a router: an HTTPRoute that divides between stable's Service and the canary's. The canary's Service is made
// known to the data plane with weight 0 first; it gets weight only when it has ready endpoints and its name is resolved (I1).
// It refuses routes that are somebody else's, and it does not join a fight over one.

import { Lingering } from '../../cluster/lingering.ts';
import { watchCaches } from '../../cluster/looking.ts';
import { canaryName, FIELD_MANAGER, policyKey } from '../../cluster/names.ts';
import { SERVICE_NAME, sentToNothing } from '../../cluster/services.ts';
import type { Backend } from '../../core/model/effect.ts';
import type { RouterObservation } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision, Split } from '../../core/model/split.ts';
import type { Instant } from '../../core/model/time.ts';
import type { KubeApi, KubeObject } from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import type { EnsureResult, Router, RouterCapabilities } from '../../ports/router.ts';
import { GatewayApiError } from './gateway-api/errors.ts';
import { whyNoMirror } from './gateway-api/features.ts';
import { Fights, fightReason } from './gateway-api/fights.ts';
import { ownedSpec } from './gateway-api/owned.ts';
import { divisionsOf, type Pair, type Route, writerOf } from './gateway-api/route.ts';
import {
  generationsOf,
  isCanaryNamed,
  lingering,
  nothing,
  observed,
  programmedOf,
  type SeenSplit,
  saysWhole,
  seenSplit,
} from './gateway-api/seen.ts';
import { ServiceWriter } from './gateway-api/services.ts';
import {
  type GatewayApiCaches,
  isOwn,
  percentIn,
  routesOf,
  strangeRoute,
  viewOf,
  type Whole,
  wholeOf,
} from './gateway-api/view.ts';
import { type Kept, keptOn, NOTHING_ASKED, type Wanted, wantedOf, withoutCanary } from './gateway-api/wanted.ts';
import { RouteWriter } from './gateway-api/writing.ts';

export { type AdoptedBy, adoptRoute } from './gateway-api/adopt.ts';
export type { GatewayApiCaches } from './gateway-api/view.ts';

export interface GatewayApiOptions {
  readonly api: KubeApi;
  readonly caches: GatewayApiCaches;
  readonly clock: { now(): Instant };
  readonly log: Log;
}

/** After a version's last weight is gone from every proxy, its requests get at least so long. */
const LEAST_DRAIN_MS = 2_000;

export class GatewayApiRouter implements Router {
  readonly capabilities: RouterCapabilities = {
    weightStepPercent: 0.01,
    headerMatch: true,
    cookieMatch: true,
    affinity: true,
    userBuckets: false,
  };
  readonly #options: GatewayApiOptions;
  readonly #routes: RouteWriter;
  readonly #services: ServiceWriter;
  readonly #fights = new Fights();
  readonly #settled = new Lingering();
  /** One change at a time per policy. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(options: GatewayApiOptions) {
    const { api, caches } = options;
    this.#options = options;
    this.#routes = new RouteWriter({ api, routes: caches.httpRoutes });
    this.#services = new ServiceWriter({ api, services: caches.services });
  }

  async ensure(policy: ReleasePolicy, split: Split, backends: readonly Backend[]): Promise<EnsureResult> {
    const reason = sentToNothing(split, backends);
    if (reason !== null) return { kind: 'rejected', reason };
    return this.#alone(policy.name, () => this.#ensure(policy, split));
  }

  async observe(policy: ReleasePolicy): Promise<RouterObservation> {
    const view = this.#view(policy);
    if ('refused' in view) return nothing('progressing', view.refused);
    if (view.main === undefined) return nothing('absent', `there is no HTTPRoute ${view.router.route.name}`);
    const strange = strangeRoute(view);
    if (strange !== null) return nothing('rejected', strange);
    const split = this.#split(view);
    if (split === null) return nothing('rejected', unpointed(view));
    this.#noteWriteBacks(policy, view);
    const settled = this.#settling(policy, view);
    const revision = lingering(view, split);
    const isDrained = settled.state === 'converged' && settled.forMs >= LEAST_DRAIN_MS;
    return {
      ...observed(view, split),
      state: settled.state,
      reason: settled.reason,
      inFlight: revision === null || isDrained ? {} : { [revision]: 1 },
    };
  }

  async inFlight(policy: ReleasePolicy): Promise<Readonly<Record<Revision, number>>> {
    return (await this.observe(policy)).inFlight;
  }

  async handBack(policy: ReleasePolicy): Promise<void> {
    await this.#alone(policy.name, () => this.#handBack(policy));
  }

  watch(policy: ReleasePolicy, changed: () => void): () => void {
    const { deployments, services, endpointSlices, httpRoutes } = this.#options.caches;
    const { router, workload } = policy;
    if (router.kind !== 'gatewayApi' || workload.kind !== 'deployment') return () => {};
    const { namespace } = policyKey(policy.name);
    const pair = [router.service, canaryName(router.service)];
    const places = [workload.deployment, canaryName(workload.deployment)];
    const meant = (isMeant: (object: KubeObject) => boolean) => (object: KubeObject) =>
      object.metadata.namespace === namespace && isMeant(object);
    const isRoute = (object: KubeObject) =>
      object.metadata.name === router.route.name || keptOn(object as Route)?.policy === policy.name;
    const told = () => {
      changed();
      this.#tend(policy);
    };
    const stops = [
      watchCaches(
        [deployments],
        meant(({ metadata }) => places.includes(metadata.name)),
        told,
      ),
      watchCaches(
        [services],
        meant(({ metadata }) => pair.includes(metadata.name)),
        told,
      ),
      watchCaches([httpRoutes], meant(isRoute), told),
      watchCaches(
        [endpointSlices],
        meant(({ metadata }) => pair.includes(metadata.labels?.[SERVICE_NAME] ?? '')),
        changed,
      ),
    ];
    this.#tend(policy);
    return () => {
      for (const stop of stops) stop();
    };
  }

  #view(policy: ReleasePolicy): Whole | { readonly refused: string } {
    const { caches, clock } = this.#options;
    return wholeOf(viewOf(policy, caches, clock.now()));
  }

  async #ensure(policy: ReleasePolicy, split: Split): Promise<EnsureResult> {
    const view = this.#view(policy);
    if ('refused' in view) return { kind: 'rejected', reason: view.refused };
    const wanted = wantedOf(split, view.places);
    if ('refused' in wanted) return { kind: 'rejected', reason: wanted.refused };
    const reason = strangeRoute(view) ?? whyNot(view, wanted) ?? (await this.#whyNoMirror(view, wanted));
    if (reason !== null) return { kind: 'rejected', reason };
    const waits = wanted.hasCanary ? await this.#canaryService(view) : null;
    if (waits !== null) return waits;
    const isKnown = !wanted.hasCanary || isMadeKnown(view);
    const next = isKnown ? keptNamed(view, wanted) : withoutCanary(wanted, true);
    const isWritten = await this.#put(policy, view, next);
    if (typeof isWritten === 'object') return { kind: 'rejected', reason: isWritten.refused };
    return this.#result(policy, { isKnown, isWritten });
  }

  async #result(policy: ReleasePolicy, did: { isKnown: boolean; isWritten: boolean }): Promise<EnsureResult> {
    const { state, reason } = await this.observe(policy);
    if (state === 'rejected') return { kind: 'rejected', reason };
    if (!did.isKnown)
      return { kind: 'progressing', reason: 'the canary is made known to the data plane, with weight 0' };
    return state === 'converged' && !did.isWritten ? { kind: 'converged' } : { kind: 'progressing', reason };
  }

  /** null: it is there, with ready endpoints; else what is waited for. */
  async #canaryService(view: Whole): Promise<EnsureResult | null> {
    const { canary } = view.places;
    if (canary === null) return { kind: 'rejected', reason: 'there is no canary to send anything to' };
    const refused = await this.#services.ensure(view, canary);
    if (refused !== null) return { kind: 'rejected', reason: refused };
    if (view.canaryReady.length > 0) return null;
    return {
      kind: 'progressing',
      reason: `Service ${view.pair.canary} has no ready endpoint yet; the last good split stays`,
    };
  }

  /** In words why it may not be written; else whether anything differed. */
  async #put(policy: ReleasePolicy, view: Whole, wanted: Wanted): Promise<boolean | { readonly refused: string }> {
    const { router, pair, key, main } = view;
    const { route, mirrorPercent } = router;
    let isWritten = false;
    if (route.kind === 'owned') {
      const spec = ownedSpec(route, wanted, pair, mirrorPercent);
      const kept: Kept = { policy: policy.name, wanted, given: {} };
      const at = { namespace: key.namespace, name: route.name };
      isWritten = await this.#routes.putOwned(main, at, { spec, kept, policy: key.name });
    }
    for (const live of sharedRoutes(view)) {
      const refused = this.#fought(policy, view, { live, wanted });
      if (refused !== null) return { refused };
      const put = await this.#routes.putWeights(live, wanted, { pair, policy: policy.name });
      if (typeof put === 'object') return put;
      isWritten ||= put;
    }
    return isWritten;
  }

  /** In a fight the canary's weight may fall, and not rise. */
  #fought(policy: ReleasePolicy, view: Whole, { live, wanted }: { live: Route; wanted: Wanted }): string | null {
    this.#noteWriteBacks(policy, view);
    const { name } = live.metadata;
    const isMore =
      wanted.canaryPercent > (percentIn(live, view.pair, false) ?? 0) ||
      (wanted.hasCanary && !isNamedIn(live, view.pair));
    if (!isMore || !this.#fights.stands(`${policy.name} ${name}`, this.#options.clock.now())) return null;
    return fightReason(name, writerOf(live, FIELD_MANAGER), view.key.name);
  }

  #noteWriteBacks(policy: ReleasePolicy, view: Whole): void {
    for (const route of sharedRoutes(view)) {
      // Of each spec once: what a data plane writes into the status changes the object, too, and nobody's mind.
      const { name, generation = 0 } = route.metadata;
      if (!isWrittenBack(route, view.pair)) continue;
      this.#fights.note(`${policy.name} ${name}`, String(generation), this.#options.clock.now());
    }
  }

  #split(view: Whole): SeenSplit | null {
    const isWritten = (route: Route, spec: Route['spec']) => this.#routes.isAsWritten(route, spec);
    return seenSplit(view, (_route, kept) => saysWhole(view, kept, isWritten));
  }

  #settling(policy: ReleasePolicy, view: Whole): Pick<RouterObservation, 'state' | 'reason'> & { forMs: number } {
    const now = this.#options.clock.now();
    const fought = sharedRoutes(view).find(
      (route) => isWrittenBack(route, view.pair) && this.#fights.stands(`${policy.name} ${route.metadata.name}`, now),
    );
    if (fought !== undefined) {
      const { name } = fought.metadata;
      return { state: 'rejected', reason: fightReason(name, writerOf(fought, FIELD_MANAGER), view.key.name), forMs: 0 };
    }
    const programmed = programmedOf(view);
    if (programmed.kind !== 'programmed') {
      this.#settled.end(policy.name);
      return { state: programmed.kind === 'refused' ? 'rejected' : 'progressing', reason: programmed.reason, forMs: 0 };
    }
    const forMs = this.#settled.for(policy.name, generationsOf(view), now);
    const leftMs = view.router.settleMs - forMs;
    if (leftMs <= 0) return { state: 'converged', reason: `accepted by ${programmed.by}`, forMs };
    return { state: 'progressing', reason: `accepted; every proxy is given ${leftMs / 1_000} s more to use it`, forMs };
  }

  async #whyNoMirror(view: Whole, wanted: Wanted): Promise<string | null> {
    const { route, mirrorPercent } = view.router;
    if (mirrorPercent === null || wanted.canaryPercent === 0 || route.kind === 'adopted') return null;
    return whyNoMirror(this.#options.api, route.parents, { namespace: view.key.namespace, percent: mirrorPercent });
  }

  /** What no effect asks for: the canary's Service comes with the canary and goes after it, once no route names it. */
  #tend(policy: ReleasePolicy): void {
    this.#alone(policy.name, () => this.#tidy(policy)).catch((error: unknown) => {
      this.#options.log.debug('route not tidied', { policy: policy.name, error });
    });
  }

  async #tidy(policy: ReleasePolicy): Promise<void> {
    const view = this.#view(policy);
    if ('refused' in view || strangeRoute(view) !== null) return;
    const { canary } = view.places;
    if (canary !== null) {
      await this.#services.ensure(view, canary);
      return;
    }
    const kept = view.main === undefined ? null : keptOn(view.main);
    if (kept !== null && isCanaryNamed(view)) {
      // Weight for what is gone is the engine's to take away; only a name without weight is.
      if (kept.wanted.hasCanary && this.#split(view)?.percent !== 0) return;
      await this.#put(policy, view, withoutCanary(kept.wanted, false));
      return;
    }
    if (isCanaryNamed(view)) return;
    await this.#release(view);
    if (programmedOf(view).kind === 'programmed') await this.#services.remove(view.canaryService, view.key.name);
  }

  /** At rest the rules are as their owner wrote them, and theirs alone; a route that no longer sends here is let go. */
  async #release(view: Whole): Promise<void> {
    for (const route of sharedRoutes(view)) {
      if (percentIn(route, view.pair, false) === null) await this.#routes.giveBack(route, view.pair);
      else if (keptOn(route)?.wanted.hasCanary === false) await this.#routes.releaseRules(route);
    }
  }

  async #handBack(policy: ReleasePolicy): Promise<void> {
    const view = this.#view(policy);
    if ('refused' in view) return;
    const { main, pair, router, key } = view;
    const { route, mirrorPercent } = router;
    for (const live of routesOf(view)) {
      const isOwned = live === main && route.kind === 'owned';
      if (isOwned && isOwn(live, key.name)) {
        await this.#routes.leave(live, ownedSpec(route, NOTHING_ASKED, pair, mirrorPercent));
      } else if (!isOwned && keptOn(live) !== null) await this.#routes.giveBack(live, pair);
    }
    if (view.canaryService === undefined || !isOwn(view.canaryService, key.name)) return;
    const after = this.#view(policy);
    if (!('refused' in after) && main !== undefined && programmedOf(after).kind !== 'programmed') {
      throw new GatewayApiError(`the data plane has not taken HTTPRoute ${route.name} over yet`, {
        code: 'route-not-taken-over',
        retry: 'later',
      });
    }
    await this.#services.remove(view.canaryService, key.name);
  }

  #alone<T>(policy: string, act: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(policy) ?? Promise.resolve();
    const acting = before.then(act, act);
    this.#busy.set(
      policy,
      acting.catch(() => undefined),
    );
    return acting;
  }
}

/** Why this must not be written, in words; null if it may. */
function whyNot(view: Whole, { rules, affinity, canaryPercent }: Wanted): string | null {
  const { route } = view.router;
  if (canaryPercent < 100 && view.stableReady.length === 0) {
    return `Service ${view.pair.stable} has no ready endpoint; the last good split stays`;
  }
  if (route.kind === 'owned') return null;
  if (rules.length > 0 || affinity !== null) {
    return 'an audience and affinity need rules of their own, and of an adopted route Haldane changes weights alone; write route: {owned: ...}';
  }
  return view.main !== undefined && divisionsOf(view.main.spec, view.pair).length === 0 ? unpointed(view) : null;
}

function unpointed({ main, pair }: Whole): string {
  return `no rule of HTTPRoute ${main?.metadata.name} sends to port ${pair.port} of Service ${pair.stable}`;
}

/** Routes whose rules are written by somebody else, or were when this one came. */
function sharedRoutes(view: Whole): readonly Route[] {
  return routesOf(view).filter((route) => route !== view.main || view.router.route.kind === 'adopted');
}

function isNamedIn({ spec }: Route, pair: Pair): boolean {
  return divisionsOf(spec, pair).every(({ canaryAt }) => canaryAt >= 0);
}

/** What Haldane wrote in it is not there any more. */
function isWrittenBack(route: Route, pair: Pair): boolean {
  const wanted = keptOn(route)?.wanted;
  const percent = percentIn(route, pair, false);
  if (wanted === undefined || percent === null) return false;
  return percent !== wanted.canaryPercent || (wanted.hasCanary && !isNamedIn(route, pair));
}

/** The canary's Service stands in every route already, and the data plane knows it by that name. */
function isMadeKnown(view: Whole): boolean {
  const routes = routesOf(view);
  if (view.main === undefined) return false;
  const isOwned = (route: Route) => route === view.main && view.router.route.kind === 'owned';
  const percents = routes.map((route) => percentIn(route, view.pair, isOwned(route)));
  if (percents.every((percent) => percent === null || percent > 0)) return true;
  return routes.every((route) => isNamedIn(route, view.pair)) && programmedOf(view).kind === 'programmed';
}

/** While there is a canary its name stays, with weight 0: what it still answers is answered. */
function keptNamed(view: Whole, wanted: Wanted): Wanted {
  const isKept = !wanted.hasCanary && view.places.canary !== null && isCanaryNamed(view);
  return isKept ? { ...wanted, hasCanary: true } : wanted;
}
