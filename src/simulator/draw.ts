// Draws a whole scenario from a seed: policy, versions, traffic, people, GitOps and troubles. Wide on purpose: odd
// policies, commands at the wrong moment, and several faults at once.
import type { Verb } from '../core/model/command.ts';
import { gatewayRouterOf } from '../core/model/place.ts';
import type { Gate, Ramp, ReleasePolicy, Stage } from '../core/model/policy.ts';
import { createRandom, type Random } from '../core/statistics/index.ts';
import { errorCheck, latencyCheck, samplePolicy, stage } from './sample-policy.ts';
import {
  CALM,
  type FaultSettings,
  type Happening,
  type Planned,
  type Scenario,
  type ServiceScenario,
} from './scenario.ts';
import type { GateTruth } from './world/gates.ts';
import { HEALTHY, type Truth } from './world/truth.ts';

const MINUTE_MS = 60_000;

/** What a drawn version is like, measured against the one that is stable at the start. */
export type Nature =
  | 'same'
  | 'double'
  | 'five times'
  | 'broken'
  | 'late'
  | 'slow'
  | 'never ready'
  | 'crashing'
  | 'slow start';

const NATURES: readonly (readonly [Nature, number])[] = [
  ['same', 40],
  ['double', 8],
  ['five times', 12],
  ['broken', 8],
  ['late', 8],
  ['slow', 8],
  ['never ready', 5],
  ['crashing', 6],
  ['slow start', 5],
];

export function drawScenario(seed: number): Scenario {
  const random = createRandom(seed).fork('scenario');
  const isCalm = random.uniform() < 0.35;
  const faultsEndMs = (8 + random.integer(20)) * MINUTE_MS;
  const service = drawService(random, 0);
  const services = random.uniform() < 0.05 ? [service, drawService(random, 1)] : [service];
  const plan = services.flatMap((one, index) => [
    ...drawReleases(random, one, index, faultsEndMs),
    ...drawPeople(random, index, faultsEndMs),
    ...(isCalm ? [] : drawTroubles(random, one, index, faultsEndMs)),
  ]);
  return {
    name: `seed ${seed}`,
    services,
    plan,
    faults: isCalm ? { ...CALM, latencyMs: random.integer(2) * 200 } : drawFaults(random),
    faultsEndMs,
    endMs: faultsEndMs + 240 * MINUTE_MS,
  };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.integer(from.length)] as T;
}

function pickWeighted<T>(random: Random, from: readonly (readonly [T, number])[]): T {
  const total = from.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random.uniform() * total;
  for (const [value, weight] of from) {
    left -= weight;
    if (left < 0) return value;
  }
  return (from.at(-1) as readonly [T, number])[0];
}

function drawService(random: Random, index: number): ServiceScenario {
  const base: Truth = { ...HEALTHY, errorRate: pick(random, [0, 0.001, 0.002, 0.01]) };
  const natures = [1, 2, 3].map(() => pickWeighted(random, NATURES));
  const name = `shop-${index}`;
  const truths: Record<string, Truth> = { [`${name}-v1`]: base };
  for (const [number, nature] of natures.entries()) {
    truths[`${name}-v${number + 2} ${nature}`] = truthOfNature(base, nature);
  }
  const gates: Record<string, GateTruth> = {
    hook: {
      answer: pickWeighted(random, [
        ['yes', 8],
        ['no', 1],
        ['error', 1],
        ['never', 1],
      ]),
      afterMs: random.integer(90_000),
    },
  };
  const policy = drawPolicy(random, name, 8_000 + index);
  return {
    policy,
    firstVersion: `${name}-v1`,
    truths,
    requestsPerSecond: pick(random, [5, 20, 50, 100, 300]),
    traffic: {
      serviceMs: pick(random, [20, 50, 400]),
      longShare: pick(random, [0, 0, 0.01]),
      longMs: pick(random, [5_000, 20_000]),
      ruleShare: policy.audience.length > 0 ? 0.01 : 0,
    },
    lagsMs: pick(random, [[0], [500], [3_000], [500, 5_000], [1_000, 1_000, 12_000]]),
    metricsLagMs: pick(random, [0, 0, 2_000, 15_000]),
    gates,
  };
}

