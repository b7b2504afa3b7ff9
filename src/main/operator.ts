// The operator: the controller put together for Kubernetes. It watches, waits for the lease, and only then decides; when
// another has the lease it ends, since that one decides already. What serves goes on serving whatever becomes of it.
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemClock, systemRandomness } from '../adapters/clock/system.ts';
import { LocalGates } from '../adapters/gates/local.ts';
import { PodScrapeMetrics } from '../adapters/metrics/pods.ts';
import { PrometheusMetrics } from '../adapters/metrics/prometheus.ts';
import { EventNotifier } from '../adapters/notifiers/events.ts';
import { LogNotifier } from '../adapters/notifiers/log.ts';
import { WebhookNotifier } from '../adapters/notifiers/webhook.ts';
import { GatewayApiRouter } from '../adapters/routers/gateway-api.ts';
import { ReplicaShareRouter } from '../adapters/routers/replica-share.ts';
import { KubernetesStore } from '../adapters/stores/kubernetes.ts';
import { Deployments } from '../adapters/workloads/deployment.ts';
import type { OperatorOptions, RunningOperator } from '../cli/index.ts';
import { Controller, encodeDeclared } from '../controller/index.ts';
import { decide, lookFor } from '../core/engine/index.ts';
import { compileObject } from '../core/policy/index.ts';
import { clusterConfigOf, HttpKubeApi, type KubeApi, LeaderLease, SECRETS } from '../kubernetes/index.ts';
import { createLog, type Log } from '../lib/log.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { ViewSource } from '../server/index.ts';
import { buildCaches, type OperatorCaches } from './operator/caches.ts';
import { type HealthServer, startHealthServer } from './operator/health-server.ts';
import { routersByKind, sourcesByKind } from './operator/kinds.ts';
import { leaseNameOf } from './operator/lease-name.ts';
import { MeasuredTraffic, percentSeen } from './operator/measured-traffic.ts';
import { CallCounts, metricsText } from './operator/metrics-text.ts';
import { StatusPublisher } from './operator/publisher.ts';
import { ReleaseTraces } from './operator/release-traces.ts';
import { packageVersion } from './package-version.ts';
import { workloadsByKind } from './workloads.ts';

const ADMISSION_POLICY = 'haldane-hold';
const STALE_MS = 600_000;

interface Parts {
  readonly api: HttpKubeApi;
  readonly lease: LeaderLease;
  readonly caches: OperatorCaches;
  readonly store: KubernetesStore;
  readonly controller: Controller;
  readonly publisher: StatusPublisher;
  readonly gates: LocalGates;
  readonly webhooks: WebhookNotifier;
  readonly events: EventNotifier;
  readonly calls: CallCounts;
  readonly traffic: MeasuredTraffic;
  readonly traces: ReleaseTraces;
  readonly prometheus: PrometheusMetrics;
}

export async function startOperator(options: OperatorOptions): Promise<RunningOperator> {
  const version = packageVersion();
  const log = createLog({ ...options.log, wallTime: () => new Date().toISOString() });
  const identity = options.identity ?? `${hostname()}-${process.pid}-${systemRandomness.id().slice(0, 6)}`;
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const parts = buildParts(options, { log, version, identity });
  let finish: (outcome: 'stopped' | 'lease lost') => void = () => {};
  const ended = new Promise<'stopped' | 'lease lost'>((resolve) => {
    finish = resolve;
  });
  const end = new AbortController();
  let stopping: Promise<void> | null = null;
  let health: HealthServer | null = null;
  const stop = (outcome: 'stopped' | 'lease lost'): Promise<void> => {
    stopping ??= stopAll({ parts, health, end, releases: outcome === 'stopped' }).finally(() => finish(outcome));
    return stopping;
  };
  health = await startHealthServer(options.port, facesOf(parts, version));
  for (const cache of Object.values(parts.caches)) cache.start();
  parts.lease.onGained((transitions) => {
    log.info('the lease is held', { identity, transitions });
    lead(parts, log).catch((error: unknown) => {
      log.error('releases cannot be led', { error });
      void stop('lease lost');
    });
  });
  parts.lease.onLost(() => {
    log.error('the lease was lost', { identity });
    void stop('lease lost');
  });
  parts.lease.onAnswered(() => wakeAll(parts));
  void parts.lease.run(end.signal);
  log.info('operator started', { identity, version, server: parts.caches.policies.isSynced ? 'synced' : 'connecting' });
  return { version, identity, port: health.port, stop: () => stop('stopped'), ended };
}

