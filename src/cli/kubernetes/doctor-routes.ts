// Another HTTPRoute that takes the same requests. By the Gateway API the most particular match wins, and of two equal ones the
// older route: a canary behind the younger one gets nothing, and no status says so. It looks at equal matches alone: a route
// that is more particular takes its part of the requests on purpose.

import type { GatewayApiRouter, ReleasePolicy } from '../../core/model/policy.ts';
import type { Finding } from '../../core/views/index.ts';
import type { KubeObject } from '../../kubernetes/index.ts';
import type { Cluster } from './cluster.ts';
import { warning } from './doctor.ts';
import { isForbidden, isNotThere } from './errors.ts';

interface Parent {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

interface Match {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly headers?: readonly unknown[];
  readonly queryParams?: readonly unknown[];
  readonly method?: string;
}

interface Route extends KubeObject {
  readonly spec?: {
    readonly parentRefs?: readonly Parent[];
    readonly hostnames?: readonly string[];
    readonly rules?: readonly { readonly matches?: readonly Match[] }[];
  };
  readonly status?: {
    readonly parents?: readonly {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    }[];
  };
}

/** What a route asks for, however it is written. */
interface Claim {
  readonly namespace: string;
  readonly name: string;
  /** null: it is not made yet. */
  readonly madeAt: string | null;
  readonly parents: readonly Parent[];
  readonly hostnames: readonly string[];
  readonly paths: readonly string[];
}

/** Every host of the listeners, where a route names none. */
const EVERY_HOST = '*';

export async function olderRouteFindings(cluster: Cluster, policy: ReleasePolicy): Promise<readonly Finding[]> {
  const { router } = policy;
  if (router.kind !== 'gatewayApi') return [];
  const namespace = policy.name.split('/')[0] ?? '';
  const all = await routesSeen(cluster, namespace);
  const live = all.find(({ metadata }) => metadata.namespace === namespace && metadata.name === router.route.name);
  const own = live === undefined ? wishedClaim(router, namespace) : claimOf(live);
  if (own === null) return [];
  return all
    .filter((each) => each !== live && !isRefused(each))
    .map(claimOf)
    .filter((other) => isBefore(other, own))
    .flatMap((other) => findingOf(other, own) ?? []);
}

/** Of every namespace, else of this one, as far as the rights go. */
async function routesSeen({ api, kinds }: Cluster, namespace: string): Promise<readonly Route[]> {
  for (const scope of [{}, { namespace }]) {
    try {
      return (await api.list<Route>(kinds.routes, scope)).items;
    } catch (error) {
      if (isNotThere(error)) return [];
      if (!isForbidden(error)) throw error;
    }
  }
  return [];
}

function claimOf({ metadata, spec = {} }: Route): Claim {
  const namespace = metadata.namespace ?? '';
  const matches = (spec.rules ?? []).flatMap((rule) => rule.matches ?? [{}]);
  return {
    namespace,
    name: metadata.name,
    madeAt: metadata.creationTimestamp ?? null,
    parents: (spec.parentRefs ?? []).map((parent) => ({ ...parent, namespace: parent.namespace ?? namespace })),
    hostnames: hostsOf(spec.hostnames ?? []),
    paths: matches.filter(isPlain).map(({ path }) => pathText(path?.type, path?.value)),
  };
}

/** An owned route that the operator has not made yet is younger than every other. */
function wishedClaim({ route }: GatewayApiRouter, namespace: string): Claim | null {
  if (route.kind !== 'owned') return null;
  return {
    namespace,
    name: route.name,
    madeAt: null,
    parents: route.parents.map(({ name, namespace: of, sectionName, port }) => ({
      name,
      namespace: of ?? namespace,
      ...(sectionName === null ? {} : { sectionName }),
      ...(port === null ? {} : { port }),
    })),
    hostnames: hostsOf(route.hostnames),
    paths: route.matches.map(({ type, path }) => pathText(type, path)),
  };
}

const hostsOf = (hostnames: readonly string[]) => (hostnames.length === 0 ? [EVERY_HOST] : hostnames);

const isPlain = ({ headers = [], queryParams = [], method }: Match) =>
  headers.length === 0 && queryParams.length === 0 && method === undefined;

function pathText(type = 'PathPrefix', value = '/'): string {
  const trimmed = type === 'PathPrefix' && value !== '/' ? value.replace(/\/$/, '') : value;
  return `${type} ${trimmed}`;
}

/** Refused everywhere, it gets no request. */
function isRefused({ status }: Route): boolean {
  const parents = status?.parents ?? [];
  const isAccepted = (of: (typeof parents)[number]) =>
    !(of.conditions ?? []).some(({ type, status: is }) => type === 'Accepted' && is === 'False');
  return parents.length > 0 && !parents.some(isAccepted);
}

/** The older one, and of two of one second the one whose name comes first. */
function isBefore(other: Claim, own: Claim): boolean {
  if (other.madeAt === null) return false;
  if (own.madeAt === null) return true;
  const [otherMs, ownMs] = [Date.parse(other.madeAt), Date.parse(own.madeAt)];
  if (otherMs !== ownMs) return otherMs < ownMs;
  return `${other.namespace}/${other.name}` < `${own.namespace}/${own.name}`;
}

function findingOf(other: Claim, own: Claim): Finding | null {
  const host = own.hostnames.find((each) => other.hostnames.includes(each));
  const parent = own.parents.find((each) => other.parents.some((theirs) => isSameListener(each, theirs)));
  if (host === undefined || parent === undefined) return null;
  if (!own.paths.some((each) => other.paths.includes(each))) return null;
  const where = host === EVERY_HOST ? 'every host' : `host ${host}`;
  const name = other.namespace === own.namespace ? other.name : `${other.namespace}/${other.name}`;
  return warning(
    'router',
    `HTTPRoute ${name} also takes ${where} on Gateway ${parent.name} and is older than ${own.name}: it gets the requests, whatever weights ${own.name} has`,
    `take its rules for ${where} out of HTTPRoute ${name}, or delete it: ${own.name} sends the same requests to the Service`,
  );
}

function isSameListener(one: Parent, other: Parent): boolean {
  const isSame = (a: string | number | undefined, b: string | number | undefined) =>
    a === undefined || b === undefined || a === b;
  return (
    one.name === other.name &&
    one.namespace === other.namespace &&
    (one.kind ?? 'Gateway') === (other.kind ?? 'Gateway') &&
    isSame(one.sectionName, other.sectionName) &&
    isSame(one.port, other.port)
  );
}
