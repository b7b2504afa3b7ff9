/** Whole policies that the tables of wrong and changed policies start from, and the tools to change one place in them. */
import { createHash } from 'node:crypto';
import { ADOPTED, GATEWAY_API, REPLICA_SHARE } from './bases-kubernetes.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };
export type PlainObject = { [key: string]: Plain };

const HEAD = {
  apiVersion: 'haldane.dev/v1alpha1',
  kind: 'ReleasePolicy',
  metadata: { name: 'shop', labels: { team: 'shop' }, annotations: { 'example.com/owner': 'shop team' } },
};

const PROCESSES: PlainObject = {
  ...HEAD,
  spec: {
    workload: {
      processes: {
        replicas: 2,
        ready: { path: '/up', interval: '1s', timeout: '500ms', failures: 3 },
        live: { path: '/alive' },
        stop: '20s',
        restart: { initial: '1s', max: '20s' },
        logs: { maxBytes: '20MiB', files: 3 },
        template: {
          version: 'v1',
          command: ['node', 'server.js'],
          env: { LOG_LEVEL: 'info' },
          workingDirectory: '/srv/shop',
        },
      },
    },
    router: {
      gateway: {
        listen: '127.0.0.1:8081',
        timeouts: { connect: '2s', response: '30s', idle: '60s', head: '5s' },
        limits: { head: '32KiB', body: '100MiB', connections: 2000 },
        accessLog: 'access.log',
      },
    },
    strategy: 'canary',
    stages: [
      { weight: 5, bake: '10m', checks: ['errors', 'latency'], advance: 'exposure' },
      { weight: '25%', bake: '20m', gates: [{ approval: { name: 'go-on', approvals: 1 } }], advance: 'proven' },
      {
        weight: 50,
        bake: '30m',
        gates: [
          { webhook: { name: 'window', url: 'https://gates.example.com/shop', timeout: '5s' } },
          { job: { name: 'smoke', command: 'node smoke.js', timeout: '2m' } },
        ],
      },
      { weight: 100 },
    ],
    analysis: 'checks',
    routes: [
      { name: 'checkout', path: '/checkout' },
      { name: 'product', path: '/product/*' },
    ],
    checks: [
      {
        name: 'errors',
        metric: { errors: {} },
        tolerance: { ratio: 1.2, margin: '0.3%' },
        limit: { above: '5%' },
        role: 'required',
        direction: 'increase',
        weight: 4,
        warmUp: '30s',
        noData: '3m',
        routes: ['checkout'],
        methods: ['POST'],
      },
      { name: 'latency', metric: { latency: { quantile: 0.95 } }, limit: { above: '500ms' } },
      {
        name: 'conversion',
        metric: { business: { from: { routes: ['product'] }, to: { routes: ['checkout'], methods: ['POST'] } } },
        limit: { below: '20%' },
      },
      { name: 'memory', metric: { gauge: { reading: 'residentMemory' } }, limit: { above: '512MiB' } },
    ],
    errors: {
      classes: ['5xx'],
      codes: [429],
      endings: ['timeout', 'reset'],
      exceptRoutes: ['health'],
      retryHeader: 'x-request-id',
    },
    decision: 'hybrid',
    userKey: { cookie: 'user_id', header: 'x-user-id' },
    affinity: { cookie: 'shop-version', ttl: '30m' },
    audience: [{ header: { name: 'canary', value: 'true' } }, { cookie: { name: 'beta', value: 'on' } }],
    canary: { minReplicas: 2, ratio: 1.5 },
    exposure: { badPerInterval: 8, totalRequests: 100_000 },
    alphas: { abort: 0.02, promote: 0.04 },
    leastBake: '15m',
    deadlines: { start: '5m', release: '12h', gate: '2h', drain: '1m' },
    onDeadline: 'abort',
    onAbort: { canary: 'keep' },
    interval: '5s',
    notify: [{ log: {} }, { webhook: { url: 'https://hooks.example.com/shop', timeout: '3s' } }],
    historyLimit: 10,
  },
};

const UPSTREAMS: PlainObject = {
  ...HEAD,
  spec: {
    workload: {
      upstreams: {
        ready: { path: '/up' },
        template: { version: 'v1', endpoints: ['127.0.0.1:9001', 'http://localhost:9002', '[::1]:9003'] },
      },
    },
    preset: 'fast',
    userKey: { header: 'x-user-id' },
  },
};

const ADAPTIVE: PlainObject = {
  ...HEAD,
  spec: {
    workload: { processes: { template: { command: 'node server.js' } } },
    ramp: { adaptive: 'bold', gates: [{ approval: { name: 'go-on' } }] },
  },
};

