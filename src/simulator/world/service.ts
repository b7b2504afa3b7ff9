// One service of the simulated world: its processes, its data plane, its metrics, and the ports' view of them. What is
// asked of it is told to the watchers of the invariants at the moment it takes effect.
import type { Backend, WantedVersion } from '../../core/model/effect.ts';
import type { MeasurementResult } from '../../core/model/measurement.ts';
import type { RouterObservation, VersionObservation, WorkloadObservation } from '../../core/model/observed.ts';
import type { Split } from '../../core/model/split.ts';
import type { Random } from '../../core/statistics/index.ts';
import type { MeasureQuery } from '../../ports/metric-source.ts';
import type { EnsureResult } from '../../ports/router.ts';
import type { Scheduler } from '../scheduler.ts';
import { createDataPlane, type DataPlane, describeSplit, type TrafficOptions } from './data-plane.ts';
import { createMetricsWorld, type Delivered, type MetricsWorld, type MetricTrouble } from './metrics.ts';
import { createReplicaWorld, type ReplicaWorld } from './replicas.ts';
import type { Truth } from './truth.ts';

/** Told at the moment something asked by the controller takes effect. */
export interface ServiceWatcher {
  sizeAsked(service: Service, wanted: readonly WantedVersion[]): void;
  splitAsked(service: Service, split: Split, backends: readonly Backend[]): void;
  retireAsked(service: Service, revisions: readonly string[]): void;
  measured(service: Service, query: MeasureQuery, result: MeasurementResult): void;
  delivered(service: Service, window: Delivered): void;
}

export interface ServiceSpec {
  readonly policy: string;
  readonly truths: Readonly<Record<string, Truth>>;
  readonly traffic: TrafficOptions;
  /** One data plane instance per entry: the longest time it takes to take up a split. */
  readonly lagsMs: readonly number[];
  readonly metricsLagMs: number;
  readonly stopMs: number;
  readonly latencyCounted: boolean;
}

export interface Service {
  readonly spec: ServiceSpec;
  readonly replicas: ReplicaWorld;
  readonly plane: DataPlane;
  readonly metrics: MetricsWorld;
  /** When the newest snapshots that reached a controller were taken. */
  readonly seen: { workloadAtMs: number; routerAtMs: number; router: RouterObservation | null };
  metricTrouble: MetricTrouble;
  /** The router refuses every new split. */
  refusesSplits: boolean;
  ensureWorkload(wanted: readonly WantedVersion[]): void;
  retire(revisions: readonly string[]): void;
  observeWorkload(): WorkloadObservation;
  ensureSplit(split: Split, backends: readonly Backend[]): EnsureResult;
  observeRouter(): RouterObservation;
  inFlight(): Record<string, number>;
  measure(query: MeasureQuery): MeasurementResult;
  watchWorkload(changed: () => void): () => void;
  watchRouter(changed: () => void): () => void;
}

export interface ServiceOptions {
  readonly spec: ServiceSpec;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly watcher: ServiceWatcher;
  readonly note: (what: string) => void;
  /** Told of each change the controller made, by what it is. */
  readonly did: (effect: string) => void;
}

export function truthOf(spec: ServiceSpec, revision: string): Truth {
  const truth = spec.truths[revision];
  if (truth === undefined) throw new Error(`the simulated world knows no version ${revision} of ${spec.policy}`);
  return truth;
}

export function createService(options: ServiceOptions): Service {
  const { spec, scheduler, random, watcher } = options;
  const workloadWatchers = new Set<() => void>();
  const routerWatchers = new Set<() => void>();
  const lagRandom = random.fork('lag');
  const truth = (revision: string): Truth => truthOf(spec, revision);
  const tell = (watchers: Set<() => void>, what: string): void => {
    options.note(`${spec.policy}: ${what}`);
    for (const changed of watchers) changed();
  };
  const plane: DataPlane = createDataPlane({
    scheduler,
    random: random.fork('traffic'),
    replicas: () => replicas,
    truthOf: truth,
    lags: spec.lagsMs.map((most) => () => (most === 0 ? 0 : lagRandom.uniform() * most)),
    traffic: spec.traffic,
    latencyCounted: spec.latencyCounted,
    changed: (what) => tell(routerWatchers, what),
  });
  const replicas: ReplicaWorld = createReplicaWorld({
    scheduler,
    random: random.fork('replicas'),
    truthOf: truth,
    stopMs: spec.stopMs,
    openUntilMs: (revision) => plane.openUntilMs(revision),
    beforeChange: () => plane.advance(),
    changed: (what) => {
      cutDead(plane, replicas);
      tell(workloadWatchers, what);
    },
  });
  const metrics = createMetricsWorld({
    nowMs: () => scheduler.nowMs,
    plane,
    replicas: () => replicas,
    truthOf: truth,
    lagMs: spec.metricsLagMs,
    trouble: () => service.metricTrouble,
    delivered: (window) => {
      const { canary, canaryTotal, canaryBad, stableTotal, stableBad } = window;
      const counts = `${canaryBad} of ${canaryTotal}, stable ${stableBad} of ${stableTotal}`;
      options.note(`${spec.policy}: window of ${canary}: ${counts}${window.usable ? '' : ', not usable'}`);
      watcher.delivered(service, window);
    },
  });
  const service: Service = {
    spec,
    replicas,
    plane,
    metrics,
    seen: { workloadAtMs: -1, routerAtMs: -1, router: null },
    metricTrouble: 'none',
    refusesSplits: false,
    ensureWorkload(wanted) {
      plane.advance();
      watcher.sizeAsked(service, wanted);
      for (const { version, replicas: count } of wanted) {
        if (replicas.versions.get(version.revision)?.wanted === count) continue;
        options.did(`${version.revision} is sized to ${count}`);
        replicas.size(version.revision, version.label, count);
      }
    },
    retire(revisions) {
      plane.advance();
      watcher.retireAsked(service, revisions);
      for (const revision of revisions) {
        if ((replicas.versions.get(revision)?.wanted ?? 0) > 0) options.did(`${revision} is stopped`);
        replicas.stop(revision);
      }
    },
    observeWorkload: () => observeWorkload(replicas, scheduler.nowMs),
    ensureSplit(split, backends) {
      plane.advance();
      const before = plane.asked;
      const result = ensureSplit(service, { split, backends, nowMs: scheduler.nowMs }, watcher);
      if (plane.asked !== before && JSON.stringify(before?.split) !== JSON.stringify(split)) {
        options.did(`split ${describeSplit(split)}`);
      }
      return result;
    },
    observeRouter: () => observeRouter(service),
    inFlight: () => inFlightOf(plane),
    measure(query) {
      const result = metrics.measure(query);
      watcher.measured(service, query, result);
      return result;
    },
    watchWorkload: (changed) => subscribe(workloadWatchers, changed),
    watchRouter: (changed) => subscribe(routerWatchers, changed),
  };
  return service;
}

