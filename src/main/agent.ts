// The agent: every part put together, started in the order they need each other and ended in the reverse. What serves
// (gateways and processes) is left running unless it is told to end everything.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, systemRandomness } from '../adapters/clock/system.ts';
import { LocalGates } from '../adapters/gates/local.ts';
import { GatewayMetrics } from '../adapters/metrics/gateway.ts';
import { LogNotifier } from '../adapters/notifiers/log.ts';
import { WebhookNotifier } from '../adapters/notifiers/webhook.ts';
import { GatewayRouter } from '../adapters/routers/gateway.ts';
import { SqliteStore } from '../adapters/stores/sqlite.ts';
import { ProcessWorkloads } from '../adapters/workloads/processes.ts';
import { UpstreamWorkloads } from '../adapters/workloads/upstreams.ts';
import type { AgentEvents, AgentOptions, RunningAgent } from '../cli/index.ts';
import { Controller } from '../controller/index.ts';
import { decide, lookFor } from '../core/engine/index.ts';
import { GATEWAY_NODE_FLAGS } from '../gateway/node-flags.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { Log } from '../lib/log.ts';
import { createLog } from '../lib/log.ts';
import { readPrivateFile, writePrivateFile } from '../lib/private-file.ts';
import { identify } from '../lib/proc.ts';
import { siblingModule } from '../lib/sibling.ts';
import { type AgentFile, agentFileOf, tokenFileOf } from '../lib/state-dir.ts';
import { type Counts, type RunningServer, startServer } from '../server/index.ts';
import { takeDown } from './demo/take-down.ts';
import { packageVersion } from './package-version.ts';
import { PolicyFiles } from './policy-files.ts';
import { workloadsByKind } from './workloads.ts';

interface Parts {
  readonly store: SqliteStore;
  readonly processes: ProcessWorkloads;
  readonly upstreams: UpstreamWorkloads;
  readonly router: GatewayRouter;
  readonly metrics: GatewayMetrics;
  readonly gates: LocalGates;
  readonly webhooks: WebhookNotifier;
  readonly controller: Controller;
}

/** Starts an agent; it runs until `stop` is called or it is told to over its API. */
export async function startAgent(options: AgentOptions, events: AgentEvents): Promise<RunningAgent> {
  const { stateDir } = options;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const log = createLog({ ...options.log, wallTime: () => new Date().toISOString() });
  const version = packageVersion();
  const parts = buildParts(options, log, version);
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let server: RunningServer | null = null;
  let files: PolicyFiles | null = null;
  let stopping: Promise<void> | null = null;
  const stop = (everything: boolean): Promise<void> => {
    stopping ??= stopAll({ parts, server, files, stateDir, everything }).finally(() => end());
    return stopping;
  };
  try {
    const token = tokenOf(stateDir);
    server = await startServer({
      ...parts,
      clock: systemClock,
      random: systemRandomness,
      log,
      version,
      token,
      listen: options.api,
      traceFolder: join(stateDir, 'traces'),
      readCounts: (policy) => readCounts(parts.router, policy),
      defaultFolder: process.cwd(),
      shutdown: (everything) => setTimeout(() => void stop(everything), 50),
      notes: parts.store.opening.messages,
    });
    files = new PolicyFiles({
      files: options.files,
      stateDir,
      store: parts.store,
      log,
      onApplied: events.onApplied,
      onRefused: events.onRefused,
    });
    await files.start();
    await parts.controller.start();
    const address = `http://${server.address.host.includes(':') ? `[${server.address.host}]` : server.address.host}:${server.address.port}`;
    writeAgentFile(stateDir, address, version);
    return { address, version, notes: parts.store.opening.messages, stop, ended };
  } catch (error) {
    await stop(false).catch(() => {});
    throw error;
  }
}

