// Latency against stable: at every chosen line, is the canary slower than it more often than stable is? One evidence for
// all lines (their mean), and a bound on the excess at the lines that promotion looks at (statistics 2.4).
import type { Check } from '../model/check.ts';
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

export interface LatencyEvidence extends Pick<LatencyLines, 'bound'> {
  /** The lines, ascending. Where they lie among a sample's buckets is looked up there: a source whose buckets change is told. */
  readonly seconds: readonly number[];
  readonly state: TailState;
}

function tailOptions(
  check: Check,
  { seconds, bound }: Pick<LatencyEvidence, 'seconds' | 'bound'>,
  evidence: EvidenceOptions,
): TailOptions {
  return { toleranceRatio: check.tolerance?.ratio ?? 1, lines: seconds.length, boundLines: bound, ...evidence };
}

/** Null while stable's past is too short to say what is slow. */
export function startLatency(check: Check, past: LatencySample, evidence: EvidenceOptions): LatencyEvidence | null {
  if (check.metric.kind !== 'latency') return null;
  const chosen = linesFrom(past, check.metric.quantile);
  if (chosen === null) return null;
  const { lines, bound, tails } = chosen;
  const boundaries = boundariesOf(past);
  const seconds = lines.map((line) => boundaries[line] ?? Number.MAX_VALUE);
  const options = tailOptions(check, { seconds, bound }, evidence);
  return { bound, seconds, state: startTails({ ...options, lineTails: tails }) };
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
    canarySlow: linesIn(pair.canary, latency).map((line) => slowerThan(pair.canary.counts, line + shift)),
    stableSlow: linesIn(pair.stable, latency).map((line) => slowerThan(pair.stable.counts, line)),
  };
  return { ...latency, state: addTailTick(latency.state, counts, tailOptions(check, latency, evidence)) };
}

/** The bucket below each line; -1 where the sample has no such boundary. */
function linesIn(sample: LatencySample, { seconds }: LatencyEvidence): readonly number[] {
  const boundaries = boundariesOf(sample);
  return seconds.map((line) => boundaries.indexOf(line));
}

/** The line of the check's own quantile in a sample's buckets: the one people are shown, and what "slow" means in counts. */
export function ownLine(latency: LatencyEvidence, sample: LatencySample): number {
  return linesIn(sample, latency)[latency.bound[0] ?? 0] ?? 0;
}

/** Why these buckets cannot be those the lines were chosen in; null if they are. */
export function bucketsChanged(latency: LatencyEvidence, sample: LatencySample): string | null {
  return linesIn(sample, latency).includes(-1)
    ? "the histogram's buckets are not those its lines were chosen in"
    : null;
}

/** The excess at the quantile's own line, in slow requests. */
export function latencyBounds({ state, bound }: LatencyEvidence, alpha: number) {
  return {
    excess: tailExcess(state, 0, { boundLines: bound }) ?? null,
    lower: lowerTailExcess(state, alpha),
    upper: upperTailExcess(state, 0, alpha),
  };
}
