// Where a window ended: when, and what each pod had counted by then. It refuses a cursor it has not written.
import type { Cursor } from '../../../core/model/measurement.ts';

export interface PodCounters {
  readonly byStatus: Readonly<Record<string, number>>;
  /** Cumulative, by `le` as the pod writes it. */
  readonly byBucket: Readonly<Record<string, number>> | null;
  readonly restarts: number;
  readonly oomKills: number;
}

export interface PodsCursor {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** By uid. */
  readonly pods: Readonly<Record<string, PodCounters>>;
}

export function encodeCursor(cursor: PodsCursor): Cursor {
  return JSON.stringify(cursor);
}

export function decodeCursor(text: Cursor): PodsCursor {
  const cursor = JSON.parse(text) as PodsCursor;
  if (typeof cursor.atMs !== 'number' || typeof cursor.pods !== 'object') throw new Error('the cursor is not of pods');
  return cursor;
}
