// Raw samples of counters, as Prometheus scraped them, and what each has grown by in a window. Never rate() or increase():
// those extrapolate to the ends of a range and overlap from one to the next, and what is judged must be what was counted.

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970 and value, oldest first. */
  readonly samples: readonly (readonly [atMs: number, value: number])[];
}

export class NotCounts extends Error {}

interface Body {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly warnings?: readonly unknown[];
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown };
}

/** Of the answer to an instant query for a range; throws NotCounts for all that cannot be counts. */
export function seriesIn(body: unknown): readonly Series[] {
  const { status, error, warnings, data } = (body ?? {}) as Body;
  if (status !== 'success') throw new NotCounts(typeof error === 'string' ? error : 'it did not succeed');
  if (warnings !== undefined && warnings.length > 0) throw new NotCounts(`it warns: ${String(warnings[0])}`);
  if (data?.resultType !== 'matrix' || !Array.isArray(data.result)) {
    throw new NotCounts(`it gave a ${String(data?.resultType)}, not samples over time`);
  }
  return data.result.map(seriesOf);
}

function seriesOf(entry: unknown): Series {
  const { metric, values } = (entry ?? {}) as { readonly metric?: Record<string, string>; readonly values?: unknown };
  const labels = metric ?? {};
  if (!Array.isArray(values)) throw new NotCounts('a native histogram, or nothing that is a counter');
  const samples = (values as readonly (readonly [number, string])[]).map(
    ([seconds, text]): readonly [number, number] => {
      const value = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
      if (!Number.isFinite(value) || value < 0) throw new NotCounts(`${nameOf(labels)} is ${text}, which is no count`);
      return [Math.round(seconds * 1_000), value];
    },
  );
  return { labels, samples };
}

export function nameOf({ __name__: name = 'a series', ...labels }: Readonly<Record<string, string>>): string {
  const told = ['pod', 'service', 'envoy_cluster_name', 'code'].flatMap((key) =>
    labels[key] === undefined ? [] : [`${key}="${labels[key]}"`],
  );
  return `${name}{${told.join(',')}}`;
}

/**
 * What a counter has grown by in (fromMs, toMs]. A fall is a new start: what it has since counts. A series without a
 * sample before the window counts from 0 if `isNew`; otherwise its first sample only opens it.
 */
export function growth({ samples }: Series, fromMs: number, toMs: number, isNew: boolean): number {
  let last: number | null = null;
  let grown = 0;
  for (const [atMs, value] of samples) {
    if (atMs > toMs) break;
    if (atMs <= fromMs) {
      last = value;
      continue;
    }
    if (last === null) grown += isNew ? value : 0;
    else grown += value >= last ? value - last : value;
    last = value;
  }
  return grown;
}

/** The newest sample up to then; null if there is none. */
export function newestMs({ samples }: Series, toMs: number): number | null {
  return samples.findLast(([atMs]) => atMs <= toMs)?.[0] ?? null;
}

export function oldestMs({ samples }: Series): number | null {
  return samples[0]?.[0] ?? null;
}
