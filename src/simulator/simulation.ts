// One run of a scenario: the shipped controller and engine on a simulated world under virtual time. Everything that is
// random comes from the seed; the same seed and scenario give the same trace, step by step.
import type { State } from '../core/engine/state.ts';
import type { Command } from '../core/model/command.ts';
import { createRandom, type Random } from '../core/statistics/index.ts';
import { createEvents, type Events } from './events.ts';
import { createFaultPlan } from './faults.ts';
import type { Violation } from './invariants/book.ts';
import { createMonitor, type Monitor } from './invariants/monitor.ts';
import { type Launched, launchController } from './launch.ts';
import { createPorts, type World } from './ports.ts';
import type { Scenario, ServiceScenario } from './scenario.ts';
import { createScheduler, type Scheduler, type Ticket } from './scheduler.ts';
import { createTrace, type Trace } from './trace.ts';
import { createLife, type FaultPlan, type Life } from './wire.ts';
import { createClockWorld } from './world/clock.ts';
import { createGatesWorld, createNotifierWorld } from './world/gates.ts';
import { createService, type Service, type ServiceSpec } from './world/service.ts';
import { createStoreWorld, type StoreWorld } from './world/store.ts';

export interface SimulationOptions {
  readonly seed: number | string;
  readonly trace?: boolean;
  /** Instead of what the scenario's fault settings would draw. */
  readonly plan?: FaultPlan;
  /** Called with each log line of the controller. */
  readonly log?: (line: string) => void;
  /** Of the records that say nothing happened, one in so many is held against the world. */
  readonly readQuietRecords?: number;
}

export interface Simulation {
  readonly scenario: Scenario;
  readonly scheduler: Scheduler;
  readonly world: World;
  readonly services: readonly Service[];
  readonly store: StoreWorld;
  readonly monitor: Monitor;
  readonly trace: Trace;
  readonly events: Events;
  readonly struck: ReadonlyMap<string, number>;
  /** What was done to the world by the controller, by what: only what changed something counts. */
  readonly effects: ReadonlyMap<string, number>;
  /** Awaits numbered so far, and controllers started. */
  readonly awaits: number;
  readonly lives: number;
  /** A controller is there now. */
  readonly alive: boolean;
  /** Starts a controller at once if there is none. */
  revive(): void;
  /** Most records of one policy on their way at the same time: more than one means two loops. */
  readonly mostRecordsAtOnce: number;
  state(policy: string): State | null;
  /** Runs until the time, the first violation, or `isDone`. */
  runUntil(endMs: number, isDone?: () => boolean): Promise<void>;
  /** The controller ends here and now; the next one starts after a while. */
  kill(): void;
}