function subscribe(watchers: Set<() => void>, changed: () => void): () => void {
  watchers.add(changed);
  return () => watchers.delete(changed);
}

/** Requests in flight at a version of which nothing is left are cut off. */
function cutDead(plane: DataPlane, replicas: ReplicaWorld): void {
  for (const revision of plane.exposed.keys()) {
    const version = replicas.versions.get(revision);
    const rest = version?.replicas ?? [];
    if (rest.some((replica) => replica.state === 'ready' || replica.state === 'stopping')) continue;
    plane.cut(revision, rest.some((replica) => replica.endedBy === 'itself') ? 'world' : 'controller');
  }
}

function observeWorkload(replicas: ReplicaWorld, nowMs: number): WorkloadObservation {
  const versions: VersionObservation[] = [];
  for (const version of replicas.versions.values()) {
    const running = version.replicas.filter(({ state }) => state !== 'crashed' && state !== 'gone');
    const ready = version.replicas.filter(({ state }) => state === 'ready');
    const crashed = version.replicas.filter(({ state }) => state === 'crashed').length;
    if (version.wanted === 0 && running.length === 0) continue;
    versions.push({
      revision: version.revision,
      label: version.label,
      wanted: version.wanted,
      running: running.length,
      ready: ready.length,
      endpoints: ready.map(({ port }) => ({ host: '127.0.0.1', port })),
      readyForMs: ready.length === 0 ? 0 : nowMs - Math.max(...ready.map(({ readyAtMs }) => readyAtMs)),
      restarts: version.restarts,
      trouble: crashed > 0 ? `${crashed} replicas ended by themselves` : null,
    });
  }
  return { versions };
}

function ensureSplit(
  service: Service,
  asked: { split: Split; backends: readonly Backend[]; nowMs: number },
  watcher: ServiceWatcher,
): EnsureResult {
  const { plane } = service;
  const { split, backends } = asked;
  if (service.refusesSplits) return { kind: 'rejected', reason: 'the data plane refuses new splits' };
  const needed = new Set(split.weights.filter((entry) => entry.weightPercent > 0).map((entry) => entry.revision));
  for (const { revision } of split.rules) needed.add(revision);
  for (const revision of needed) {
    const backend = backends.find((one) => one.revision === revision);
    if (backend === undefined || backend.endpoints.length === 0) {
      return { kind: 'rejected', reason: `no endpoint of ${revision} is named` };
    }
  }
  watcher.splitAsked(service, split, backends);
  const before = plane.asked;
  const isNew =
    before === null ||
    plane.instances.some(({ applied }) => applied?.source === 'hand') ||
    JSON.stringify([before.split, before.backends]) !== JSON.stringify([split, backends]);
  if (isNew) plane.ask({ split, backends, source: 'controller', askedMs: asked.nowMs });
  return plane.instances.some(({ pending }) => pending.length > 0)
    ? { kind: 'progressing', reason: 'not every instance uses it yet' }
    : { kind: 'converged' };
}

/** The most conservative answer: while instances differ it is progressing, and the one furthest behind is shown. */
function observeRouter(service: Service): RouterObservation {
  const { plane, replicas } = service;
  plane.advance();
  let oldest = plane.instances[0]?.applied ?? null;
  for (const { applied } of plane.instances) {
    if (applied === null || (oldest !== null && applied.askedMs < oldest.askedMs)) oldest = applied;
  }
  const pending = plane.instances.some((instance) => instance.pending.length > 0);
  const endpoints: Record<string, { host: string; port: number }[]> = {};
  const healthy: Record<string, number> = {};
  for (const backend of oldest?.backends ?? []) {
    endpoints[backend.revision] = [...backend.endpoints];
    healthy[backend.revision] = backend.endpoints.filter(({ port }) => replicas.byPort(port)?.state === 'ready').length;
  }
  const isAbsent = oldest === null && !pending;
  return {
    state: isAbsent ? 'absent' : pending ? 'progressing' : 'converged',
    reason: pending ? 'not every instance uses the split yet' : (oldest && describeSplit(oldest.split)) || 'none',
    split: oldest?.split ?? null,
    endpoints,
    healthy,
    inFlight: inFlightOf(plane),
    instances: plane.instances.map((_, index) => `gateway-${index}`),
  };
}

function inFlightOf(plane: DataPlane): Record<string, number> {
  plane.advance();
  const open: Record<string, number> = {};
  for (const revision of plane.exposed.keys()) open[revision] = plane.inFlight(revision);
  return open;
}
