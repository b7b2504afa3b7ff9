// Folds one window into a check's evidence. Each window is folded once: the caller keeps the cursor in the same record.
// Refuses to turn silence or a broken reading into counts: they are remembered as trouble, and hold.
import type { Check } from '../model/check.ts';
import type { Reading, Sample } from '../model/measurement.ts';
import type { Revision } from '../model/split.ts';
import { addAbsoluteTick, addTick, startRateRatio } from '../statistics/index.ts';
import { boundaryAtLeast, chooseBoundary, slowerThan, totalOf, widerBoundaries } from './boundary.ts';
import { type AnalysisSettings, absoluteOptions, type Counts, type Evidence, relativeOptions } from './evidence.ts';

export interface Window {
  readonly reading: Reading | undefined;
  readonly stable: Revision | null;
  readonly canary: Revision;
  /** Unpaused milliseconds since the window before. */
  readonly passedMs: number;
  /** The youngest canary replica has not been ready for the check's warm-up yet. */
  readonly warmingUp: boolean;
  readonly settings: AnalysisSettings;
}

/** Over the limit this often in a row before a gauge is believed (one garbage collection is no leak). */
export const GAUGE_READINGS = 3;

export function foldWindow(check: Check, evidence: Evidence, window: Window): Evidence {
  const { reading } = window;
  if (reading === undefined) return fallSilent(check, evidence, window, 'the source left this check out');
  if (reading.kind === 'error') return broken(evidence, reading.message);
  if (reading.kind === 'no-data') return fallSilent(check, evidence, window, reading.message);
  const canary = reading.byRevision[window.canary];
  const stable = window.stable === null ? undefined : reading.byRevision[window.stable];
  if (check.metric.kind === 'gauge') return foldGauge(check, evidence, window, canary);
  return foldCounts(check, evidence, window, { canary, stable });
}

/** Takes the lines for "slow" from stable's past. Changes nothing once chosen, or while the past is too short. */
export function foldHistory(
  check: Check,
  evidence: Evidence,
  stablePast: Sample | undefined,
  settings: AnalysisSettings,
): Evidence {
  if (check.metric.kind !== 'latency' || check.tolerance === null || evidence.boundary !== null) return evidence;
  if (stablePast?.kind !== 'latency') return evidence;
  const { counts } = stablePast;
  const boundary = chooseBoundary(counts, check.metric.quantile);
  const options = relativeOptions(check, settings);
  if (boundary === null || options === null) return evidence;
  const wider = widerBoundaries(counts, check.metric.quantile, boundary);
  return { ...evidence, boundary, tails: wider.map((line) => ({ boundary: line, state: startRateRatio(options) })) };
}

/** Whether the line for "slow" is still to be chosen. */
export function needsHistory(check: Check, evidence: Evidence | undefined): boolean {
  return check.metric.kind === 'latency' && check.tolerance !== null && (evidence?.boundary ?? null) === null;
}

/** The source failed, or what it said cannot be counted. */
export function broken(evidence: Evidence, message: string): Evidence {
  return { ...evidence, isHeard: false, trouble: { outcome: 'error', message } };
}

function fallSilent(check: Check, evidence: Evidence, window: Window, message: string): Evidence {
  const silentMs = evidence.silentMs + window.passedMs;
  const trouble = silentMs >= check.noDataMs ? ({ outcome: 'no-data', message } as const) : evidence.trouble;
  return { ...evidence, silentMs, isHeard: false, trouble };
}

