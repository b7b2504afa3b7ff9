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
import { noAdmission } from '../adapters/workloads/deployment/errors.ts';
import { Deployments } from '../adapters/workloads/deployment.ts';
import type { OperatorOptions, OperatorOutcome, RunningOperator } from '../cli/index.ts';
import { holdOf, stampOf } from '../cluster/admission.ts';
import { Controller, encodeDeclared } from '../controller/index.ts';
import { decide, lookFor } from '../core/engine/index.ts';
import { compileObject } from '../core/policy/index.ts';
import {
  clusterConfigOf,
  HttpKubeApi,
  type KubeApi,
  type KubeObject,
  LeaderLease,
  SECRETS,
} from '../kubernetes/index.ts';
import { describeError } from '../lib/errors.ts';
import { createLog, type Log } from '../lib/log.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { ViewSource } from '../server/index.ts';
import { OwnAccount } from './operator/account.ts';
import { buildCaches, type OperatorCaches } from './operator/caches.ts';
import { type HealthServer, startHealthServer } from './operator/health-server.ts';
import { routersByKind, sourcesByKind } from './operator/kinds.ts';
import { leaseNameOf } from './operator/lease-name.ts';
import { MeasuredTraffic, percentSeen } from './operator/measured-traffic.ts';
import { CallCounts, metricsText } from './operator/metrics-text.ts';
import { admissionOf, neededOf, whenKnown, whyNotReady } from './operator/needed.ts';
import { StatusPublisher } from './operator/publisher.ts';
import { ReleaseTraces } from './operator/release-traces.ts';
import { packageVersion } from './package-version.ts';
import { workloadsByKind } from './workloads.ts';

/** Admission that is read a moment later would look like a trouble of each policy. */
const ADMISSION_WITHIN_MS = 3_000;

interface Parts {
  readonly api: HttpKubeApi;
  readonly lease: LeaderLease;
  readonly caches: OperatorCaches;
  readonly account: OwnAccount;
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
  let finish: (outcome: OperatorOutcome) => void = () => {};
  const ended = new Promise<OperatorOutcome>((resolve) => {
    finish = resolve;
  });
  const end = new AbortController();
  let stopping: Promise<void> | null = null;
  let health: HealthServer | null = null;
  const stop = (outcome: OperatorOutcome): Promise<void> => {
    stopping ??= stopAll({ parts, health, end, releases: outcome !== 'lease lost' }).finally(() => finish(outcome));
    return stopping;
  };
  health = await startHealthServer(options.port, facesOf(parts, version));
  for (const cache of Object.values(parts.caches)) cache.start();
  parts.lease.onGained((transitions) => {
    log.info('the lease is held', { identity, transitions });
    lead(parts, end.signal, log).catch((error: unknown) => {
      if (end.signal.aborted) return;
      log.error('releases cannot be led, so the lease is given up', { error });
      void stop('could not lead');
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
async function lead(parts: Parts, signal: AbortSignal, log: Log): Promise<void> {
  const { caches, controller, publisher, traffic, traces, lease } = parts;
  await whenKnown({ needed: neededOf(caches), isAnswered: () => lease.isHeld, clock: systemClock, signal });
  await lookAtAdmission(parts, signal, log);
  controller.subscribe((view) => {
    traffic.note(view);
    publisher.take(view);
    traces.take(view);
  });
  await controller.start();
  log.info('releases are led', { policies: caches.policies.list().length });
}

/** It is waited for a moment only: a cluster may have no such kinds, and the way back asks for none of it (I3). */
async function lookAtAdmission({ caches, account, controller }: Parts, signal: AbortSignal, log: Log): Promise<void> {
  const moment = AbortSignal.any([signal, AbortSignal.timeout(ADMISSION_WITHIN_MS)]);
  const read = Promise.all(admissionOf(caches).map((cache) => cache.whenSynced(moment)));
  await Promise.all([account.ask(), read.catch(() => {})]);
  signal.throwIfAborted();
  const hold = holdOf(caches, account.name);
  if (hold.kind !== 'there') log.warn(describeError(noAdmission(hold)));
  const stamp = stampOf(caches);
  if (stamp.kind !== 'there') log.warn('commands are not stamped: most are not taken', { why: stamp.why });
  const wakeAllPolicies = ({ metadata }: KubeObject) => {
    if (metadata.name.startsWith('haldane-')) wakePolicies(controller);
  };
  for (const cache of admissionOf(caches)) cache.onChange(wakeAllPolicies);
}

/** After an outage of the API server nothing waits out the back-off it got into: somebody may wait for an abort. */
function wakeAll({ caches, controller, account }: Parts): void {
  if (account.name === null) void account.ask();
  for (const cache of Object.values(caches)) cache.wake();
  wakePolicies(controller);
}

function wakePolicies(controller: Controller): void {
  for (const { name } of controller.views()) controller.wake(name);
}

function buildParts(
  options: OperatorOptions,
  { log, version, identity }: { readonly log: Log; readonly version: string; readonly identity: string },
): Parts {
  const { kubeconfig, context, namespace, stateDir } = options;
  const config = clusterConfigOf({ kubeconfig, context, env: process.env });
  const calls = new CallCounts();
  const how = { config, userAgent: `haldane/${version}`, onCall: calls.add.bind(calls) };
  const clock = { now: () => systemClock.now().monotonicMs, sleep: systemClock.sleep };
  const wallTime = () => systemClock.now().wallTime;
  // The lease is kept on connections of its own, past every fence.
  const lease = new LeaderLease({
    api: new HttpKubeApi({ ...how, callLimitMs: 5_000 }),
    namespace: options.leaseNamespace ?? config.namespace,
    name: leaseNameOf(namespace),
    identity,
    clock,
    wallTime,
    random: systemRandomness.fraction,
    log,
  });
  const api = new HttpKubeApi({ ...how, fence: () => lease.fence() });
  const caches = buildCaches({ api, namespace, clock: systemClock, random: systemRandomness, log });
  const account = new OwnAccount(api, log);
  const store = new KubernetesStore({
    api,
    caches,
    stamp: () => stampOf(caches),
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
  const { controller, prometheus } = buildController({
    api,
    caches,
    account,
    store,
    gates,
    webhooks,
    events,
    traffic,
    log,
  });
  const publisher = buildPublisher({ api, caches, store, controller, traffic, log });
  const traces = new ReleaseTraces({ api, releases: caches.releases, clock: systemClock, log });
  return {
    api,
    lease,
    caches,
    account,
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
  parts: Pick<Parts, 'caches' | 'account' | 'store' | 'gates' | 'webhooks' | 'events' | 'traffic'> & {
    readonly api: KubeApi;
    readonly log: Log;
  },
): Pick<Parts, 'controller' | 'prometheus'> {
  const { api, caches, account, store, gates, webhooks, events, traffic, log } = parts;
  const deployments = new Deployments({
    api,
    caches,
    templates: store.templates,
    clock: systemClock,
    log,
    isSuspended: (policy) => store.isSuspended(policy),
    admission: () => holdOf(caches, account.name),
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
  return {
    /** Alive as long as it can be told anything: an API server that is down is no reason to be restarted. */
    alive: () => null,
    ready: () => whyNotReady(neededOf(caches), systemClock.now().monotonicMs),
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
