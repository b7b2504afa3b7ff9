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

export function tracePoint(release: Release, atMs: number): TracePoint {
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

/** Every second point, the newest always kept: a picture needs no more, and memory has an end. */
export function thinned(points: readonly TracePoint[]): TracePoint[] {
  return points.filter((_, index) => index === points.length - 1 || index % 2 === 0);
}
