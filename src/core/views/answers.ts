// What the API answers beside views: of applying, of asking the doctor, of going wrong. Read by the command line and by
// whoever speaks to the API; plain JSON data.

export interface Difference {
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly kind: 'changed' | 'added' | 'removed';
}

export interface Advice {
  readonly path: string;
  readonly problem: string;
  readonly fix: string;
}

/** What became of one policy of an applied text, or would become of it. */
export interface AppliedAnswer {
  readonly policy: string;
  readonly change: 'created' | 'changed' | 'unchanged';
  readonly version: string;
  readonly revision: string;
  /** The revision the text names; another one where a version released by command stays. */
  readonly asked: string;
  /** Whether a release of another version will start. */
  readonly newVersion: boolean;
  /** Where users reach it. */
  readonly listen: string;
  readonly differences: readonly Difference[];
  readonly warnings: readonly Advice[];
  readonly findings: readonly (Advice & { readonly code: string; readonly severity: string })[];
}

export interface VersionAnswer {
  readonly policy: string;
  readonly version: string;
  readonly revision: string;
  readonly before: string;
  readonly unchanged: boolean;
}

export interface Finding {
  readonly area:
    | 'store'
    | 'clock'
    | 'workload'
    | 'probes'
    | 'gateway'
    | 'queries'
    | 'checks'
    // Of a cluster.
    | 'rights'
    | 'install'
    | 'operator'
    | 'policy'
    | 'hold'
    | 'router'
    | 'config';
  readonly status: 'ok' | 'warning' | 'problem';
  readonly message: string;
  readonly fix: string | null;
}

/** How soon a check would see harm made up for it, at the traffic there is. */
export interface Detection {
  readonly check: string;
  readonly role: string;
  /** What was made up, in words. */
  readonly harm: string;
  readonly weightPercent: number;
  readonly perSecond: number;
  /** Of the requests it looks at, the part that is bad now; null if that was not counted. */
  readonly baseRate: number | null;
  /** What it takes on average; null if it is not seen within the deadline. */
  readonly detectsInMs: number | null;
  readonly withinMs: number;
  readonly note: string | null;
}

export interface Diagnosis {
  readonly policy: string;
  readonly findings: readonly Finding[];
  readonly detections: readonly Detection[];
}

export interface ProblemJson {
  readonly code: string;
  readonly path: string | null;
  readonly problem: string;
  readonly fix: string | null;
  readonly retry: 'now' | 'later' | 'never';
  /** All of them, where there are several. */
  readonly errors?: readonly ProblemItem[];
}

export interface ProblemItem {
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly problem: string;
  readonly nearest: string | null;
  readonly fix: string;
}
