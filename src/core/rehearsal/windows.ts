// The metric source of a rehearsal: windows of a truth, cut at every change of weight, delivered whole and in order, on
// request and with a lag if one is stated. Refuses gaps and noise of its own: those belong to the truth, or to the
// simulator.
import type { Check } from '../model/check.ts';
import { latencyBucket } from '../model/latency-buckets.ts';
import type { MeasurementResult, Reading, Sample } from '../model/measurement.ts';
import { EMPTY_WINDOW, joinWindows, type TrueArm, type TrueCounts, type TrueWindow, type Truth } from './truth.ts';

export interface Arms {
  readonly stable: string;
  readonly canary: string;
}

export interface WindowsOptions {
  readonly truth: Truth;
  readonly arms: Arms;
  readonly lagMs: number;
}

/** Everything that happened, whether it was delivered or not. */
export interface Totals {
  canaryRequests: number;
  canaryBad: number;
  stableRequests: number;
}

export interface Windows {
  readonly totals: Totals;
  /** The canary has this weight from now on. */
  setWeight(atMs: number, weightPercent: number): void;
  measure(nowMs: number, checks: readonly Check[], isOpening: boolean): MeasurementResult;
  /** Draws what happened since the last window, so that the totals are those of this moment. */
  close(atMs: number): void;
}

interface Span {
  readonly fromMs: number;
  readonly weightPercent: number;
}

const NOTHING: MeasurementResult = { kind: 'none' };

export function createWindows({ truth, arms, lagMs }: WindowsOptions): Windows {
  const totals: Totals = { canaryRequests: 0, canaryBad: 0, stableRequests: 0 };
  const bucketOf = truth.boundaries?.map((seconds) => latencyBucket(seconds)) ?? [];
  let spans: Span[] = [{ fromMs: 0, weightPercent: 0 }];
  let drawnToMs = 0;
  let readToMs = 0;

  function draw(toMs: number): TrueWindow {
    let window = EMPTY_WINDOW;
    for (let i = 0; i < spans.length; i++) {
      const span = spans[i] as Span;
      const endMs = Math.min(toMs, spans[i + 1]?.fromMs ?? toMs);
      const fromMs = Math.max(span.fromMs, drawnToMs);
      if (endMs <= fromMs) continue;
      window = joinWindows(window, truth.draw(fromMs / 1000, endMs / 1000, span.weightPercent));
    }
    drawnToMs = toMs;
    spans = spans.filter((_, i) => (spans[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY) > toMs);
    totals.canaryRequests += window.canary.total;
    totals.canaryBad += window.canary.bad;
    totals.stableRequests += window.stable.total;
    return window;
  }

  return {
    totals,
    setWeight(atMs, weightPercent) {
      const last = spans.at(-1);
      if (last?.weightPercent === weightPercent) return;
      if (last?.fromMs === atMs) spans.pop();
      spans.push({ fromMs: atMs, weightPercent });
    },
    measure(nowMs, checks, isOpening) {
      const toMs = Math.max(0, nowMs - lagMs);
      if (isOpening) {
        if (toMs > drawnToMs) draw(toMs);
        readToMs = toMs;
        return { kind: 'measurement', measurement: { spanMs: 0, readings: {}, requests: {}, users: {}, cursor: '0' } };
      }
      if (toMs <= readToMs) return NOTHING;
      const window = draw(toMs);
      const spanMs = toMs - readToMs;
      readToMs = toMs;
      const requests = { [arms.canary]: window.canary.total, [arms.stable]: window.stable.total };
      const readings: Record<string, Reading> = {};
      for (const check of checks) readings[check.name] = readingOf(check, window, arms, bucketOf);
      return {
        kind: 'measurement',
        measurement: { spanMs, readings, requests, drawn: requests, users: requests, cursor: String(toMs) },
      };
    },
    close(atMs) {
      if (atMs > drawnToMs) draw(atMs);
    },
  };
}

function readingOf(check: Check, window: TrueWindow, arms: Arms, bucketOf: readonly number[]): Reading {
  if (check.metric.kind === 'gauge') return { kind: 'no-data', message: 'a rehearsal reads no gauges' };
  const other = window.others?.[check.name];
  const canary = other === undefined ? sampleOf(check, window.canary, bucketOf) : proportion(other.canary);
  const stable = other === undefined ? sampleOf(check, window.stable, bucketOf) : proportion(other.stable);
  if (canary === null || stable === null) return { kind: 'no-data', message: 'this truth tells no latency' };
  return { kind: 'samples', byRevision: { [arms.canary]: canary, [arms.stable]: stable } };
}

function proportion({ total, bad }: TrueCounts): Sample {
  return { kind: 'proportion', total, bad };
}

/** Null if the truth does not tell what the check looks at. */
function sampleOf(check: Check, arm: TrueArm, bucketOf: readonly number[]): Sample | null {
  if (check.metric.kind !== 'latency') return proportion(arm);
  return arm.latency === null ? (arm.total === 0 ? emptyLatency : null) : latencySampleOf(arm.latency, bucketOf);
}

const emptyLatency: Sample = { kind: 'latency', counts: [] };

/**
 * Buckets of a truth as those of the gateway: each at the one its upper boundary lies in. Order is kept and nothing is
 * split, so every line between two of the truth's buckets stays a line.
 */
export function latencySampleOf(latency: readonly number[], bucketOf: readonly number[]): Sample {
  const counts: [number, number][] = [];
  for (let i = 0; i < latency.length; i++) {
    const count = latency[i] ?? 0;
    if (count > 0) counts.push([bucketOf[i] ?? 0, count]);
  }
  return { kind: 'latency', counts };
}
