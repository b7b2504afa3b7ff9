// From routes and what is said of them to what the router is seen to do. Pure. Weights come from the live object and
// acceptance from its parents; what was asked counts only where the object still says it.

import { countEach, endpointsByRevision } from '../../../cluster/services.ts';
import type { RouterObservation } from '../../../core/model/observed.ts';
import type { Revision } from '../../../core/model/split.ts';
import { ownedSpec } from './owned.ts';
import { namesService, type Route } from './route.ts';
import { type Programmed, parentText, programmedBy } from './status.ts';
import { percentIn, routesOf, type Whole } from './view.ts';
import { type Kept, keptOn, NOTHING_ASKED, splitOf, type Wanted } from './wanted.ts';

export interface SeenSplit {
  readonly percent: number;
  /** As asked, where every route still says so. */
  readonly wanted: Wanted;
  readonly isAsAsked: boolean;
}

export type IsAsWritten = (route: Route, kept: Kept) => boolean;

/** null: no rule of any route sends to the Service. */
export function seenSplit(view: Whole, isAsWritten: IsAsWritten): SeenSplit | null {
  const { main, pair, router } = view;
  if (main === undefined) return null;
  const percents = routesOf(view).map((route) =>
    percentIn(route, pair, route === main && router.route.kind === 'owned'),
  );
  const percent = percents.reduce<number | null>(
    (most, each) => (each === null ? most : Math.max(most ?? 0, each)),
    null,
  );
  if (percent === null) return null;
  const kept = keptOn(main);
  const isSame = percents.every((each) => each === null || each === kept?.wanted.canaryPercent);
  const isAsAsked = kept !== null && isSame && isAsWritten(main, kept);
  return { percent, wanted: isAsAsked ? kept.wanted : NOTHING_ASKED, isAsAsked };
}

/** An owned route says all that was asked, or it does not; of an adopted one only the weights are ours. */
export function saysWhole(view: Whole, kept: Kept, isWritten: (route: Route, spec: Route['spec']) => boolean): boolean {
  const { router, pair, main } = view;
  const { route, mirrorPercent } = router;
  if (route.kind === 'adopted' || main === undefined) return true;
  return isWritten(main, ownedSpec(route, kept.wanted, pair, mirrorPercent));
}

/**
 * The worst that is said of any route. Of two equal routes the older is used, and some implementations refuse the newer
 * for it: that one stands by until the older is gone.
 */
export function programmedOf(view: Whole): Programmed {
  const [oldest, ...newer] = routesOf(view).toSorted(byAge).map(programmedBy);
  if (oldest === undefined) return { kind: 'waiting', reason: 'there is no route yet' };
  const others = newer.filter((said) => !(said.kind === 'refused' && /conflict/i.test(said.reason)));
  const said = [oldest, ...others];
  return said.find(({ kind }) => kind === 'refused') ?? said.find(({ kind }) => kind === 'waiting') ?? oldest;
}

function byAge(left: Route, right: Route): number {
  const key = ({ metadata }: Route) => `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return key(left) < key(right) ? -1 : 1;
}

/** Another one after every change that the data plane has to take over. */
export function generationsOf(view: Whole): string {
  return routesOf(view)
    .map(({ metadata }) => `${metadata.uid}/${metadata.generation}`)
    .join(' ');
}

export function isCanaryNamed(view: Whole): boolean {
  return routesOf(view).some(({ spec }) => namesService(spec, view.pair.canary));
}

export function observed(
  view: Whole,
  split: SeenSplit,
): Pick<RouterObservation, 'split' | 'endpoints' | 'healthy' | 'instances'> {
  const { places, stableReady, canaryReady, main } = view;
  const serving = places.stable.serving ?? places.stable.heading;
  const isInUse = split.percent > 0 || split.wanted.rules.some(({ to }) => to === 'canary');
  const canary = isInUse && places.canary !== null ? [{ ready: canaryReady, revision: places.canary.seenAs }] : [];
  const endpoints = endpointsByRevision([{ ready: stableReady, revision: serving }, ...canary], places);
  return {
    split: splitOf(split.wanted, split.percent, places),
    endpoints,
    healthy: countEach(endpoints),
    instances: (main?.spec.parentRefs ?? []).map(parentText),
  };
}

export function nothing(state: RouterObservation['state'], reason: string): RouterObservation {
  return { state, reason, split: null, endpoints: {}, healthy: {}, inFlight: {}, instances: [] };
}

/** The canary, while it gets nothing but may still have requests: nobody counts them, so one stands for all. */
export function lingering(view: Whole, { percent, wanted }: SeenSplit): Revision | null {
  const { canary } = view.places;
  if (canary === null || canary.pods.length === 0) return null;
  return percent === 0 && wanted.rules.length === 0 ? canary.seenAs : null;
}
