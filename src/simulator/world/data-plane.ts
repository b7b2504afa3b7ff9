// The simulated data plane of one service: instances that take up a new split each after its own lag, send every
// request where the split they really use says, and count what became of it. Requests sent to a version of which
// nothing answers are lost, and the ledger says by whose fault.
import type { Backend } from '../../core/model/effect.ts';
import type { Split } from '../../core/model/split.ts';
import { weightOf } from '../../core/model/split.ts';
import type { Random } from '../../core/statistics/index.ts';
import type { Scheduler } from '../scheduler.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import type { ReplicaWorld } from './replicas.ts';
import { createSlices, type Slices } from './slices.ts';
import { errorRateAt, type Truth } from './truth.ts';

/** Shares of requests per latency class at slowness 1, and the bucket each falls into. */
export const LATENCY_CLASSES = [
  { share: 0.5, bucket: 64 },
  { share: 0.4, bucket: 72 },
  { share: 0.09, bucket: 80 },
  { share: 0.01, bucket: 96 },
] as const;

export interface Counters {
  /** What chance sent: the only requests that checks compare. */
  total: number;
  bad: number;
  /** What a rule sent, apart from these. */
  ruled: number;
  /** Per latency class. */
  classes: number[];
}

export interface AppliedConfig {
  readonly split: Split;
  readonly backends: readonly Backend[];
  readonly source: 'controller' | 'hand';
  readonly askedMs: number;
}

interface Instance {
  readonly lagMs: () => number;
  applied: AppliedConfig | null;
  pending: { readonly atMs: number; readonly config: AppliedConfig }[];
}

/** What became of requests, and by whose fault the lost ones were lost. */
export interface Ledger {
  served: number;
  lostByWorld: number;
  lostByController: number;
  /** First loss by the controller's fault, in words. */
  firstLoss: string | null;
}

/** Requests that go the same way at once. */
interface Part {
  readonly revision: string;
  readonly requests: number;
  readonly byRule: boolean;
}

export interface TrafficOptions {
  readonly requestsPerSecond: (nowMs: number) => number;
  readonly serviceMs: number;
  /** A few requests stay open much longer (streams, uploads). */
  readonly longShare: number;
  readonly longMs: number;
  /** Share of requests that match the split's rules, when it has any. */
  readonly ruleShare: number;
}

export interface DataPlane {
  readonly instances: readonly Instance[];
  readonly ledger: Ledger;
  readonly counters: ReadonlyMap<string, Counters>;
  /** What the replicas of each version answered lately. */
  readonly slices: Slices;
  /** Requests of a revision since the world began; survives counter resets. */
  readonly exposed: ReadonlyMap<string, number>;
  /** Rises when the counters start again from zero. */
  readonly epoch: number;
  readonly asked: AppliedConfig | null;
  ask(config: AppliedConfig): void;
  /** Somebody changes the split of every instance directly. */
  edit(split: Split): void;
  resetCounters(): void;
  /** Accounts all traffic up to now. */
  advance(): void;
  inFlight(revision: string): number;
  /** When the last request in flight is answered. */
  openUntilMs(revision: string): number;
  /** Cut what a version's replicas still had open, by this fault. */
  cut(revision: string, fault: 'world' | 'controller'): void;
  /** Largest weight any instance gives or is about to give this revision, rules counted as any weight. */
  carries(revision: string): { readonly applied: number; readonly pending: number; readonly byRule: boolean };
  /** When an instance last used a split that gives this revision anything, by weight or rule; -1 for never. */
  carriedUntilMs(revision: string): number;
}

