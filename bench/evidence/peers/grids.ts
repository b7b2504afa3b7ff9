// Settings to sweep, as plain data: 360 for Flagger, 405 for Argo, 360 for Kayenta. Limits are multiples of the base rate,
// which every sweep knows. Refuses to grow for one peer alone: the budget is the same for all.
import type { ArgoSettings } from './argo.ts';
import type { FlaggerSettings } from './flagger.ts';
import type { KayentaSettings } from './kayenta.ts';

/** A setting whose limit is at `line` times the base rate. */
export interface Swept<Settings> {
  readonly name: string;
  readonly settings: (baseRate: number) => Settings;
}

/** Limits as multiples of the base rate. */
const LINES = [1.3, 1.6, 2, 3, 5] as const;

function product<A, B>(as: readonly A[], bs: readonly B[]): readonly (readonly [A, B])[] {
  return as.flatMap((a) => bs.map((b) => [a, b] as const));
}

export const FLAGGER_GRID: readonly Swept<FlaggerSettings>[] = product(
  product([2, 5, 10], [20, 50]),
  product([15, 30, 60], product([1, 2, 3, 5], LINES)),
).map(([[step, max], [intervalSeconds, [threshold, line]]]) => ({
  name: `Flagger step ${step} max ${max} every ${intervalSeconds} s threshold ${threshold} line x${line}`,
  settings: (base) => {
    const successPercent = 100 * (1 - base * line);
    return { intervalSeconds, step, max, threshold, successPercent, p99Ms: null };
  },
}));

const ARGO_STEPS: readonly (readonly number[])[] = [
  [5, 10, 20, 40],
  [10, 25, 50],
  [20, 40, 60, 80],
];

export const ARGO_GRID: readonly Swept<ArgoSettings>[] = product(
  product(ARGO_STEPS, [60, 180, 600]),
  product([15, 30, 60], product([0, 1, 3], LINES)),
).map(([[stepWeights, pauseSeconds], [intervalSeconds, [failureLimit, line]]]) => ({
  name: `Argo steps ${stepWeights.join('/')} x ${pauseSeconds} s every ${intervalSeconds} s limit ${failureLimit} line x${line}`,
  // The first measurement comes after a whole interval: at once it would find no request yet.
  settings: (base) => ({
    stepWeights,
    pauseSeconds,
    intervalSeconds,
    failureLimit,
    successFraction: 1 - base * line,
    initialDelaySeconds: intervalSeconds,
  }),
}));

/** Kayenta compares, so that its settings need no base rate. */
export const KAYENTA_GRID: readonly Swept<KayentaSettings>[] = product(
  product([2, 5, 10, 20], [300, 600, 1200, 1800, 3600]),
  product([1, 2, 3], product([0.95, 0.98, 0.999], [0, 0.25])),
).map(([[weightPercent, intervalSeconds], [judgements, [confidence, tolerance]]]) => ({
  name: `Kayenta ${weightPercent} % ${judgements} x ${intervalSeconds} s confidence ${confidence} tolerance ${tolerance}`,
  settings: () => ({ weightPercent, judgements, intervalSeconds, confidence, tolerance }),
}));
