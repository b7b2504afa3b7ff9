// From raw counters to increases per window. A counter that fell was reset: what it shows was counted since. The first
// sample of a target is a baseline; a series that is born on a target already known (the first error) starts from 0.
// A gap is no window: an increase over two windows belongs to neither.
import type { Series } from './prometheus-body.ts';

export interface Increase {
  /** Where the window starts. */
  readonly fromMs: number;
  readonly series: Series;
  readonly count: number;
}

/** Smallest distance between two values: the step that was asked for. */
export function stepOf(all: readonly Series[]): number | null {
  const times = [...new Set(all.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  let step: number | null = null;
  for (let i = 1; i < times.length; i++) {
    const distance = (times[i] ?? 0) - (times[i - 1] ?? 0);
    if (step === null || distance < step) step = distance;
  }
  return step;
}

const NAMES_TARGET = ['job', 'instance', 'pod', 'namespace', 'container'] as const;

/** What is scraped at once: series of one target come and go together. */
export function targetOf({ labels }: Series, more: readonly string[]): string {
  return JSON.stringify([...NAMES_TARGET, ...more].map((label) => labels[label] ?? ''));
}

export interface Known {
  readonly stepMs: number;
  /** Moments at which a target was seen at all, by target. */
  readonly seen: ReadonlyMap<string, ReadonlySet<number>>;
  readonly targetOf: (series: Series) => string;
}

/** When each target was seen, in any of its series. */
export function seenTargets(all: readonly Series[], target: (series: Series) => string): Map<string, Set<number>> {
  const seen = new Map<string, Set<number>>();
  for (const series of all) {
    const key = target(series);
    const times = seen.get(key) ?? new Set<number>();
    seen.set(key, times);
    for (const atMs of series.values.keys()) times.add(atMs);
  }
  return seen;
}

export function increasesOf(
  series: Series,
  { stepMs, seen, targetOf: target }: Known,
): {
  readonly increases: readonly Increase[];
  readonly resets: number;
} {
  const increases: Increase[] = [];
  const times = seen.get(target(series));
  let resets = 0;
  for (const [atMs, value] of series.values) {
    const fromMs = atMs - stepMs;
    const before = series.values.get(fromMs) ?? (times?.has(fromMs) === true ? 0 : null);
    if (before === null) continue;
    if (value < before) resets += 1;
    increases.push({ fromMs, series, count: value < before ? value : value - before });
  }
  return { increases, resets };
}
