// Latencies of a world: log-normal, in buckets a twelfth of a doubling wide or as classic Prometheus has them; the canary's
// distribution is computed, and counts per bucket are drawn from it. Refuses to draw request by request: it is too slow.
import type { Random } from '../../../src/core/statistics/index.ts';
import type { LatencyTruth } from './scenario.ts';

/** Upper ends: exponential buckets of factor 2^(1/8), 1 ms to 65 s. */
export const BUCKETS: readonly number[] = [
  ...Array.from({ length: 128 }, (_, i) => 0.001 * 2 ** (i / 8)),
  Number.POSITIVE_INFINITY,
];

export class LatencyDraw {
  readonly boundaries = BUCKETS;
  readonly #truth: LatencyTruth;
  readonly #stable: readonly number[];
  readonly #cache = new Map<number, readonly number[]>();

  constructor(truth: LatencyTruth) {
    this.#truth = truth;
    this.#stable = masses((x) => logNormalCdf(x, truth.medianSeconds, truth.sigma));
  }

  add(
    counts: number[],
    requests: number,
    { arm, atSeconds, random }: { arm: 'canary' | 'stable'; atSeconds: number; random: Random },
  ): void {
    const shares = arm === 'stable' ? this.#stable : this.canaryAt(atSeconds);
    let left = requests;
    let rest = 1;
    for (let i = 0; i < shares.length && left > 0; i++) {
      const share = shares[i] ?? 0;
      const drawn = share >= rest ? left : random.binomial(left, Math.min(1, Math.max(0, share / rest)));
      counts[i] = (counts[i] ?? 0) + drawn;
      left -= drawn;
      rest -= share;
    }
  }

  stable(): readonly number[] {
    return this.#stable;
  }

  /** Share of requests per bucket. */
  canaryAt(atSeconds: number): readonly number[] {
    const key = this.#truth.change.kind === 'leak' ? Math.floor(atSeconds / 10) : 0;
    let shares = this.#cache.get(key);
    if (shares === undefined) {
      shares = masses(canaryCdf(this.#truth, key * 10));
      this.#cache.set(key, shares);
    }
    return shares;
  }

  /** The part of requests that is slower than stable's p99 beyond the 1 % that stable has. */
  excessSlow(atSeconds: number): number {
    const tail = (shares: readonly number[], from: number): number => shares.slice(from).reduce((a, b) => a + b, 0);
    let from = 0;
    while (from < this.#stable.length && tail(this.#stable, from) > 0.01) from++;
    return tail(this.canaryAt(atSeconds), from) - tail(this.#stable, from);
  }
}

function masses(cdf: (x: number) => number): readonly number[] {
  let below = 0;
  return BUCKETS.map((end) => {
    const upTo = end === Number.POSITIVE_INFINITY ? 1 : cdf(end);
    const mass = Math.max(0, upTo - below);
    below = upTo;
    return mass;
  });
}

function canaryCdf({ medianSeconds, sigma, change }: LatencyTruth, atSeconds: number): (x: number) => number {
  const base = (x: number): number => logNormalCdf(x, medianSeconds, sigma);
  switch (change.kind) {
    case 'same':
      return base;
    case 'shift':
      return (x) => base(x / change.factor);
    case 'leak':
      return (x) => base(x / (1 + ((change.factor - 1) * Math.min(3600, atSeconds)) / 3600));
    case 'hang':
      return (x) => (1 - change.part) * base(x) + (x >= change.seconds ? change.part : 0);
    case 'tail':
      // From the line on, latency is stretched: P(X <= x) is base up to the line, base(x / factor) far beyond it.
      return (x) => Math.min(base(x), Math.max(1 - change.part, base(x / change.factor)));
    case 'bimodal': {
      const quicker = (1 - change.part * change.factor) / (1 - change.part);
      return (x) => change.part * base(x / change.factor) + (1 - change.part) * base(x / quicker);
    }
  }
}

function logNormalCdf(x: number, median: number, sigma: number): number {
  return x <= 0 ? 0 : normalCdf(Math.log(x / median) / sigma);
}

/** Abramowitz & Stegun 7.1.26 for erfc in its form with a relative error of 1.2e-7 (Numerical Recipes' erfcc). */
function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const poly =
    -1.26551223 +
    t *
      (1.00002368 +
        t *
          (0.37409196 +
            t *
              (0.09678418 +
                t *
                  (-0.18628806 +
                    t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  const tail = 0.5 * t * Math.exp(-x * x + poly);
  return z >= 0 ? 1 - tail : tail;
}
