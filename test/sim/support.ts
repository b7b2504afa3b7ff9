// One row of the catalogue as a played scene: a service, what happens to it, and what users and operators get to see.
// Every scene is held against all invariants as well; a row only adds what it is about.
import assert from 'node:assert/strict';
import type { Release } from '../../src/core/engine/index.ts';
import type { ReleasePolicy } from '../../src/core/model/index.ts';
import { samplePolicy, stage } from '../../src/simulator/sample-policy.ts';
import {
  CALM,
  type FaultSettings,
  type Happening,
  type Planned,
  type ServiceScenario,
  type When,
} from '../../src/simulator/scenario.ts';
import { createSimulation, type Simulation } from '../../src/simulator/simulation.ts';
import type { FaultPlan } from '../../src/simulator/wire.ts';
import { HEALTHY, type Truth } from '../../src/simulator/world/truth.ts';

export const GOOD: Truth = { ...HEALTHY, errorRate: 0 };
export const BAD: Truth = { ...HEALTHY, errorRate: 0.3 };
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;

export interface Scene {
  readonly truths?: Readonly<Record<string, Truth>>;
  readonly policy?: Partial<ReleasePolicy>;
  readonly service?: Partial<ServiceScenario>;
  readonly others?: readonly ServiceScenario[];
  readonly plan?: readonly Planned[];
  readonly faults?: Partial<FaultSettings>;
  readonly wire?: FaultPlan;
  readonly forMs: number;
}

export interface Played {
  readonly simulation: Simulation;
  readonly policy: ReleasePolicy;
  /** All releases of the first service, in order, as last recorded. */
  readonly releases: readonly Release[];
  /** "promoted", "aborted by verdict", or the phase it is in. */
  readonly endings: readonly string[];
  /** Requests that nothing answered, whoever's fault. */
  readonly lost: number;
  exposed(version: string): number;
  weightOf(version: string): number;
  replicasOf(version: string): number;
  /** Commands with their answers, in order. */
  readonly answers: readonly { readonly verb: string; readonly accepted: boolean | null; readonly message: string }[];
  readonly journal: readonly { readonly kind: string; readonly sentence: string }[];
}

/** Two replicas; 10 % and 50 % for ten seconds each; a window every five seconds; 150 requests a second. */
export function shopPolicy(overrides: Partial<ReleasePolicy> = {}): ReleasePolicy {
  const base = samplePolicy('shop');
  const workload = base.workload.kind === 'processes' ? { ...base.workload, replicas: 2 } : base.workload;
  return {
    ...base,
    workload,
    ramp: { kind: 'stages', stages: [stage(10, { bakeMs: 10_000 }), stage(50, { bakeMs: 10_000 })] },
    leastBakeMs: 20_000,
    intervalMs: 5_000,
    exposure: { badPerInterval: 50, totalRequests: null },
    deadlines: { startMs: 60_000, releaseMs: 600_000, gateMs: 60_000, drainMs: 30_000 },
    ...overrides,
  };
}

export function shopService(policy: ReleasePolicy, overrides: Partial<ServiceScenario> = {}): ServiceScenario {
  return {
    policy,
    firstVersion: 'v1',
    truths: { v1: GOOD, v2: GOOD, v3: GOOD, bad: BAD },
    requestsPerSecond: 150,
    traffic: { serviceMs: 50, longShare: 0, longMs: 0, ruleShare: 0 },
    lagsMs: [500],
    metricsLagMs: 0,
    gates: {},
    ...overrides,
  };
}

export const at = (atMs: number, what: Happening): Planned => ({ when: { atMs }, service: 0, what });
export const when = (moment: When, what: Happening): Planned => ({ when: moment, service: 0, what });
export const inPhase = (release: number, phase: string, afterMs = 0): When => ({ release, phase, afterMs });
export const inStage = (release: number, index: number, afterMs = 0): When => ({
  release,
  phase: 'testing',
  stage: index,
  afterMs,
});
export const declare = (version: string): Happening => ({ kind: 'declare', version });
export const say = (
  verb: Extract<Happening, { kind: 'command' }>['verb'],
  more: Partial<Extract<Happening, { kind: 'command' }>> = {},
): Happening => ({ kind: 'command', verb, ...more });

export async function play(scene: Scene): Promise<Played> {
  const policy = shopPolicy(scene.policy);
  const truths = { v1: GOOD, v2: GOOD, v3: GOOD, bad: BAD, ...scene.truths };
  const scenario = {
    name: 'row',
    services: [shopService(policy, { truths, ...scene.service }), ...(scene.others ?? [])],
    plan: scene.plan ?? [],
    faults: { ...CALM, ...scene.faults },
    faultsEndMs: scene.forMs,
    endMs: scene.forMs,
  };
  const simulation = createSimulation(scenario, {
    seed: 1,
    ...(scene.wire === undefined ? {} : { plan: scene.wire }),
  });
  await simulation.runUntil(scene.forMs);
  assert.deepEqual(simulation.monitor.violations, [], 'every invariant holds in the simulated world');
  return lookBack(simulation, policy);
}

function lookBack(simulation: Simulation, policy: ReleasePolicy): Played {
  const service = simulation.services[0];
  if (service === undefined) throw new Error('a scene has a service');
  const documents = [...(simulation.store.allReleases.get(policy.name)?.values() ?? [])];
  const recorded = documents.map((document) => (JSON.parse(document) as { release: Release }).release);
  const latest = simulation.state(policy.name)?.release;
  const releases = recorded.map((release) => (release.id === latest?.id ? latest : release));
  const { ledger } = service.plane;
  return {
    simulation,
    policy,
    releases,
    endings: releases.map(endingOf),
    lost: ledger.lostByController + ledger.lostByWorld,
    exposed: (version) => service.plane.exposed.get(version) ?? 0,
    weightOf: (version) => service.plane.carries(version).applied,
    replicasOf: (version) => service.replicas.versions.get(version)?.wanted ?? 0,
    answers: [...simulation.store.commands.values()].map(({ document, answer }) => {
      const said = answer === null ? null : (JSON.parse(answer) as { accepted: boolean; message: string });
      const { verb } = JSON.parse(document) as { verb: string };
      return { verb, accepted: said?.accepted ?? null, message: said?.message ?? '' };
    }),
    journal: simulation.store.journalOf(policy.name),
  };
}

function endingOf({ phase }: Release): string {
  if (phase.kind !== 'ended') return phase.kind;
  const { outcome } = phase;
  return outcome.kind === 'promoted' ? 'promoted' : `aborted by ${outcome.by}`;
}

/** What every row says beside its own: nobody was answered by nothing. */
export function nothingLost(played: Played): void {
  assert.equal(played.lost, 0, 'requests answered by nothing');
}
