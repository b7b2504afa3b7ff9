// The one view model of a policy and its release. Terminal, page, report and API are drawn from it, so that they cannot
// disagree. Plain JSON data; every sentence in it was made where the decision was made.
import type { Allowed, Condition, Next } from '../engine/index.ts';
import type { Metric } from '../model/check.ts';
import type { Outcome } from '../model/verdict.ts';

export const VIEW_SCHEMA = 1;

export interface ReleaseView {
  readonly schema: typeof VIEW_SCHEMA;
  /** When this was seen, RFC 3339. */
  readonly now: string;
  readonly policy: PolicyLine;
  readonly release: ReleaseLine | null;
  /** Where things stand, in a sentence or three. The first thing on every face. */
  readonly headline: string;
  readonly state: ViewState;
  /** Whether a person is asked for something, and what. */
  readonly needs: string | null;
  readonly versions: readonly VersionLine[];
  readonly traffic: TrafficLines;
  readonly stages: readonly StageLine[];
  readonly evidence: readonly EvidenceLine[];
  /** Newest last. */
  readonly log: readonly LogLine[];
  readonly because: string;
  readonly next: Next;
  readonly can: readonly Allowed[];
  readonly conditions: readonly Condition[];
  /** What stands in the way of Haldane itself: ports that fail, effects still owed. */
  readonly troubles: readonly string[];
}

export type ViewState =
  | 'at rest'
  | 'starting'
  | 'testing'
  | 'paused'
  | 'waiting'
  | 'promoting'
  | 'aborting'
  | 'unknown';

export interface PolicyLine {
  readonly name: string;
  readonly generation: number;
  readonly decision: string;
  readonly analysis: string;
  /** Where users reach the service. */
  readonly listen: string | null;
  readonly suspended: string | null;
  /** A version that was seen and is not released, and why. */
  readonly waiting: { readonly label: string; readonly revision: string; readonly sentence: string } | null;
  readonly withdrawn: boolean;
}

export interface ReleaseLine {
  readonly id: string;
  readonly number: number;
  readonly from: string | null;
  readonly to: string;
  readonly fromRevision: string | null;
  readonly toRevision: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly spentMs: number;
  readonly phase: 'starting' | 'testing' | 'promoting' | 'aborting' | 'ended';
  readonly stage: number | null;
  readonly weightPercent: number;
  /** The most that was ever asked for it, the promotion left out while it is not made. */
  readonly highestWeightPercent: number;
  readonly awaiting: string | null;
  readonly paused: string | null;
  readonly parked: string | null;
  readonly unanalysed: string | null;
  readonly outcome: OutcomeLine | null;
  readonly exposure: {
    readonly canaryRequests: number;
    readonly stableRequests: number;
    readonly canaryBad: number;
    readonly canaryUsers: number;
    readonly stableUsers: number;
  };
}

export interface OutcomeLine {
  readonly kind: 'promoted' | 'aborted';
  /** Who or what ended it: "verdict", "person", ...; null for a promotion. */
  readonly by: string | null;
  readonly check: string | null;
  readonly sentence: string;
}

export interface VersionLine {
  readonly role: 'stable' | 'canary' | 'other';
  readonly label: string;
  readonly revision: string;
  readonly wanted: number;
  readonly running: number;
  readonly ready: number;
  readonly restarts: number;
  readonly trouble: string | null;
}

export interface TrafficLines {
  readonly rows: readonly TrafficLine[];
  /** Requests the shares were read from, and over how long; 0 when nothing was seen. */
  readonly requests: number;
  readonly spanMs: number;
  /** How old the newest count is; null without any. */
  readonly ageMs: number | null;
  /** Whether seen shares fit the weights asked. */
  readonly split: 'agrees' | 'differs' | 'too few' | 'changing' | 'none';
  readonly splitText: string;
}

export interface TrafficLine {
  readonly role: 'stable' | 'canary';
  readonly label: string;
  readonly askedPercent: number;
  readonly seenPercent: number | null;
  readonly perSecond: number | null;
  readonly inFlight: number | null;
}

export interface StageLine {
  readonly weightPercent: number;
  readonly state: 'done' | 'now' | 'coming';
  readonly bakeMs: number;
  readonly spentMs: number | null;
  /** From now until it begins if all passes; null when nobody can say. */
  readonly inMs: number | null;
  readonly gates: readonly string[];
}

export interface EvidenceLine {
  readonly check: string;
  readonly title: string;
  readonly metric: Metric['kind'];
  readonly role: string;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly message: string;
  /** May weight rise; may it be promoted. */
  readonly exposure: Outcome;
  readonly promotion: Outcome;
  readonly canary: { readonly total: number; readonly bad: number };
  readonly stable: { readonly total: number; readonly bad: number };
  /** p_canary − r·p_stable as a fraction, and its anytime-valid interval. */
  readonly excess: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly tolerance: number | null;
  readonly ratio: number | null;
  /** "against stable" or "absolute limit" or "gauge". */
  readonly against: 'stable' | 'limit' | 'gauge';
  /** Latency: the boundary in seconds. Gauge: the worst value, in its unit. */
  readonly value: number | null;
  readonly unit: 'bytes' | 'percent' | null;
  /** About this long until it is decided, if things go on as they are. */
  readonly etaMs: number | null;
  /** ln of the evidence and of the line, for harm and for no harm. */
  readonly log: {
    readonly harm: number;
    readonly harmLine: number;
    readonly noHarm: number;
    readonly noHarmLine: number;
  };
}

export interface LogLine {
  readonly sequence: number;
  readonly at: string;
  readonly kind: string;
  readonly sentence: string;
  readonly release: string | null;
  /** The weight asked from then on, where the entry says so. */
  readonly weightPercent: number | null;
}

/** Requests counted by the data plane lately, beside the decision: for faces only, no decision reads it. */
export interface LiveTraffic {
  readonly spanMs: number;
  readonly ageMs: number;
  /** By revision. */
  readonly requests: Readonly<Record<string, number>>;
  readonly inFlight: Readonly<Record<string, number>>;
}
