// Latency against stable: at every chosen line, is the canary slower than it more often than stable is? One evidence for
// all lines (their mean), and a bound on the excess at the lines that promotion looks at (statistics 2.4).
import type { Check } from '../model/check.ts';
import { LATENCY_BOUNDARIES } from '../model/latency-buckets.ts';
import {
  addTailTick,
  type EvidenceOptions,
  lowerTailExcess,
  startTails,
  type TailOptions,
  type TailState,
  tailExcess,
  upperTailExcess,
} from '../statistics/index.ts';
import {
  boundariesOf,
  type LatencyLines,
  type LatencySample,
  linesFrom,
  slowerThan,
  totalOf,
} from './latency-lines.ts';

export interface LatencyEvidence extends Pick<LatencyLines, 'lines' | 'bound'> {
  /** What each line means in seconds: a source whose buckets change can be told. */
  readonly seconds: readonly number[];
  readonly state: TailState;
}

function tailOptions(
  check: Check,
  { lines, bound }: Pick<LatencyLines, 'lines' | 'bound'>,
  evidence: EvidenceOptions,
): TailOptions {
  return { toleranceRatio: check.tolerance?.ratio ?? 1, lines: lines.length, boundLines: bound, ...evidence };
}

/** Null while stable's past is too short to say what is slow. */
export function startLatency(check: Check, past: LatencySample, evidence: EvidenceOptions): LatencyEvidence | null {
  if (check.metric.kind !== 'latency') return null;
  const chosen = linesFrom(past, check.metric.quantile);
  if (chosen === null) return null;
  const { lines, bound, tails } = chosen;
  const boundaries = boundariesOf(past);
  return {
    lines,
    bound,
    seconds: lines.map((line) => boundaries[line] ?? Number.MAX_VALUE),
    state: startTails({ ...tailOptions(check, chosen, evidence), lineTails: tails }),
  };
}

export interface Pair {
  readonly canary: LatencySample;
  readonly stable: LatencySample;
}

/** One window at all lines. The canary is counted `bucketShift` buckets further out: the tolerance in time. */
export function addLatency(
  check: Check,
  latency: LatencyEvidence,
  pair: Pair,
  evidence: EvidenceOptions,
): LatencyEvidence {
  const shift = check.tolerance?.bucketShift ?? 0;
  const counts = {
    canaryTotal: totalOf(pair.canary.counts),
    stableTotal: totalOf(pair.stable.counts),
    canarySlow: latency.lines.map((line) => slowerThan(pair.canary.counts, line + shift)),
    stableSlow: latency.lines.map((line) => slowerThan(pair.stable.counts, line)),
  };
  return { ...latency, state: addTailTick(latency.state, counts, tailOptions(check, latency, evidence)) };
}

/** The line of the check's own quantile: the one people are shown, and what "slow" means in counts. */
export function ownLine(latency: LatencyEvidence): number {
  return latency.lines[latency.bound[0] ?? 0] ?? 0;
}

/** Why these buckets cannot be those the lines were chosen in; null if they are. */
export function bucketsChanged(latency: LatencyEvidence, sample: LatencySample): string | null {
  const boundaries = sample.boundaries ?? LATENCY_BOUNDARIES;
  const same = latency.lines.every((line, i) => (boundaries[line] ?? Number.MAX_VALUE) === latency.seconds[i]);
  return same ? null : "the histogram's buckets are not those its lines were chosen in";
}

/** The excess at the quantile's own line, in slow requests. */
export function latencyBounds({ state, bound }: LatencyEvidence, alpha: number) {
  return {
    excess: tailExcess(state, 0, { boundLines: bound }) ?? null,
    lower: lowerTailExcess(state, alpha),
    upper: upperTailExcess(state, 0, alpha),
  };
}