function buildParts({ stateDir }: AgentOptions, log: Log, version: string): Parts {
  const clock = systemClock;
  const store = SqliteStore.open({ folder: join(stateDir, 'store') });
  const router = new GatewayRouter({
    stateDir,
    clock,
    command: [process.execPath, ...GATEWAY_NODE_FLAGS, siblingModule(import.meta.url, './gateway')],
    version,
    onEvent: ({ policy, message }) => log.info('gateway', { policy, event: message }),
  });
  const processes = new ProcessWorkloads({
    stateDir,
    clock,
    ids: systemRandomness,
    inUse: (policy, revision, endpoint) => router.isInUse(policy, revision, endpoint),
    onOrphan: (orphan) => log.warn('a process nobody knew was ended', { ...orphan }),
  });
  const upstreams = new UpstreamWorkloads({ stateDir, clock });
  const metrics = new GatewayMetrics({
    clock,
    readInstances: (policy) => router.counts(policy.name),
    readPasts: (policy) => router.pasts(policy.name),
    readReplicas: async (policy) => (policy.workload.kind === 'processes' ? processes.readReplicas(policy.name) : null),
    readLives: async (policy) => (policy.workload.kind === 'processes' ? processes.readLives(policy.name) : null),
    onLost: (policy, instance) => log.warn('counts of a gateway process are lost', { policy, instance }),
  });
  const gates = new LocalGates({ stateDir, clock });
  const toLog = new LogNotifier(log);
  const webhooks = new WebhookNotifier({
    stateDir,
    clock,
    onGivenUp: ({ key, reason }) => log.warn('a webhook was given up', { key, reason }),
  });
  const controller = new Controller({
    engine: { decide, lookFor },
    store,
    workload: workloadsByKind({ processes, upstreams }),
    router,
    metrics,
    gates,
    notifier: {
      notify: async (policy, message) => {
        await Promise.all([toLog.notify(policy, message), webhooks.notify(policy, message)]);
      },
    },
    clock,
    random: systemRandomness,
    log,
  });
  return { store, processes, upstreams, router, metrics, gates, webhooks, controller };
}

/** One token a state folder; every agent of it uses the same, so that scripts survive a restart. */
function tokenOf(stateDir: string): string {
  const path = tokenFileOf(stateDir);
  const known = readPrivateFile(path)?.trim();
  if (known !== undefined && known.length >= 20) return known;
  const token = `${systemRandomness.id()}${systemRandomness.id()}`;
  writePrivateFile(path, `${token}\n`);
  return token;
}

function writeAgentFile(stateDir: string, address: string, version: string): void {
  const file: AgentFile = {
    schema: 1,
    address,
    pid: process.pid,
    startTicks: identify(process.pid)?.startTicks ?? null,
    version,
    startedAt: new Date().toISOString(),
  };
  writeFileAtomic(agentFileOf(stateDir), JSON.stringify(file));
}

async function readCounts(router: GatewayRouter, policy: string): Promise<Counts | null> {
  const instances = await router.counts(policy);
  if (instances.length === 0) return null;
  const requests: Record<string, number> = {};
  const inFlight: Record<string, number> = {};
  for (const { snapshot, ended } of instances) {
    for (const { revision, count } of snapshot.cells) requests[revision] = (requests[revision] ?? 0) + count;
    if (ended) continue;
    for (const [revision, count] of Object.entries(snapshot.inFlight)) {
      inFlight[revision] = (inFlight[revision] ?? 0) + count;
    }
  }
  return { requests, inFlight };
}

interface Stopping {
  readonly parts: Parts;
  readonly server: RunningServer | null;
  readonly files: PolicyFiles | null;
  readonly stateDir: string;
  readonly everything: boolean;
}

async function stopAll({ parts, server, files, stateDir, everything }: Stopping): Promise<void> {
  files?.stop();
  rmSync(agentFileOf(stateDir), { force: true });
  await server?.close();
  await parts.controller.stop();
  parts.router.close();
  parts.processes.close();
  parts.upstreams.close();
  parts.gates.close();
  parts.webhooks.close();
  await parts.store.close();
  if (everything) await takeDown(stateDir);
}
