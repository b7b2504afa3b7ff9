// The policy in the form the engine reads: defaults filled in, durations in milliseconds, unions tagged by `kind`.
// What people write is the schema in core/policy, which compiles to this. Nothing here is optional: a missing
// decision is a decision the parser made and documented.
import type { Check, ErrorDefinition } from './check.ts';
import type { CountedRoute, Endpoint, GatewayLimits, GatewayTimeouts } from './gateway.ts';
import type { Affinity, UserKey } from './split.ts';

/** An HTTP question asked of one endpoint; 2xx and 3xx mean yes. */
export interface Probe {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** In a row, before "no" is believed (one "yes" is enough for yes). */
  readonly failures: number;
}

export interface ProcessWorkload {
  readonly kind: 'processes';
  readonly replicas: number;
  readonly ready: Probe | null;
  readonly live: Probe | null;
  /** From SIGTERM to SIGKILL. */
  readonly stopMs: number;
  readonly restart: { readonly initialMs: number; readonly maxMs: number };
  readonly logs: { readonly maxBytes: number; readonly files: number };
}

export interface UpstreamWorkload {
  readonly kind: 'upstreams';
  readonly ready: Probe | null;
}

export type Workload = ProcessWorkload | UpstreamWorkload;

export interface GatewayRouter {
  readonly kind: 'gateway';
  readonly listen: Endpoint;
  readonly timeouts: GatewayTimeouts;
  readonly limits: GatewayLimits;
  readonly accessLog: string | null;
}

export type Router = GatewayRouter;

export type Gate =
  | { readonly kind: 'approval'; readonly name: string; readonly approvals: number }
  | { readonly kind: 'webhook'; readonly name: string; readonly url: string; readonly timeoutMs: number }
  | { readonly kind: 'job'; readonly name: string; readonly command: readonly string[]; readonly timeoutMs: number };

/** A plateau of weight. */
export interface Stage {
  /** Below 100: a stage written as 100 means promote and is no stage (decision 5). */
  readonly weightPercent: number;
  /** Least time here even if all is well; pauses do not count. */
  readonly bakeMs: number;
  /** Names of the checks asked here; null means all. */
  readonly checks: readonly string[] | null;
  /** All must say yes before the stage is left. */
  readonly gates: readonly Gate[];
  /** What must pass before the stage is left: the risk bound of the next weight, or the proof of no harm. */
  readonly advance: 'exposure' | 'proven';
}

export type Ramp =
  | { readonly kind: 'stages'; readonly stages: readonly Stage[] }
  /** Weight follows the risk bound: w = clamp(B / (U x requests per tick), first, max); statistics 3. */
  | {
      readonly kind: 'adaptive';
      readonly name: 'cautious' | 'default' | 'bold';
      readonly firstWeightPercent: number;
      readonly maxWeightPercent: number;
      readonly gates: readonly Gate[];
    };

export type DecisionMode = 'automatic' | 'manual' | 'hybrid';

export interface ExposureBudget {
  /** B: bad requests accepted at risk per interval when weight is raised. */
  readonly badPerInterval: number;
  /** Requests the canary may get in all, over the whole release; null means no bound. */
  readonly totalRequests: number | null;
}

export interface Deadlines {
  /** The canary must be ready by then, counted from when it could start. */
  readonly startMs: number;
  /** A verdict must be there by then; pauses and waits for people do not count. */
  readonly releaseMs: number;
  /** A gate must have answered by then. */
  readonly gateMs: number;
  /** Requests in flight are waited for this long before a version is stopped all the same. */
  readonly drainMs: number;
}

export type Notify =
  | { readonly kind: 'webhook'; readonly url: string; readonly timeoutMs: number }
  | { readonly kind: 'log' };

export interface ReleasePolicy {
  readonly name: string;
  readonly workload: Workload;
  readonly router: Router;
  readonly ramp: Ramp;
  /** 'none': bake times and approvals advance; the release is marked as unanalysed for ever. */
  readonly analysis: 'checks' | 'none';
  readonly checks: readonly Check[];
  readonly errors: ErrorDefinition;
  readonly routes: readonly CountedRoute[];
  readonly decision: DecisionMode;
  readonly userKey: UserKey | null;
  readonly affinity: Affinity | null;
  /** Requests with this header or cookie always get the canary, whatever the weight. */
  readonly audience: readonly {
    readonly header?: { readonly name: string; readonly value: string };
    readonly cookie?: { readonly name: string; readonly value: string };
  }[];
  readonly canary: { readonly minReplicas: number; readonly ratio: number };
  readonly exposure: ExposureBudget;
  readonly alphas: { readonly abort: number; readonly promote: number };
  /** Least time under analysis before promotion, over all stages. */
  readonly leastBakeMs: number;
  readonly deadlines: Deadlines;
  /** accept: promote if every required check passes at its wider tolerance; hold if not. */
  readonly onDeadline: 'hold' | 'abort' | 'accept';
  /** What becomes of the canary's processes after an abort. */
  readonly onAbort: 'retire' | 'keep';
  /** Length of one measurement window: the tick. */
  readonly intervalMs: number;
  readonly notify: readonly Notify[];
  readonly historyLimit: number;
}
