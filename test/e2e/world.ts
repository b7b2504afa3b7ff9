// What a team has before Haldane comes, and its policy: a Deployment, a Service, for some a route. Data. It refuses to hold
// anything that Haldane needs and a plain team would not have.
import type { Json, Made } from './cluster.ts';
import type { RouteMode, RouterUnderTest } from './routers.ts';

/** A version as its team writes it down. */
export interface Version {
  readonly tag: string;
  /** Of the sample image: ERROR_RATE, LATENCY_MS, SLOW_RATE, SLOW_MS, START_SECONDS. */
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of what the image runs. */
  readonly command?: readonly string[];
}

export const IMAGE = process.env.HALDANE_E2E_IMAGE ?? 'app';
export const REPLICAS = 3;

/** What every version has: few errors, some latency. */
const BASE = { ERROR_RATE: '0.001', LATENCY_MS: '4' };
const EXTRA = JSON.parse(process.env.HALDANE_E2E_POD_ANNOTATIONS ?? '{}') as Readonly<Record<string, string>>;
/** Whether pods that ask for it run nothing. */
export const FAKES_PODS = Object.keys(EXTRA).length > 0;

export const good = (number: number): Version => ({ tag: `v${number}` });
export const failing = (number: number, rate: number): Version => ({
  tag: `v${number}`,
  env: { ERROR_RATE: String(rate) },
});
export const slow = (number: number): Version => ({ tag: `v${number}`, env: { SLOW_RATE: '0.05', SLOW_MS: '30' } });
export const crashing = (number: number): Version => ({ tag: `v${number}`, command: ['sh', '-c', 'exit 1'] });
export const missing = (): Version => ({ tag: 'does-not-exist' });

export interface DeploymentOptions {
  readonly replicas?: number | null;
  readonly name?: string;
  readonly fake?: boolean;
}

export function deployment(namespace: string, version: Version, options: DeploymentOptions = {}): Made {
  const { replicas = REPLICAS, name = 'shop', fake = false } = options;
  const env = { ...BASE, ...version.env };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      ...(replicas === null ? {} : { replicas }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: { app: name },
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080', ...(fake ? EXTRA : {}) },
        },
        spec: {
          containers: [
            {
              name: 'app',
              image: `${IMAGE}:${version.tag}`,
              ...(version.command === undefined ? {} : { command: version.command }),
              env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
              ports: [{ name: 'http', containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, failureThreshold: 2 },
              // Endpoints are told before the process ends; users' connections are younger than this.
              lifecycle: { preStop: { sleep: { seconds: 5 } } },
            },
          ],
        },
      },
    },
  };
}

export function service(namespace: string, name = 'shop'): Made {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
}

/** A route that is there before its policy, as git has it. */
export function route(namespace: string, router: RouterUnderTest): Made | null {
  if (router.gateway === null) return null;
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'shop', namespace },
    spec: {
      parentRefs: [router.gateway],
      hostnames: [router.host(namespace)],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [{ name: 'shop', port: 80 }] }],
    },
  };
}

export const STAGES: readonly number[] = [5, 25, 50];

export interface PolicyOptions {
  readonly mode?: RouteMode;
  /** Instead of what the scenarios' policy says of judging. */
  readonly judging?: Json;
  readonly spec?: Json;
}

/**
 * Short stages, so that a scenario ends while one watches. Everything shares the machine, and pods of one version differ by
 * what else runs beside them: of the lines of latency only odds that are more than doubled count (docs/limits.md).
 */
const JUDGING: Json = {
  stages: STAGES.map((weight) => ({ weight, bake: '5s' })),
  checks: [
    { name: 'errors', metric: { errors: {} }, tolerance: { ratio: 1.1, margin: '0.5%' }, warmUp: '3s' },
    { name: 'latency', metric: { latency: { quantile: 0.99 } }, tolerance: { ratio: 2, margin: '3%' }, warmUp: '3s' },
  ],
  interval: '5s',
  deadlines: { start: '40s', release: '10m', drain: '10s' },
};

export function policy(namespace: string, router: RouterUnderTest, options: PolicyOptions = {}): Made {
  return {
    apiVersion: 'haldane.dev/v1alpha1',
    kind: 'ReleasePolicy',
    metadata: { name: 'shop', namespace },
    spec: {
      workload: { deployment: { name: 'shop' } },
      router: router.router(namespace, options.mode ?? 'owned'),
      metrics: router.metrics,
      ...(options.judging ?? JUDGING),
      ...options.spec,
    },
  };
}