export function createSimulation(scenario: Scenario, options: SimulationOptions): Simulation {
  const random = createRandom(options.seed);
  const scheduler = createScheduler();
  const trace = createTrace(options.trace === true);
  const note = (what: string): void => trace.note(scheduler.nowMs, what);
  const struck = new Map<string, number>();
  const effects = new Map<string, number>();
  const did = (effect: string): void => {
    effects.set(effect, (effects.get(effect) ?? 0) + 1);
  };
  const recording: Recording = { now: 0, most: 0 };
  const counts = { awaits: 0, lives: 0 };
  const clock = createClockWorld(scheduler);
  const gates = createGatesWorld(scheduler, (gate) => gateTruth(scenario, gate), did);
  const notifier = createNotifierWorld(did);
  const store = createStoreWorld({
    wallTime: clock.wallTime,
    keepJournal: 200,
    recordedChange: (change) => {
      trace.note(scheduler.nowMs, `recorded ${change.policy}`, () => describeJournal(change.journal));
      monitor.recorded(change);
    },
  });
  const monitor = createMonitor({
    nowMs: () => scheduler.nowMs,
    gateRuns: () => gates.runs.values(),
    isCalm: isCalm(scenario) && options.plan === undefined,
    readQuietRecords: options.readQuietRecords ?? 4,
    slackMs: slackOf(scenario),
    commandOf: (id) => commandOf(store, id),
    answeredTwice: () => store.answeredTwice,
    seen: (policy, state) => events.seen(policy, state),
  });
  const services = scenario.services.map((spec, index) => openService(index, spec));
  const byPolicy = new Map(services.map((service) => [service.spec.policy, service]));
  const world: World = {
    clock,
    store,
    gates,
    notifier,
    service: (policy) => {
      const service = byPolicy.get(policy);
      if (service === undefined) throw new Error(`no service of ${policy}`);
      return service;
    },
  };

  function openService(index: number, spec: Scenario['services'][number]): Service {
    const { policy } = spec;
    const service = createService({
      spec: serviceSpecOf(spec),
      scheduler,
      random: random.fork(`service ${index}`),
      watcher: monitor.watcher,
      did,
      note: (what) => {
        note(what);
        monitor.changed(policy.name);
      },
    });
    monitor.open(service, spec);
    return service;
  }

  let life: Life | null = null;
  const plan =
    options.plan ??
    createFaultPlan({
      random: random.fork('faults'),
      settings: scenario.faults,
      isOver: () => scheduler.nowMs >= scenario.faultsEndMs,
      struck: (kind) => {
        struck.set(kind, (struck.get(kind) ?? 0) + 1);
        events.struck(kind);
      },
    });
  const restarts = random.fork('restarts');
  const ids = random.fork('ids');

  let launched: Launched | null = null;
  let nextLife: Ticket | null = null;

  function startLife(): void {
    if (nextLife !== null) nextLife.cancelled = true;
    counts.lives += 1;
    life = createLife({
      number: counts.lives,
      scheduler,
      plan,
      count: () => {
        counts.awaits += 1;
        return counts.awaits;
      },
      note,
      died: () => {
        const isWell = scheduler.nowMs >= scenario.faultsEndMs;
        const delayMs = 100 + restarts.uniform() * (isWell ? 1_000 : scenario.faults.restartMs);
        nextLife = scheduler.after(delayMs, startLife);
      },
    });
    note(`controller ${counts.lives} starts`);
    scheduler.stir();
    const ports = createPorts(
      world,
      countRecords(life, recording),
      () => ids.integer(0x1_0000_0000).toString(16),
      () => ids.uniform(),
    );
    launched = launchController(
      ports,
      { wallTime: clock.wallTime, ...(options.log === undefined ? {} : { log: options.log }) },
      life,
    );
  }

  const events = createEvents({
    scenario,
    scheduler,
    services,
    store,
    clock,
    monitor,
    note,
    random: random.fork('people'),
    kill: () => life?.kill(),
    takeUnstored: (command) => {
      if (life?.alive !== true || launched === null) return false;
      scheduler.stir();
      return launched.takeUnstored(command);
    },
    struck: (kind) => struck.set(kind, (struck.get(kind) ?? 0) + 1),
  });
  events.begin();
  startLife();

  return {
    scenario,
    scheduler,
    world,
    services,
    store,
    monitor,
    trace,
    events,
    struck,
    effects,
    get awaits() {
      return counts.awaits;
    },
    get lives() {
      return counts.lives;
    },
    get alive() {
      return life?.alive === true;
    },
    revive() {
      if (life?.alive !== true) startLife();
    },
    get mostRecordsAtOnce() {
      return recording.most;
    },
    state: (policy) => monitor.books.get(policy)?.state ?? null,
    kill: () => life?.kill(),
    runUntil: async (endMs, isDone) => {
      await scheduler.run(endMs, () => {
        monitor.step();
        return monitor.violations.length > 0 || isDone?.() === true;
      });
      monitor.readAll();
    },
  };
}

function serviceSpecOf(spec: ServiceScenario): ServiceSpec {
  const { policy } = spec;
  return {
    policy: policy.name,
    truths: spec.truths,
    traffic: { ...spec.traffic, requestsPerSecond: () => spec.requestsPerSecond },
    lagsMs: spec.lagsMs,
    metricsLagMs: spec.metricsLagMs,
    stopMs: policy.workload.kind === 'processes' ? policy.workload.stopMs : 30_000,
    latencyCounted: policy.checks.some((check) => check.metric.kind === 'latency'),
  };
}

/** How much later than decided an effect may land. */
function slackOf({ faults }: Scenario): number {
  return faults.latencyMs + faults.restartMs + (faults.hangPerCall > 0 ? 180_000 : 60_000);
}

function commandOf(store: StoreWorld, id: string): Command | null {
  const stored = store.commands.get(id);
  return stored === undefined ? null : (JSON.parse(stored.document) as Command);
}

interface Recording {
  now: number;
  most: number;
}

/** Counts how many records are on their way at once; those of a dead controller are not. */
function countRecords(life: Life, recording: Recording): Life {
  recording.now = 0;
  const call: Life['call'] = (name, kind, effect) => {
    const answer = life.call(name, kind, effect);
    if (name !== 'store.record') return answer;
    recording.now += 1;
    recording.most = Math.max(recording.most, recording.now);
    const done = (): void => {
      recording.now -= 1;
    };
    answer.then(done, done);
    return answer;
  };
  return Object.assign(Object.create(life) as Life, { call });
}

function isCalm({ faults, plan, services }: Scenario): boolean {
  const { restartMs: _r, latencyMs: _l, ...chances } = faults;
  const isQuiet = Object.values(chances).every((chance) => chance === 0);
  const isCrashing = services.some(({ truths }) => Object.values(truths).some((one) => one.crashAfterReadyMs !== null));
  return isQuiet && !isCrashing && plan.every(({ what }) => what.kind === 'declare' || what.kind === 'command');
}

function gateTruth(scenario: Scenario, gate: string) {
  for (const { gates } of scenario.services) {
    const truth = gates[gate];
    if (truth !== undefined) return truth;
  }
  throw new Error(`the simulated world knows no gate ${gate}`);
}

function describeJournal(journal: readonly { readonly document: string }[]): string {
  return journal.map(({ document }) => (JSON.parse(document) as { sentence: string }).sentence).join(' | ');
}

export function firstViolation(simulation: Simulation): Violation | null {
  return simulation.monitor.violations[0] ?? null;
}

export type { Random };
