// A small, obedient world for tests of decide(): everything asked for is done after a moment, requests are drawn from a
// seed. The simulator in src/simulator is the disobedient one.
import {
  type Decision,
  decide,
  initialState,
  lookFor,
  type Observation,
  type State,
} from '../../src/core/engine/index.ts';
import { measuredChecks } from '../../src/core/model/check-expansion.ts';
import type {
  Command,
  Effect,
  GateAnswer,
  History,
  Measurement,
  Reading,
  ReleasePolicy,
  Split,
  Version,
  VersionObservation,
} from '../../src/core/model/index.ts';
import { createRandom, type Random } from '../../src/core/statistics/index.ts';
import type { PlaceModel } from './place-model.ts';

export function version(label: string): Version {
  return {
    revision: `rev-${label}`,
    label,
    template: { kind: 'processes', command: ['serve', label], env: {}, workingDirectory: null },
  };
}

export function policy(changes: Partial<ReleasePolicy> = {}): ReleasePolicy {
  const everything = { routes: null, methods: null };
  return {
    name: 'shop',
    workload: {
      kind: 'processes',
      replicas: 2,
      ready: null,
      live: null,
      stopMs: 1000,
      restart: { initialMs: 100, maxMs: 1000 },
      logs: { maxBytes: 1e6, files: 2 },
    },
    router: {
      kind: 'gateway',
      listen: { host: '127.0.0.1', port: 0 },
      timeouts: { connectMs: 1000, responseMs: 1000, idleMs: 1000, headMs: 1000 },
      limits: { headBytes: 1, bodyBytes: 1, connections: 1 },
      accessLog: null,
    },
    metrics: { kind: 'gateway' },
    ramp: {
      kind: 'stages',
      stages: [5, 25, 50].map((weightPercent) => ({
        weightPercent,
        bakeMs: 60_000,
        checks: null,
        gates: [],
        advance: 'exposure',
      })),
    },
    analysis: 'checks',
    checks: [
      {
        name: 'errors',
        metric: { kind: 'errors' },
        selector: everything,
        role: 'required',
        tolerance: { ratio: 1.1, margin: 0.005, harmMargin: 0, atDeadline: null, bucketShift: 0 },
        limit: null,
        direction: 'increase',
        weight: 1,
        warmUpMs: 0,
        noDataMs: 60_000,
        clusterCap: 1,
        rule: null,
      },
    ],
    errors: {
      ...everything,
      exceptRoutes: [],
      statusClasses: ['5xx'],
      statusCodes: [],
      endings: [],
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
    leastBakeMs: 0,
    deadlines: { startMs: 60_000, releaseMs: 3_600_000, gateMs: 600_000, drainMs: 30_000 },
    onDeadline: 'hold',
    onAbort: 'retire',
    intervalMs: 10_000,
    notify: [],
    historyLimit: 10,
    ...changes,
  };
}

export interface Behaviour {
  errorRate: number;
  /** Never gets ready. */
  isBroken?: boolean;
}

interface Running {
  version: Version;
  wanted: number;
  sinceMs: number;
}

/** One policy in virtual time. */
export class World {
  state: State;
  declared: Version | null;
  nowMs = 0;
  policy: ReleasePolicy;
  split: Split | null = null;
  metrics: 'up' | 'down' | 'silent' = 'up';
  /** What cannot be looked at. */
  blind: 'router' | 'workload' | null = null;
  requestsPerSecond = 100;
  /** The splitter gives the canary this many times what was asked. */
  shareFactor = 1;
  /** What the source knows of stable's past; null if it cannot say. */
  history: History | null = null;
  readonly running = new Map<string, Running>();
  /** Only of workloads that are promoted in place. */
  place: PlaceModel | null = null;
  handBacks = 0;
  /** The place and everything in it were deleted. */
  isGone = false;
  readonly behaviour = new Map<string, Behaviour>();
  readonly gates: Record<string, GateAnswer> = {};
  readonly effects: Effect[] = [];
  readonly log: string[] = [];
  readonly weights: number[] = [];
  private readonly commands: Command[] = [];
  private readonly counted = new Map<string, { total: number; bad: number }>();
  private readonly random: Random;
  last: Decision | null = null;

  constructor(declared: Version, start: ReleasePolicy = policy(), seed = 1) {
    this.policy = start;
    this.declared = declared;
    this.random = createRandom(seed);
    this.state = initialState(start.name, this.now());
  }

  command(verb: Command['verb'], changes: Partial<Command> = {}): void {
    this.commands.push({
      id: `c${this.commands.length}-${this.nowMs}-${verb}`,
      verb,
      policy: this.policy.name,
      release: null,
      actor: 'ann',
      reason: null,
      skipAnalysis: false,
      gate: null,
      revision: null,
      wallTime: 'now',
      ...changes,
    });
  }

  /** Runs until the condition holds; throws after `limitMs` of virtual time. */
  runUntil(isDone: (world: World) => boolean, limitMs = 4 * 3_600_000): this {
    const end = this.nowMs + limitMs;
    while (!isDone(this)) {
      if (this.nowMs > end)
        throw new Error(`not reached in ${limitMs} ms: ${this.last?.because}\n${this.log.join('\n')}`);
      this.step();
    }
    return this;
  }

  runFor(ms: number): this {
    const end = this.nowMs + ms;
    while (this.nowMs < end) this.step();
    return this;
  }

  step(): Decision {
    const observation = this.observe();
    const decision = decide({ policy: this.policy, state: this.state, observation });
    this.state = JSON.parse(JSON.stringify(decision.state));
    this.last = decision;
    this.commands.length = 0;
    for (const event of decision.events) this.log.push(`${this.nowMs} ${event.kind}: ${event.sentence}`);
    for (const effect of decision.effects) this.perform(effect);
    const passMs = Math.min(1000, decision.lookAgainMs);
    this.serve(passMs);
    this.place?.pass(passMs);
    this.nowMs += passMs;
    return decision;
  }

  share(revision: string): number {
    return this.split?.weights.find((entry) => entry.revision === revision)?.weightPercent ?? 0;
  }

  get outcome() {
    const { release } = this.state;
    return release?.phase.kind === 'ended' ? release.phase.outcome : null;
  }

  private now() {
    return { monotonicMs: this.nowMs, epoch: 'boot', wallTime: new Date(this.nowMs).toISOString() };
  }

  private observe(): Observation {
    const observation = this.look();
    return this.blind === null
      ? observation
      : { ...observation, [this.blind]: { kind: 'error', message: 'not understood' } };
  }

  private look(): Observation {
    const look = lookFor(this.state, this.now());
    const versions = this.isGone
      ? []
      : (this.place?.versions(this.nowMs) ?? [...this.running.values()].map((running) => this.seen(running)));
    const backends = Object.fromEntries(versions.map((seen) => [seen.revision, seen.endpoints]));
    return {
      now: this.now(),
      declared: this.declared,
      workload: {
        kind: 'seen',
        value: { versions, ...(this.place === null || this.isGone ? {} : { place: this.place.place }) },
      },
      router: {
        kind: 'seen',
        value: {
          state: this.split === null ? 'absent' : 'converged',
          reason: '',
          split: this.place === null || this.split === null ? this.split : this.place.asSeen(this.split),
          endpoints: backends,
          healthy: Object.fromEntries(versions.map((seen) => [seen.revision, seen.ready])),
          inFlight: {},
          instances: ['g'],
        },
      },
      measured: look.measure === null ? { kind: 'none' } : this.measure(look.measure.cursor === null),
      history: look.history === null ? null : this.history,
      gates: this.gates,
      commands: this.commands,
      store: { writable: true, message: '' },
      freshId: `salt-${this.nowMs}`,
      policyHash: 'hash',
    };
  }

  private seen({ version, wanted, sinceMs }: Running): VersionObservation {
    const isBroken = this.behaviour.get(version.revision)?.isBroken ?? false;
    const ready = isBroken || this.nowMs - sinceMs < 2000 ? 0 : wanted;
    return {
      revision: version.revision,
      label: version.label,
      wanted,
      running: wanted,
      ready,
      endpoints: Array.from({ length: ready }, (_, i) => ({ host: version.label, port: i + 1 })),
      readyForMs: ready === 0 ? 0 : this.nowMs - sinceMs,
      restarts: 0,
      trouble: isBroken ? 'exits with code 1' : null,
    };
  }

  private measure(isOpening: boolean): Observation['measured'] {
    if (this.metrics === 'down') return { kind: 'error', message: 'connection refused' };
    const byRevision = Object.fromEntries(
      [...this.counted].map(([revision, counts]) => [revision, { kind: 'proportion' as const, ...counts }]),
    );
    const requests = Object.fromEntries([...this.counted].map(([revision, { total }]) => [revision, total]));
    const reading: Reading =
      this.metrics === 'silent' ? { kind: 'no-data', message: 'no series' } : { kind: 'samples', byRevision };
    this.counted.clear();
    const measurement: Measurement = {
      spanMs: isOpening ? 0 : this.policy.intervalMs,
      readings: isOpening
        ? {}
        : Object.fromEntries(measuredChecks(this.policy.checks).map(({ name }) => [name, reading])),
      requests: isOpening ? {} : requests,
      drawn: isOpening ? {} : requests,
      users: {},
      cursor: String(this.nowMs),
    };
    return { kind: 'measurement', measurement };
  }

  private perform(effect: Effect): void {
    this.effects.push(effect);
    switch (effect.kind) {
      case 'ensureWorkload':
        if (this.place !== null) return this.place.ensure(effect.wanted, this.nowMs);
        for (const { version, replicas } of effect.wanted) {
          const before = this.running.get(version.revision);
          this.running.set(version.revision, { version, wanted: replicas, sinceMs: before?.sinceMs ?? this.nowMs });
        }
        return;
      case 'ensureSplit':
        this.split = effect.split;
        this.weights.push(effect.split.weights[1]?.weightPercent ?? 0);
        return;
      case 'retire':
        this.place?.retire(effect.revisions);
        for (const revision of effect.revisions) this.running.delete(revision);
        return;
      case 'handBack':
        this.handBacks += 1;
        return;
      case 'runGate':
      case 'notify':
        return;
    }
  }

  private serve(ms: number): void {
    const total = Math.round((this.requestsPerSecond * ms) / 1000);
    const [stable, canary] = this.split?.weights ?? [];
    const canaryShare = (canary?.weightPercent ?? 0) * this.shareFactor;
    for (const { revision } of this.split?.weights ?? []) {
      const share = revision === stable?.revision ? 100 - canaryShare : canaryShare;
      const requests = Math.round((total * share) / 100);
      const bad = this.random.binomial(requests, this.behaviour.get(revision)?.errorRate ?? 0.001);
      const before = this.counted.get(revision) ?? { total: 0, bad: 0 };
      this.counted.set(revision, { total: before.total + requests, bad: before.bad + bad });
    }
  }
}

/** A world in which v1 is stable and nothing is under way. */
export function stableWorld(start: ReleasePolicy = policy(), seed = 1): World {
  const world = new World(version('v1'), start, seed);
  return world.runUntil((w) => w.state.stable?.label === 'v1');
}
