// The account the users keep: every request is sent once and ends once, as answered by a version or as lost.
// It refuses to average anything away: counts, and latency in buckets a tenth of a factor wide.

interface VersionTally {
  requests: number;
  /** By status code. */
  readonly statuses: Record<string, number>;
  /** Answers with 500 or above. */
  errors: number;
  readonly latency: number[];
}

export interface VersionReport {
  readonly requests: number;
  readonly errors: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Report {
  readonly elapsedMs: number;
  readonly sent: number;
  readonly answered: number;
  readonly underWay: number;
  readonly lost: number;
  /** Of the lost, by cause. */
  readonly losses: Readonly<Record<string, number>>;
  readonly versions: Readonly<Record<string, VersionReport>>;
  readonly cpuSeconds: number;
}

const STEP = Math.log(1.1);

export class Tally {
  sent = 0;
  answered = 0;
  lost = 0;
  readonly #losses: Record<string, number> = {};
  readonly #versions = new Map<string, VersionTally>();
  readonly #startedAt = performance.now();

  get underWay(): number {
    return this.sent - this.answered - this.lost;
  }

  send(): void {
    this.sent += 1;
  }

  /** `reused`: it was written to a connection that had served before. */
  lose(cause: string, reused: boolean): void {
    this.lost += 1;
    const name = reused ? `${cause}, on a kept connection` : cause;
    this.#losses[name] = (this.#losses[name] ?? 0) + 1;
  }

  answer(version: string, status: number, latencyMs: number): void {
    this.answered += 1;
    let tally = this.#versions.get(version);
    if (tally === undefined) {
      tally = { requests: 0, statuses: {}, errors: 0, latency: [] };
      this.#versions.set(version, tally);
    }
    tally.requests += 1;
    tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
    if (status >= 500) tally.errors += 1;
    const bucket = Math.max(0, Math.ceil(Math.log(latencyMs) / STEP));
    tally.latency[bucket] = (tally.latency[bucket] ?? 0) + 1;
  }

  report(): Report {
    const versions: Record<string, VersionReport> = {};
    for (const [name, { requests, statuses, errors, latency }] of this.#versions) {
      versions[name] = {
        requests,
        errors,
        statuses: { ...statuses },
        p50Ms: quantileMs(latency, requests, 0.5),
        p99Ms: quantileMs(latency, requests, 0.99),
      };
    }
    const { user, system } = process.cpuUsage();
    return {
      elapsedMs: Math.round(performance.now() - this.#startedAt),
      sent: this.sent,
      answered: this.answered,
      underWay: this.underWay,
      lost: this.lost,
      losses: { ...this.#losses },
      versions,
      cpuSeconds: Number(((user + system) / 1e6).toFixed(2)),
    };
  }
}

/** The upper end of the bucket in which the quantile lies. */
function quantileMs(buckets: readonly number[], total: number, quantile: number): number {
  let seen = 0;
  for (let index = 0; index < buckets.length; index++) {
    seen += buckets[index] ?? 0;
    if (seen >= quantile * total) return Number(Math.exp(index * STEP).toFixed(1));
  }
  return 0;
}
