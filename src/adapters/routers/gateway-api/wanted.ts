// What is asked of a route, as data: from a split and the places of the two versions, to an annotation on the route and
// back. Pure. It refuses a split for versions that neither Service means.

import { ANNOTATION } from '../../../cluster/names.ts';
import type { Places } from '../../../cluster/places.ts';
import { roleOf, unplaced } from '../../../cluster/services.ts';
import {
  type Affinity,
  type MatchRule,
  type Revision,
  type Split,
  type UserKey,
  weightOf,
} from '../../../core/model/split.ts';
import { canonicalJson } from '../../../lib/canonical.ts';
import type { Route } from './route.ts';

export type Role = 'stable' | 'canary';

export interface WantedRule {
  readonly header?: { readonly name: string; readonly value: string };
  readonly cookie?: { readonly name: string; readonly value: string };
  readonly to: Role;
}

export interface Wanted {
  readonly canaryPercent: number;
  /** The canary's Service is among the backends, be it with weight 0. */
  readonly hasCanary: boolean;
  readonly rules: readonly WantedRule[];
  readonly affinity: Affinity | null;
  /** What the cookie of the affinity says for each; null: it is not in use, since one version has everything. */
  readonly cookies: Readonly<Record<Role, Revision>> | null;
  readonly salt: string;
  readonly userKey: UserKey | null;
}

export function wantedOf(split: Split, places: Places): Wanted | { readonly refused: string } {
  const stranger = unplaced(split, places);
  if (stranger !== undefined) {
    const { name } = places.canary?.deployment.metadata ?? { name: 'a canary' };
    return { refused: `${stranger} runs neither in stable's place nor in ${name}, so no Service means it` };
  }
  const canary = places.canary;
  const canaryPercent = canary === null ? 0 : weightOf(split, canary.seenAs);
  const rules = split.rules.map(({ revision, ...match }) => ({
    ...match,
    to: roleOf(revision, split, places) ?? 'stable',
  }));
  const { affinity, salt, userKey } = split;
  const isDivided = affinity !== null && canaryPercent > 0 && canaryPercent < 100 && canary !== null;
  const stable = places.stable.serving ?? places.stable.heading;
  return {
    canaryPercent,
    hasCanary: canaryPercent > 0 || rules.some(({ to }) => to === 'canary'),
    rules,
    affinity,
    cookies: isDivided ? { stable, canary: canary.revision } : null,
    salt,
    userKey,
  };
}

/** The same with nothing for the canary; its Service stays named or not. */
export function withoutCanary(wanted: Wanted, hasCanary: boolean): Wanted {
  return { ...wanted, canaryPercent: 0, hasCanary, rules: [], cookies: null };
}

export const NOTHING_ASKED: Wanted = {
  canaryPercent: 0,
  hasCanary: false,
  rules: [],
  affinity: null,
  cookies: null,
  salt: '',
  userKey: null,
};

/** What a route is seen to do, in the words of a split. */
export function splitOf(kept: Wanted, canaryPercent: number, places: Places): Split {
  const stable = places.stable.serving ?? places.stable.heading;
  const canary = places.canary?.seenAs ?? null;
  const rest = Math.round((100 - canaryPercent) * 100) / 100;
  const weights = [{ revision: stable, weightPercent: rest }];
  if (canaryPercent > 0) weights.push({ revision: canary ?? 'unknown', weightPercent: canaryPercent });
  const rules = kept.rules.map(({ to, ...match }): MatchRule => {
    return { ...match, revision: to === 'canary' ? (canary ?? 'unknown') : stable };
  });
  return { weights, rules, salt: kept.salt, userKey: kept.userKey, affinity: kept.affinity };
}

/** What stands on a route: whose it is, what was asked, and what an adopted route's owner had given stable, by rule. */
export interface Kept {
  readonly policy: string;
  readonly wanted: Wanted;
  readonly given: Readonly<Record<string, number>>;
}

export function keptText(kept: Kept): string {
  return canonicalJson(kept);
}

export function keptOn(route: Route): Kept | null {
  const text = route.metadata.annotations?.[ANNOTATION.split];
  if (text === undefined) return null;
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    if (typeof kept.policy !== 'string' || typeof kept.wanted?.canaryPercent !== 'number') return null;
    // A hand may have been at it, or another version of this program: what is missing was not asked for.
    return { policy: kept.policy, given: kept.given ?? {}, wanted: { ...NOTHING_ASKED, ...kept.wanted } };
  } catch {
    return null;
  }
}
