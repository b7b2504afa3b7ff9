/**
 * From the policy as read to the policy the engine reads: every default filled in, unions tagged by `kind`.
 * It refuses nothing: what is wrong was said before it is called. `normalise` of a document is this.
 */
import type { ErrorDefinition } from '../model/check.ts';
import type { CountedRoute } from '../model/gateway.ts';
import type { Deadlines, Gate, Notify, Probe, Ramp, ReleasePolicy, Router, Stage, Workload } from '../model/policy.ts';
import type { Template, Version } from '../model/version.ts';
import { canonicalJson } from './canonical.ts';
import { compileCheck } from './compile-checks.ts';
import { compileClusterRouter, compileDeployment, compileMetrics } from './compile-kubernetes.ts';
import * as defaults from './defaults.ts';
import { presetOf } from './presets.ts';
import type { ReadPolicy, ReadSpec } from './schema.ts';

/** Text to a hex digest; injected, because the core computes no SHA-256. */
export type Hash = (text: string) => string;

const REVISION_CHARACTERS = 12;

/** `namespace` is part of the name on Kubernetes; null elsewhere. */
export function compileRead(
  read: ReadPolicy,
  hash: Hash,
  namespace: string | null,
): { policy: ReleasePolicy; version: Version | null } {
  const policy = compilePolicyOf(read);
  const name = namespace === null ? policy.name : `${namespace}/${policy.name}`;
  return { policy: { ...policy, name }, version: compileVersion(read.spec, hash) };
}

/** Names the policy's content: the first 12 hex digits of the hash of its canonical JSON. The version is no part. */
export function policyHash(policy: ReleasePolicy, hash: Hash): string {
  return hash(canonicalJson(policy)).slice(0, REVISION_CHARACTERS);
}

/**
 * The revision is taken over the whole template, the label included: people expect that editing `version: v2` alone
 * starts a release. Without a label the revision serves as one. The version of a Deployment stands in the cluster.
 */
function compileVersion(spec: ReadSpec, hash: Hash): Version | null {
  const { processes, upstreams, deployment } = spec.workload;
  if (deployment !== undefined) return null;
  const template: Template =
    processes === undefined
      ? { kind: 'upstreams', endpoints: upstreams?.template.endpoints ?? [] }
      : {
          kind: 'processes',
          command: processes.template.command,
          env: processes.template.env,
          workingDirectory: processes.template.workingDirectory ?? null,
        };
  const label = (processes ?? upstreams)?.template.version;
  const revision = hash(canonicalJson({ ...template, label })).slice(0, REVISION_CHARACTERS);
  return { revision, label: label ?? revision, template };
}

