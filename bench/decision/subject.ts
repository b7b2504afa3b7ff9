// The release whose decisions are timed: ten checks, 100,000 requests in every window, the canary at a fifth of them, and
// nothing that ends it. Counts are fixed, so that two runs do the very same work. Refuses to say anything about verdicts:
// that is the evidence benchmark's.
import { LATENCY_BOUNDARIES } from '../../src/core/model/latency-buckets.ts';
import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import { compilePolicy } from '../../src/core/policy/index.ts';
import type { Past, RehearsalInput, TrueArm, TrueCounts, TrueWindow, Truth } from '../../src/core/rehearsal/index.ts';
import { sha256Hex } from '../../src/lib/sha256.ts';

export const REQUESTS_PER_WINDOW = 100_000;
export const CANARY_PERCENT = 20;
export const WINDOW_SECONDS = 10;

/** Error rates of the nine checks that count errors: rare ones, usual ones, and one that needs the exact factors. */
const ERROR_RATES: readonly number[] = [0.005, 0.0001, 0.001, 0.002, 0.01, 0.02, 0.0005, 0.003, 0.15];
const MEDIAN_SECONDS = 0.08;
/** Makes p99 323 ms. */
const SIGMA = 0.6;

export const CHECKS = ERROR_RATES.length + 1;

/** Pairs of proportions in a window: one for each check of errors, and eight lines of latency. */
export const COMPARISONS = ERROR_RATES.length + 8;

export function policy(): ReleasePolicy {
  const errors = ERROR_RATES.map((_, i) => ({ name: nameOf(i), metric: { errors: {} } }));
  const result = compilePolicy(
    {
      apiVersion: 'haldane.dev/v1alpha1',
      kind: 'ReleasePolicy',
      metadata: { name: 'shop' },
      spec: {
        workload: { processes: { template: { command: ['node', 'server.js'] } } },
        interval: `${WINDOW_SECONDS}s`,
        stages: [{ weight: CANARY_PERCENT, bake: '6h' }],
        checks: [...errors, { name: 'latency', metric: { latency: { quantile: 0.99 } } }],
      },
    },
    sha256Hex,
  );
  if (result.kind === 'refused') throw new Error(result.errors.map(({ problem }) => problem).join('; '));
  return result.policy;
}

function nameOf(check: number): string {
  return `errors-${check + 1}`;
}

/** Told when a window's counts are there: what follows is the decision. */
export function rehearsal(windows: number, drawn: () => void): Omit<RehearsalInput, 'decided'> {
  return {
    policy: policy(),
    truth: truth(drawn),
    horizonMs: windows * WINDOW_SECONDS * 1000,
    past: PAST,
  };
}

/** An hour of stable before the release: long enough for all eight lines. */
export const PAST: Past = { stable: armOf(360 * REQUESTS_PER_WINDOW, 0), boundaries: LATENCY_BOUNDARIES };

function truth(drawn: () => void): Truth {
  const known = new Map<string, TrueWindow>();
  return {
    boundaries: LATENCY_BOUNDARIES,
    draw(from, to, weightPercent) {
      const key = `${to - from} ${weightPercent}`;
      const window = known.get(key) ?? windowOf((REQUESTS_PER_WINDOW * (to - from)) / WINDOW_SECONDS, weightPercent);
      known.set(key, window);
      drawn();
      return window;
    },
  };
}

/** The counts of one window at the weight of the stage. */
export function fullWindow(): TrueWindow {
  return windowOf(REQUESTS_PER_WINDOW, CANARY_PERCENT);
}

function windowOf(requests: number, weightPercent: number): TrueWindow {
  const canaryTotal = Math.round((requests * weightPercent) / 100);
  const stableTotal = Math.round(requests) - canaryTotal;
  const others: Record<string, { canary: TrueCounts; stable: TrueCounts }> = {};
  for (const [i, rate] of ERROR_RATES.entries()) {
    others[nameOf(i)] = { canary: countsOf(canaryTotal, rate), stable: countsOf(stableTotal, rate) };
  }
  return { canary: armOf(canaryTotal, ERROR_RATES[0] ?? 0), stable: armOf(stableTotal, ERROR_RATES[0] ?? 0), others };
}

function countsOf(total: number, rate: number): TrueCounts {
  return { total, bad: Math.round(total * rate) };
}

/** Log-normal latencies, each boundary's count as near to its expectation as whole numbers come. */
function armOf(total: number, errorRate: number): TrueArm {
  let below = 0;
  const latency = LATENCY_BOUNDARIES.map((end) => {
    const upTo = Math.round(total * normalCdf(Math.log(end / MEDIAN_SECONDS) / SIGMA));
    const count = upTo - below;
    below = upTo;
    return count;
  });
  return { ...countsOf(total, errorRate), latency };
}

/** The normal distribution function, within 0.00014 (Bowling et al. 2009): the shape matters here, not the digits. */
function normalCdf(z: number): number {
  return 1 / (1 + Math.exp(-0.07056 * z ** 3 - 1.5976 * z));
}
