// One look at everything a routed policy touches: its places, its two Services, its routes. Pure but for the caches. It
// refuses to look at what has not been read, and it never takes somebody else's route for its own.

import { type Looked, lookAt, needSynced, type PlaceCaches } from '../../../cluster/looking.ts';
import { canaryName, FIELD_MANAGER, LABEL } from '../../../cluster/names.ts';
import type { EndpointSlice, Service } from '../../../cluster/objects.ts';
import type { Places } from '../../../cluster/places.ts';
import { type ReadyIn, readyIn } from '../../../cluster/services.ts';
import type { GatewayApiRouter, ReleasePolicy } from '../../../core/model/policy.ts';
import type { Instant } from '../../../core/model/time.ts';
import type { CacheReader } from '../../../kubernetes/index.ts';
import { pairOf } from './canary-service.ts';
import { divisionsOf, type Pair, percentOf, portsInUse, type Route, writerOf } from './route.ts';
import { keptOn } from './wanted.ts';

export interface GatewayApiCaches extends PlaceCaches {
  readonly services: CacheReader;
  readonly endpointSlices: CacheReader;
  readonly httpRoutes: CacheReader;
}

export interface View extends Looked {
  readonly router: GatewayApiRouter;
  /** Of that name, whoever's it is. */
  readonly main: Route | undefined;
  /** Routes that carry the same weights until they go: one was adopted, and is replaced by the other. */
  readonly others: readonly Route[];
  readonly stableService: Service | undefined;
  /** The two Services, or why they are not told, in words. */
  readonly pairing: Pair | { readonly refused: string };
  readonly canaryService: Service | undefined;
  readonly canaryReady: readonly ReadyIn[];
  readonly stableReady: readonly ReadyIn[];
}

/** All there is to route between. */
export interface Whole extends View {
  readonly places: Places;
  readonly pair: Pair;
}

export function viewOf(policy: ReleasePolicy, caches: GatewayApiCaches, now: Instant): View {
  const { deployments, replicaSets, pods, services, endpointSlices, httpRoutes } = caches;
  // Of the kinds that the operator watches, these: what nothing here is read of keeps no abort waiting (I3).
  needSynced({ deployments, replicaSets, pods, services, endpointSlices, httpRoutes }, now);
  const { router } = policy;
  if (router.kind !== 'gatewayApi') throw new Error(`${policy.name} is not routed by the Gateway API`);
  const looked = lookAt(policy, caches);
  const { namespace } = looked.key;
  const main = caches.httpRoutes.get(namespace, router.route.name) as Route | undefined;
  const others = (caches.httpRoutes.list(namespace) as readonly Route[]).filter(
    (route) => route.metadata.name !== router.route.name && keptOn(route)?.policy === policy.name,
  );
  const stableService = caches.services.get(namespace, router.service) as Service | undefined;
  const written = [main, ...others].filter((route) => route !== undefined && keptOn(route)?.policy === policy.name);
  const used = portsInUse(written as readonly Route[], { namespace, service: router.service });
  const pairing = pairOf(stableService, {
    namespace,
    service: router.service,
    // Of an adopted route the port is its owner's: while the canary is named in it, it is known by that one.
    port: (router.route.kind === 'adopted' ? used.canary : null) ?? router.port,
    inUse: used.canary ?? used.stable,
  });
  const slices = caches.endpointSlices.list(namespace) as readonly EndpointSlice[];
  const canary = canaryName(router.service);
  return {
    ...looked,
    router,
    main,
    others,
    stableService,
    pairing,
    canaryService: caches.services.get(namespace, canary) as Service | undefined,
    canaryReady: readyIn(slices, canary),
    stableReady: readyIn(slices, router.service),
  };
}

/** Everything, or what is missing, in words. */
export function wholeOf(view: View): Whole | { readonly refused: string } {
  const { places, pairing } = view;
  if (places === null) return { refused: `there is no deployment ${view.deployment}` };
  return 'refused' in pairing ? pairing : { ...view, places, pair: pairing };
}

export function isOwn(
  object: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } },
  name: string,
) {
  return object.metadata.labels?.[LABEL.policy] === name;
}

/** Why the route is not one that may be written, in words; null if it is, or is still to be made. */
export function strangeRoute({ main, router, key }: View): string | null {
  const { route } = router;
  if (route.kind === 'adopted') return main === undefined ? `there is no HTTPRoute ${route.name}` : null;
  if (main === undefined || isOwn(main, key.name)) return null;
  const who = writerOf(main, FIELD_MANAGER);
  // Nobody else ever wrote it: it was left when a policy before this one was given back.
  if (who === null) return null;
  return `HTTPRoute ${route.name} is there already and ${who} writes it; give the owned route another name, or write route: {adopted: {name: ${route.name}}} and run: kubectl haldane adopt ${key.name}`;
}

/** Routes in which Haldane writes; the one of the policy first. */
export function routesOf({ main, others }: View): readonly Route[] {
  return main === undefined ? others : [main, ...others];
}

/** Percent that goes to the canary: the most that any rule says, since it is cut off only when none does. null: no rule says. */
export function percentIn(route: Route, pair: Pair, isOwned: boolean): number | null {
  const divisions = divisionsOf(route.spec, pair);
  // Of an owned route the last rule divides; those before it send what they match to one Service.
  const asked = isOwned ? divisions.slice(-1) : divisions;
  return asked.length === 0 ? null : Math.max(...asked.map(percentOf));
}
