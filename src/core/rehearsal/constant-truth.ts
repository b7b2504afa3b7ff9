// The plainest truth: two versions whose error rates do not change, one stream of requests, each drawn by itself.
// Refuses anything that varies over time: such worlds are the benchmark's.
import { createRandom } from '../statistics/index.ts';
import type { TrueArm, Truth } from './truth.ts';

export interface ConstantTruth {
  readonly seed: number | string;
  /** Of both versions together. */
  readonly requestsPerSecond: number;
  readonly stableErrorRate: number;
  readonly canaryErrorRate: number;
}

/**
 * @example constantTruth({ seed: 1, requestsPerSecond: 100, stableErrorRate: 0.001, canaryErrorRate: 0.005 })
 */
export function constantTruth({ seed, ...rates }: ConstantTruth): Truth {
  checkRates(rates);
  const random = createRandom(seed);
  const arm = (seconds: number, share: number, errorRate: number): TrueArm => {
    const total = random.poisson(rates.requestsPerSecond * seconds * share);
    return { total, bad: random.binomial(total, errorRate), latency: null };
  };
  return {
    boundaries: null,
    draw(fromSeconds, toSeconds, weightPercent) {
      const seconds = toSeconds - fromSeconds;
      const share = weightPercent / 100;
      return {
        canary: arm(seconds, share, rates.canaryErrorRate),
        stable: arm(seconds, 1 - share, rates.stableErrorRate),
      };
    },
  };
}

function checkRates({ requestsPerSecond, ...errorRates }: Omit<ConstantTruth, 'seed'>): void {
  if (!(requestsPerSecond > 0 && requestsPerSecond <= 1e9)) {
    throw new RangeError(`requestsPerSecond must lie above 0 and at most 1e9, but got ${requestsPerSecond}`);
  }
  for (const [name, rate] of Object.entries(errorRates)) {
    if (!(rate >= 0 && rate <= 1)) throw new RangeError(`${name} must lie between 0 and 1, but got ${rate}`);
  }
}