function foldGauge(check: Check, evidence: Evidence, window: Window, sample: Sample | undefined): Evidence {
  if (sample === undefined || (sample.kind === 'gauge' && sample.values.length === 0)) {
    return fallSilent(check, evidence, window, 'no replica of the new version was read');
  }
  if (sample.kind !== 'gauge') return mismatch(evidence, 'gauge', sample);
  if (sample.values.some((value) => !Number.isFinite(value))) {
    return broken(evidence, 'a replica was read as NaN or infinite');
  }
  const below = check.limit?.bound === 'below';
  const worst = below ? Math.min(...sample.values) : Math.max(...sample.values);
  const limit = check.limit?.value ?? 0;
  const isOver = below ? worst < limit : worst > limit;
  const before = evidence.gauge ?? { worst: 0, over: 0, readings: 0 };
  const counted = window.warmingUp ? before : { over: isOver ? before.over + 1 : 0, readings: before.readings + 1 };
  return { ...evidence, gauge: { ...counted, worst }, silentMs: 0, isHeard: true, trouble: null };
}

interface Arms<T> {
  readonly canary: T;
  readonly stable: T;
}

function foldCounts(check: Check, evidence: Evidence, window: Window, samples: Arms<Sample | undefined>): Evidence {
  for (const sample of [samples.canary, samples.stable]) {
    if (sample !== undefined && !isUsable(sample)) return mismatch(evidence, 'counts', sample);
  }
  const relative = countsAt(samples, evidence.boundary);
  const absolute = countsAt(samples, check.metric.kind === 'latency' ? boundaryAtLeast(check.limit?.value ?? 0) : null);
  const shown = check.tolerance === null ? absolute : relative;
  const isHeard = shown.canary.total > 0 && (evidence.relative === null || shown.stable.total > 0);
  const absoluteWith = absoluteOptions(check, window.settings);
  const limited =
    evidence.absolute && absoluteWith && !window.warmingUp
      ? addAbsoluteTick(evidence.absolute, absolute.canary, absoluteWith)
      : evidence.absolute;
  if (!isHeard) {
    // A limit asks nothing of stable: its evidence goes on while stable is silent.
    return fallSilent(
      check,
      { ...evidence, absolute: limited },
      window,
      `${silentArm(shown)} got no request that this check looks at`,
    );
  }
  const heard: Evidence = { ...evidence, silentMs: 0, isHeard: true, trouble: null };
  if (window.warmingUp) return { ...heard, warmUp: add(evidence.warmUp, shown.canary) };
  if (needsHistory(check, evidence)) return { ...heard, absolute: limited };
  const relativeWith = relativeOptions(check, window.settings);
  return {
    ...heard,
    relative: evidence.relative && relativeWith && addTick(evidence.relative, tick(relative), relativeWith),
    tails: evidence.tails.map(({ boundary, state }) => ({
      boundary,
      state: relativeWith === null ? state : addTick(state, tick(countsAt(samples, boundary)), relativeWith),
    })),
    absolute: limited,
    canary: add(evidence.canary, shown.canary),
    stable: add(evidence.stable, shown.stable),
    windows: evidence.windows + 1,
  };
}

function isUsable(sample: Sample): boolean {
  switch (sample.kind) {
    case 'proportion':
      return isCount(sample.total) && isCount(sample.bad) && sample.bad <= sample.total;
    case 'latency':
      return sample.counts.every(([index, count]) => Number.isInteger(index) && isCount(count));
    case 'gauge':
      return false;
  }
}

function isCount(value: number): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function mismatch(evidence: Evidence, wanted: string, sample: Sample): Evidence {
  const message = `the source answered with an impossible or unfit ${sample.kind} reading where ${wanted} were asked for`;
  return broken(evidence, message);
}

function countsAt(samples: Arms<Sample | undefined>, boundary: number | null): Arms<Counts> {
  return { canary: toCounts(samples.canary, boundary), stable: toCounts(samples.stable, boundary) };
}

function toCounts(sample: Sample | undefined, boundary: number | null): Counts {
  if (sample === undefined || sample.kind === 'gauge') return { total: 0, bad: 0 };
  if (sample.kind === 'proportion') return { total: sample.total, bad: sample.bad };
  return { total: totalOf(sample.counts), bad: boundary === null ? 0 : slowerThan(sample.counts, boundary) };
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
