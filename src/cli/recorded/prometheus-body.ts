// The body of Prometheus' /api/v1/query_range as series. Refuses anything but raw counters of whole numbers: a rate() has
// lost the counts that evidence is made of.
import { nearestName } from '../../core/model/nearest.ts';
import { classicSeries } from './prometheus-native.ts';
import { badData } from './recorded.ts';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Values by milliseconds, ascending in time. */
  readonly values: ReadonlyMap<number, number>;
}

export interface CounterBody {
  readonly file: string;
  readonly series: readonly Series[];
}

interface Answer {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown };
}

export function looksLikePrometheus(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'status' in body && ('data' in body || 'error' in body);
}

export function readBody(body: unknown, file: string): CounterBody {
  const place = { file, line: null };
  const { status, error, data } = body as Answer;
  if (status !== 'success') {
    throw badData(place, `Prometheus answered with an error: ${String(error ?? status)}`, 'mend the query');
  }
  if (data?.resultType !== 'matrix' || !Array.isArray(data.result)) {
    const type = typeof data?.resultType === 'string' ? ` but a ${data.resultType}` : '';
    throw badData(place, `this is no range of values${type}`, 'ask /api/v1/query_range, with start, end and step');
  }
  return { file, series: data.result.flatMap((each) => readSeries(each, file)) };
}

function readSeries(value: unknown, file: string): readonly Series[] {
  const place = { file, line: null };
  const { metric, values, histograms } = (value ?? {}) as { metric?: unknown; values?: unknown; histograms?: unknown };
  const labels = (metric ?? {}) as Record<string, string>;
  if (Array.isArray(histograms)) return classicSeries(labels, histograms, file);
  if (!Array.isArray(values)) {
    throw badData(
      place,
      `the series ${seriesText(labels)} has no values`,
      'ask for a counter, for classic _bucket series, or for a native histogram',
    );
  }
  const read = new Map<number, number>();
  for (const point of values as readonly (readonly [number, string])[]) {
    const count = Number(point[1]);
    if (!Number.isFinite(count)) continue;
    if (count < 0 || !Number.isInteger(count)) {
      throw badData(
        place,
        `${seriesText(labels)} has the value ${point[1]}: that is no counter of requests`,
        'ask for the raw counter, without rate() or increase(): the increases are made here',
      );
    }
    read.set(Math.round(Number(point[0]) * 1_000), count);
  }
  return [{ labels, values: read }];
}

export function seriesText(labels: Readonly<Record<string, string>>): string {
  const { __name__: name = '', ...rest } = labels;
  const pairs = Object.entries(rest).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${pairs.join(', ')}}`;
}

/** The value of a label on every series; refused with the labels there are. */
export function labelOf({ labels }: Series, label: string, file: string, option: string): string {
  const value = labels[label];
  if (value !== undefined) return value;
  const known = Object.keys(labels).filter((each) => each !== '__name__');
  const near = nearestName(label, known);
  const there = known.length === 0 ? 'it has no labels' : `it has ${known.join(', ')}`;
  throw badData(
    { file, line: null },
    `the series ${seriesText(labels)} has no label ${label}`,
    near === undefined ? `${option} <label>: ${there}` : `did you mean ${option} ${near}? (${there})`,
  );
}
