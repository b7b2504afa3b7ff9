// Raw samples of counters as Prometheus scraped them: its answer to an instant query for a range, read strictly. Never
// rate() or increase(): those extrapolate to the ends of a range and overlap from one to the next, and what is judged must
// be what was counted. What cannot be counts is refused with the name of the series.

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970 and value, oldest first; values that are no counts are left out. */
  readonly samples: readonly (readonly [atMs: number, value: number])[];
  /** The newest sample where it is no count, as written; null: it is one. */
  readonly broken: string | null;
}

export class NotCounts extends Error {}

interface Body {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly warnings?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown };
}

/** Throws NotCounts for all that cannot be counts. @param isValue what a value must be */
export function seriesIn(body: unknown, isValue: (value: number) => boolean = isCount): readonly Series[] {
  const { status, error, warnings, data } = (typeof body === 'object' ? (body ?? {}) : {}) as Body;
  if (status !== 'success') throw new NotCounts(typeof error === 'string' ? error.slice(0, 300) : 'it did not succeed');
  if (Array.isArray(warnings) && warnings.length > 0)
    throw new NotCounts(`it warns: ${String(warnings[0]).slice(0, 300)}`);
  if (data?.resultType !== 'matrix' || !Array.isArray(data.result)) {
    throw new NotCounts(`it gave ${kindOf(data?.resultType)}, not samples over time`);
  }
  return data.result.map((entry) => seriesOf(entry, isValue));
}

function kindOf(resultType: unknown): string {
  return typeof resultType === 'string' ? `a ${resultType.slice(0, 40)}` : 'nothing';
}

function seriesOf(entry: unknown, isValue: (value: number) => boolean): Series {
  const { metric, values } = (entry ?? {}) as { readonly metric?: unknown; readonly values?: unknown };
  if (typeof metric !== 'object' || metric === null) throw new NotCounts('a series without labels');
  const labels = metric as Readonly<Record<string, string>>;
  if (!Array.isArray(values)) throw new NotCounts(`${nameOf(labels)} is a native histogram, or no counter`);
  const samples: [number, number][] = [];
  let broken: string | null = null;
  for (const each of values as readonly unknown[]) {
    const [atMs, value, text] = sampleOf(each, labels);
    broken = isValue(value) ? null : text;
    if (broken === null) samples.push([atMs, value]);
  }
  return { labels, samples, broken };
}

function sampleOf(each: unknown, labels: Series['labels']): readonly [atMs: number, value: number, text: string] {
  const [seconds, text] = Array.isArray(each) ? (each as readonly unknown[]) : [];
  if (typeof seconds !== 'number' || typeof text !== 'string' || text.trim() === '') {
    throw new NotCounts(`${nameOf(labels)} has ${JSON.stringify(each)?.slice(0, 60)}, which is no sample`);
  }
  return [Math.round(seconds * 1_000), text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text), text];
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;

export function nameOf({ __name__: name = 'a series', ...labels }: Series['labels']): string {
  const told = ['pod', 'service', 'envoy_cluster_name', 'code', 'instance'].flatMap((key) =>
    labels[key] === undefined ? [] : [`${key}="${labels[key]}"`],
  );
  return `${name}{${told.join(',')}}`;
}

/** The newest sample up to then; null if there is none. */
export function newestMs({ samples }: Series, toMs = Number.POSITIVE_INFINITY): number | null {
  return samples.findLast(([atMs]) => atMs <= toMs)?.[0] ?? null;
}

export function hasBy({ samples }: Series, atMs: number): boolean {
  return (samples[0]?.[0] ?? Number.POSITIVE_INFINITY) <= atMs;
}