export function natureOf(version: string): Nature | null {
  const name = version.slice(version.indexOf(' ') + 1);
  return NATURES.find(([nature]) => nature === name)?.[0] ?? null;
}

function truthOfNature(base: Truth, nature: Nature): Truth {
  switch (nature) {
    case 'same':
      return base;
    case 'double':
      return { ...base, errorRate: Math.max(0.002, 2 * base.errorRate) };
    case 'five times':
      return { ...base, errorRate: Math.max(0.02, 5 * base.errorRate) };
    case 'broken':
      return { ...base, errorRate: 0.6 };
    case 'late':
      return { ...base, onset: { afterMs: 5 * MINUTE_MS, errorRate: 0.1 } };
    case 'slow':
      return { ...base, slowness: 4 };
    case 'never ready':
      return { ...base, neverReady: true };
    case 'crashing':
      return { ...base, crashAfterReadyMs: 20_000 };
    case 'slow start':
      return { ...base, startMs: { least: 40_000, most: 90_000 } };
  }
}

function drawPolicy(random: Random, name: string, port: number): ReleasePolicy {
  const base = samplePolicy(name);
  const checks = random.uniform() < 0.25 ? [errorCheck(), latencyCheck()] : [errorCheck()];
  const warmUpMs = pick(random, [0, 0, 20_000]);
  const analysis = random.uniform() < 0.06 ? 'none' : 'checks';
  return {
    ...base,
    workload:
      base.workload.kind === 'processes' ? { ...base.workload, replicas: 1 + random.integer(5) } : base.workload,
    router: { ...gatewayRouterOf(base), listen: { host: '127.0.0.1', port } },
    ramp: drawRamp(random, analysis),
    analysis,
    checks: checks.map((check) => ({ ...check, warmUpMs, noDataMs: pick(random, [60_000, 120_000]) })),
    decision: pickWeighted(random, [
      ['automatic', 8],
      ['manual', 1],
      ['hybrid', 1],
    ]),
    audience: random.uniform() < 0.2 ? [{ header: { name: 'canary', value: 'true' } }] : [],
    canary: { minReplicas: 1 + random.integer(2), ratio: pick(random, [1, 1, 0.5, 1.5]) },
    exposure: {
      badPerInterval: pick(random, [2, 10, 50]),
      totalRequests: random.uniform() < 0.1 ? pick(random, [500, 5_000, 50_000]) : null,
    },
    leastBakeMs: pick(random, [0, MINUTE_MS, 3 * MINUTE_MS]),
    deadlines: {
      startMs: pick(random, [60_000, 120_000, 180_000]),
      releaseMs: pick(random, [15, 30, 60]) * MINUTE_MS,
      gateMs: pick(random, [1, 5]) * MINUTE_MS,
      drainMs: pick(random, [5_000, 30_000, 60_000]),
    },
    onDeadline: pick(random, ['hold', 'abort']),
    onAbort: pick(random, ['retire', 'retire', 'keep']),
    intervalMs: pick(random, [5_000, 10_000, 10_000, 30_000]),
    historyLimit: pick(random, [1, 3, 10]),
  };
}

function drawRamp(random: Random, analysis: 'checks' | 'none'): Ramp {
  if (analysis === 'checks' && random.uniform() < 0.2) {
    return {
      kind: 'adaptive',
      name: 'default',
      firstWeightPercent: pick(random, [1, 5]),
      maxWeightPercent: pick(random, [20, 50]),
      gates: drawGates(random, 0.2),
    };
  }
  const ladder = pick(random, [[5, 25, 50], [10, 50], [1, 5, 20, 50, 80], [25], [5, 15, 15, 50]]);
  const stages: Stage[] = ladder.map((weightPercent) =>
    stage(weightPercent, {
      bakeMs: pick(random, [0, 20_000, MINUTE_MS, 3 * MINUTE_MS]),
      gates: drawGates(random, 0.12),
      advance: random.uniform() < 0.2 ? 'proven' : 'exposure',
    }),
  );
  return { kind: 'stages', stages: random.uniform() < 0.03 ? [] : stages };
}

