// How much more stable's replicas differ from each other than independent requests would: the divisor φ for evidence
// when errors come in clusters of unknown size (retries, sessions, batch jobs). Refuses to look at the canary, and is to be
// measured on the time before the release: estimated during it, the false-alarm rate is no longer what is claimed.
//
// Dividing evidence by an estimate is an approximation, the only one on the way to a verdict; hence `upper`, which errs
// towards less evidence, and `isEnough`, which says whether there was anything to estimate from. What it cannot see:
// clusters that reach over several slices of the history (choose slices as long as a tick of the release, or longer), and
// a lasting difference of one replica, which no divisor mends (placebo.ts looks for that).

/** One stable replica's counts in one slice of time. */
export interface ReplicaCounts {
  readonly total: number;
  readonly bad: number;
}

export interface DispersionEstimate {
  /** φ̂, at least 1. */
  readonly phi: number;
  /** What evidence should be divided by: φ̂ and its standard error, at least 1. Below the truth in one case of 3 to 5. */
  readonly upper: number;
  /** Σ (replicas − 1) over the slices with bad events. */
  readonly freedom: number;
  readonly bad: number;
  /** Whether there are at least 30 degrees of freedom and 30 bad events: about ten slices of four replicas. */
  readonly isEnough: boolean;
}

/** Less data than this does not tell clusters from chance. */
const LEAST_FREEDOM = 30;
const LEAST_BAD = 30;

/**
 * φ̂ = max(1, Σ (x_it − e_it)² / e_it / Σ (replicas_t − 1)), e_it = n_it · x_t / n_t: Pearson's statistic within slices, so
 * that swings common to all replicas do not count. undefined when fewer than two replicas ever had a bad event to share:
 * no data is not "no clustering".
 */
export function dispersionOfReplicas(slices: Iterable<readonly ReplicaCounts[]>): number | undefined {
  return estimateDispersion(slices)?.phi;
}

/**
 * The same with what is known of its error. `upper` is the larger of two estimates, each with one standard error from the
 * scatter of the slices: Pearson's, which a common outage cannot dominate, and the one that weighs slices by their bad
 * events, because Pearson's is too low when a slice holds but one or two clusters (3.2 instead of 3.67 for clusters of 1–5,
 * five bad events per slice).
 */
export function estimateDispersion(slices: Iterable<readonly ReplicaCounts[]>): DispersionEstimate | undefined {
  const pearson: Ratio[] = [];
  const weighted: Ratio[] = [];
  let bad = 0;
  for (const replicas of slices) {
    const slice = statisticOf(replicas);
    if (slice === undefined) continue;
    const { statistic, freedom } = slice;
    pearson.push({ top: statistic, bottom: freedom });
    weighted.push({ top: statistic * slice.bad, bottom: freedom * slice.bad });
    bad += slice.bad;
  }
  if (pearson.length === 0) return undefined;
  const plain = ratioOf(pearson);
  const heavy = ratioOf(weighted);
  const freedom = pearson.reduce((sum, { bottom }) => sum + bottom, 0);
  return {
    phi: Math.max(1, plain.value),
    upper: Math.max(1, plain.value + plain.error, heavy.value + heavy.error),
    freedom,
    bad,
    isEnough: freedom >= LEAST_FREEDOM && bad >= LEAST_BAD,
  };
}

/** Pearson's statistic of one slice; undefined if it compares nothing. */
function statisticOf(replicas: readonly ReplicaCounts[]) {
  const seen = replicas.filter(({ total }) => total > 0);
  const total = seen.reduce((sum, replica) => sum + replica.total, 0);
  const bad = seen.reduce((sum, replica) => sum + replica.bad, 0);
  if (seen.length < 2 || !(bad > 0)) return undefined;
  let statistic = 0;
  for (const replica of seen) {
    const expected = (replica.total * bad) / total;
    statistic += (replica.bad - expected) ** 2 / expected;
  }
  return { statistic, freedom: seen.length - 1, bad };
}

interface Ratio {
  readonly top: number;
  readonly bottom: number;
}

/** Σ top / Σ bottom with the standard error of a ratio estimate (Cochran 1977, Sampling Techniques, 6.4). */
function ratioOf(parts: readonly Ratio[]): { value: number; error: number } {
  const bottom = parts.reduce((sum, part) => sum + part.bottom, 0);
  const value = parts.reduce((sum, part) => sum + part.top, 0) / bottom;
  const squares = parts.reduce((sum, part) => sum + (part.top - value * part.bottom) ** 2, 0);
  return { value, error: Math.sqrt(squares) / bottom };
}