function compilePolicyOf({ metadata, spec }: ReadPolicy): ReleasePolicy {
  const ramp = compileRamp(spec);
  const stagesBakeMs = ramp.kind === 'stages' ? sumOf(ramp.stages.map((stage) => stage.bakeMs)) : null;
  const leastBakeMs = spec.leastBake ?? Math.min(defaults.DEFAULT_LEAST_BAKE_MS, stagesBakeMs ?? Number.MAX_VALUE);
  return {
    name: metadata.name,
    workload: compileWorkload(spec),
    router: compileRouter(spec),
    metrics: compileMetrics(spec.metrics),
    ramp,
    analysis: spec.analysis,
    checks: spec.analysis === 'none' ? [] : (spec.checks ?? defaults.DEFAULT_CHECKS).map(compileCheck),
    errors: compileErrors(spec),
    routes: compileRoutes(spec),
    decision: spec.decision,
    userKey: spec.userKey === undefined ? null : withoutHoles(spec.userKey),
    affinity:
      spec.affinity === undefined ? null : { cookie: spec.affinity.cookie, ttlSeconds: spec.affinity.ttl / 1_000 },
    audience: spec.audience.map(withoutHoles),
    canary: spec.canary ?? { minReplicas: 1, ratio: 1 },
    exposure: {
      badPerInterval: spec.exposure.badPerInterval ?? defaultBudget(ramp),
      totalRequests: spec.exposure.totalRequests ?? null,
    },
    alphas: spec.alphas,
    leastBakeMs,
    deadlines: compileDeadlines(spec, Math.max(stagesBakeMs ?? 0, leastBakeMs)),
    onDeadline: spec.onDeadline,
    onAbort: spec.onAbort.canary,
    intervalMs: spec.interval,
    notify: spec.notify.map(compileNotify),
    historyLimit: spec.historyLimit,
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Absent keys are left out instead of being there as undefined, so that equal policies are deeply equal. */
function withoutHoles<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}

type ReadProbe = NonNullable<NonNullable<ReadSpec['workload']['processes']>['ready']>;

function compileProbe(probe: ReadProbe | undefined): Probe | null {
  if (probe === undefined) return null;
  return { path: probe.path, intervalMs: probe.interval, timeoutMs: probe.timeout, failures: probe.failures };
}

function compileWorkload(spec: ReadSpec): Workload {
  const { processes, upstreams, deployment } = spec.workload;
  if (deployment !== undefined) return compileDeployment(deployment, spec.router);
  if (processes === undefined) return { kind: 'upstreams', ready: compileProbe(upstreams?.ready) };
  return {
    kind: 'processes',
    replicas: processes.replicas,
    ready: compileProbe(processes.ready),
    live: compileProbe(processes.live),
    stopMs: processes.stop,
    restart: { initialMs: processes.restart.initial, maxMs: processes.restart.max },
    logs: processes.logs,
  };
}

function compileRouter(spec: ReadSpec): Router {
  const { gateway } = spec.router;
  if (gateway === undefined) return compileClusterRouter(spec);
  const { listen, timeouts, limits, accessLog } = gateway;
  return {
    kind: 'gateway',
    listen,
    timeouts: {
      connectMs: timeouts.connect,
      responseMs: timeouts.response,
      idleMs: timeouts.idle,
      headMs: timeouts.head,
    },
    limits: { headBytes: limits.head, bodyBytes: limits.body, connections: limits.connections },
    accessLog: accessLog ?? null,
  };
}

type ReadGate = NonNullable<NonNullable<ReadSpec['stages']>[number]['gates']>[number];

function compileGate({ approval, webhook, job }: ReadGate): Gate {
  if (approval !== undefined) return { kind: 'approval', ...approval };
  if (webhook !== undefined) {
    return { kind: 'webhook', name: webhook.name, url: webhook.url, timeoutMs: webhook.timeout };
  }
  if (job === undefined) throw new Error('a gate without a kind was let through by the schema');
  return { kind: 'job', name: job.name, command: job.command, timeoutMs: job.timeout };
}

function compileRamp({ stages, preset, ramp }: ReadSpec): Ramp {
  if (stages !== undefined) {
    // A stage of 100 means promote and is no stage (decision 5).
    const below = stages.filter((stage) => stage.weight < 100);
    return {
      kind: 'stages',
      stages: below.map(
        (stage): Stage => ({
          weightPercent: stage.weight,
          bakeMs: stage.bake ?? defaults.DEFAULT_BAKE_MS,
          checks: stage.checks ?? null,
          gates: (stage.gates ?? []).map(compileGate),
          advance: stage.advance ?? 'exposure',
        }),
      ),
    };
  }
  if (preset !== undefined) {
    const known = presetOf(preset)?.stages ?? [];
    return {
      kind: 'stages',
      stages: known.map((stage): Stage => ({ ...stage, checks: null, gates: [], advance: 'exposure' })),
    };
  }
  const name = ramp?.adaptive ?? 'default';
  const { firstWeightPercent, maxWeightPercent } = defaults.ADAPTIVE[name];
  const gates = (ramp?.gates ?? []).map(compileGate);
  return { kind: 'adaptive', name, firstWeightPercent, maxWeightPercent, gates };
}

function defaultBudget(ramp: Ramp): number {
  return ramp.kind === 'adaptive' ? defaults.ADAPTIVE[ramp.name].badPerInterval : defaults.STAGES_BAD_PER_INTERVAL;
}

function compileErrors({ errors, metrics }: ReadSpec): ErrorDefinition {
  const isByRoute = isGateway(metrics) && errors.routes === undefined;
  return {
    statusClasses: errors.classes,
    statusCodes: errors.codes,
    endings: errors.endings,
    routes: errors.routes ?? null,
    methods: errors.methods ?? null,
    exceptRoutes: errors.exceptRoutes ?? (isByRoute ? [defaults.HEALTH_ROUTE] : []),
    retryHeader: errors.retryHeader ?? null,
  };
}

/** Only the embedded gateway tells paths apart. */
function isGateway(metrics: ReadSpec['metrics']): boolean {
  return metrics === undefined || metrics.gateway !== undefined;
}

/** The built-in health route comes first, so that a wide prefix such as /* cannot swallow it. */
function compileRoutes({ routes, workload, metrics }: ReadSpec): readonly CountedRoute[] {
  if (!isGateway(metrics)) return [];
  const own = routes.map(({ name, path }): CountedRoute => ({ name, pattern: path }));
  if (own.some((route) => route.name === defaults.HEALTH_ROUTE)) return own;
  const taken = new Set(own.map((route) => route.pattern));
  const patterns = new Set([...defaults.HEALTH_PATHS, ...defaults.probePaths(workload)]);
  const health = [...patterns].filter((pattern) => !taken.has(pattern));
  return [...health.map((pattern): CountedRoute => ({ name: defaults.HEALTH_ROUTE, pattern })), ...own];
}

function compileDeadlines(spec: ReadSpec, bakeMs: number): Deadlines {
  const { start, release, gate, drain } = spec.deadlines;
  return {
    startMs: start,
    releaseMs: release ?? Math.max(defaults.DEFAULT_RELEASE_DEADLINE_MS, 2 * bakeMs),
    gateMs: gate,
    drainMs: drain,
  };
}

function compileNotify({ webhook }: ReadSpec['notify'][number]): Notify {
  return webhook === undefined ? { kind: 'log' } : { kind: 'webhook', url: webhook.url, timeoutMs: webhook.timeout };
}
