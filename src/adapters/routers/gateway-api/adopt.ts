// From adopted to owned without a lost request: a second route that says the same of this Service is made beside the one its
// owner writes. Of two equal routes the older is used, so both carry the same weights until the owner takes the old rules
// out. It refuses rules that an owned route cannot say.

import { ANNOTATION, FIELD_MANAGER, LABEL, policyKey } from '../../../cluster/names.ts';
import type { Service } from '../../../cluster/objects.ts';
import type { HttpRoute, ParentReference, ReleasePolicy, RouteMatch } from '../../../core/model/policy.ts';
import { apiVersionOf, HTTP_ROUTES, type KubeApi, SERVICES } from '../../../kubernetes/index.ts';
import { pairOf } from './canary-service.ts';
import { GatewayApiError } from './errors.ts';
import { type OwnedRoute, ownedSpec } from './owned.ts';
import { divisionsOf, type Pair, type Route, type RouteRule } from './route.ts';
import { keptOn, keptText, NOTHING_ASKED } from './wanted.ts';

export interface AdoptedBy {
  /** For the policy: router.gatewayApi.route.owned. */
  readonly route: OwnedRoute;
  /** false: it was there already. */
  readonly isNew: boolean;
  /** The route whose rules for this Service its owner takes out next. */
  readonly replaces: string;
}

/** @param name of the new route; the old one's name with "-owned" if null. */
export async function adoptRoute(api: KubeApi, policy: ReleasePolicy, name: string | null = null): Promise<AdoptedBy> {
  const { router } = policy;
  if (router.kind !== 'gatewayApi' || router.route.kind !== 'adopted') {
    throw refusal('the policy has no adopted route', 'adopting is for router.gatewayApi.route.adopted');
  }
  const { namespace, name: policyName } = policyKey(policy.name);
  const { service, port, route } = router;
  const live = await api.get<Route>(HTTP_ROUTES, { namespace, name: route.name });
  if (live === null) throw refusal(`there is no HTTPRoute ${route.name}`, 'name the route that sends to the Service');
  const stable = (await api.get(SERVICES, { namespace, name: service })) as Service | null;
  const pair = pairOf(stable ?? undefined, { namespace, service, port, inUse: null });
  if ('refused' in pair) throw refusal(pair.refused, 'set it right in the policy');
  const owned = sameAsOwned(live, pair, name ?? `${route.name.slice(0, 56)}-owned`);
  const there = await api.get<Route>(HTTP_ROUTES, { namespace, name: owned.name });
  if (there !== null) {
    if (there.metadata.labels?.[LABEL.policy] === policyName)
      return { route: owned, isNew: false, replaces: route.name };
    throw refusal(`HTTPRoute ${owned.name} is there already`, 'name another one for the owned route');
  }
  const kept = keptOn(live) ?? { policy: policy.name, wanted: NOTHING_ASKED, given: {} };
  const body = {
    apiVersion: apiVersionOf(HTTP_ROUTES),
    kind: HTTP_ROUTES.kind,
    metadata: {
      namespace,
      name: owned.name,
      labels: { [LABEL.policy]: policyName },
      annotations: { [ANNOTATION.split]: keptText({ ...kept, given: {} }) },
    },
    spec: ownedSpec(owned, kept.wanted, pair, null),
  };
  await mark(api, live, keptText(kept));
  await api.create(HTTP_ROUTES, body, { fieldManager: FIELD_MANAGER });
  return { route: owned, isNew: true, replaces: route.name };
}

/** By this the old route is known to carry the same weights until its owner has taken its rules out. */
async function mark(api: KubeApi, { metadata }: Route, text: string): Promise<void> {
  const { namespace, name, resourceVersion } = metadata;
  const body = { metadata: { resourceVersion, annotations: { [ANNOTATION.split]: text } } };
  await api.patch(HTTP_ROUTES, { namespace, name }, { type: 'merge', body }, { fieldManager: FIELD_MANAGER });
}

function sameAsOwned({ spec, metadata }: Route, pair: Pair, name: string): OwnedRoute {
  const divisions = divisionsOf(spec, pair);
  const rules = divisions.map(({ rule }) => spec.rules?.[rule] ?? {});
  if (rules.length === 0) {
    throw refusal(`no rule of HTTPRoute ${metadata.name} sends to Service ${pair.stable}`, 'name another route');
  }
  if (divisions.some(({ otherWeight }) => otherWeight > 0)) {
    throw refusal('a rule sends to other backends as well', 'leave the route adopted, or divide its rules');
  }
  for (const rule of rules) refuseUnsaid(rule);
  return {
    kind: 'owned',
    name,
    parents: (spec.parentRefs ?? []).map((parent): ParentReference => {
      const { namespace = null, sectionName = null, port = null } = parent;
      return { name: parent.name, namespace, sectionName, port };
    }),
    hostnames: spec.hostnames ?? [],
    matches: rules.flatMap(({ matches = [{}] }) =>
      matches.map(({ path = {} }): RouteMatch => {
        const type = path.type ?? 'PathPrefix';
        return { path: path.value ?? '/', type: type as RouteMatch['type'] };
      }),
    ),
  } satisfies HttpRoute;
}

const SAID = ['matches', 'backendRefs', 'name'];

function refuseUnsaid(rule: RouteRule): void {
  const fix = 'leave the route adopted: in an owned route there is no place for it yet';
  const more = Object.keys(rule).filter((key) => !SAID.includes(key) && JSON.stringify(rule[key]) !== '[]');
  if (more.length > 0) throw refusal(`a rule has ${more.join(', ')}`, fix);
  for (const { path, ...match } of rule.matches ?? []) {
    const keys = Object.keys(match);
    if (keys.length > 0) throw refusal(`a rule matches by ${keys.join(', ')}`, fix);
    if (path?.type === 'RegularExpression') throw refusal('a rule matches paths by a regular expression', fix);
  }
  if (rule.backendRefs?.some(({ filters = [] }) => filters.length > 0)) throw refusal('a backend has filters', fix);
}

function refusal(message: string, fix: string): GatewayApiError {
  return new GatewayApiError(message, { code: 'route-not-adopted', fix });
}
