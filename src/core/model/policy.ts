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

/** A plain Deployment of Kubernetes, left as it is: the new template waits in it, the canary is a second one (ADR 0051). */
export interface DeploymentWorkload {
  readonly kind: 'deployment';
  /** In the namespace of the policy. */
  readonly deployment: string;
  /** The container whose image names the version; null: the first. */
  readonly container: string | null;
  /**
   * isolated: canary pods get another value in one label, so that the stable Service never selects them.
   * shared: they keep all labels, and a readiness gate lets them into the Service (replica share).
   */
  readonly pods: 'isolated' | 'shared';
  /** The label that tells isolated canary pods apart; null: chosen from the Service's and the Deployment's selectors. */
  readonly label: string | null;
  /** When the policy is removed while a template waits: stable's is restored, or the waiting one is let go. */
  readonly onRemoval: 'restore' | 'letGo';
}

export type Workload = ProcessWorkload | UpstreamWorkload | DeploymentWorkload;

export interface GatewayRouter {
  readonly kind: 'gateway';
  readonly listen: Endpoint;
  readonly timeouts: GatewayTimeouts;
  readonly limits: GatewayLimits;
  readonly accessLog: string | null;
}

/** Nothing but a Service: the share is the number of ready canary pods among all ready pods. */
export interface ReplicaShareRouter {
  readonly kind: 'replicaShare';
  readonly service: string;
}

export interface ParentReference {
  readonly name: string;
  /** null: the namespace of the policy. */
  readonly namespace: string | null;
  readonly sectionName: string | null;
  readonly port: number | null;
}

export interface RouteMatch {
  readonly path: string;
  readonly type: 'PathPrefix' | 'Exact';
}

/** Who applies an HTTPRoute owns its whole list of rules: either Haldane, or somebody else and Haldane only sets weights. */
export type HttpRoute =
  | {
      readonly kind: 'owned';
      readonly name: string;
      readonly parents: readonly ParentReference[];
      readonly hostnames: readonly string[];
      readonly matches: readonly RouteMatch[];
    }
  | { readonly kind: 'adopted'; readonly name: string };

export interface GatewayApiRouter {
  readonly kind: 'gatewayApi';
  /** The Service that means stable. */
  readonly service: string;
  /** null: its only port. */
  readonly port: number | null;
  readonly route: HttpRoute;
  /** Send a copy of stable's requests to the canary while it has weight; percent, null: no mirror. Owned routes only. */
  readonly mirrorPercent: number | null;
  /** After the route is accepted, how long until every proxy is taken to use it, where none can be asked. */
  readonly settleMs: number;
}

export type Router = GatewayRouter | ReplicaShareRouter | GatewayApiRouter;

/** A Secret's key in the namespace of the policy. */
export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

export interface PrometheusAccess {
  readonly address: string;
  readonly bearer: SecretKey | null;
  readonly basic: { readonly username: string; readonly password: SecretKey } | null;
  readonly ca: SecretKey | null;
  readonly clientCertificate: { readonly certificate: SecretKey; readonly key: SecretKey } | null;
  /** Sent with each request, e.g. X-Scope-OrgID. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Whose counters are read. pods: each pod's own, told apart by the label `pod`. traefik and envoy: the proxy's, told apart
 * by the Service. queries: selectors people wrote.
 */
export type CounterSet =
  | {
      readonly kind: 'pods';
      readonly requests: string;
      readonly statusLabel: string;
      /** Classic histogram without its suffix, in seconds; null: no latency. */
      readonly latency: string | null;
    }
  | { readonly kind: 'traefik' }
  | { readonly kind: 'envoy' }
  | {
      readonly kind: 'queries';
      /** Selectors of counters, with $pods, $namespace, $service in them. */
      readonly total: string;
      readonly bad: string;
      /** Selector of the buckets of a classic histogram; null: no latency. */
      readonly latency: string | null;
    };

/** Where measurements come from. */
export type MetricsFrom =
  | { readonly kind: 'gateway' }
  | {
      readonly kind: 'prometheus';
      readonly access: PrometheusAccess;
      readonly counters: CounterSet;
      /** Of the server's scrapes; a sample older than two of them is a missing scrape. */
      readonly scrapeMs: number;
      /** How long a sample needs from its scrape until it can be asked for. */
      readonly lagMs: number;
      readonly timeoutMs: number;
    }
  /** No Prometheus at all: the pods of both versions are scraped directly. */
  | {
      readonly kind: 'pods';
      readonly port: number | null;
      readonly path: string;
      readonly counters: Extract<CounterSet, { kind: 'pods' }>;
      readonly timeoutMs: number;
    };

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
  /** On Kubernetes "namespace/name". */
  readonly name: string;
  readonly workload: Workload;
  readonly router: Router;
  readonly metrics: MetricsFrom;
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