export interface DataPlaneOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly replicas: () => ReplicaWorld;
  readonly truthOf: (revision: string) => Truth;
  readonly lags: readonly (() => number)[];
  readonly traffic: TrafficOptions;
  readonly latencyCounted: boolean;
  readonly changed: (what: string) => void;
}

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { scheduler, random, truthOf, traffic } = options;
  const instances: Instance[] = options.lags.map((lagMs) => ({ lagMs, applied: null, pending: [] }));
  const counters = new Map<string, Counters>();
  const slices = createSlices(random.fork('replicas'));
  const exposed = new Map<string, number>();
  const open = new Map<string, InFlight>();
  const firstServed = new Map<string, number>();
  const carriedUntil = new Map<string, number>();
  const ledger: Ledger = { served: 0, lostByWorld: 0, lostByController: 0, firstLoss: null };
  let lastMs = 0;
  let epoch = 1;
  let asked: AppliedConfig | null = null;

  function advance(): void {
    const nowMs = scheduler.nowMs;
    const overMs = nowMs - lastMs;
    if (overMs <= 0) return;
    lastMs = nowMs;
    const mean = (traffic.requestsPerSecond(nowMs) * overMs) / 1000 / instances.length;
    for (const { applied } of instances) {
      if (applied === null) continue;
      for (const { revision, weightPercent } of applied.split.weights) {
        if (weightPercent > 0) carriedUntil.set(revision, nowMs);
      }
      for (const { revision } of applied.split.rules) carriedUntil.set(revision, nowMs);
      route(applied, random.poisson(mean), overMs);
    }
  }

  function route(config: AppliedConfig, requests: number, overMs: number): void {
    let left = requests;
    const { weights, rules } = config.split;
    const rule = rules[0];
    if (rule !== undefined && traffic.ruleShare > 0) {
      const matched = random.binomial(left, traffic.ruleShare);
      left -= matched;
      serve(config, { revision: rule.revision, requests: matched, byRule: true }, overMs);
    }
    let weightLeft = 100;
    for (const { revision, weightPercent } of weights) {
      if (left === 0 || weightPercent <= 0) continue;
      const part = weightPercent >= weightLeft ? left : random.binomial(left, weightPercent / weightLeft);
      weightLeft -= weightPercent;
      left -= part;
      serve(config, { revision, requests: part, byRule: false }, overMs);
    }
  }

  function serve(config: AppliedConfig, { revision, requests, byRule }: Part, overMs: number): void {
    if (requests === 0) return;
    const counter = counterOf(counters, revision);
    if (byRule) counter.ruled += requests;
    else counter.total += requests;
    exposed.set(revision, (exposed.get(revision) ?? 0) + requests);
    const fault = unreachable(config, revision, options.replicas());
    if (fault !== null) {
      if (!byRule) counter.bad += requests;
      lose(revision, requests, fault, 'nothing of it was there to answer');
      return;
    }
    const nowMs = scheduler.nowMs;
    if (!firstServed.has(revision)) firstServed.set(revision, nowMs);
    const truth = truthOf(revision);
    const bad = random.binomial(requests, errorRateAt(truth, nowMs - (firstServed.get(revision) ?? nowMs)));
    if (!byRule) {
      counter.bad += bad;
      slices.note(revision, nowMs, { total: requests, bad, replicas: options.replicas().ready(revision).length });
    }
    ledger.served += requests;
    if (options.latencyCounted && !byRule) countLatency(counter, requests, random);
    const flight = flightOf(open, revision);
    const long = traffic.longShare > 0 ? random.binomial(requests, traffic.longShare) : 0;
    flight.add(nowMs, requests - long, overMs, traffic.serviceMs * truth.slowness);
    if (long > 0) flight.add(nowMs, long, overMs, traffic.longMs);
  }

  function lose(revision: string, requests: number, fault: 'world' | 'controller', why: string): void {
    if (fault === 'world') {
      ledger.lostByWorld += requests;
      return;
    }
    ledger.lostByController += requests;
    options.changed(`requests lost`);
    ledger.firstLoss ??= `${requests} requests to ${revision}: ${why}`;
  }

  function apply(instance: Instance): void {
    advance();
    while (instance.pending[0] !== undefined && instance.pending[0].atMs <= scheduler.nowMs) {
      instance.applied = instance.pending.shift()?.config ?? null;
    }
    const split = instance.applied?.split;
    options.changed(`split in use: ${split === undefined ? 'none' : describeSplit(split)}`);
  }

  return {
    instances,
    ledger,
    counters,
    slices,
    exposed,
    get epoch() {
      return epoch;
    },
    get asked() {
      return asked;
    },
    ask(config) {
      asked = config;
      for (const instance of instances) {
        const lastPending = instance.pending.at(-1)?.atMs ?? 0;
        const atMs = Math.max(lastPending, scheduler.nowMs + instance.lagMs());
        instance.pending.push({ atMs, config });
        if (atMs <= scheduler.nowMs) apply(instance);
        else scheduler.at(atMs, () => apply(instance));
      }
    },
    edit(split) {
      advance();
      for (const instance of instances) {
        if (instance.applied === null) continue;
        instance.applied = { ...instance.applied, split, source: 'hand', askedMs: scheduler.nowMs };
      }
      options.changed(`somebody edits the split: ${describeSplit(split)}`);
    },
    resetCounters() {
      advance();
      epoch += 1;
      counters.clear();
      slices.clear();
    },
    advance,
    inFlight: (revision) => open.get(revision)?.count(scheduler.nowMs) ?? 0,
    openUntilMs: (revision) => open.get(revision)?.untilMs ?? 0,
    cut(revision, fault) {
      const lost = open.get(revision)?.cut(scheduler.nowMs) ?? 0;
      if (lost > 0) lose(revision, lost, fault, 'it was stopped with these in flight');
    },
    carries: (revision) => carriedBy(instances, revision),
    carriedUntilMs: (revision) => carriedUntil.get(revision) ?? -1,
  };
}

