// What recorded data is, once it is read: samples with a time and a version, put into windows. Every reader (CSV, JSON,
// Prometheus) ends here, so that the same counts give the same verdict whatever file they came in.
// Refuses to fill gaps: a window that is not there is not there.
import type { Sample } from '../../core/model/measurement.ts';
import { CliError } from '../errors.ts';

/** Where something was read, for people who have to mend it. */
export interface Place {
  readonly file: string;
  readonly line: number | null;
}

/** One sample as it was read: of one version, in the window that starts at `atMs`. */
export interface Part {
  readonly atMs: number;
  readonly version: string;
  /** The check it names; null if the data names none. */
  readonly check: string | null;
  /** The replica it is of; null if versions are counted whole. */
  readonly replica: string | null;
  /** Percent of requests asked for the canary in this window; null if the data does not tell. */
  readonly weightPercent: number | null;
  readonly sample: Sample;
  readonly place: Place;
}

export interface ReadData {
  readonly parts: readonly Part[];
  /** What a reader should know of it: resets, series that never came. */
  readonly notes: readonly string[];
  /** Length of a window where the data tells it. */
  readonly stepMs: number | null;
  /** Which versions it says to compare; null where it leaves that to the command line. */
  readonly stable: string | null;
  readonly canary: string | null;
}

/** Samples of one version in one window: as a whole, and by replica where that is known. */
export interface VersionSamples {
  readonly whole: Sample;
  readonly replicas: readonly Sample[];
}

export interface RecordedWindow {
  readonly atMs: number;
  readonly weightPercent: number | null;
  /** By check (or check/part), then by version. */
  readonly byCheck: Readonly<Record<string, Readonly<Record<string, VersionSamples>>>>;
}

export function badData({ file, line }: Place, problem: string, fix: string): CliError {
  return new CliError(problem, { code: 'data', path: line === null ? file : `${file}:${line}`, fix });
}

/** Two samples of one kind as one; of gauges the later replaces nothing, both are kept. Null if they do not fit. */
export function mergeSamples(a: Sample, b: Sample): Sample | null {
  if (a.kind === 'proportion' && b.kind === 'proportion') {
    return { kind: 'proportion', total: a.total + b.total, bad: a.bad + b.bad };
  }
  if (a.kind === 'latency' && b.kind === 'latency') {
    if (String(a.boundaries) !== String(b.boundaries)) return null;
    return { ...a, counts: mergePairs(a.counts, b.counts) };
  }
  if (a.kind === 'count' && b.kind === 'count') {
    return { kind: 'count', events: a.events + b.events, seconds: a.seconds + b.seconds };
  }
  if (a.kind === 'values' && b.kind === 'values') return { kind: 'values', counts: mergePairs(a.counts, b.counts) };
  if (a.kind === 'cohort' && b.kind === 'cohort') {
    return { kind: 'cohort', exposed: a.exposed + b.exposed, converted: mergePairs(a.converted, b.converted) };
  }
  if (a.kind === 'gauge' && b.kind === 'gauge') return { kind: 'gauge', values: [...a.values, ...b.values] };
  return null;
}

type Pairs = readonly (readonly [key: number, count: number])[];

export function mergePairs(a: Pairs, b: Pairs): Pairs {
  const counts = new Map<number, number>();
  for (const [key, count] of [...a, ...b]) counts.set(key, (counts.get(key) ?? 0) + count);
  return [...counts].sort(([left], [right]) => left - right);
}

/** Requests (users, seconds) a sample is made of. */
export function sizeOf(sample: Sample): number {
  switch (sample.kind) {
    case 'proportion':
      return sample.total;
    case 'latency':
    case 'values':
      return sample.counts.reduce((sum, [, count]) => sum + count, 0);
    case 'count':
      return sample.seconds;
    case 'cohort':
      return sample.exposed;
    case 'gauge':
      return sample.values.length;
  }
}
