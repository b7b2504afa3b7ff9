// How much more stable's replicas differ from each other than independent requests would: the divisor φ for evidence
// when errors come in clusters of unknown size. Refuses to look at the canary, and is to be measured on the time before
// the release: estimated during it, the false-alarm rate is no longer what is claimed.

/** One stable replica's counts in one tick. */
export interface ReplicaCounts {
  readonly total: number;
  readonly bad: number;
}

/**
 * φ̂ = max(1, Σ (x_it − e_it)² / e_it / Σ (replicas_t − 1)), e_it = n_it · x_t / n_t: Pearson's statistic within ticks,
 * so that swings common to all replicas do not count. undefined when fewer than two replicas ever had a bad event to
 * share: no data is not "no clustering".
 */
export function dispersionOfReplicas(ticks: Iterable<readonly ReplicaCounts[]>): number | undefined {
  let squares = 0;
  let freedom = 0;
  for (const replicas of ticks) {
    const seen = replicas.filter((replica) => replica.total > 0);
    const total = seen.reduce((sum, replica) => sum + replica.total, 0);
    const bad = seen.reduce((sum, replica) => sum + replica.bad, 0);
    if (seen.length < 2 || !(bad > 0)) continue;
    for (const replica of seen) {
      const expected = (replica.total * bad) / total;
      squares += (replica.bad - expected) ** 2 / expected;
    }
    freedom += seen.length - 1;
  }
  return freedom === 0 ? undefined : Math.max(1, squares / freedom);
}
