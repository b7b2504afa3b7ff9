// Where a window ended: when, and what each pod had counted by then. What many pods say alike (the ends of their buckets) is
// written once. It refuses a cursor it has not written.
import type { Cursor } from '../../../core/model/measurement.ts';

/** What one process has counted since it started. */
export interface ProcessCounters {
  readonly byStatus: Readonly<Record<string, number>>;
  /** Cumulative, by `le` as the pod writes it; null: not asked for. */
  readonly byBucket: Readonly<Record<string, number>> | null;
  /** process_start_time_seconds; null: not told. */
  readonly startedS: number | null;
}

export interface PodMark {
  readonly restarts: number;
  /** null: it has not been read yet. */
  readonly counters: ProcessCounters | null;
}

export interface PodsCursor {
  /** Milliseconds since 1970: nothing before is ever counted. */
  readonly openedMs: number;
  readonly atMs: number;
  /** By uid. */
  readonly pods: Readonly<Record<string, PodMark>>;
}

interface WrittenPod {
  readonly r: number;
  readonly c?: ProcessCounters['byStatus'];
  /** Which list of ends, and the counts. */
  readonly b?: readonly [list: number, ...counts: number[]];
  readonly s?: number;
}

interface Text {
  readonly schema: 1;
  readonly opened: number;
  readonly at: number;
  readonly ends: readonly (readonly string[])[];
  readonly pods: Readonly<Record<string, WrittenPod>>;
}

export function formatCursor({ openedMs, atMs, pods }: PodsCursor): Cursor {
  const lists = new Map<string, number>();
  const written = Object.entries(pods).map(([uid, { restarts, counters }]): [string, WrittenPod] => {
    if (counters === null) return [uid, { r: restarts }];
    const { byStatus, byBucket, startedS } = counters;
    const start = startedS === null ? {} : { s: startedS };
    if (byBucket === null) return [uid, { r: restarts, c: byStatus, ...start }];
    const ends = JSON.stringify(Object.keys(byBucket));
    const list = lists.get(ends) ?? lists.size;
    lists.set(ends, list);
    return [uid, { r: restarts, c: byStatus, b: [list, ...Object.values(byBucket)], ...start }];
  });
  const ends = [...lists.keys()].map((list) => JSON.parse(list) as readonly string[]);
  const text: Text = { schema: 1, opened: openedMs, at: atMs, ends, pods: Object.fromEntries(written) };
  return JSON.stringify(text);
}

/** null if it is not one of ours. */
export function parseCursor(cursor: Cursor): PodsCursor | null {
  try {
    const { schema, opened, at, ends, pods } = JSON.parse(cursor) as Text;
    if (schema !== 1 || !Number.isFinite(opened) || !Number.isFinite(at)) return null;
    const read = Object.entries(pods).map(([uid, pod]) => [uid, readPod(pod, ends)] as const);
    return { openedMs: opened, atMs: at, pods: Object.fromEntries(read) };
  } catch {
    return null;
  }
}

function readPod({ r: restarts, c, b, s }: WrittenPod, ends: Text['ends']): PodMark {
  if (c === undefined) return { restarts, counters: null };
  const [list, ...counts] = b ?? [-1];
  const byBucket =
    b === undefined ? null : Object.fromEntries((ends[list] ?? []).map((end, i) => [end, counts[i] ?? 0]));
  return { restarts, counters: { byStatus: c, byBucket, startedS: s ?? null } };
}
