// What the real tests of adapters share: a policy, versions, a folder of their own, waiting for a state (never a sleep).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessWorkload, ReleasePolicy } from '../../src/core/model/policy.ts';
import type { Version } from '../../src/core/model/version.ts';

export const SERVER = new URL('../fixtures/server.mjs', import.meta.url).pathname;

export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'haldane-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Looks again until it holds; the deadline is a guard against hanging, not an assertion of speed. */
export async function until<T>(what: string, look: () => Promise<T> | T, deadlineMs = 20_000): Promise<NonNullable<T>> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found as NonNullable<T>;
    if (performance.now() > endMs) throw new Error(`still not: ${what}`);
    await delay(20);
  }
}

export const PROCESSES: ProcessWorkload = {
  kind: 'processes',
  replicas: 2,
  ready: { path: '/ready', intervalMs: 100, timeoutMs: 1_000, failures: 2 },
  live: null,
  stopMs: 1_500,
  restart: { initialMs: 100, maxMs: 1_000 },
  logs: { maxBytes: 1_000_000, files: 2 },
};

export function policyFor(change: Partial<ReleasePolicy> = {}): ReleasePolicy {
  return {
    name: 'shop',
    workload: PROCESSES,
    router: {
      kind: 'gateway',
      listen: { host: '127.0.0.1', port: 0 },
      timeouts: { connectMs: 1_000, responseMs: 5_000, idleMs: 10_000, headMs: 5_000 },
      limits: { headBytes: 16_384, bodyBytes: 1_000_000, connections: 1_000 },
      accessLog: null,
    },
    metrics: { kind: 'gateway' },
    ramp: { kind: 'stages', stages: [] },
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
    canary: { minReplicas: 1, ratio: 0.5 },
    exposure: { badPerInterval: 10, totalRequests: null },
    alphas: { abort: 0.01, promote: 0.05 },
    leastBakeMs: 0,
    deadlines: { startMs: 60_000, releaseMs: 600_000, gateMs: 600_000, drainMs: 2_000 },
    onDeadline: 'hold',
    onAbort: 'retire',
    intervalMs: 1_000,
    notify: [],
    historyLimit: 10,
    ...change,
  };
}

/** A version of the server in test/fixtures/server.mjs. */
export function serverVersion(label: string, env: Readonly<Record<string, string>> = {}): Version {
  return {
    revision: `${label}-0123456789`,
    label,
    template: { kind: 'processes', command: [process.execPath, SERVER], env, workingDirectory: null },
  };
}
