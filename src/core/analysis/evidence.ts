// What a check remembers between windows. Plain JSON data; the numbers inside are the statistics room's own.
import type { Check } from '../model/check.ts';
import {
  type AbsoluteRateOptions,
  type AbsoluteRateState,
  type RateRatioOptions,
  type RateRatioState,
  startAbsoluteRate,
  startRateRatio,
} from '../statistics/index.ts';

export interface Counts {
  readonly total: number;
  readonly bad: number;
}

export interface GaugeEvidence {
  /** The worst replica's last value, in the gauge's unit. */
  readonly worst: number;
  /** Readings in a row on the wrong side of the limit. */
  readonly over: number;
  readonly readings: number;
}

/** The comparison at one more line of the latency tail. */
export interface TailEvidence {
  readonly boundary: number;
  readonly state: RateRatioState;
}

export interface Evidence {
  /** Against stable; null if the check has no tolerance. Latency: at `boundary`. */
  readonly relative: RateRatioState | null;
  /** Latency against stable: the same at lines further in; chosen together with `boundary`. */
  readonly tails: readonly TailEvidence[];
  /** Against the absolute limit; null if the check has none (or is a gauge). */
  readonly absolute: AbsoluteRateState | null;
  /** Counted so far. Latency: bad means slower than the boundary. */
  readonly canary: Counts;
  readonly stable: Counts;
  /** Windows counted so far. */
  readonly windows: number;
  /** Latency against stable: the bucket whose upper boundary is the line; null until chosen from stable's history. */
  readonly boundary: number | null;
  readonly gauge: GaugeEvidence | null;
  /** Unpaused milliseconds since both versions were last heard of in this check. */
  readonly silentMs: number;
  /** The last window held what this check looks at, of both versions. */
  readonly isHeard: boolean;
  readonly trouble: { readonly outcome: 'no-data' | 'error'; readonly message: string } | null;
  /** During the canary's warm-up: shown, not counted. */
  readonly warmUp: Counts;
}

/** What the statistics need to know of the policy; frozen with the release. */
export interface AnalysisSettings {
  readonly intervalMs: number;
  /** alpha_R: false aborts of a whole release. */
  readonly alphaAbort: number;
  /** alpha_P: false promotions. */
  readonly alphaPromote: number;
}

/** Relative evidence is asked with the tolerance's ratio; its margin is where "no harm" begins (statistics 3). */
export function relativeOptions(check: Check, settings: AnalysisSettings): RateRatioOptions | null {
  if (check.tolerance === null || check.metric.kind === 'gauge') return null;
  return { toleranceRatio: check.tolerance.ratio, tickMs: settings.intervalMs, alpha: settings.alphaAbort };
}

/** A limit of "none at all" is tested as one in a billion: evidence against 0 itself would be one bad request. */
const LEAST_RATE = 1e-9;

/** The largest accepted rate of bad requests behind an absolute limit: what every kind of limit comes down to. */
export function limitRate(check: Check): number | null {
  const rate = statedRate(check);
  return rate === null ? null : Math.min(1 - LEAST_RATE, Math.max(LEAST_RATE, rate));
}

function statedRate(check: Check): number | null {
  if (check.limit === null) return null;
  switch (check.metric.kind) {
    case 'errors':
      return check.limit.value;
    case 'latency':
      return 1 - check.metric.quantile;
    case 'business':
      return 1 - check.limit.value;
    case 'gauge':
      return null;
  }
}

export function absoluteOptions(check: Check, settings: AnalysisSettings): AbsoluteRateOptions | null {
  const rate = limitRate(check);
  return rate === null ? null : { limitRate: rate, tickMs: settings.intervalMs, alpha: settings.alphaAbort };
}

export function startEvidence(check: Check, settings: AnalysisSettings): Evidence {
  const relative = relativeOptions(check, settings);
  const absolute = absoluteOptions(check, settings);
  const none = { total: 0, bad: 0 };
  return {
    relative: relative && startRateRatio(relative),
    tails: [],
    absolute: absolute && startAbsoluteRate(absolute),
    canary: none,
    stable: none,
    windows: 0,
    boundary: null,
    gauge: check.metric.kind === 'gauge' ? { worst: 0, over: 0, readings: 0 } : null,
    silentMs: 0,
    isHeard: false,
    trouble: null,
    warmUp: none,
  };
}
