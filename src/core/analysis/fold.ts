// Folds one window into a check's evidence. Each window is folded once: the caller keeps the cursor in the same record.
// Refuses to turn silence or a broken reading into counts: they are remembered as trouble, and hold.
import type { Check } from '../model/check.ts';
import type { History, Reading, Sample } from '../model/measurement.ts';
import type { Revision } from '../model/split.ts';
import { addAbsoluteTick, addTick } from '../statistics/index.ts';
import { addConversion } from './conversion.ts';
import {
  type AnalysisSettings,
  absoluteOptions,
  type Counts,
  type Evidence,
  evidenceOptions,
  relativeOptions,
} from './evidence.ts';
import { addGauge, NO_GAUGE, worstOf } from './gauge.ts';
import { addLatency, bucketsChanged, ownLine, startLatency } from './latency.ts';
import { boundariesOf, lineAtLeast, slowerThan, totalOf } from './latency-lines.ts';
import { addMean } from './mean.ts';
import { hasNoise, noiseFrom, UNKNOWN_NOISE } from './noise.ts';
import { foldPeer } from './peer.ts';
import { unusable } from './samples.ts';
import { broken, fallSilent } from './silence.ts';

export interface Window {
  readonly reading: Reading | undefined;
  /** The readings of a check that is measured in parts (kayenta), by the part's name. */
  readonly parts?: Readonly<Record<string, Reading | undefined>>;
  readonly stable: Revision | null;
  readonly canary: Revision;
  /** Unpaused milliseconds since the window before. */
  readonly passedMs: number;
  /** The youngest canary replica has not been ready for the check's warm-up yet. */
  readonly warmingUp: boolean;
  /** Percent of requests that chance gave the canary in this window; null if it moved meanwhile, or is not known. */
  readonly weightPercent: number | null;
  readonly settings: AnalysisSettings;
}

/** Over the limit this often in a row before a gauge is believed (one garbage collection is no leak). */
export const GAUGE_READINGS = 3;

export function foldWindow(check: Check, evidence: Evidence, window: Window): Evidence {
  // Releases recorded before there were such rules have no field for them.
  if (evidence.peer != null) return foldPeer(check, evidence, evidence.peer, window);
  const { reading } = window;
  if (reading === undefined) return fallSilent(check, evidence, window, 'the source left this check out');
  if (reading.kind === 'error') return broken(evidence, reading.message);
  if (reading.kind === 'no-data') return fallSilent(check, evidence, window, reading.message);
  const canary = reading.byRevision[window.canary];
  const stable = window.stable === null ? undefined : reading.byRevision[window.stable];
  for (const sample of [canary, stable]) {
    const problem = sample === undefined ? null : unusable(check, sample);
    if (problem !== null) return broken(evidence, problem);
  }
  if (check.metric.kind === 'gauge') return foldGauge(check, evidence, window, { canary, stable });
  return foldCounts(check, evidence, window, { canary, stable });
}

/** Takes from stable's past what must be known before anything is compared. Changes nothing that is chosen already. */
export function foldHistory(
  check: Check,
  evidence: Evidence,
  past: { readonly stable: Revision; readonly history: History },
  settings: AnalysisSettings,
): Evidence {
  const ratio = check.tolerance?.ratio ?? null;
  const slices = past.history.replicas?.[check.name];
  const noise =
    evidence.noise ??
    (hasNoise(check)
      ? noiseFrom(slices, ratio, { alpha: settings.alphaAbort, tickMs: settings.intervalMs })
      : UNKNOWN_NOISE);
  const known = { ...evidence, noise };
  const reading = past.history.readings[check.name];
  const sample = reading?.kind === 'samples' ? reading.byRevision[past.stable] : undefined;
  if (!needsLines(check, evidence) || sample?.kind !== 'latency') return known;
  return { ...known, latency: startLatency(check, sample, evidenceOptions(check, settings, noise)) };
}

/** Whether the lines for "slow" are still to be chosen: nothing of latency is compared before. */
export function needsLines(check: Check, evidence: Evidence | undefined): boolean {
  if (check.metric.kind !== 'latency' || check.tolerance === null || check.rule !== null) return false;
  return (evidence?.latency ?? null) === null;
}

/** Whether stable's past is still to be read for this check. */
export function needsHistory(check: Check, evidence: Evidence | undefined): boolean {
  return needsLines(check, evidence) || (hasNoise(check) && (evidence?.noise ?? null) === null);
}

function foldGauge(check: Check, evidence: Evidence, window: Window, samples: Arms<Sample | undefined>): Evidence {
  const { canary, stable } = samples;
  if (canary?.kind !== 'gauge' || canary.values.length === 0) {
    return fallSilent(check, evidence, window, 'no replica of the new version was read');
  }
  const before = evidence.gauge ?? NO_GAUGE;
  const reading = { canary: canary.values, stable: stable?.kind === 'gauge' ? stable.values : [] };
  const gauge = window.warmingUp
    ? { ...before, worst: worstOf(check, canary.values) }
    : addGauge(check, before, reading);
  return { ...evidence, gauge, silentMs: 0, isHeard: true, trouble: null };
}

interface Arms<T> {
  readonly canary: T;
  readonly stable: T;
}

