// A small cluster with a routed Deployment and its canary, for the tests of this router.
import { type Deployed, SmallCluster } from '../../../cluster/doubles/small-cluster.ts';
import type { Backend } from '../../../core/model/effect.ts';
import type { Endpoint } from '../../../core/model/gateway.ts';
import type { ReleasePolicy, GatewayApiRouter as RouterPolicy } from '../../../core/model/policy.ts';
import { HTTP_ROUTES } from '../../../kubernetes/index.ts';
import { silentLog } from '../../../lib/log.ts';
import { samplePolicy } from '../../../ports/doubles/index.ts';
import { GatewayApiRouter } from '../gateway-api.ts';

export function gatewayApiPolicy(router: Partial<RouterPolicy>): ReleasePolicy {
  return samplePolicy('default/shop', {
    workload: {
      kind: 'deployment',
      deployment: 'shop',
      container: null,
      pods: 'isolated',
      label: null,
      onRemoval: 'restore',
    },
    router: {
      kind: 'gatewayApi',
      service: 'shop',
      port: null,
      route: {
        kind: 'owned',
        name: 'shop',
        parents: [{ name: 'web', namespace: null, sectionName: null, port: null }],
        hostnames: ['shop.test'],
        matches: [{ path: '/', type: 'PathPrefix' }],
      },
      mirrorPercent: null,
      settleMs: 3_000,
      ...router,
    },
  });
}

export interface RoutedWorld {
  readonly cluster: SmallCluster;
  readonly router: GatewayApiRouter;
  readonly policy: ReleasePolicy;
  readonly v1: Deployed;
  readonly v2: Deployed;
  readonly stable: Backend;
  readonly canary: Backend;
}

export function routerOf(cluster: SmallCluster): GatewayApiRouter {
  const { api, caches, clock } = cluster;
  return new GatewayApiRouter({ api, caches, clock, log: silentLog });
}

/** Addresses for documents only. */
function endpoints(count: number, from = 0): readonly Endpoint[] {
  return Array.from({ length: count }, (_, index) => ({ host: `192.0.2.${from + index + 1}`, port: 8080 }));
}

/** What git has: a rule for the shop among others, with a filter and a time-out. */
export const ADOPTED_SPEC = {
  parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'web' }],
  hostnames: ['shop.test'],
  rules: [
    {
      matches: [{ path: { type: 'PathPrefix', value: '/images' } }],
      filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-a', value: 'b' }] } }],
      backendRefs: [{ group: '', kind: 'Service', name: 'images', port: 80, weight: 1 }],
      timeouts: { request: '10s' },
    },
    {
      matches: [{ path: { type: 'PathPrefix', value: '/' } }],
      backendRefs: [{ group: '', kind: 'Service', name: 'shop', port: 80, weight: 1 }],
      timeouts: { request: '20s' },
    },
  ],
};

export async function routedWorld(policy: ReleasePolicy): Promise<RoutedWorld> {
  const cluster = new SmallCluster();
  await cluster.start();
  await cluster.service('shop', { app: 'shop' });
  const v1 = await cluster.deploy('shop', 'app:v1', { app: 'shop' });
  const v2 = await cluster.deployCanary('shop', 'app:v2', { app: 'shop-canary' });
  const [stable, canary] = [endpoints(2), endpoints(1, 100)];
  await cluster.runAt(v1, stable);
  await cluster.runAt(v2, canary);
  if (policy.router.kind === 'gatewayApi' && policy.router.route.kind === 'adopted') {
    await cluster.api.create(HTTP_ROUTES, {
      metadata: {
        namespace: 'default',
        name: policy.router.route.name,
        managedFields: [
          {
            manager: 'git-tool',
            operation: 'Apply',
            time: '2026-01-01T00:00:00Z',
            fieldsV1: { 'f:spec': { 'f:rules': {} } },
          },
        ],
      },
      spec: ADOPTED_SPEC,
    });
  }
  await cluster.pass(1_000);
  return {
    cluster,
    router: routerOf(cluster),
    policy,
    v1,
    v2,
    stable: { revision: v1.revision, label: 'v1', endpoints: stable },
    canary: { revision: v2.revision, label: 'v2', endpoints: canary },
  };
}
