/** Whole policies of Kubernetes that the tables of wrong and changed policies start from. */
import type { PlainObject } from './bases.ts';

const HEAD = {
  apiVersion: 'haldane.dev/v1alpha1',
  kind: 'ReleasePolicy',
  metadata: { name: 'shop', namespace: 'web', labels: { team: 'shop' } },
};

export const GATEWAY_API: PlainObject = {
  ...HEAD,
  spec: {
    workload: { deployment: { name: 'shop', container: 'app', pods: 'isolated', label: 'app', onRemoval: 'letGo' } },
    router: {
      gatewayApi: {
        service: 'shop',
        port: 80,
        route: {
          owned: {
            name: 'shop-route',
            parents: [{ name: 'web', namespace: 'default', sectionName: 'http', port: 80 }],
            hostnames: ['shop.test', '*.shop.test'],
            matches: [{ path: '/', type: 'PathPrefix' }],
          },
        },
        mirror: '10%',
        settle: '5s',
      },
    },
    metrics: {
      prometheus: {
        address: 'https://prometheus.monitoring:9090',
        bearer: { secret: 'prometheus', key: 'token' },
        ca: { secret: 'prometheus', key: 'ca.crt' },
        clientCertificate: {
          certificate: { secret: 'prometheus', key: 'tls.crt' },
          key: { secret: 'prometheus', key: 'tls.key' },
        },
        headers: { 'X-Scope-OrgID': 'shop' },
        counters: { pods: { requests: 'requests_total', status: 'status', latency: 'request_seconds' } },
        scrape: '5s',
        lag: '1s',
        timeout: '3s',
      },
    },
    stages: [{ weight: 5, bake: '10m' }, { weight: 25, bake: '10m' }, { weight: 100 }],
    checks: [
      { name: 'errors', metric: { errors: {} } },
      { name: 'latency', metric: { latency: { quantile: 0.95 } } },
      { name: 'restarts', metric: { count: { event: 'restarts' } } },
      { name: 'memory', metric: { count: { event: 'oomKills' } } },
    ],
    errors: { classes: ['5xx'], codes: [429] },
    affinity: { cookie: 'shop-version', ttl: '30m' },
    audience: [{ header: { name: 'canary', value: 'true' } }],
    canary: { minReplicas: 2, ratio: 1 },
    interval: '5s',
  },
};

export const ADOPTED: PlainObject = {
  ...HEAD,
  spec: {
    workload: { deployment: { name: 'shop' } },
    router: { gatewayApi: { service: 'shop', route: { adopted: { name: 'shop' } } } },
    metrics: {
      prometheus: {
        address: 'http://prometheus.monitoring:9090',
        basic: { username: 'haldane', password: { secret: 'prometheus', key: 'password' } },
        counters: {
          queries: {
            total: 'requests_total{namespace="$namespace", pod=~"$pods"}',
            bad: 'requests_total{namespace="$namespace", pod=~"$pods", result="failed"}',
            latency: 'request_seconds_bucket{namespace="$namespace", pod=~"$pods"}',
          },
        },
      },
    },
    preset: 'fast',
  },
};

export const REPLICA_SHARE: PlainObject = {
  ...HEAD,
  spec: {
    workload: { deployment: { name: 'shop', pods: 'shared' } },
    router: { replicaShare: { service: 'shop' } },
    metrics: {
      pods: { port: 8080, path: '/metrics', counters: { requests: 'http_requests_total' }, timeout: '1s' },
    },
    stages: [
      { weight: 25, bake: '10m' },
      { weight: 50, bake: '10m' },
    ],
  },
};
