// A policy tried against a stated truth: the shipped decide(), driven as the controller drives it, under virtual time
// and in a perfect world. For plan ("what would this policy do?") and for the benchmark. It refuses clocks, chance of
// its own and everything that can fail: whoever wants faults takes the simulator.
import { type Decision, decide, lookFor, type Observation, type Release, type State } from '../engine/index.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import type { Verdict } from '../model/verdict.ts';
import { historyOf, type Past } from './past.ts';
import { ARMS, CANARY, createStageSet, instant, type StageSet, trustedState } from './stage-set.ts';
import type { Truth } from './truth.ts';
import { createWindows, type Windows } from './windows.ts';

export interface RehearsalInput {
  readonly policy: ReleasePolicy;
  readonly truth: Truth;
  /** Given up undecided then. */
  readonly horizonMs: number;
  /** What stable did before; null if nothing is known of it. */
  readonly past: Past | null;
  /** How old the newest counts are when they are read. */
  readonly metricsLagMs?: number;
  /** Told of every decision, in order. */
  readonly decided?: (decision: Decision, atMs: number) => void;
}

export interface Rehearsal {
  readonly end: 'promoted' | 'aborted' | 'undecided';
  /** When it was decided; the horizon if it was not. */
  readonly atMs: number;
  /** What users met until then, whether the metrics told it in time or not. */
  readonly canaryRequests: number;
  readonly canaryBad: number;
  readonly stableRequests: number;
  /** The canary's weight over time, from each moment on. */
  readonly weights: readonly (readonly [fromMs: number, weightPercent: number])[];
  /** As they stood at the end. */
  readonly verdicts: readonly Verdict[];
  /** Windows weighed. */
  readonly windows: number;
  /** Times the engine was asked. */
  readonly decisions: number;
  /** Where things stood, in the engine's own words. */
  readonly because: string;
}

/** More decisions than this in one moment: the engine never comes to rest, which is a defect and no outcome. */
const MOST_AT_ONCE = 20;

/**
 * @example rehearse({ policy, truth: constantTruth({ ... }), horizonMs: 3 * 3_600_000, past: null }).end // 'aborted'
 */
export function rehearse(input: RehearsalInput): Rehearsal {
  const { policy, truth, horizonMs } = input;
  const stageSet = createStageSet(policy);
  const windows = createWindows({ truth, arms: ARMS, lagMs: input.metricsLagMs ?? 0 });
  const weights: [number, number][] = [[0, 0]];
  let state = trustedState(policy.name);
  let nowMs = 0;
  let atOnce = 0;
  let decisions = 0;
  for (;;) {
    const decision = decide({ policy, state, observation: observe(input, { stageSet, windows, state, nowMs }) });
    decisions += 1;
    state = decision.state;
    input.decided?.(decision, nowMs);
    const isOver = endOf(state.release) !== 'undecided';
    const isChanged = stageSet.perform(decision.effects, nowMs);
    if (stageSet.weightPercent !== weights.at(-1)?.[1]) {
      windows.setWeight(nowMs, stageSet.weightPercent);
      weights.push([nowMs, stageSet.weightPercent]);
    }
    atOnce = isChanged ? atOnce + 1 : 0;
    if (atOnce > MOST_AT_ONCE) throw new RangeError(`the engine does not come to rest: ${decision.because}`);
    if (!isOver && !isChanged) nowMs += Math.max(1, decision.lookAgainMs);
    if (!isOver && nowMs < horizonMs) continue;
    const atMs = Math.min(nowMs, horizonMs);
    windows.close(atMs);
    return {
      end: endOf(state.release),
      atMs,
      ...windows.totals,
      weights,
      verdicts: state.release?.verdicts ?? [],
      windows: state.release?.windows ?? 0,
      decisions,
      because: decision.because,
    };
  }
}

/** Once decided, a perfect world carries it out in the same moment. */
function endOf(release: Release | null): Rehearsal['end'] {
  switch (release?.phase.kind) {
    case 'promoting':
      return 'promoted';
    case 'aborting':
      return 'aborted';
    case 'ended':
      return release.phase.outcome.kind;
    default:
      return 'undecided';
  }
}

interface Scene {
  readonly stageSet: StageSet;
  readonly windows: Windows;
  readonly state: State;
  readonly nowMs: number;
}

const NO_COMMANDS: Observation['commands'] = [];
const STORE = { writable: true, message: '' };

function observe({ policy, truth, past }: RehearsalInput, { stageSet, windows, state, nowMs }: Scene): Observation {
  const now = instant(nowMs);
  const { measure, history } = lookFor(state, now);
  return {
    now,
    declared: CANARY,
    workload: stageSet.workload(nowMs, truth.canaryReady?.(nowMs / 1000) ?? true),
    router: stageSet.router(),
    measured: measure === null ? { kind: 'none' } : windows.measure(nowMs, measure.checks, measure.cursor === null),
    history: history === null ? null : historyOf(history.checks, past, ARMS.stable),
    gates: {},
    commands: NO_COMMANDS,
    store: STORE,
    freshId: policy.name,
    policyHash: policy.name,
  };
}
