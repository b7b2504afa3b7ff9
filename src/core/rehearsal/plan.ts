// What a policy will do at a given traffic, before anything starts: how long its stages take, what it can detect, what a
// bad version would cost. Times come from seeded rehearsals with the shipped decide(), detectability from the information
// limit and a rehearsal that confirms it. Pure: the same input gives the same plan, in any place.
import { evidenceShares } from '../analysis/index.ts';
import type { Check } from '../model/check.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import {
  acceptedRate,
  msToRefuteHarm,
  type Phase,
  type PlannedQuestion,
  smallestShownRate,
} from './plan-detectable.ts';
import { type Ends, endsOf, leftTimes, middleRun, reachedTimes, type Times } from './plan-times.ts';
import { planPast, planTruth, type World } from './plan-truth.ts';
import { type Rehearsal, rehearse } from './rehearse.ts';

export interface CheckTraffic {
  /** Stable's rate of bad requests. */
  readonly badRate: number;
  /** Requests of both versions that the check looks at; null: all. */
  readonly requestsPerSecond: number | null;
}

/** A bad version: so many times as bad as stable, or with this rate of bad requests. */
export type Harm = { readonly times: number } | { readonly rate: number };

export interface PlanInput {
  readonly policy: ReleasePolicy;
  readonly requestsPerSecond: number;
  /** By check name. Latency needs none: its quantile says how many are slow. */
  readonly checks: Readonly<Record<string, CheckTraffic>>;
  readonly harms: readonly Harm[];
  /** Stable's latency at the first quantile; for scale only. */
  readonly quantileSeconds?: number;
  /** Rehearsals of a healthy version; bad ones get a quarter. Fewer where the releases are very long. */
  readonly runs: number;
  readonly seed: string;
  readonly progress?: (done: number, of: number, what: string) => void;
}

export interface PlannedStage {
  readonly weightPercent: number;
  /** Canary requests. */
  readonly perWindow: number;
  readonly perMinute: number;
  readonly bakeMs: number;
  readonly reached: Times;
  /** When the exposure question has passed and a healthy version goes on. */
  readonly left: Times;
}

export interface PlannedCheck {
  readonly check: string;
  readonly role: Check['role'];
  readonly baseRate: number;
  readonly perSecond: number;
  /** Up to here a version counts as harmless and may be promoted. */
  readonly acceptedRate: number;
  /** The smallest rate that can be shown to be harm by the deadline; null: not even if every request is bad. */
  readonly shownRate: number | null;
  /** The smallest that is caught: at least both of the two, and caught in half of the rehearsals; null as above. */
  readonly smallestRate: number | null;
  /** How it went when a version that bad was rehearsed; null if nothing can be caught. */
  readonly confirmed: Ends | null;
  /** What a healthy version would need at the largest weight, whatever the deadline; Infinity (in JSON null): for ever. */
  readonly refutesInMs: number;
}

export interface PlannedHarm {
  readonly check: string;
  readonly baseRate: number;
  readonly canaryRate: number;
  /** Within the tolerance: promoting it is no mistake. */
  readonly isAccepted: boolean;
  readonly ends: Ends;
}

export interface Plan {
  readonly policy: string;
  readonly requestsPerSecond: number;
  readonly intervalMs: number;
  readonly deadlineMs: number;
  readonly stages: readonly PlannedStage[];
  readonly healthy: Ends;
  readonly checks: readonly PlannedCheck[];
  readonly harms: readonly PlannedHarm[];
  /** At most this part of healthy releases is aborted, and of harmful ones promoted, by design. */
  readonly promises: { readonly falseAbort: number; readonly falsePromotion: number };
  /** Of healthy releases that were not promoted, what the engine said most often, and how often. */
  readonly notPromoted: { readonly because: string; readonly runs: number } | null;
  /** What was left out or changed to be able to rehearse. */
  readonly notes: readonly string[];
}

/** Decisions of one world in all: a release of a day at ten-second windows has nine thousand. */
const BUDGET = { healthy: 15_000, harm: 3_000, probe: 1 } as const;
/** Rates tried, from the closed form's upwards, until half of the rehearsals catch it. */
const MOST_TRIED = 6;
const LEAST_RUNS = { healthy: 8, harm: 4, probe: 1 } as const;

export function planRelease(input: PlanInput): Plan {
  checkInput(input);
  const { policy, notes } = rehearsable(input.policy);
  const planner = new Planner({ ...input, policy });
  const healthy = planner.run(planner.world([]), 'a healthy version', 'healthy');
  const phases = phasesOf(healthy, policy.deadlines.releaseMs);
  const questions = planner.questions();
  const checks = questions.map((question) => planner.check(question, phases));
  const harms = questions.flatMap((question) => planner.harms(question));
  return {
    policy: policy.name,
    requestsPerSecond: input.requestsPerSecond,
    intervalMs: policy.intervalMs,
    deadlineMs: policy.deadlines.releaseMs,
    stages: stagesOf(policy, input.requestsPerSecond, healthy),
    healthy: endsOf(healthy),
    checks,
    harms,
    promises: { falseAbort: policy.alphas.abort, falsePromotion: policy.alphas.promote },
    notPromoted: notPromotedOf(healthy),
    notes,
  };
}

