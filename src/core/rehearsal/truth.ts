// What is true of two versions, as counts per window: the thing a policy is tried against. A truth draws its own
// chances (from a seed it was made with), so that a rehearsal needs none. It refuses to know of policies or verdicts.

export interface TrueArm {
  readonly total: number;
  readonly bad: number;
  /** Requests per latency bucket, upper boundaries as in `Truth.boundaries`; null if latency is not told. */
  readonly latency: readonly number[] | null;
}

export interface TrueWindow {
  readonly canary: TrueArm;
  readonly stable: TrueArm;
  /** Counts of checks that look at something else than the plain errors, by check name. */
  readonly others?: Readonly<Record<string, { readonly canary: TrueCounts; readonly stable: TrueCounts }>>;
}

export interface TrueCounts {
  readonly total: number;
  readonly bad: number;
}

export interface Truth {
  /** Upper boundaries in seconds of the latency buckets, rising, the last Infinity; null if latency is not told. */
  readonly boundaries: readonly number[] | null;
  /** Counts of [from, to) seconds while the canary has this weight. Asked for in order of time, each moment once. */
  draw(fromSeconds: number, toSeconds: number, weightPercent: number): TrueWindow;
  /** Whether the canary's replicas are ready at this second; left out, they always are. */
  canaryReady?(atSeconds: number): boolean;
}

export const NO_REQUESTS: TrueArm = { total: 0, bad: 0, latency: null };
export const EMPTY_WINDOW: TrueWindow = { canary: NO_REQUESTS, stable: NO_REQUESTS };

/** Two windows of one truth as one. */
export function joinWindows(a: TrueWindow, b: TrueWindow): TrueWindow {
  if (a === EMPTY_WINDOW) return b;
  const joined = { canary: joinArms(a.canary, b.canary), stable: joinArms(a.stable, b.stable) };
  if (a.others === undefined || b.others === undefined) return joined;
  const others: Record<string, { canary: TrueCounts; stable: TrueCounts }> = {};
  for (const [name, one] of Object.entries(a.others)) {
    const two = b.others[name];
    others[name] =
      two === undefined ? one : { canary: add(one.canary, two.canary), stable: add(one.stable, two.stable) };
  }
  return { ...joined, others };
}

function joinArms(a: TrueArm, b: TrueArm): TrueArm {
  const latency = a.latency === null || b.latency === null ? (a.latency ?? b.latency) : sum(a.latency, b.latency);
  return { ...add(a, b), latency };
}

function add(a: TrueCounts, b: TrueCounts): TrueCounts {
  return { total: a.total + b.total, bad: a.bad + b.bad };
}

function sum(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.map((value, i) => value + (b[i] ?? 0));
}
