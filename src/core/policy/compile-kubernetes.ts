/**
 * What only Kubernetes has, from the policy as read to the policy the engine reads: the Deployment, its routers, and where
 * its measurements come from. It refuses nothing: what does not fit together was said before it is called.
 */
import type {
  CounterSet,
  DeploymentWorkload,
  GatewayApiRouter,
  HttpRoute,
  MetricsFrom,
  PrometheusAccess,
  Router,
  SecretKey,
} from '../model/policy.ts';
import type { ReadSpec } from './schema.ts';

type ReadDeployment = NonNullable<ReadSpec['workload']['deployment']>;
type ReadGatewayApi = NonNullable<ReadSpec['router']['gatewayApi']>;
type ReadMetrics = NonNullable<ReadSpec['metrics']>;
type ReadPrometheus = NonNullable<ReadMetrics['prometheus']>;

export function compileDeployment(deployment: ReadDeployment, router: ReadSpec['router']): DeploymentWorkload {
  return {
    kind: 'deployment',
    deployment: deployment.name,
    container: deployment.container ?? null,
    pods: deployment.pods ?? (router.replicaShare === undefined ? 'isolated' : 'shared'),
    label: deployment.label ?? null,
    onRemoval: deployment.onRemoval,
  };
}

export function compileClusterRouter({ router, workload }: ReadSpec): Router {
  const { replicaShare, gatewayApi } = router;
  if (replicaShare !== undefined) return { kind: 'replicaShare', service: replicaShare.service };
  if (gatewayApi !== undefined) return compileGatewayApi(gatewayApi, workload.deployment?.name ?? gatewayApi.service);
  throw new Error('a router without a kind was let through by the schema');
}

function compileGatewayApi(router: ReadGatewayApi, routeName: string): GatewayApiRouter {
  return {
    kind: 'gatewayApi',
    service: router.service,
    port: router.port ?? null,
    route: compileRoute(router.route, routeName),
    mirrorPercent: router.mirror ?? null,
    settleMs: router.settle,
  };
}

function compileRoute({ owned, adopted }: ReadGatewayApi['route'], name: string): HttpRoute {
  if (adopted !== undefined) return { kind: 'adopted', name: adopted.name };
  if (owned === undefined) throw new Error('a route without a kind was let through by the schema');
  return {
    kind: 'owned',
    name: owned.name ?? name,
    parents: owned.parents.map((parent) => ({
      name: parent.name,
      namespace: parent.namespace ?? null,
      sectionName: parent.sectionName ?? null,
      port: parent.port ?? null,
    })),
    hostnames: owned.hostnames,
    matches: owned.matches,
  };
}

export function compileMetrics(metrics: ReadSpec['metrics']): MetricsFrom {
  const { prometheus, pods } = metrics ?? {};
  if (prometheus !== undefined) {
    return {
      kind: 'prometheus',
      access: compileAccess(prometheus),
      counters: compileCounters(prometheus.counters),
      scrapeMs: prometheus.scrape,
      lagMs: prometheus.lag,
      timeoutMs: prometheus.timeout,
    };
  }
  if (pods === undefined) return { kind: 'gateway' };
  return {
    kind: 'pods',
    port: pods.port ?? null,
    path: pods.path,
    counters: podCounters(pods.counters),
    timeoutMs: pods.timeout,
  };
}

function compileAccess(prometheus: ReadPrometheus): PrometheusAccess {
  const { basic, clientCertificate } = prometheus;
  return {
    address: prometheus.address,
    bearer: secretKey(prometheus.bearer),
    basic: basic === undefined ? null : { username: basic.username, password: namedKey(basic.password) },
    ca: secretKey(prometheus.ca),
    clientCertificate:
      clientCertificate === undefined
        ? null
        : { certificate: namedKey(clientCertificate.certificate), key: namedKey(clientCertificate.key) },
    headers: prometheus.headers,
  };
}

type ReadSecretKey = NonNullable<ReadPrometheus['bearer']>;

function secretKey(read: ReadSecretKey | undefined): SecretKey | null {
  return read === undefined ? null : namedKey(read);
}

function namedKey({ secret, key }: ReadSecretKey): SecretKey {
  return { name: secret, key };
}

function compileCounters({ pods, traefik, envoy, queries }: ReadPrometheus['counters']): CounterSet {
  if (traefik !== undefined) return { kind: 'traefik' };
  if (envoy !== undefined) return { kind: 'envoy' };
  if (pods !== undefined) return podCounters(pods);
  if (queries === undefined) throw new Error('counters without a kind were let through by the schema');
  return { kind: 'queries', total: queries.total, bad: queries.bad, latency: queries.latency ?? null };
}

type ReadPodCounters = NonNullable<ReadPrometheus['counters']['pods']>;

function podCounters({ requests, status, latency }: ReadPodCounters): Extract<CounterSet, { kind: 'pods' }> {
  return { kind: 'pods', requests, statusLabel: status, latency };
}
