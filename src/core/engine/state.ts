// What the engine remembers of one policy between decisions. Plain JSON data: it is stored as it stands.
import type { Evidence } from '../analysis/evidence.ts';
import type { SampleRatio } from '../analysis/shares.ts';
import type { Cursor } from '../model/measurement.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import type { Revision, WeightedRevision } from '../model/split.ts';
import type { Instant } from '../model/time.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Version } from '../model/version.ts';

/** Raised when the meaning of stored state changes; the controller migrates older documents when it reads them. */
export const STATE_SCHEMA = 2;

/** Who asked for something, and why. */
export interface Signature {
  readonly actor: string;
  readonly reason: string | null;
  readonly wallTime: string;
}

/** How a release ended. Aborts name who or what ended it. */
export type ReleaseOutcome =
  | { readonly kind: 'promoted'; readonly sentence: string }
  | {
      readonly kind: 'aborted';
      readonly by: 'verdict' | 'person' | 'author' | 'deadline' | 'superseded' | 'trouble';
      /** The check to blame, if it was a verdict. */
      readonly check: string | null;
      readonly sentence: string;
    };

/**
 * starting   the canary's processes are brought up; weight 0
 * testing    the canary carries the weight of stage `stage`; evidence is gathered
 * promoting  the decision to promote is made: full capacity, then all traffic, then drain
 * aborting   all traffic to stable, then drain, then retire
 * ended      nothing of this release is left to do
 */
export type Phase =
  | { readonly kind: 'starting' }
  | { readonly kind: 'testing'; readonly stage: number }
  | { readonly kind: 'promoting'; readonly sentence: string }
  | { readonly kind: 'aborting'; readonly outcome: Extract<ReleaseOutcome, { kind: 'aborted' }> }
  | { readonly kind: 'ended'; readonly outcome: ReleaseOutcome };

export type PhaseKind = Phase['kind'];

/** Milliseconds of unpaused time spent, by what is being waited for. */
export interface Elapsed {
  /** In this phase and stage. */
  readonly stageMs: number;
  /** Under analysis, all stages. */
  readonly testingMs: number;
  /** In the whole release, waits for people left out. */
  readonly releaseMs: number;
  /** Since the gates of this stage were first asked. */
  readonly gateMs: number;
  /** Since the new version last had a ready replica. */
  readonly notReadyMs: number;
}

/** Requests and users the canary got. */
export interface Exposure {
  readonly canaryRequests: number;
  readonly stableRequests: number;
  readonly canaryBad: number;
  readonly canaryUsers: number;
  readonly stableUsers: number;
}

/** What a release can wait for from a person. */
export type Awaiting = 'approval' | 'advance' | 'decision' | 'deadline';

export interface Approval extends Signature {
  readonly gate: string;
  readonly stage: number;
  /** Bound to what was looked at. */
  readonly revision: Revision;
}

/** Why the release is not analysed, for ever: said by the policy, or by a person. */
export type Unanalysed =
  | { readonly why: 'policy' }
  | { readonly why: 'first version' }
  | { readonly why: 'promoted before' }
  | { readonly why: 'skip-analysis'; readonly by: Signature }
  | { readonly why: 'suspended'; readonly by: Signature };

