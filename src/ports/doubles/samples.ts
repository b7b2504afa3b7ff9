// A policy and versions to try ports with. Plain and complete; tests override what they are about.
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Split } from '../../core/model/split.ts';
import type { Version } from '../../core/model/version.ts';

export function samplePolicy(name: string, overrides: Partial<ReleasePolicy> = {}): ReleasePolicy {
  return {
    name,
    workload: {
      kind: 'processes',
      replicas: 2,
      ready: null,
      live: null,
      stopMs: 1_000,
      restart: { initialMs: 100, maxMs: 1_000 },
      logs: { maxBytes: 1_000_000, files: 2 },
    },
    router: {
      kind: 'gateway',
      listen: { host: '127.0.0.1', port: 0 },
      timeouts: { connectMs: 1_000, responseMs: 5_000, idleMs: 5_000, headMs: 2_000 },
      limits: { headBytes: 16_384, bodyBytes: 1_000_000, connections: 1_000 },
      accessLog: null,
    },
    metrics: { kind: 'gateway' },
    ramp: {
      kind: 'stages',
      stages: [{ weightPercent: 10, bakeMs: 60_000, checks: null, gates: [], advance: 'exposure' }],
    },
    analysis: 'checks',
    checks: [],
    errors: {
      routes: null,
      methods: null,
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
    exposure: { badPerInterval: 5, totalRequests: null },
    alphas: { abort: 0.01, promote: 0.01 },
    leastBakeMs: 60_000,
    deadlines: { startMs: 60_000, releaseMs: 3_600_000, gateMs: 600_000, drainMs: 30_000 },
    onDeadline: 'hold',
    onAbort: 'retire',
    intervalMs: 5_000,
    notify: [],
    historyLimit: 20,
    ...overrides,
  };
}

export function sampleVersion(label: string): Version {
  return {
    revision: `rev-${label}`,
    label,
    template: { kind: 'processes', command: ['serve', label], env: {}, workingDirectory: null },
  };
}

/** All weight on the first, the rest as given. */
export function sampleSplit(stable: string, canary?: { revision: string; weightPercent: number }): Split {
  const weights =
    canary === undefined
      ? [{ revision: stable, weightPercent: 100 }]
      : [{ revision: stable, weightPercent: 100 - canary.weightPercent }, canary];
  return { weights, rules: [], salt: 'salt', userKey: null, affinity: null };
}
