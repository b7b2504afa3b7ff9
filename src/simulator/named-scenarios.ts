// Scenarios with a name and one certain ending each: what a crash anywhere must not change. Good versions are the very
// same as stable, bad ones far beyond the tolerance, so that a lost window cannot turn the verdict.
import type { ReleasePolicy } from '../core/model/policy.ts';
import { samplePolicy, stage } from './sample-policy.ts';
import { CALM, type Happening, type Planned, type Scenario, type When } from './scenario.ts';
import { HEALTHY, type Truth } from './world/truth.ts';

const STAGES = [stage(10, { bakeMs: 10_000 }), stage(50, { bakeMs: 10_000 })];
const FAST: Partial<ReleasePolicy> = {
  workload: {
    ...samplePolicy('any').workload,
    ...({ kind: 'processes', replicas: 2 } as const),
  } as ReleasePolicy['workload'],
  ramp: { kind: 'stages', stages: STAGES },
  leastBakeMs: 20_000,
  intervalMs: 5_000,
  exposure: { badPerInterval: 50, totalRequests: null },
  deadlines: { startMs: 60_000, releaseMs: 600_000, gateMs: 120_000, drainMs: 30_000 },
};

const GOOD: Truth = { ...HEALTHY, errorRate: 0 };
const BAD: Truth = { ...HEALTHY, errorRate: 0.4 };

const at = (atMs: number, what: Happening): Planned => ({ when: { atMs }, service: 0, what });
const on = (when: When, what: Happening): Planned => ({ when, service: 0, what });
const declare = (version: string): Happening => ({ kind: 'declare', version });
const say = (verb: Extract<Happening, { kind: 'command' }>['verb'], more: object = {}): Happening => ({
  kind: 'command',
  verb,
  ...more,
});
const inStage = (release: number, index: number, afterMs = 1_000): When => ({
  release,
  phase: 'testing',
  stage: index,
  afterMs,
});

interface Sketch {
  readonly name: string;
  readonly plan: readonly Planned[];
  readonly policy?: Partial<ReleasePolicy>;
  readonly truths?: Readonly<Record<string, Truth>>;
  readonly endMs?: number;
}

function scenario({ name, plan, policy, truths, endMs }: Sketch): Scenario {
  return {
    name,
    services: [
      {
        policy: samplePolicy('shop', { ...FAST, ...policy }),
        firstVersion: 'v1',
        truths: { v1: GOOD, v2: GOOD, v3: GOOD, bad: BAD, ...truths },
        requestsPerSecond: 200,
        traffic: { serviceMs: 50, longShare: 0.01, longMs: 4_000, ruleShare: 0 },
        lagsMs: [700],
        metricsLagMs: 0,
        gates: { hook: { answer: 'yes', afterMs: 8_000 } },
      },
    ],
    plan,
    faults: { ...CALM, restartMs: 2_000 },
    faultsEndMs: 0,
    endMs: endMs ?? 420_000,
  };
}

const approval = { kind: 'approval', name: 'people', approvals: 1 } as const;
const hook = { kind: 'webhook', name: 'hook', url: 'http://hook.example/', timeoutMs: 5_000 } as const;
const gated = (gate: typeof approval | typeof hook): Partial<ReleasePolicy> => ({
  ramp: { kind: 'stages', stages: [stage(10, { bakeMs: 10_000, gates: [gate] }), stage(50, { bakeMs: 10_000 })] },
});
const T = 10_000;

export const NAMED_SCENARIOS: readonly Scenario[] = [
  scenario({ name: 'first version', plan: [], endMs: 60_000 }),
  scenario({ name: 'good version', plan: [at(T, declare('v2'))] }),
  scenario({ name: 'bad version', plan: [at(T, declare('bad'))] }),
  scenario({
    name: 'no data',
    plan: [at(T, declare('v2')), on(inStage(2, 0), { kind: 'metric-trouble', trouble: 'gap' })],
    endMs: 240_000,
  }),
  scenario({
    name: 'outage of metrics',
    plan: [
      at(T, declare('v2')),
      on(inStage(2, 0), { kind: 'metric-trouble', trouble: 'outage' }),
      on(inStage(2, 0, 60_000), { kind: 'metric-trouble', trouble: 'none' }),
    ],
  }),
  scenario({ name: 'superseded in mid-stage', plan: [at(T, declare('v2')), on(inStage(2, 0, 3_000), declare('v3'))] }),
  scenario({ name: 'abort by a person at a stage', plan: [at(T, declare('v2')), on(inStage(2, 1), say('abort'))] }),
  scenario({
    name: 'abort during promotion',
    plan: [at(T, declare('v2')), on({ release: 2, phase: 'promoting', afterMs: 100 }, say('abort'))],
    truths: { v2: { ...GOOD, startMs: { least: 5_000, most: 6_000 } } },
  }),
  scenario({
    name: 'pause and resume',
    plan: [at(T, declare('v2')), on(inStage(2, 0), say('pause')), on(inStage(2, 0, 40_000), say('resume'))],
  }),
  scenario({
    name: 'approval gate',
    plan: [at(T, declare('v2')), on(inStage(2, 0, 40_000), say('approve'))],
    policy: gated(approval),
  }),
  scenario({ name: 'webhook gate', plan: [at(T, declare('v2'))], policy: gated(hook) }),
  scenario({
    name: 'rollback after promotion',
    plan: [at(T, declare('v2')), at(200_000, say('rollback'))],
  }),
  scenario({
    name: 'retry of an aborted version',
    plan: [at(T, declare('v2')), on(inStage(2, 0), say('abort')), at(100_000, say('retry'))],
  }),
  scenario({ name: 'equal to stable', plan: [at(T, declare('v2')), on(inStage(2, 0), declare('v1'))] }),
  scenario({
    name: 'stable crashes',
    plan: [at(T, declare('v2')), on(inStage(2, 0, 2_000), { kind: 'crash-replicas', version: 'v1', all: true })],
    policy: {
      checks: samplePolicy('any').checks.map((check) => ({
        ...check,
        tolerance: { ratio: 1.1, margin: 0.01, harmMargin: 0, atDeadline: null, bucketShift: 0 },
      })),
    },
  }),
  scenario({
    name: 'suspend',
    plan: [
      at(T, say('suspend', { reason: 'metrics move' })),
      at(T + 5_000, declare('v2')),
      at(120_000, say('unsuspend')),
    ],
    endMs: 180_000,
  }),
  scenario({
    name: 'full store',
    plan: [
      at(T, { kind: 'store-full', full: true }),
      at(T + 2_000, declare('v2')),
      at(90_000, { kind: 'store-full', full: false }),
    ],
  }),
  scenario({
    name: 'manual stages',
    plan: [at(T, declare('v2')), on(inStage(2, 0, 30_000), say('advance')), on(inStage(2, 1, 30_000), say('advance'))],
    policy: { decision: 'manual' },
  }),
  scenario({
    name: 'skipped analysis',
    plan: [at(T, declare('v2')), on(inStage(2, 0), say('promote', { skipAnalysis: true, reason: 'fix' }))],
  }),
  scenario({ name: 'never ready', plan: [at(T, declare('v2'))], truths: { v2: { ...GOOD, neverReady: true } } }),
];
