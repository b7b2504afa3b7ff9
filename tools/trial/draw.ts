// What is true in one run of the trial, drawn from its seed: how often stable fails, how much traffic there is, and what
// is wrong with the new version, if anything. It refuses to know what the engine will make of it.

import { normalQuantile } from '../../examples/shop/seeded.ts';
import { createRandom } from '../../src/core/statistics/index.ts';

export type Harm =
  | { readonly kind: 'healthy' }
  /** Errors on every route, this many times as many as stable has. */
  | { readonly kind: 'errors'; readonly ratio: number }
  /** The slowest 5 % of the requests take this many times as long. */
  | { readonly kind: 'latency'; readonly factor: number };

export interface Draw {
  readonly run: number;
  readonly seed: string;
  /** Share of stable's requests that fail. */
  readonly baseErrors: number;
  readonly requestsPerSecond: number;
  readonly latencySpread: number;
  readonly harm: Harm;
}

/** Shares of the kinds of runs. Healthy ones are the many in life, so they are here. */
const HEALTHY = 0.4;
const ERRORS = 0.7;

export function drawRun(seed: string, run: number): Draw {
  const random = createRandom(`trial/${seed}`).fork(run);
  const kind = random.uniform();
  const baseErrors = 0.02 * random.uniform();
  const requestsPerSecond = Math.round(400 * 2 ** random.uniform());
  const latencySpread = 0.3 + 0.3 * random.uniform();
  const ratio = 1.5 + 3.5 * random.uniform();
  const factor = 1 + 2 * random.uniform();
  return {
    run,
    seed: `${seed}-${run}`,
    baseErrors: Number(baseErrors.toFixed(4)),
    requestsPerSecond,
    latencySpread: Number(latencySpread.toFixed(2)),
    harm: harmOf(kind, Number(ratio.toFixed(2)), Number(factor.toFixed(2))),
  };
}

function harmOf(kind: number, ratio: number, factor: number): Harm {
  if (kind < HEALTHY) return { kind: 'healthy' };
  return kind < ERRORS ? { kind: 'errors', ratio } : { kind: 'latency', factor };
}

export interface Tolerances {
  readonly errors: { readonly ratio: number; readonly margin: number };
  readonly latency: { readonly ratio: number; readonly margin: number };
}

/** What should become of it. `either`: worse, but not by twice the tolerance; both ends are right. */
export type Truth = 'healthy' | 'either' | 'harmful';

export interface TrueShares {
  readonly check: 'errors' | 'p99-latency';
  readonly stable: number;
  readonly canary: number;
}

/** The two shares of bad requests the harm moves. */
export function sharesOf(draw: Draw): TrueShares | null {
  switch (draw.harm.kind) {
    case 'healthy':
      return null;
    case 'errors':
      return { check: 'errors', stable: draw.baseErrors, canary: draw.baseErrors * draw.harm.ratio };
    case 'latency':
      return { check: 'p99-latency', ...slowShares(draw.latencySpread, draw.harm.factor) };
  }
}

/** How requests fall on the shop's pages, and how much work each page is (examples/shop). */
const PAGES: readonly { readonly share: number; readonly effort: number }[] = [
  { share: 0.07, effort: 0.8 },
  { share: 0.27, effort: 1 },
  { share: 0.27, effort: 0.9 },
  { share: 0.21, effort: 0.9 },
  { share: 0.18, effort: 1.3 },
];
/** LATENCY_TAIL stretches what lies above this quantile of its page. */
const TAIL_FROM = 0.95;

/** Slow is what takes longer than stable's 99th percentile. In units of the median, latency is effort x exp(spread x z). */
function slowShares(spread: number, factor: number): { stable: number; canary: number } {
  const slow = (limit: number, stretch: number) =>
    PAGES.reduce((sum, { share, effort }) => {
      const above = (by: number) => 1 - normalCdf(Math.log(limit / (effort * by)) / spread);
      return sum + share * Math.max(above(1), Math.min(1 - TAIL_FROM, above(stretch)));
    }, 0);
  let [low, high] = [1, 20];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (slow(middle, 1) > 0.01) low = middle;
    else high = middle;
  }
  return { stable: slow(high, 1), canary: slow(high, factor) };
}

/** By bisection on its inverse: plain, and exact enough. */
function normalCdf(z: number): number {
  let [low, high] = [1e-9, 1 - 1e-9];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalQuantile(middle) < z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Harmful: worse than the tolerance by twice and more, by its ratio and by its absolute margin both. */
export function truthOf(draw: Draw, tolerances: Tolerances): Truth {
  const shares = sharesOf(draw);
  if (shares === null) return 'healthy';
  const { ratio, margin } = shares.check === 'errors' ? tolerances.errors : tolerances.latency;
  const { stable, canary } = shares;
  const isHarmful = canary >= 2 * ratio * stable && canary - ratio * stable >= 2 * margin;
  return isHarmful ? 'harmful' : 'either';
}

export function describeHarm(draw: Draw): string {
  const shares = sharesOf(draw);
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  switch (draw.harm.kind) {
    case 'healthy':
      return 'none';
    case 'errors':
      return `errors x${draw.harm.ratio} (to ${percent(shares?.canary ?? 0)})`;
    case 'latency':
      return `p99 x${draw.harm.factor} (slow ${percent(shares?.canary ?? 0)})`;
  }
}