/** Decides from now on: first everything must be known. */
async function lead({ caches, controller, publisher, traffic, traces }: Parts, log: Log): Promise<void> {
  const { httpRoutes: _routes, admission: _admission, ...needed } = caches;
  await Promise.all(Object.values(needed).map((cache) => cache.whenSynced()));
  controller.subscribe((view) => {
    traffic.note(view);
    publisher.take(view);
    traces.take(view);
  });
  await controller.start();
  log.info('releases are led', { policies: caches.policies.list().length });
}

/** After an outage of the API server nothing waits out the back-off it got into: somebody may wait for an abort. */
function wakeAll({ caches, controller }: Parts): void {
  for (const cache of Object.values(caches)) cache.wake();
  for (const { name } of controller.views()) controller.wake(name);
}

function buildParts(
  options: OperatorOptions,
  { log, version, identity }: { readonly log: Log; readonly version: string; readonly identity: string },
): Parts {
  const { kubeconfig, context, namespace, stateDir } = options;
  const config = clusterConfigOf({ kubeconfig, context, env: process.env });
  const calls = new CallCounts();
  const userAgent = `haldane/${version}`;
  const onCall = calls.add.bind(calls);
  const clock = { now: () => systemClock.now().monotonicMs, sleep: systemClock.sleep };
  const wallTime = () => systemClock.now().wallTime;
  // The lease is kept on connections of its own, past every fence.
  const lease = new LeaderLease({
    api: new HttpKubeApi({ config, userAgent, onCall, callLimitMs: 5_000 }),
    namespace: options.leaseNamespace ?? config.namespace,
    name: leaseNameOf(namespace),
    identity,
    clock,
    wallTime,
    random: systemRandomness.fraction,
    log,
  });
  const api = new HttpKubeApi({ config, userAgent, onCall, fence: () => lease.fence() });
  const caches = buildCaches({ api, namespace, clock: systemClock, random: systemRandomness, log });
  const store = new KubernetesStore({
    api,
    caches,
    compile: (object) => compileObject(object, { hash: sha256Hex }),
    encodeDeclared,
    wallTime,
    log,
  });
  const gates = new LocalGates({ stateDir, clock: systemClock });
  const webhooks = new WebhookNotifier({
    stateDir,
    clock: systemClock,
    onGivenUp: ({ key, reason }) => log.warn('a webhook was given up', { key, reason }),
  });
  const events = new EventNotifier({ api, policies: caches.policies, wallTime, identity, log });
  const traffic = new MeasuredTraffic(systemClock);
  const { controller, prometheus } = buildController({ api, caches, store, gates, webhooks, events, traffic, log });
  const publisher = buildPublisher({ api, caches, store, controller, traffic, log });
  const traces = new ReleaseTraces({ api, releases: caches.releases, clock: systemClock, log });
  return {
    api,
    lease,
    caches,
    store,
    controller,
    publisher,
    gates,
    webhooks,
    events,
    calls,
    traffic,
    traces,
    prometheus,
  };
}

function buildPublisher(
  parts: Pick<Parts, 'api' | 'caches' | 'store' | 'controller' | 'traffic'> & { readonly log: Log },
): StatusPublisher {
  const { api, caches, store, controller, traffic, log } = parts;
  const live = { of: async (policy: string) => traffic.of(policy) };
  const views = new ViewSource({ store, controller, clock: systemClock, live });
  return new StatusPublisher({
    api,
    policies: caches.policies,
    deployments: caches.deployments,
    refusal: (policy) => store.refusal(policy),
    sharePercent: (policy, revision) => percentSeen(traffic.of(policy), revision),
    viewText: async (policy) => {
      const view = await views.view(policy);
      return view === null ? null : JSON.stringify(view);
    },
    clock: systemClock,
    log,
  });
}