export interface Release {
  /** "<policy>-<number>" */
  readonly id: string;
  readonly number: number;
  /** null for the very first version. */
  readonly from: Version | null;
  readonly to: Version;
  /** Frozen when the release starts; later edits of the policy hold from the next release on. */
  readonly policy: ReleasePolicy;
  readonly policyHash: string;
  readonly salt: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly phase: Phase;
  /** Weight asked for the canary now. */
  readonly weightPercent: number;
  /** At the last look the data plane gave the weight asked for: only time between two such looks is bake time. */
  readonly isAtWeight: boolean;
  readonly paused: Signature | null;
  /** A person decides: the canary stays up at weight 0. Why. */
  readonly parked: string | null;
  /** The named thing a person is asked for, if the release waits for one now. */
  readonly awaiting: Awaiting | null;
  readonly elapsed: Elapsed;
  /** By check name. */
  readonly evidence: Readonly<Record<string, Evidence>>;
  readonly verdicts: readonly Verdict[];
  /** ln of the weighted evidence of harm of all checks, and its highest so far. */
  readonly logHarm: number;
  readonly cursor: Cursor | null;
  /** The weight chance drew with when the last window ended; null if the data plane was not at it. */
  readonly windowWeight: number | null;
  /** Whether the shares seen agree with the weights asked. */
  readonly sampleRatio: SampleRatio;
  /** When the last window was folded in, and how many have been. */
  readonly lastWindow: Instant | null;
  readonly windows: number;
  readonly approvals: readonly Approval[];
  /** Advances asked for by people, by stage left. */
  readonly advances: readonly (Signature & { readonly stage: number })[];
  readonly unanalysed: Unanalysed | null;
  readonly exposure: Exposure;
  /** Replicas of the release's base: capacity never shrinks below it while it runs. */
  readonly baseReplicas: number;
  /** If this is another try of a version aborted before: that release's id. */
  readonly retryOf: string | null;
  /** Weights over time, for reports: [release milliseconds, weight asked]. */
  readonly weights: readonly (readonly [atMs: number, weightPercent: number])[];
}

/** What became of a revision before: so that one aborted waits and one promoted has a fast way back. */
export interface KnownRevision {
  readonly version: Version;
  readonly release: string;
  /** The stable version it was compared with; evidence against one says nothing against another. */
  readonly against: Revision | null;
  readonly fate: 'promoted' | 'aborted' | 'rolled back';
  /** Whether its author may simply declare it again: it was not found wanting, only overtaken or withdrawn. */
  readonly isFreeToTry: boolean;
  readonly sentence: string;
  readonly policyHash: string;
  /** Carried on by a retry after an end that was no verdict (statistics 3, Stages). */
  readonly evidence: Readonly<Record<string, Evidence>> | null;
}

/** A version that was seen and is not released now, and why. */
export interface WaitingVersion {
  readonly version: Version;
  readonly why: 'known as aborted' | 'store is full' | 'release under way';
  readonly sentence: string;
}

export interface State {
  readonly schema: typeof STATE_SCHEMA;
  readonly policy: string;
  readonly clock: Instant;
  /** Trusted now; null before the first version has served. */
  readonly stable: Version | null;
  /** Under way, or the last one that ended. */
  readonly release: Release | null;
  readonly waiting: WaitingVersion | null;
  readonly suspended: Signature | null;
  /** Newest last, at most historyLimit. */
  readonly known: readonly KnownRevision[];
  readonly releases: number;
  /** A person's wish for a version other than the declared one (rollback), until the declaration changes. */
  readonly wish: { readonly revision: Revision; readonly overDeclared: Revision | null; readonly by: Signature } | null;
  /** Retry of a version known as aborted, once. */
  readonly retry: { readonly revision: Revision; readonly by: Signature } | null;
  /** The weights last asked of the router, to tell a hand's edit from our own. */
  readonly asked: readonly WeightedRevision[] | null;
  /** The data plane was seen to use what was asked: what is there instead later is somebody else's. */
  readonly isInUse: boolean;
  /** Milliseconds since each version's share was seen to be 0, for those that still run. */
  readonly draining: Readonly<Record<Revision, number>>;
}

export function initialState(policy: string, now: Instant): State {
  return {
    schema: STATE_SCHEMA,
    policy,
    clock: now,
    stable: null,
    release: null,
    waiting: null,
    suspended: null,
    known: [],
    releases: 0,
    wish: null,
    retry: null,
    asked: null,
    isInUse: false,
    draining: {},
  };
}

/** The release that is under way, if any. */
export function underWay(state: State): Release | null {
  return state.release !== null && state.release.phase.kind !== 'ended' ? state.release : null;
}

/** What was last said of a check; undefined before its first window. */
export function verdictOn(release: Release, check: string): Verdict | undefined {
  return release.verdicts.find((verdict) => verdict.check === check);
}