function foldCounts(check: Check, evidence: Evidence, window: Window, samples: Arms<Sample | undefined>): Evidence {
  const shown = shownCounts(check, evidence, samples);
  const needsStable = check.tolerance !== null;
  const isHeard = shown.canary.total > 0 && (!needsStable || shown.stable.total > 0);
  const limited = {
    ...evidence,
    absolute: window.warmingUp ? evidence.absolute : addLimit(check, evidence, window, samples.canary),
  };
  if (!isHeard) {
    // A limit asks nothing of stable: its evidence goes on while stable is silent.
    return fallSilent(check, limited, window, `${silentArm(shown)} got nothing that this check looks at`);
  }
  const heard: Evidence = { ...evidence, silentMs: 0, isHeard: true, trouble: null };
  if (window.warmingUp) return { ...heard, warmUp: add(evidence.warmUp, shown.canary) };
  const changed = evidence.latency === null ? null : changedBuckets(evidence.latency, samples);
  if (changed !== null) return broken(evidence, changed);
  const compared = { ...heard, absolute: limited.absolute };
  if (needsLines(check, evidence)) return compared;
  return {
    ...compare(check, compared, window, samples),
    canary: add(evidence.canary, shown.canary),
    stable: add(evidence.stable, shown.stable),
    windows: evidence.windows + 1,
  };
}

/** The comparison with stable, by kind. */
function compare(check: Check, evidence: Evidence, window: Window, samples: Arms<Sample | undefined>): Evidence {
  const { canary, stable } = samples;
  const options = evidenceOptions(check, window.settings, evidence.noise);
  if (evidence.latency !== null && canary?.kind === 'latency' && stable?.kind === 'latency') {
    return { ...evidence, latency: addLatency(check, evidence.latency, { canary, stable }, options) };
  }
  if (evidence.mean !== null && canary?.kind === 'values' && stable?.kind === 'values') {
    const { weightPercent } = window;
    return { ...evidence, mean: addMean(evidence.mean, { canary, stable, weightPercent }, options) };
  }
  const relativeWith = relativeOptions(check, window.settings, evidence.noise);
  if (evidence.relative === null || relativeWith === null) return evidence;
  if (evidence.conversion !== null && canary?.kind === 'cohort' && stable?.kind === 'cohort') {
    const { conversion, relative } = evidence;
    const pair = { canary, stable, weightPercent: window.weightPercent };
    return { ...evidence, ...addConversion(check, { conversion, relative }, pair, relativeWith) };
  }
  const counts = { canary: toCounts(canary), stable: toCounts(stable) };
  return { ...evidence, relative: addTick(evidence.relative, tick(counts), relativeWith) };
}

function addLimit(check: Check, evidence: Evidence, window: Window, sample: Sample | undefined): Evidence['absolute'] {
  const options = absoluteOptions(check, window.settings, evidence.noise);
  if (evidence.absolute === null || options === null) return evidence.absolute;
  return addAbsoluteTick(evidence.absolute, limitCounts(check, sample), options);
}

/** Bad under the limit: latency beyond it, whatever stable's lines are. */
function limitCounts(check: Check, sample: Sample | undefined): Counts {
  if (sample?.kind !== 'latency') return toCounts(sample);
  const line = lineAtLeast(check.limit?.value ?? 0, boundariesOf(sample));
  return { total: totalOf(sample.counts), bad: slowerThan(sample.counts, line) };
}

function shownCounts(check: Check, evidence: Evidence, { canary, stable }: Arms<Sample | undefined>): Arms<Counts> {
  if (check.tolerance === null) return { canary: limitCounts(check, canary), stable: limitCounts(check, stable) };
  return {
    canary: toCounts(canary, slowFrom(evidence, canary, check.tolerance.bucketShift)),
    stable: toCounts(stable, slowFrom(evidence, stable, 0)),
  };
}

/** The bucket beyond which requests count as slow; null where nothing says what is slow. */
function slowFrom({ latency }: Evidence, sample: Sample | undefined, shift: number): number | null {
  return latency === null || sample?.kind !== 'latency' ? null : ownLine(latency, sample) + shift;
}

function toCounts(sample: Sample | undefined, line: number | null = null): Counts {
  switch (sample?.kind) {
    case undefined:
    case 'gauge':
      return { total: 0, bad: 0 };
    case 'proportion':
      return { total: sample.total, bad: sample.bad };
    case 'latency':
      return { total: totalOf(sample.counts), bad: line === null ? 0 : slowerThan(sample.counts, line) };
    case 'count':
      // A crash loop can restart more often than once a second; a rate above 1 is taken as 1.
      return { total: Math.max(sample.seconds, sample.events), bad: sample.events };
    case 'values':
      return { total: totalOf(sample.counts), bad: 0 };
    case 'cohort':
      return { total: sample.exposed + totalOf(sample.converted), bad: 0 };
  }
}

function changedBuckets(latency: NonNullable<Evidence['latency']>, samples: Arms<Sample | undefined>): string | null {
  for (const sample of [samples.canary, samples.stable]) {
    const changed = sample?.kind === 'latency' ? bucketsChanged(latency, sample) : null;
    if (changed !== null) return changed;
  }
  return null;
}

function tick(counts: Arms<Counts>) {
  return {
    canaryTotal: counts.canary.total,
    canaryBad: counts.canary.bad,
    stableTotal: counts.stable.total,
    stableBad: counts.stable.bad,
  };
}

function silentArm(counts: Arms<Counts>): string {
  return counts.canary.total === 0 ? 'the new version' : 'stable';
}

function add(a: Counts, b: Counts): Counts {
  return { total: a.total + b.total, bad: a.bad + b.bad };
}
