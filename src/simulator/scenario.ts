// What one simulated run is made of: services with their true versions, what happens to them and when, and how bad the
// world is. Plain data, so that a failing run can be printed and replayed.
import type { Verb } from '../core/model/command.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { TrafficOptions } from './world/data-plane.ts';
import type { GateTruth } from './world/gates.ts';
import type { MetricTrouble } from './world/metrics.ts';
import type { Truth } from './world/truth.ts';

export interface ServiceScenario {
  readonly policy: ReleasePolicy;
  /** The version that serves before anything else happens. */
  readonly firstVersion: string;
  readonly truths: Readonly<Record<string, Truth>>;
  readonly requestsPerSecond: number;
  readonly traffic: Omit<TrafficOptions, 'requestsPerSecond'>;
  readonly lagsMs: readonly number[];
  readonly metricsLagMs: number;
  /** Its declaration is damaged: nobody can read it. */
  readonly unreadable?: boolean;
  /** By gate name. */
  readonly gates: Readonly<Record<string, GateTruth>>;
}

/** At a time, or so long after a release first was seen in a phase (and stage) of its life. */
export type When =
  | { readonly atMs: number }
  | { readonly release: number; readonly phase: string; readonly stage?: number; readonly afterMs: number };

export type Happening =
  | { readonly kind: 'declare'; readonly version: string }
  | { readonly kind: 'change-policy'; readonly patch: Partial<ReleasePolicy> }
  | { readonly kind: 'withdraw' }
  | {
      readonly kind: 'command';
      readonly verb: Verb;
      readonly actor?: string;
      readonly reason?: string | null;
      readonly skipAnalysis?: boolean;
      /** Sent so many times under the same id. */
      readonly times?: number;
    }
  | { readonly kind: 'crash-replicas'; readonly version: string; readonly all: boolean }
  | { readonly kind: 'edit-split'; readonly version: string; readonly weightPercent: number }
  | { readonly kind: 'metric-trouble'; readonly trouble: MetricTrouble }
  | { readonly kind: 'reset-counters' }
  | { readonly kind: 'refuse-splits'; readonly refuses: boolean }
  | { readonly kind: 'store-full'; readonly full: boolean }
  | { readonly kind: 'overtake' }
  | { readonly kind: 'step-wall'; readonly byMs: number }
  | { readonly kind: 'reboot' }
  | { readonly kind: 'kill-controller' };

export interface Planned {
  readonly when: When;
  /** Index into the services. */
  readonly service: number;
  readonly what: Happening;
}

/** Chances per call and per notice, and how long things take at most. */
export interface FaultSettings {
  readonly latencyMs: number;
  readonly crashPerCall: number;
  readonly failPerCall: number;
  /** Calls that take a minute. */
  readonly hangPerCall: number;
  readonly stalePerRead: number;
  readonly noticeDelayMs: number;
  readonly noticeLost: number;
  readonly noticeTwice: number;
  /** The next controller starts after at most this long. */
  readonly restartMs: number;
}

export const CALM: FaultSettings = {
  latencyMs: 0,
  crashPerCall: 0,
  failPerCall: 0,
  hangPerCall: 0,
  stalePerRead: 0,
  noticeDelayMs: 0,
  noticeLost: 0,
  noticeTwice: 0,
  restartMs: 1_000,
};

export interface Scenario {
  readonly name: string;
  readonly services: readonly ServiceScenario[];
  readonly plan: readonly Planned[];
  readonly faults: FaultSettings;
  /** From here on the world is well. */
  readonly faultsEndMs: number;
  readonly endMs: number;
}
