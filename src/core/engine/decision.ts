// What goes into a decision and what comes out. The controller fills the first and carries out the second.
import type { Command, CommandAnswer, Verb } from '../model/command.ts';
import type { Effect } from '../model/effect.ts';
import type { History, MeasurementResult } from '../model/measurement.ts';
import type { GateAnswer, Observed, RouterObservation, WorkloadObservation } from '../model/observed.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import type { Instant } from '../model/time.ts';
import type { Version } from '../model/version.ts';
import type { Release, State } from './state.ts';

export interface Observation {
  readonly now: Instant;
  /** The version people declared; null once the policy is withdrawn. */
  readonly declared: Version | null;
  readonly workload: Observed<WorkloadObservation>;
  readonly router: Observed<RouterObservation>;
  /** Asked for only while a release is testing and a window is due. */
  readonly measured: MeasurementResult;
  /** Stable's past, asked for until latency lines are chosen from it. */
  readonly history: History | null;
  /** By gate key. */
  readonly gates: Readonly<Record<string, GateAnswer>>;
  readonly commands: readonly Command[];
  readonly store: { readonly writable: boolean; readonly message: string };
  /** Fresh randomness for a release that may start now. */
  readonly freshId: string;
  /** Hash of `policy`, for the release that may start now. */
  readonly policyHash: string;
}

/** Kubernetes-style condition, one writer: the engine. */
export interface Condition {
  readonly type: 'Ready' | 'Progressing' | 'Stalled' | 'Paused' | 'Waiting' | 'Suspended' | 'Promoted' | 'Aborted';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** What happens next, when, and what would stop it. */
export interface Next {
  readonly what: string;
  /** Milliseconds from now; null if it waits for something that has no clock. */
  readonly inMs: number | null;
  readonly unless: string | null;
}

/** One button: allowed or why not, what it would do, and the command that does it. */
export interface Allowed {
  readonly verb: Verb;
  readonly allowed: boolean;
  readonly whyNot: string | null;
  readonly consequence: string;
  readonly command: string;
}

/** Something worth a line in the journal. */
export interface JournalEvent {
  readonly kind:
    | 'release-started'
    | 'stage-entered'
    | 'weight'
    | 'held'
    | 'verdict'
    | 'command'
    | 'promoting'
    | 'promoted'
    | 'aborting'
    | 'aborted'
    | 'waiting'
    | 'drift'
    | 'warning';
  readonly sentence: string;
  readonly release: string | null;
  /** Numbers and names behind the sentence. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Decision {
  readonly state: State;
  readonly effects: readonly Effect[];
  readonly conditions: readonly Condition[];
  /** One sentence: where things stand and why. */
  readonly because: string;
  readonly next: Next;
  readonly can: readonly Allowed[];
  readonly answers: readonly CommandAnswer[];
  readonly events: readonly JournalEvent[];
  /** Releases whose record changed and is to be stored. */
  readonly changed: readonly Release[];
  /** When to look again even if nothing happens, in milliseconds. */
  readonly lookAgainMs: number;
}

export interface DecisionInput {
  readonly policy: ReleasePolicy;
  readonly state: State;
  readonly observation: Observation;
}
