// What was counted of each version in one window, from whatever counters, and the readings made of it. Pure. A number that
// cannot be a count is an error with its name; nothing at all is no data; neither is ever a pass or a fail.
import type { Check, ErrorDefinition } from '../core/model/check.ts';
import type { Reading, Sample } from '../core/model/measurement.ts';
import type { Revision } from '../core/model/split.ts';

export interface VersionCounts {
  /** Requests by status code, or by class ("5xx") where that is all that is known. */
  readonly byStatus: ReadonlyMap<string, number>;
  /** Requests by upper end of their bucket in seconds (Infinity for the last), each counted once; null: not measured. */
  readonly byBucket: ReadonlyMap<number, number> | null;
}

export interface PodEvents {
  readonly restarts: number;
  readonly oomKills: number;
  /** Seconds of all its pods together. */
  readonly podSeconds: number;
}

export interface WindowCounts {
  readonly versions: Readonly<Record<Revision, VersionCounts>>;
  readonly events: Readonly<Record<Revision, PodEvents>>;
}

/** Of all checks, in the order of none. */
export function readingsOf(
  counts: WindowCounts,
  checks: readonly Check[],
  errors: ErrorDefinition,
): Readonly<Record<string, Reading>> {
  return Object.fromEntries(checks.map((check) => [check.name, readingOf(counts, check, errors)]));
}

function readingOf({ versions, events }: WindowCounts, { metric }: Check, errors: ErrorDefinition): Reading {
  switch (metric.kind) {
    case 'errors':
      return samples(versions, (counts) => proportion(counts, errors));
    case 'latency':
      return samples(versions, latency);
    case 'count':
      if (metric.event === 'throttledPeriods') return noData('throttled periods are not known here');
      return samples(events, (own) => ({
        kind: 'count',
        events: metric.event === 'restarts' ? own.restarts : own.oomKills,
        seconds: own.podSeconds,
      }));
    default:
      return noData(`${metric.kind} is not measured by counters of requests`);
  }
}

function samples<T>(byRevision: Readonly<Record<Revision, T>>, sampleOf: (own: T) => Sample | null): Reading {
  const found: Record<Revision, Sample> = {};
  for (const [revision, own] of Object.entries(byRevision)) {
    const sample = sampleOf(own);
    if (sample !== null) found[revision] = sample;
  }
  return Object.keys(found).length === 0 ? noData('nothing was counted') : { kind: 'samples', byRevision: found };
}

const noData = (message: string): Reading => ({ kind: 'no-data', message });

function proportion({ byStatus }: VersionCounts, errors: ErrorDefinition): Sample {
  let total = 0;
  let bad = 0;
  for (const [status, count] of byStatus) {
    total += count;
    if (isError(status, errors)) bad += count;
  }
  return { kind: 'proportion', total, bad };
}

/** "503" by its code or its class; "5xx" by its class. */
export function isError(status: string, { statusClasses, statusCodes }: ErrorDefinition): boolean {
  return statusClasses.includes(`${status.charAt(0)}xx`) || statusCodes.includes(Number(status));
}

function latency({ byBucket }: VersionCounts): Sample | null {
  if (byBucket === null) return null;
  const boundaries = [...byBucket.keys()].sort((a, b) => a - b);
  if (boundaries.at(-1) !== Number.POSITIVE_INFINITY) return null;
  const counts = boundaries.flatMap((boundary, index): (readonly [number, number])[] => {
    const count = byBucket.get(boundary) ?? 0;
    return count > 0 ? [[index, count]] : [];
  });
  return { kind: 'latency', counts, boundaries };
}

export function totalOf({ byStatus }: VersionCounts): number {
  let total = 0;
  for (const count of byStatus.values()) total += count;
  return total;
}

/** Cumulative counts by upper end, as exporters give them, to counts of each bucket. */
export function bucketsFrom(cumulative: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  let before = 0;
  const found = new Map<number, number>();
  for (const [end, count] of [...cumulative].sort(([a], [b]) => a - b)) {
    found.set(end, Math.max(0, count - before));
    before = Math.max(before, count);
  }
  return found;
}

export function added(counts: readonly VersionCounts[]): VersionCounts {
  const byStatus = new Map<string, number>();
  let byBucket: Map<number, number> | null = null;
  for (const own of counts) {
    for (const [status, count] of own.byStatus) byStatus.set(status, (byStatus.get(status) ?? 0) + count);
    if (own.byBucket === null) continue;
    byBucket ??= new Map();
    for (const [end, count] of own.byBucket) byBucket.set(end, (byBucket.get(end) ?? 0) + count);
  }
  return { byStatus, byBucket };
}