function counterOf(counters: Map<string, Counters>, revision: string): Counters {
  let counter = counters.get(revision);
  if (counter === undefined) {
    counter = { total: 0, bad: 0, ruled: 0, classes: LATENCY_CLASSES.map(() => 0) };
    counters.set(revision, counter);
  }
  return counter;
}

function flightOf(open: Map<string, InFlight>, revision: string): InFlight {
  let flight = open.get(revision);
  if (flight === undefined) {
    flight = createInFlight();
    open.set(revision, flight);
  }
  return flight;
}

function countLatency(counter: Counters, requests: number, random: Random): void {
  let left = requests;
  let shareLeft = 1;
  for (const [index, { share }] of LATENCY_CLASSES.entries()) {
    const part = share >= shareLeft - 1e-12 ? left : random.binomial(left, share / shareLeft);
    counter.classes[index] = (counter.classes[index] ?? 0) + part;
    left -= part;
    shareLeft -= share;
  }
}

/** Null if any endpoint in use answers. Otherwise whose fault it is: a process that dies by itself is the world's. */
function unreachable(config: AppliedConfig, revision: string, replicas: ReplicaWorld): 'world' | 'controller' | null {
  const endpoints = config.backends.find((backend) => backend.revision === revision)?.endpoints ?? [];
  let diedByItself = false;
  for (const { port } of endpoints) {
    const replica = replicas.byPort(port);
    if (replica?.state === 'ready') return null;
    if (replica?.endedBy === 'itself') diedByItself = true;
  }
  return diedByItself || config.source === 'hand' ? 'world' : 'controller';
}

function carriedBy(instances: readonly Instance[], revision: string) {
  let applied = 0;
  let pending = 0;
  let byRule = false;
  for (const instance of instances) {
    const split = instance.applied?.split;
    if (split !== undefined) {
      applied = Math.max(applied, weightOf(split, revision));
      byRule ||= split.rules.some((rule) => rule.revision === revision);
    }
    for (const { config } of instance.pending) pending = Math.max(pending, weightOf(config.split, revision));
  }
  return { applied, pending, byRule };
}

export function describeSplit(split: Split): string {
  return split.weights.map(({ revision, weightPercent }) => `${revision} ${weightPercent}`).join(' / ');
}
