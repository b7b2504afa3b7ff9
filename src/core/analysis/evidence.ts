// What a check remembers between windows. Plain JSON data; the numbers inside are the statistics room's own.
import type { Check } from '../model/check.ts';
import {
  type AbsoluteRateOptions,
  type AbsoluteRateState,
  type CohortState,
  type EvidenceOptions,
  type RateRatioOptions,
  type RateRatioState,
  startAbsoluteRate,
  startRateRatio,
} from '../statistics/index.ts';
import { startConversion } from './conversion.ts';
import { type GaugeEvidence, NO_GAUGE } from './gauge.ts';
import type { LatencyEvidence } from './latency.ts';
import { type MeanEvidence, startMean } from './mean.ts';
import type { Noise } from './noise.ts';
import { type PeerEvidence, startPeer } from './peer-evidence.ts';

export interface Counts {
  readonly total: number;
  readonly bad: number;
}

export interface Evidence {
  /** Rates against stable; null if the check has no tolerance, or is of another kind. */
  readonly relative: RateRatioState | null;
  /** Latency against stable; null until the lines for "slow" are chosen from its past. */
  readonly latency: LatencyEvidence | null;
  readonly mean: MeanEvidence | null;
  /** Users who may still convert, by cohort; what they tell is in `relative`. */
  readonly conversion: CohortState | null;
  /** Against the absolute limit; null if the check has none (or is a gauge). */
  readonly absolute: AbsoluteRateState | null;
  /** Counted so far. Latency: bad means slower than the quantile's line. */
  readonly canary: Counts;
  readonly stable: Counts;
  /** Windows counted so far. */
  readonly windows: number;
  readonly gauge: GaugeEvidence | null;
  /** Of a check that a peer's rule judges; nothing else is counted for it. */
  readonly peer: PeerEvidence | null;
  /** How stable's replicas scattered before the release; null until its past was read. */
  readonly noise: Noise | null;
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
  /** Each check's part of the abort evidence; with it, evidence stops at its own line (statistics, truncation). */
  readonly shares?: ReadonlyMap<string, number>;
}

/** How evidence of a check is taken in: capped per window, tempered by clusters and by stable's own scatter. */
export function evidenceOptions(check: Check, settings: AnalysisSettings, noise: Noise | null): EvidenceOptions {
  return {
    tickMs: settings.intervalMs,
    alpha: settings.alphaAbort,
    dispersion: noise?.dispersion ?? 1,
    clusterCap: check.clusterCap,
    ...lineOf(check, settings),
  };
}

/** The line at which this check alone ends a release; one of two questions must bring twice as much. */
function lineOf(check: Check, { alphaAbort, shares }: AnalysisSettings): { readonly logLine?: number } {
  const share = shares?.get(check.name) ?? 0;
  if (share === 0) return {};
  const questions = check.tolerance !== null && check.limit !== null ? 2 : 1;
  return { logLine: Math.log(questions / (alphaAbort * share)) };
}

/** Kinds that are compared as a rate: bad events per request, per replica-second, per user at risk. */
const RATES: ReadonlySet<string> = new Set(['errors', 'business', 'count', 'conversion']);

/** Relative evidence is asked with the tolerance's ratio; its margin is where "no harm" begins (statistics 3). */
export function relativeOptions(
  check: Check,
  settings: AnalysisSettings,
  noise: Noise | null = null,
): RateRatioOptions | null {
  if (check.tolerance === null || check.rule !== null || !RATES.has(check.metric.kind)) return null;
  const { ratio, harmMargin } = check.tolerance;
  return { toleranceRatio: ratio, harmMargin, ...evidenceOptions(check, settings, noise) };
}

/** A limit of "none at all" is tested as one in a billion: evidence against 0 itself would be one bad request. */
const LEAST_RATE = 1e-9;

/** The largest accepted rate of bad requests behind an absolute limit: what every kind of limit comes down to. */
export function limitRate(check: Check): number | null {
  const rate = statedRate(check);
  return rate === null ? null : Math.min(1 - LEAST_RATE, Math.max(LEAST_RATE, rate));
}

function statedRate(check: Check): number | null {
  if (check.limit === null || check.rule !== null) return null;
  switch (check.metric.kind) {
    case 'errors':
    case 'count':
      return check.limit.value;
    case 'latency':
      return 1 - check.metric.quantile;
    case 'business':
      return 1 - check.limit.value;
    case 'gauge':
    case 'mean':
    case 'conversion':
    case 'kayenta':
      return null;
  }
}

export function absoluteOptions(
  check: Check,
  settings: AnalysisSettings,
  noise: Noise | null = null,
): AbsoluteRateOptions | null {
  const rate = limitRate(check);
  return rate === null ? null : { limitRate: rate, ...evidenceOptions(check, settings, noise) };
}

export function startEvidence(check: Check, settings: AnalysisSettings): Evidence {
  const relative = relativeOptions(check, settings);
  const absolute = absoluteOptions(check, settings);
  const none = { total: 0, bad: 0 };
  return {
    relative: relative && startRateRatio(relative),
    latency: null,
    mean: startMean(check, settings),
    conversion: startConversion(check, settings),
    absolute: absolute && startAbsoluteRate(absolute),
    canary: none,
    stable: none,
    windows: 0,
    gauge: check.metric.kind === 'gauge' ? NO_GAUGE : null,
    peer: startPeer(check),
    noise: null,
    silentMs: 0,
    isHeard: false,
    trouble: null,
    warmUp: none,
  };
}
