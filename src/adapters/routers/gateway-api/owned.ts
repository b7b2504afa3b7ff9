// An owned route, whole: parents, hosts and matches as the policy says, and rules for a split, most particular first. Every
// default of the API server is written out, so that what stands there can be compared with what shall. Pure.
import type { GatewayApiRouter, HttpRoute } from '../../../core/model/policy.ts';
import type { Affinity } from '../../../core/model/split.ts';
import type { BackendRef, HttpRouteSpec, Pair, ParentRef, RouteMatchObject, RouteRule } from './route.ts';
import type { Role, Wanted, WantedRule } from './wanted.ts';

export type OwnedRoute = Extract<HttpRoute, { kind: 'owned' }>;

/** Weights in steps of 0.01 %. */
const WHOLE = 10_000;

export function ownedSpec(
  route: OwnedRoute,
  wanted: Wanted,
  pair: Pair,
  mirrorPercent: GatewayApiRouter['mirrorPercent'],
): HttpRouteSpec {
  const plain = route.matches.map(({ path, type }): RouteMatchObject => ({ path: { type, value: path } }));
  const rules: RouteRule[] = wanted.rules.map((rule) => ruleFor(plain, rule, pair));
  const { affinity, cookies } = wanted;
  if (affinity !== null && cookies !== null) {
    for (const to of ['canary', 'stable'] as const) {
      const cookie = { name: affinity.cookie, value: cookies[to] };
      rules.push(ruleFor(plain, { cookie, to }, pair));
    }
  }
  const mirror = mirrorPercent !== null && wanted.canaryPercent > 0 ? [mirrorFilter(pair, mirrorPercent)] : [];
  rules.push({
    matches: plain,
    ...(mirror.length > 0 ? { filters: mirror } : {}),
    backendRefs: dividedRefs(wanted, pair),
  });
  const hostnames = route.hostnames.length > 0 ? { hostnames: route.hostnames } : {};
  return { parentRefs: route.parents.map(parentRef), ...hostnames, rules };
}

function parentRef({ name, namespace, sectionName, port }: OwnedRoute['parents'][number]): ParentRef {
  return {
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    name,
    ...(namespace === null ? {} : { namespace }),
    ...(sectionName === null ? {} : { sectionName }),
    ...(port === null ? {} : { port }),
  };
}

interface HeaderWanted {
  readonly type: 'Exact' | 'RegularExpression';
  readonly name: string;
  readonly value: string;
}

/** A request that has all of them. */
function headersOf({ header, cookie }: WantedRule): readonly HeaderWanted[] {
  const wanted: HeaderWanted[] = [];
  if (header !== undefined) wanted.push({ type: 'Exact', ...header });
  if (cookie !== undefined) {
    wanted.push({ type: 'RegularExpression', name: 'Cookie', value: cookiePattern(cookie.name, cookie.value) });
  }
  return wanted;
}

/** Matches a whole Cookie header, for implementations that compare the whole and for those that search. */
export function cookiePattern(name: string, value: string): string {
  return `^(.*; *)?${literal(name)}=${literal(value)}(;.*)?$`;
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function ruleFor(plain: readonly RouteMatchObject[], rule: WantedRule, pair: Pair): RouteRule {
  const headers = headersOf(rule);
  return {
    matches: plain.map((match) => ({ ...match, headers })),
    backendRefs: [{ ...refTo(pair, rule.to), weight: 1 }],
  };
}

function dividedRefs({ canaryPercent, hasCanary, affinity, cookies }: Wanted, pair: Pair): readonly BackendRef[] {
  const canaryWeight = Math.round((canaryPercent * WHOLE) / 100);
  const refs = [{ ...refTo(pair, 'stable'), weight: WHOLE - canaryWeight }];
  if (hasCanary) refs.push({ ...refTo(pair, 'canary'), weight: canaryWeight });
  if (affinity === null || cookies === null) return refs;
  const versions = [cookies.stable, cookies.canary];
  return refs.map((ref, index) => ({ ...ref, filters: [cookieFilter(affinity, versions[index] ?? '')] }));
}

function refTo({ stable, canary, port }: Pair, role: Role) {
  return { group: '', kind: 'Service', name: role === 'canary' ? canary : stable, port };
}

/** Added, not set: the service may set cookies of its own. */
function cookieFilter({ cookie, ttlSeconds }: Affinity, value: string) {
  const text = `${cookie}=${value}; Path=/; Max-Age=${ttlSeconds}; HttpOnly; SameSite=Lax`;
  return { type: 'ResponseHeaderModifier', responseHeaderModifier: { add: [{ name: 'Set-Cookie', value: text }] } };
}

function mirrorFilter({ canary, port }: Pair, percent: number) {
  const backendRef = { group: '', kind: 'Service', name: canary, port };
  const part = Number.isInteger(percent)
    ? { percent }
    : { fraction: { numerator: Math.round(percent * 100), denominator: WHOLE } };
  return { type: 'RequestMirror', requestMirror: { backendRef, ...part } };
}