function buildController(
  parts: Pick<Parts, 'caches' | 'store' | 'gates' | 'webhooks' | 'events' | 'traffic'> & {
    readonly api: KubeApi;
    readonly log: Log;
  },
): Pick<Parts, 'controller' | 'prometheus'> {
  const { api, caches, store, gates, webhooks, events, traffic, log } = parts;
  const deployments = new Deployments({
    api,
    caches,
    templates: store.templates,
    clock: systemClock,
    log,
    isSuspended: (policy) => store.isSuspended(policy),
    hasAdmission: () => !caches.admission.isSynced || caches.admission.get('', ADMISSION_POLICY) !== undefined,
  });
  const routing = { api, caches, clock: systemClock, log };
  const podsOf = (policy: Parameters<typeof deployments.podsOf>[0]) => deployments.podsOf(policy);
  const toLog = new LogNotifier(log);
  const pods = new PodScrapeMetrics({ podsOf, clock: systemClock });
  const prometheus = new PrometheusMetrics({ podsOf, clock: systemClock, readSecret: (at) => readSecret(api, at) });
  const controller = new Controller(
    {
      engine: { decide, lookFor },
      store,
      workload: workloadsByKind({ deployment: deployments }),
      router: routersByKind({
        replicaShare: new ReplicaShareRouter(routing),
        gatewayApi: new GatewayApiRouter(routing),
      }),
      metrics: traffic.watching(sourcesByKind({ pods, prometheus })),
      gates,
      notifier: {
        notify: async (policy, message) => {
          await Promise.all([toLog, events, webhooks].map((notifier) => notifier.notify(policy, message)));
        },
      },
      clock: systemClock,
      random: systemRandomness,
      log,
    },
    // Each record is a write of the whole status.
    { recordRestMs: 5_000 },
  );
  return { controller, prometheus };
}

async function readSecret(api: KubeApi, at: { namespace: string; name: string; key: string }): Promise<string | null> {
  const secret = await api.get(SECRETS, at);
  const data = (secret?.data ?? {}) as Readonly<Record<string, string>>;
  const value = data[at.key];
  return value === undefined ? null : Buffer.from(value, 'base64').toString('utf8');
}

function facesOf({ api, caches, controller, lease, calls, traffic }: Parts, version: string) {
  const needed = [caches.policies, caches.deployments, caches.replicaSets, caches.pods];
  return {
    /** Alive as long as it can be told anything: an API server that is down is no reason to be restarted. */
    alive: () => null,
    ready: () => {
      if (needed.some(({ isSynced }) => !isSynced)) return 'what is in the cluster is not known yet';
      const nowMs = systemClock.now().monotonicMs;
      const silent = needed.some((cache) => nowMs - cache.lastContactMs() > STALE_MS);
      return silent ? 'nothing was heard of the API server for ten minutes' : null;
    },
    metrics: () =>
      metricsText({
        views: controller.views(),
        sharePercent: (policy, revision) => percentSeen(traffic.of(policy), revision),
        calls,
        callsUnderWay: api.underWay,
        isLeader: lease.isHeld,
        nowWallMs: Date.parse(systemClock.now().wallTime),
        version,
      }),
  };
}

interface Stopping {
  readonly parts: Parts;
  readonly health: HealthServer | null;
  readonly end: AbortController;
  /** Whether the lease is given up for the next instance. */
  readonly releases: boolean;
}

async function stopAll({ parts, health, end, releases }: Stopping): Promise<void> {
  const { controller, publisher, gates, webhooks, events, caches, lease, api, prometheus } = parts;
  await controller.stop();
  publisher.stop();
  await events.settled();
  gates.close();
  webhooks.close();
  end.abort();
  if (releases) await lease.release();
  await Promise.all(Object.values(caches).map((cache) => cache.stop()));
  await health?.close();
  await prometheus.close();
  await api.close();
}
