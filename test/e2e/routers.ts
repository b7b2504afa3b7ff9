// The routers the suite is run for, as data: what the policy says, where users ask, and how the weight is read from the
// objects that the data plane itself obeys. It refuses to take a weight from anything Haldane says of itself.
import { TRAFFIC_GATE } from '../../src/cluster/names.ts';
import { ENDPOINT_SLICES, HTTP_ROUTES, type KubeObject, SERVICES } from '../../src/kubernetes/index.ts';
import type { Cluster, Json, PodObject } from './cluster.ts';
import type { Kind } from './load/load.ts';

export type RouteMode = 'owned' | 'adopted';

export interface Asked {
  /** Of requests, or of connections, what the canary is to get. */
  readonly percent: number;
  /** By what Haldane writes itself the canary is to get nothing: for a Service, the controllers of Kubernetes come after it. */
  readonly isTakenBack: boolean;
  /** The data plane says that it goes by it: proxies may hear of it late. */
  readonly isObeyed: boolean;
}

export interface RouterUnderTest {
  readonly name: string;
  readonly router: (namespace: string, mode: RouteMode) => Json;
  readonly metrics: Json;
  readonly url: (cluster: Cluster, namespace: string) => Promise<string>;
  readonly host: (namespace: string) => string;
  readonly users: readonly Kind[];
  /** What can be frozen so that nobody is answered; null: nothing that stands apart. */
  readonly dataPlane: string | null;
  readonly connectionsOnly: boolean;
  readonly settleMs: number;
  /** The route that somebody has before there is a policy; null: none is needed. */
  readonly gateway: { readonly name: string; readonly namespace: string } | null;
  readonly asked: (at: {
    readonly cluster: Cluster;
    readonly namespace: string;
    readonly pods: readonly PodObject[];
  }) => Promise<Asked>;
}

const env = (name: string) => process.env[`HALDANE_E2E_${name}`];

export const PROMETHEUS = env('PROMETHEUS') ?? null;

const POD_COUNTERS: Json = { pods: { port: 8080 } };

export function prometheusMetrics(counters: Json = {}): Json {
  return { prometheus: { address: PROMETHEUS, scrape: '5s', lag: '1s', ...counters } };
}

const hostOf = (namespace: string) => `shop.${namespace}.test`;

function gatewayRouter(name: string, gatewayName: string, dataPlane: string): RouterUnderTest {
  const [namespace = 'default', gateway = gatewayName] = (
    env(`GATEWAY_${dataPlane.toUpperCase()}`) ?? `default/${gatewayName}`
  ).split('/');
  const parents = [{ name: gateway, namespace }];
  return {
    name,
    router: (ns, mode) => ({
      gatewayApi: {
        service: 'shop',
        route: mode === 'owned' ? { owned: { parents, hostnames: [hostOf(ns)] } } : { adopted: { name: 'shop' } },
      },
    }),
    metrics: PROMETHEUS === null ? POD_COUNTERS : prometheusMetrics(),
    url: async () => needed(`URL_${name.replaceAll('-', '_').toUpperCase()}`),
    host: hostOf,
    users: [
      { connections: 'keep', rate: 120 },
      { connections: 'close', rate: 60 },
    ],
    dataPlane,
    connectionsOnly: false,
    settleMs: 3_000,
    gateway: { name: gateway, namespace },
    asked: async ({ cluster, namespace: ns }) => {
      const routes = (await cluster.api.list(HTTP_ROUTES, { namespace: ns })).items;
      const percent = routePercent(routes);
      return { percent, isTakenBack: percent === 0, isObeyed: routes.every(isAccepted) };
    },
  };
}

const replicaShare: RouterUnderTest = {
  name: 'replica-share',
  router: () => ({ replicaShare: { service: 'shop' } }),
  metrics: POD_COUNTERS,
  url: async (cluster, namespace) => env('URL_REPLICA_SHARE') ?? (await addressOf(cluster, namespace)),
  host: () => '',
  users: [
    { connections: 'short', rate: 60 },
    { connections: 'close', rate: 120 },
  ],
  dataPlane: null,
  connectionsOnly: true,
  settleMs: 2_000,
  gateway: null,
  asked: async ({ cluster, namespace, pods }) => {
    const slices = (await cluster.api.list(ENDPOINT_SLICES, { namespace })).items;
    return { percent: endpointPercent(slices, pods), isTakenBack: !pods.some(isLetIn), isObeyed: true };
  },
};

export const ROUTERS: readonly RouterUnderTest[] = [
  replicaShare,
  gatewayRouter('gateway-api', 'web', 'traefik'),
  gatewayRouter('gateway-api-envoy', 'envoy', 'envoy'),
];

function needed(name: string): string {
  const value = env(name);
  if (value === undefined) throw new Error(`HALDANE_E2E_${name} is not set: where the Gateway answers`);
  return value;
}

async function addressOf(cluster: Cluster, namespace: string): Promise<string> {
  const service = await cluster.api.get(SERVICES, { namespace, name: 'shop' });
  const { clusterIP } = (service?.spec ?? {}) as { readonly clusterIP?: string };
  return `http://${clusterIP ?? 'nowhere'}:80`;
}

interface Backend {
  readonly name: string;
  readonly weight?: number;
}

/** Of all weights of every rule, the percent that goes to a Service other than the users' own. */
function routePercent(routes: readonly KubeObject[]): number {
  const rules = routes.flatMap(
    ({ spec }) => (spec as { readonly rules?: readonly { readonly backendRefs?: readonly Backend[] }[] }).rules ?? [],
  );
  const backends = rules.flatMap(({ backendRefs }) => backendRefs ?? []);
  const sum = (some: readonly Backend[]) => some.reduce((all, { weight }) => all + (weight ?? 1), 0);
  const all = sum(backends);
  return all === 0 ? 0 : (100 * sum(backends.filter(({ name }) => name !== 'shop'))) / all;
}

interface RouteStatus {
  readonly parents?: readonly { readonly conditions?: readonly { readonly observedGeneration?: number }[] }[];
}

/** As it stands now, by every Gateway it hangs on. */
function isAccepted({ metadata, status }: KubeObject): boolean {
  const conditions = ((status as RouteStatus | undefined)?.parents ?? []).map((parent) => parent.conditions ?? []);
  const isNow = ({ observedGeneration = 0 }) => observedGeneration >= (metadata.generation ?? 0);
  return conditions.length > 0 && conditions.every((own) => own.length > 0 && own.every(isNow));
}

interface Endpoint {
  readonly conditions?: { readonly ready?: boolean };
  readonly targetRef?: { readonly name: string };
}

/** Of the ready endpoints of the users' Service, the percent that are canary pods. */
function endpointPercent(slices: readonly KubeObject[], pods: readonly PodObject[]): number {
  const isCanary = new Set(pods.filter(isCanaryPod).map(({ metadata }) => metadata.name));
  const ready = slices
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'shop')
    .flatMap((slice) => (slice.endpoints ?? []) as readonly Endpoint[])
    .filter(({ conditions }) => conditions?.ready === true);
  const canary = ready.filter(({ targetRef }) => isCanary.has(targetRef?.name ?? ''));
  return ready.length === 0 ? 0 : (100 * canary.length) / ready.length;
}

function isLetIn({ status }: PodObject): boolean {
  return (
    status?.conditions?.some((condition) => condition.type === TRAFFIC_GATE && condition.status === 'True') ?? false
  );
}

export function isCanaryPod({ metadata }: KubeObject): boolean {
  return metadata.labels?.['haldane.dev/role'] === 'canary';
}