function drawGates(random: Random, chance: number): Gate[] {
  const gates: Gate[] = [];
  if (random.uniform() < chance) gates.push({ kind: 'approval', name: 'people', approvals: 1 + random.integer(2) });
  if (random.uniform() < chance)
    gates.push({ kind: 'webhook', name: 'hook', url: 'http://hook.example/', timeoutMs: 10_000 });
  return gates;
}

/** One release for sure; often another version, the first again, or the same one later. */
function drawReleases(random: Random, service: ServiceScenario, index: number, untilMs: number): Planned[] {
  const versions = Object.keys(service.truths);
  const planned: Planned[] = [];
  let atMs = 20_000 + random.integer(60_000);
  const declare = (version: string): void => {
    planned.push({ when: { atMs }, service: index, what: { kind: 'declare', version } });
    atMs = Math.min(untilMs, atMs + 1_000 + Math.floor(random.uniform() ** 2 * 20 * MINUTE_MS));
  };
  declare(versions[1] as string);
  if (random.uniform() < 0.1) {
    // There and back: tried a little, left for another that becomes stable, and tried again.
    atMs = Math.min(untilMs, atMs + random.integer(3 * MINUTE_MS));
    declare(versions[2] as string);
    atMs = Math.min(untilMs, atMs + 8 * MINUTE_MS);
    declare(versions[1] as string);
  }
  while (random.uniform() < 0.4 && planned.length < 5) declare(pick(random, versions));
  if (random.uniform() < 0.05) {
    const patch = { intervalMs: 15_000 };
    planned.push({ when: { atMs }, service: index, what: { kind: 'change-policy', patch } });
  }
  if (random.uniform() < 0.03) planned.push({ when: { atMs }, service: index, what: { kind: 'withdraw' } });
  return planned;
}

const VERBS: readonly (readonly [Verb, number])[] = [
  ['promote', 2],
  ['abort', 3],
  ['pause', 3],
  ['resume', 4],
  ['advance', 4],
  ['approve', 5],
  ['retry', 3],
  ['rollback', 2],
  ['suspend', 1],
  ['unsuspend', 1],
];

function drawPeople(random: Random, index: number, untilMs: number): Planned[] {
  const planned: Planned[] = [];
  if (random.uniform() < 0.4) return planned;
  const count = 1 + Math.floor(random.uniform() ** 2 * 12);
  for (let i = 0; i < count; i++) {
    const verb = pickWeighted(random, VERBS);
    const when = drawWhen(random, untilMs);
    if (verb === 'pause' && random.uniform() < 0.7) planned.push(resumeAfter(random, when, index));
    planned.push({
      when,
      service: index,
      what: {
        kind: 'command',
        verb,
        actor: pick(random, ['ada', 'grace', 'edsger']),
        reason: random.uniform() < 0.8 ? 'because' : null,
        skipAnalysis: verb === 'promote' && random.uniform() < 0.5,
        times: random.uniform() < 0.1 ? 2 : 1,
      },
    });
  }
  return planned;
}

/** Most people who pause go on later. */
function resumeAfter(random: Random, when: Planned['when'], service: number): Planned {
  const laterMs = Math.floor(random.uniform() ** 2 * 10 * MINUTE_MS);
  const later = 'atMs' in when ? { atMs: when.atMs + laterMs } : { ...when, afterMs: when.afterMs + laterMs };
  return { when: later, service, what: { kind: 'command', verb: 'resume', actor: 'ada', reason: null } };
}

function drawWhen(random: Random, untilMs: number): Planned['when'] {
  if (random.uniform() < 0.5) return { atMs: random.integer(untilMs) };
  const phase = pick(random, ['starting', 'testing', 'testing', 'promoting', 'aborting']);
  const where = { release: 1 + random.integer(3), phase, afterMs: pick(random, [0, 5, 300, 2_000, 60_000]) };
  return phase === 'testing' ? { ...where, stage: random.integer(3) } : where;
}

