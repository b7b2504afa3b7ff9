// A small policy for simulations, complete and ordinary; scenarios change what they are about.
import type { Check } from '../core/model/check.ts';
import type { ReleasePolicy, Stage } from '../core/model/policy.ts';
import type { Version } from '../core/model/version.ts';

const EVERYTHING = { routes: null, methods: null } as const;

export function errorCheck(overrides: Partial<Check> = {}): Check {
  return {
    name: 'errors',
    metric: { kind: 'errors' },
    selector: EVERYTHING,
    role: 'required',
    tolerance: { ratio: 1.1, margin: 0.005, harmMargin: 0, atDeadline: null, bucketShift: 0 },
    limit: null,
    direction: 'increase',
    weight: 1,
    warmUpMs: 0,
    noDataMs: 120_000,
    clusterCap: 1,
    rule: null,
    ...overrides,
  };
}

export function latencyCheck(overrides: Partial<Check> = {}): Check {
  return errorCheck({
    name: 'latency',
    metric: { kind: 'latency', quantile: 0.99 },
    tolerance: { ratio: 1.25, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 },
    ...overrides,
  });
}

export function stage(weightPercent: number, overrides: Partial<Stage> = {}): Stage {
  return { weightPercent, bakeMs: 60_000, checks: null, gates: [], advance: 'exposure', ...overrides };
}

export function samplePolicy(name: string, overrides: Partial<ReleasePolicy> = {}): ReleasePolicy {
  return {
    name,
    workload: {
      kind: 'processes',
      replicas: 3,
      ready: null,
      live: null,
      stopMs: 30_000,
      restart: { initialMs: 1_000, maxMs: 60_000 },
      logs: { maxBytes: 1_000_000, files: 2 },
    },
    router: {
      kind: 'gateway',
      listen: { host: '127.0.0.1', port: 8_000 },
      timeouts: { connectMs: 2_000, responseMs: 30_000, idleMs: 60_000, headMs: 10_000 },
      limits: { headBytes: 32_768, bodyBytes: 10_000_000, connections: 10_000 },
      accessLog: null,
    },
    metrics: { kind: 'gateway' },
    ramp: { kind: 'stages', stages: [stage(5), stage(25), stage(50)] },
    analysis: 'checks',
    checks: [errorCheck()],
    errors: {
      ...EVERYTHING,
      exceptRoutes: [],
      statusClasses: ['5xx'],
      statusCodes: [],
      endings: ['connect-failed', 'timeout', 'reset', 'no-endpoint'],
      retryHeader: null,
    },
    routes: [],
    decision: 'automatic',
    userKey: null,
    affinity: null,
    audience: [],
    canary: { minReplicas: 1, ratio: 1 },
    exposure: { badPerInterval: 10, totalRequests: null },
    alphas: { abort: 0.01, promote: 0.05 },
    leastBakeMs: 120_000,
    deadlines: { startMs: 120_000, releaseMs: 3_600_000, gateMs: 600_000, drainMs: 60_000 },
    onDeadline: 'hold',
    onAbort: 'retire',
    intervalMs: 10_000,
    notify: [{ kind: 'log' }],
    historyLimit: 10,
    ...overrides,
  };
}

export function sampleVersion(revision: string): Version {
  return {
    revision,
    label: revision,
    template: { kind: 'processes', command: ['serve', revision], env: {}, workingDirectory: null },
  };
}
