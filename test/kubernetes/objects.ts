/** Objects that the tests of the definitions and of admission start from. */
export function deployment(name: string, image = 'app:v1', more: object = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'app', image }] } },
      ...more,
    },
  };
}

export type Spec = Readonly<Record<string, unknown>>;

export const SHARE: Spec = {
  workload: { deployment: { name: 'shop' } },
  router: { replicaShare: { service: 'shop' } },
  metrics: { pods: {} },
};

export const ROUTE: Spec = {
  workload: { deployment: { name: 'shop' } },
  router: { gatewayApi: { service: 'shop', route: { owned: { parents: [{ name: 'web' }] } } } },
  metrics: { prometheus: { address: 'http://prometheus:9090' } },
};

export const ADOPTED: Spec = {
  ...ROUTE,
  router: { gatewayApi: { service: 'shop', route: { adopted: { name: 'shop' } } } },
};

export function releasePolicy(spec: unknown, name = 'shop'): object {
  return { apiVersion: 'haldane.dev/v1alpha1', kind: 'ReleasePolicy', metadata: { name }, spec };
}

export function releaseCommand(spec: object): object {
  return {
    apiVersion: 'haldane.dev/v1alpha1',
    kind: 'ReleaseCommand',
    metadata: { generateName: 'command-' },
    spec: { policy: 'shop', ...spec },
  };
}
