// Chooses the version of one request: rules first, then affinity, then the user's bucket, then chance. Everything that
// can be prepared is prepared once per configuration. It refuses to send anyone to a version of weight 0 unless a rule
// names it, so that an abort takes effect with the next request.
import { bucketOf, bucketSeed } from '../core/model/bucketing.ts';
import { AUDIENCE_ROUTE, type CountedRoute, type GatewayConfig, OTHER_ROUTE } from '../core/model/gateway.ts';
import type { MatchRule } from '../core/model/split.ts';
import { cookieValue } from './cookies.ts';
import type { RouteCounts } from './counters.ts';
import type { RequestHead } from './request-head.ts';
import type { VersionState } from './version-state.ts';

/** Why a request went where it went; index of `WHY_NAMES`. */
export const Why = { rule: 0, affinity: 1, user: 2, chance: 3 } as const;
export const WHY_NAMES = ['rule', 'affinity', 'user', 'chance'] as const;

export interface Target {
  readonly version: VersionState;
  /** By index of the counted route; then "other", then "audience". */
  readonly counts: readonly RouteCounts[];
  readonly weightPercent: number;
}

interface Rule {
  readonly headerSlot: number;
  readonly headerValue: string;
  readonly cookie: MatchRule['cookie'];
  readonly target: Target;
}

/** Names of header fields the configuration reads, in the order of their slots. */
export function wantedHeaders(config: GatewayConfig): string[] {
  const names = config.split.rules.flatMap((rule) => (rule.header === undefined ? [] : [rule.header.name]));
  if (config.split.userKey?.header !== undefined) names.push(config.split.userKey.header);
  if (config.retryHeader !== null) names.push(config.retryHeader);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

export class Routing {
  /** Set by `choose`: why, and the key of the user if there is one. */
  why = 0;
  userKey: string | undefined;
  readonly affinity: GatewayConfig['split']['affinity'];
  readonly #rules: readonly Rule[];
  readonly #weighted: readonly Target[];
  readonly #byRevision: ReadonlyMap<string, Target>;
  readonly #userCookie: string | undefined;
  readonly #userSlot: number;
  readonly #seed: number;
  readonly #routes: readonly CountedRoute[];

  constructor(config: GatewayConfig, versions: ReadonlyMap<string, VersionState>) {
    const split = config.split;
    const slots = wantedHeaders(config);
    const weightOf = new Map(split.weights.map((entry) => [entry.revision, entry.weightPercent]));
    const targetOf = (revision: string): Target => {
      const version = versions.get(revision) as VersionState;
      const names = [...config.routes.map((route) => route.name), OTHER_ROUTE, AUDIENCE_ROUTE];
      return {
        version,
        counts: names.map((name) => version.countsFor(name)),
        weightPercent: weightOf.get(revision) ?? 0,
      };
    };
    this.#byRevision = new Map(config.versions.map(({ revision }) => [revision, targetOf(revision)]));
    this.#weighted = split.weights.map(({ revision }) => this.#byRevision.get(revision) as Target);
    this.#rules = split.rules.map((rule) => ({
      headerSlot: rule.header === undefined ? -1 : slots.indexOf(rule.header.name.toLowerCase()),
      headerValue: rule.header?.value ?? '',
      cookie: rule.cookie,
      target: this.#byRevision.get(rule.revision) as Target,
    }));
    this.affinity = split.affinity;
    this.#userCookie = split.userKey?.cookie;
    this.#userSlot = split.userKey?.header === undefined ? -1 : slots.indexOf(split.userKey.header.toLowerCase());
    this.#seed = bucketSeed(config.service, split.salt);
    this.#routes = config.routes;
  }

  choose(head: RequestHead, random: () => number): Target {
    this.userKey = this.#readUserKey(head);
    for (let i = 0; i < this.#rules.length; i++) {
      const rule = this.#rules[i] as Rule;
      if (!ruleMatches(rule, head)) continue;
      this.why = Why.rule;
      return rule.target;
    }
    if (this.affinity !== null && head.cookie !== '') {
      const kept = this.#byRevision.get(cookieValue(head.cookie, this.affinity.cookie) ?? '');
      if (kept !== undefined && kept.weightPercent > 0) {
        this.why = Why.affinity;
        return kept;
      }
    }
    this.why = this.userKey === undefined ? Why.chance : Why.user;
    return this.#byWeight(this.userKey === undefined ? random() * 100 : bucketOf(this.#seed, this.userKey));
  }

  /** The canary owns [0, its weight), a third version what follows, stable the rest. */
  #byWeight(place: number): Target {
    let upTo = 0;
    for (let i = 1; i < this.#weighted.length; i++) {
      const target = this.#weighted[i] as Target;
      upTo += target.weightPercent;
      if (place < upTo) return target;
    }
    return this.#weighted[0] as Target;
  }

  #readUserKey(head: RequestHead): string | undefined {
    if (this.#userCookie !== undefined && head.cookie !== '') {
      const value = cookieValue(head.cookie, this.#userCookie);
      if (value !== undefined && value !== '') return value;
    }
    return this.#userSlot < 0 ? undefined : head.wanted[this.#userSlot] || undefined;
  }

  /** Index of the counts of the request just chosen for; its target belongs to a route, or to "other". */
  routeIndex(target: string): number {
    const routes = this.#routes;
    if (this.why === Why.rule) return routes.length + 1;
    const query = routes.length === 0 ? -1 : target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    for (let i = 0; i < routes.length; i++) {
      if (patternMatches((routes[i] as CountedRoute).pattern, path)) return i;
    }
    return routes.length;
  }
}

function ruleMatches(rule: Rule, head: RequestHead): boolean {
  if (rule.headerSlot >= 0 && head.wanted[rule.headerSlot] !== rule.headerValue) return false;
  if (rule.cookie === undefined) return true;
  return head.cookie !== '' && cookieValue(head.cookie, rule.cookie.name) === rule.cookie.value;
}

function patternMatches(pattern: string, path: string): boolean {
  const last = pattern.length - 1;
  if (pattern.charCodeAt(last) !== 42) return pattern === path;
  return path.length >= last && path.startsWith(pattern.slice(0, last));
}
