// Where a window ended: when counting began, the last scrape counted of each target with its total, and the pods that were
// there. With the total the next window can tell whether the samples it starts from are still what they were. It refuses a
// cursor it has not written.
import type { PodsOfVersion } from '../../../cluster/pods.ts';
import type { Cursor } from '../../../core/model/measurement.ts';
import type { Revision } from '../../../core/model/split.ts';

/** The last scrape of a target that has been counted, and the sum of its counters of requests in it. */
export interface Mark {
  readonly atMs: number;
  readonly total: number;
}

export interface KnownPod {
  readonly revision: Revision;
  readonly restarts: number;
  readonly startedAtMs: number;
  /** Since when it is not there any more; null: it is there. */
  readonly goneMs: number | null;
}

export interface PrometheusCursor {
  /** Milliseconds since 1970: nothing before is ever counted. */
  readonly openedMs: number;
  readonly atMs: number;
  readonly marks: Readonly<Record<string, Mark>>;
  /** By name. Of those that are gone, what they counted last may still come. */
  readonly pods: Readonly<Record<string, KnownPod>>;
}

type Written = readonly [restarts: number, startedAtMs: number, goneMs?: number];

interface Text {
  readonly schema: 1;
  readonly opened: number;
  readonly at: number;
  readonly marks: Readonly<Record<string, readonly [number, number]>>;
  readonly pods: Readonly<Record<Revision, Readonly<Record<string, Written>>>>;
}

export function formatCursor({ openedMs, atMs, marks, pods }: PrometheusCursor): Cursor {
  const byRevision: Record<Revision, Record<string, Written>> = {};
  for (const [name, { revision, restarts, startedAtMs, goneMs }] of Object.entries(pods)) {
    const own = byRevision[revision] ?? {};
    own[name] = goneMs === null ? [restarts, startedAtMs] : [restarts, startedAtMs, goneMs];
    byRevision[revision] = own;
  }
  const written = Object.entries(marks).map(([key, mark]) => [key, [mark.atMs, mark.total] as const] as const);
  const text: Text = { schema: 1, opened: openedMs, at: atMs, marks: Object.fromEntries(written), pods: byRevision };
  return JSON.stringify(text);
}

/** null if it is not one of ours. */
export function parseCursor(cursor: Cursor): PrometheusCursor | null {
  try {
    const { schema, opened, at, marks, pods } = JSON.parse(cursor) as Text;
    if (schema !== 1 || !Number.isFinite(opened) || !Number.isFinite(at)) return null;
    const known = Object.entries(pods).flatMap(([revision, own]) =>
      Object.entries(own).map(([name, [restarts, startedAtMs, goneMs = null]]) => {
        return [name, { revision, restarts, startedAtMs, goneMs }] as const;
      }),
    );
    const read = Object.entries(marks).map(([key, [atMs, total]]) => [key, { atMs, total }] as const);
    return { openedMs: opened, atMs: at, marks: Object.fromEntries(read), pods: Object.fromEntries(known) };
  } catch {
    return null;
  }
}

/** Those that are there now, and those that went so short a while ago that their last samples may still come. */
export function podsKnown(
  before: PrometheusCursor['pods'],
  { byRevision }: PodsOfVersion,
  nowMs: number,
  keepMs: number,
): PrometheusCursor['pods'] {
  const found: Record<string, KnownPod> = {};
  for (const [name, pod] of Object.entries(before)) {
    const goneMs = pod.goneMs ?? nowMs;
    if (nowMs - goneMs <= keepMs) found[name] = { ...pod, goneMs };
  }
  for (const [revision, pods] of Object.entries(byRevision)) {
    for (const { name, restarts, startedAtMs } of pods) found[name] = { revision, restarts, startedAtMs, goneMs: null };
  }
  return found;
}