function checkInput({ requestsPerSecond, runs, checks }: PlanInput): void {
  if (!(requestsPerSecond > 0 && requestsPerSecond <= 1e7)) {
    throw new RangeError(`requestsPerSecond must lie above 0 and at most 1e7, but got ${requestsPerSecond}`);
  }
  if (!(Number.isInteger(runs) && runs > 0))
    throw new RangeError(`runs must be a whole number above 0, but got ${runs}`);
  for (const [name, { badRate }] of Object.entries(checks)) {
    if (!(badRate >= 0 && badRate < 1))
      throw new RangeError(`the bad rate of ${name} must lie in [0, 1), but got ${badRate}`);
  }
}

const TRIED: ReadonlySet<string> = new Set(['errors', 'latency', 'business']);

/** Whether a rehearsal can try this check at all. */
export function isTried({ metric, rule }: Check): boolean {
  return TRIED.has(metric.kind) && rule === null;
}

/** The policy without what a rehearsal cannot answer: people, gates, and checks of other things than requests. */
function rehearsable(policy: ReleasePolicy): { readonly policy: ReleasePolicy; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const left = policy.checks.filter((check) => !isTried(check)).map(({ name }) => name);
  if (left.length > 0) notes.push(`not rehearsed, because they do not judge requests by odds: ${left.join(', ')}`);
  const gates = policy.ramp.kind === 'stages' ? policy.ramp.stages.flatMap((stage) => stage.gates) : policy.ramp.gates;
  if (gates.length > 0) notes.push(`waiting for ${gates.map(({ name }) => name).join(', ')} is not counted`);
  if (policy.decision !== 'automatic')
    notes.push(`the release is ${policy.decision}: waiting for people is not counted`);
  const checks = policy.checks.filter(isTried);
  const names = new Set(checks.map(({ name }) => name));
  const ramp: ReleasePolicy['ramp'] =
    policy.ramp.kind === 'adaptive'
      ? { ...policy.ramp, gates: [] }
      : {
          ...policy.ramp,
          stages: policy.ramp.stages.map((stage) => ({
            ...stage,
            gates: [],
            checks: stage.checks?.filter((name) => names.has(name)) ?? null,
          })),
        };
  const analysis = checks.length === 0 ? 'none' : policy.analysis;
  return { policy: { ...policy, checks, ramp, analysis, decision: 'automatic' }, notes };
}

function notPromotedOf(healthy: readonly Rehearsal[]): Plan['notPromoted'] {
  const said = new Map<string, { because: string; runs: number }>();
  for (const { end, because } of healthy) {
    if (end === 'promoted') continue;
    // Numbers differ from run to run; what is said before them does not.
    const alike = because.replace(/\d.*/, '');
    const before = said.get(alike);
    said.set(alike, { because: before?.because ?? because, runs: (before?.runs ?? 0) + 1 });
  }
  return [...said.values()].sort((a, b) => b.runs - a.runs)[0] ?? null;
}

class Planner {
  readonly #input: PlanInput;

  constructor(input: PlanInput) {
    this.#input = input;
  }

  questions(): readonly PlannedQuestion[] {
    const { policy } = this.#input;
    const shares = evidenceShares(policy.checks);
    return policy.checks.map((check) => ({
      check,
      evidenceShare: shares.get(check.name) ?? 0,
      alphaAbort: policy.alphas.abort,
      alphaPromote: policy.alphas.promote,
      ...this.#trafficOf(check),
    }));
  }