function drawTroubles(random: Random, service: ServiceScenario, index: number, untilMs: number): Planned[] {
  const planned: Planned[] = [];
  const versions = Object.keys(service.truths);
  const put = (atMs: number, what: Happening): void => {
    planned.push({ when: { atMs: Math.min(atMs, untilMs) }, service: index, what });
  };
  const spell = (start: Happening, end: Happening): void => {
    const atMs = random.integer(untilMs);
    put(atMs, start);
    put(atMs + Math.floor(random.uniform() ** 2 * 10 * MINUTE_MS), end);
  };
  if (random.uniform() < 0.06) planned.push(...riseOnItsWay(random, index));
  const draws = random.integer(5);
  for (let i = 0; i < draws; i++) {
    drawTrouble(random, { put, spell, versions, untilMs });
  }
  return planned;
}

/** The split of a new stage is refused for a while, and meanwhile somebody pauses or the metrics go. */
function riseOnItsWay(random: Random, service: number): Planned[] {
  const inStage = (stage: number, afterMs: number): Planned['when'] => ({
    release: 2,
    phase: 'testing',
    stage,
    afterMs,
  });
  const on = (when: Planned['when'], what: Happening): Planned => ({ when, service, what });
  const isPause = random.uniform() < 0.5;
  return [
    on(inStage(0, pick(random, [1_000, 15_000])), { kind: 'refuse-splits', refuses: true }),
    on(
      inStage(1, 100),
      isPause
        ? { kind: 'command', verb: 'pause' }
        : { kind: 'metric-trouble', trouble: pick(random, ['outage', 'unreadable']) },
    ),
    on(inStage(1, 40_000), { kind: 'refuse-splits', refuses: false }),
    on(
      inStage(1, 3 * MINUTE_MS),
      isPause ? { kind: 'command', verb: 'resume' } : { kind: 'metric-trouble', trouble: 'none' },
    ),
  ];
}

interface TroublePen {
  readonly put: (atMs: number, what: Happening) => void;
  readonly spell: (start: Happening, end: Happening) => void;
  readonly versions: readonly string[];
  readonly untilMs: number;
}

function drawTrouble(random: Random, { put, spell, versions, untilMs }: TroublePen): void {
  const atMs = random.integer(untilMs);
  switch (random.integer(11)) {
    case 0:
      return put(atMs, {
        kind: 'crash-replicas',
        version: pick(random, versions.slice(0, 2)),
        all: random.uniform() < 0.5,
      });
    case 1:
      return put(atMs, {
        kind: 'edit-split',
        version: pick(random, versions.slice(0, 2)),
        weightPercent: pick(random, [0, 15, 40, 100]),
      });
    case 2:
    case 3:
      return spell(
        { kind: 'metric-trouble', trouble: pick(random, ['outage', 'gap', 'partial', 'unreadable']) },
        { kind: 'metric-trouble', trouble: 'none' },
      );
    case 4:
      return put(atMs, { kind: 'reset-counters' });
    case 5:
      return spell({ kind: 'refuse-splits', refuses: true }, { kind: 'refuse-splits', refuses: false });
    case 6:
      return spell({ kind: 'store-full', full: true }, { kind: 'store-full', full: false });
    case 7:
      return put(atMs, { kind: 'overtake' });
    case 8:
      return put(atMs, { kind: 'step-wall', byMs: pick(random, [-3_600_000, -600_000, 600_000, 3_600_000]) });
    case 9:
      return put(atMs, { kind: 'reboot' });
    default:
      return put(atMs, { kind: 'kill-controller' });
  }
}

function drawFaults(random: Random): FaultSettings {
  const often = random.uniform() < 0.3 ? 5 : 1;
  const some = (chance: number, value: number): number => (random.uniform() < chance ? value * often : 0);
  return {
    latencyMs: pick(random, [0, 100, 2_000]),
    crashPerCall: some(0.6, 0.002),
    failPerCall: some(0.6, 0.01),
    hangPerCall: some(0.3, 0.001),
    stalePerRead: some(0.5, 0.1),
    noticeDelayMs: pick(random, [0, 0, 3_000]),
    noticeLost: some(0.4, 0.2),
    noticeTwice: some(0.4, 0.2),
    restartMs: pick(random, [1_000, 30_000, 15 * MINUTE_MS]),
  };
}