const UNANALYSED: PlainObject = {
  ...HEAD,
  spec: {
    workload: { processes: { template: { version: 'v1', command: 'node server.js' } } },
    analysis: 'none',
    stages: [{ weight: 10, bake: '5m' }, { weight: 97 }],
  },
};

/** The rules of peers beside evidence with all of its margins. */
const PEERS: PlainObject = {
  ...HEAD,
  spec: {
    workload: { processes: { template: { version: 'v1', command: 'node server.js' } } },
    preset: 'fast',
    routes: [{ name: 'checkout', path: '/checkout' }],
    onDeadline: 'accept',
    checks: [
      {
        name: 'compared',
        metric: { errors: {} },
        tolerance: { ratio: 1.2, margin: '0.3%', harmMargin: '0.1%', atDeadline: '1%' },
        clusterCap: 3,
      },
      {
        name: 'slow',
        metric: { latency: { quantile: 0.95 } },
        tolerance: { margin: '2%', atDeadline: '3%', buckets: 2 },
      },
      {
        name: 'restarts',
        metric: { count: { event: 'restarts' } },
        tolerance: { margin: '2/h', harmMargin: '1/d' },
        clusterCap: 2,
      },
      {
        name: 'success',
        metric: { errors: {} },
        flagger: { interval: '30s', min: 99, max: 100, failures: 3, emptyIsFailure: true },
        routes: ['checkout'],
      },
      {
        name: 'quick',
        metric: { latency: {} },
        argo: {
          interval: '30s',
          initialDelay: '1m',
          successCondition: 'result[0] <= 0.5',
          failureCondition: 'result[0] > 1',
          count: 20,
          failureLimit: 3,
          inconclusiveLimit: 2,
          consecutiveErrorLimit: 3,
          consecutiveSuccessLimit: 5,
        },
        warmUp: '30s',
      },
      {
        name: 'judged',
        metric: {
          kayenta: {
            metrics: [
              {
                name: 'errors',
                metric: { errors: {} },
                routes: ['checkout'],
                methods: ['POST'],
                group: 'availability',
                direction: 'increase',
                critical: true,
                nanStrategy: 'replace',
                mustHaveData: true,
              },
              { name: 'p90', metric: { latency: { quantile: 0.9 } }, group: 'speed' },
            ],
            groupWeights: { availability: 70, speed: 30 },
            pass: 90,
            marginal: 50,
            step: '30s',
            interval: '30m',
            lifetime: '2h',
            lookback: '1h',
          },
        },
      },
    ],
  },
};

/** What only recorded data holds. */
const RECORDED: PlainObject = {
  ...HEAD,
  spec: {
    workload: { upstreams: { template: { endpoints: ['127.0.0.1:9001'] } } },
    preset: 'fast',
    checks: [
      { name: 'errors', metric: { errors: {} } },
      {
        name: 'revenue',
        metric: { mean: { cap: 250 } },
        tolerance: { ratio: 1.2, margin: '0.4%', harmMargin: '0.1%' },
      },
      { name: 'orders', metric: { conversion: { horizon: '2h' } }, tolerance: { margin: '1%' }, role: 'required' },
      { name: 'kills', metric: { count: { event: 'oomKills' } } },
    ],
  },
};

/** Taken only where the measurements are recorded ones. */
export const RECORDED_BASES: readonly string[] = ['recorded'];

export const BASES = {
  processes: PROCESSES,
  upstreams: UPSTREAMS,
  adaptive: ADAPTIVE,
  unanalysed: UNANALYSED,
  peers: PEERS,
  recorded: RECORDED,
  gatewayApi: GATEWAY_API,
  adopted: ADOPTED,
  replicaShare: REPLICA_SHARE,
} as const;
export type BaseName = keyof typeof BASES;

/** `spec.stages[0].weight` -> ['spec', 'stages', 0, 'weight'] */
export function parsePath(path: string): (string | number)[] {
  const parts = path.match(/[^.[\]]+|\[\d+\]/g) ?? [];
  return parts.map((part) => (part.startsWith('[') ? Number(part.slice(1, -1)) : part));
}

export const REMOVED = Symbol('removed');

/** A copy with one place changed (or removed); objects on the way are made as needed. */
export function changed(base: Plain, path: readonly (string | number)[], value: unknown): Plain {
  const copy = structuredClone(base);
  const last = path.at(-1);
  if (last === undefined) return value as Plain;
  let current = copy as Record<string | number, unknown>;
  for (const part of path.slice(0, -1)) {
    const next = current[part];
    if (typeof next !== 'object' || next === null) current[part] = {};
    current = current[part] as Record<string | number, unknown>;
  }
  if (value !== REMOVED)
    Object.defineProperty(current, last, { value, enumerable: true, writable: true, configurable: true });
  else if (Array.isArray(current)) current.splice(last as number, 1);
  else delete current[last];
  return copy;
}