  #trafficOf(check: Check): Pick<PlannedQuestion, 'baseRate' | 'requestsPerSecond'> {
    const { checks, requestsPerSecond } = this.#input;
    const own = checks[check.name];
    const baseRate = check.metric.kind === 'latency' ? 1 - check.metric.quantile : (own?.badRate ?? 0);
    return { baseRate, requestsPerSecond: Math.min(own?.requestsPerSecond ?? requestsPerSecond, requestsPerSecond) };
  }

  /** Both versions alike but for the rates given. */
  world(canary: readonly { readonly check: string; readonly rate: number }[]): World {
    const { requestsPerSecond, quantileSeconds = 0.3 } = this.#input;
    return {
      requestsPerSecond,
      quantileSeconds,
      counted: canary[0]?.check ?? this.#input.policy.checks[0]?.name ?? null,
      checks: this.questions().map(({ check, baseRate, requestsPerSecond: own }) => ({
        check,
        part: own / requestsPerSecond,
        stableRate: baseRate,
        canaryRate: canary.find((each) => each.check === check.name)?.rate ?? baseRate,
      })),
    };
  }

  run(world: World, what: string, kind: keyof typeof BUDGET): readonly Rehearsal[] {
    const { policy, seed, runs, progress } = this.#input;
    const wanted = { healthy: runs, harm: Math.max(LEAST_RUNS.harm, Math.ceil(runs / 4)), probe: 1 }[kind];
    const past = planPast(world);
    const done: Rehearsal[] = [];
    let decisions = 0;
    while (done.length < wanted && (done.length < LEAST_RUNS[kind] || decisions < BUDGET[kind])) {
      progress?.(done.length, wanted, what);
      const truth = planTruth(world, `${seed}/${what}/${done.length}`);
      const run = rehearse({ policy, truth, horizonMs: horizonOf(policy), past });
      decisions += run.decisions;
      done.push(run);
    }
    return done;
  }

  check(question: PlannedQuestion, phases: readonly Phase[]): PlannedCheck {
    const { check, baseRate, requestsPerSecond } = question;
    const accepted = acceptedRate(question);
    const shown = smallestShownRate(question, phases);
    const caught = shown === null ? null : this.#smallestCaught(check, Math.max(shown, accepted));
    const largest = phases.reduce((most, { weightPercent }) => Math.max(most, weightPercent), 0);
    return {
      check: check.name,
      role: check.role,
      baseRate,
      perSecond: requestsPerSecond,
      acceptedRate: accepted,
      shownRate: shown,
      smallestRate: caught?.rate ?? null,
      confirmed: caught?.ends ?? null,
      refutesInMs: msToRefuteHarm(question, largest),
    };
  }

  /** The closed form is an average over much data; where there is little, the rehearsals say what it takes. */
  #smallestCaught(check: Check, from: number): { readonly rate: number; readonly ends: Ends } | null {
    const what = `the least harm in ${check.name}`;
    for (let tried = 0; tried < MOST_TRIED; tried++) {
      const rate = tried === MOST_TRIED - 1 ? 1 : Math.min(1, from * 2 ** tried);
      const world = this.world([{ check: check.name, rate }]);
      // One rehearsal first: where nothing is caught each takes until the deadline.
      const isLast = rate >= 1;
      if (tried > 0 && !isLast && this.run(world, what, 'probe').every(({ end }) => end !== 'aborted')) continue;
      const ends = endsOf(this.run(world, what, 'harm'));
      if (ends.aborted >= 0.5) return { rate, ends };
      if (isLast) return null;
    }
    return null;
  }

  harms(question: PlannedQuestion): readonly PlannedHarm[] {
    const { check, baseRate } = question;
    if (question.evidenceShare <= 0) return [];
    const isLatency = check.metric.kind === 'latency';
    const rates = this.#input.harms.flatMap((harm) => {
      if ('times' in harm) return [harm.times * baseRate];
      // Every request slower than stable's slowest is no version anybody ships.
      return isLatency && harm.rate >= 1 ? [] : [harm.rate];
    });
    const worse = [...new Set(rates.map((rate) => Math.min(1, rate)))].filter((rate) => rate > baseRate);
    return worse.map((canaryRate) => ({
      check: check.name,
      baseRate,
      canaryRate,
      isAccepted: canaryRate <= acceptedRate(question),
      ends: endsOf(
        this.run(this.world([{ check: check.name, rate: canaryRate }]), `${check.name} at ${canaryRate}`, 'harm'),
      ),
    }));
  }
}

/** A little beyond the deadline, so that what the policy does there is seen. */
function horizonOf({ deadlines, intervalMs }: ReleasePolicy): number {
  return deadlines.startMs + deadlines.releaseMs + 2 * intervalMs;
}

/** The weights of a healthy release; a harm small enough to pass like one stays at the last until the deadline. */
function phasesOf(runs: readonly Rehearsal[], deadlineMs: number): readonly Phase[] {
  const run = middleRun(runs);
  const weights = run?.weights.filter(([, weight]) => weight > 0 && weight < 100) ?? [];
  return weights.map(([fromMs, weightPercent], i) => {
    const toMs = weights[i + 1]?.[0] ?? Math.max(fromMs, deadlineMs);
    return { weightPercent, ms: toMs - fromMs };
  });
}

function stagesOf(policy: ReleasePolicy, rps: number, healthy: readonly Rehearsal[]): readonly PlannedStage[] {
  const stage = (weightPercent: number, bakeMs: number): PlannedStage => {
    const perSecond = (rps * weightPercent) / 100;
    return {
      weightPercent,
      perWindow: (perSecond * policy.intervalMs) / 1_000,
      perMinute: perSecond * 60,
      bakeMs,
      reached: reachedTimes(healthy, weightPercent),
      left: leftTimes(healthy, weightPercent),
    };
  };
  if (policy.ramp.kind === 'stages') {
    return policy.ramp.stages.map(({ weightPercent, bakeMs }) => stage(weightPercent, bakeMs));
  }
  return doublings(policy.ramp.firstWeightPercent, policy.ramp.maxWeightPercent).map((weight) => stage(weight, 0));
}

/** An adaptive ramp has no stages; its first weight, each doubling and the last show how it climbs. */
function doublings(first: number, last: number): readonly number[] {
  const weights: number[] = [];
  for (let weight = first; weight < last / 1.2; weight *= 2) weights.push(Math.round(weight * 100) / 100);
  return [...weights, last];
}
