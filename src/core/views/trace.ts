// Evidence over time, one point a window: what pictures are drawn from. For reading only; no decision depends on it.
import type { Release } from '../engine/index.ts';
import type { Outcome } from '../model/verdict.ts';

export interface TracePoint {
  /** Milliseconds since the release started, by wall time. */
  readonly atMs: number;
  readonly weightPercent: number;
  readonly canaryRequests: number;
  readonly stableRequests: number;
  readonly checks: Readonly<Record<string, TraceReading>>;
}

export interface TraceReading {
  readonly outcome: Outcome;
  readonly excess: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly tolerance: number | null;
}

function tracePoint(release: Release, atMs: number): TracePoint {
  return {
    atMs,
    weightPercent: release.weightPercent,
    canaryRequests: release.exposure.canaryRequests,
    stableRequests: release.exposure.stableRequests,
    checks: Object.fromEntries(
      release.verdicts.map(({ check, outcome, numbers }) => {
        const { excess, lower, upper, tolerance } = numbers;
        const isCounted = numbers.canary.total > 0;
        const reading: TraceReading = {
          outcome,
          excess: isCounted ? excess : null,
          lower: isCounted ? lower : null,
          upper: isCounted ? upper : null,
          tolerance,
        };
        return [check, reading];
      }),
    ),
  };
}

/** What is kept of a release while it goes: memory has an end, and a picture needs no more points than it has dots. */
export interface KeptTrace {
  readonly points: readonly TracePoint[];
  /** Every so many windows one is kept. */
  readonly stride: number;
  readonly windows: number;
  readonly phase: string;
}

/** Every second point goes, the newest never, until no more than `most` are left. */
export function keptTrace(points: readonly TracePoint[], most: number): KeptTrace {
  let [left, stride] = [points, 1];
  while (left.length > most) [left, stride] = [thinned(left), stride * 2];
  return { points: left, stride, windows: 0, phase: '' };
}

/** One point more, where a window or a turn of the release is worth one; null: nothing to add. */
export function grownTrace(trace: KeptTrace, release: Release, at: { atMs: number; most: number }): KeptTrace | null {
  const isWindow = release.windows > trace.windows && release.windows % trace.stride === 0;
  const isTurn = release.phase.kind !== trace.phase;
  if (!isWindow && !isTurn) return null;
  const points = [...trace.points, tracePoint(release, at.atMs)];
  const isFull = points.length > at.most;
  return {
    points: isFull ? thinned(points) : points,
    stride: isFull ? trace.stride * 2 : trace.stride,
    windows: release.windows,
    phase: release.phase.kind,
  };
}

/** From text that another program may have written; what is no point is left out. */
export function readTrace(text: string | undefined): readonly TracePoint[] {
  try {
    const points: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(points) ? points.filter(isPoint) : [];
  } catch {
    return [];
  }
}

function isPoint(point: unknown): point is TracePoint {
  const { atMs, checks } = (point ?? {}) as Partial<TracePoint>;
  return typeof atMs === 'number' && typeof checks === 'object' && checks !== null;
}

function thinned(points: readonly TracePoint[]): TracePoint[] {
  return points.filter((_, index) => index === points.length - 1 || index % 2 === 0);
}
