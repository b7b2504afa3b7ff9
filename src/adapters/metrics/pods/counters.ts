// From the text of a pod to its counters, and from two readings of them to what was counted in between. Pure. It refuses
// what is no count, a status nobody can read, and two lines of one series; a new start counts from 0, for all of a process.
import { readStatus, statusTrouble } from '../../../cluster/request-status.ts';
import { bucketsFrom, type VersionCounts } from '../../../cluster/version-counts.ts';
import type { ErrorDefinition } from '../../../core/model/check.ts';
import type { CounterSet } from '../../../core/model/policy.ts';
import { numberOf, parseMetricsText, type TextSample } from '../../../lib/prometheus-text.ts';
import type { ProcessCounters } from './cursor.ts';

const STARTED = 'process_start_time_seconds';

export function countersIn(
  text: string,
  { requests, latency, statusLabel }: Extract<CounterSet, { kind: 'pods' }>,
  errors: ErrorDefinition,
): ProcessCounters {
  const bucket = latency === null ? null : `${latency}_bucket`;
  const byStatus: Record<string, number> = {};
  const byBucket: Record<string, number> = {};
  let startedS: number | null = null;
  const seen = new Set<string>();
  for (const sample of parseMetricsText(text, new Set([requests, STARTED, ...(bucket === null ? [] : [bucket])]))) {
    refuseTwice(sample, seen);
    if (sample.name === STARTED) startedS = Number.isFinite(sample.value) ? sample.value : null;
    else if (sample.name === requests) add(byStatus, statusOf(sample, statusLabel, errors), countOf(sample));
    else add(byBucket, endOf(sample), countOf(sample));
  }
  return { byStatus, byBucket: bucket === null ? null : byBucket, startedS };
}

function add(counts: Record<string, number>, key: string, count: number): void {
  counts[key] = (counts[key] ?? 0) + count;
}

function refuseTwice({ name, labels }: TextSample, seen: Set<string>): void {
  const key = JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
  if (seen.has(key)) throw new Error(`${name} is there twice with the same labels`);
  seen.add(key);
}

function countOf({ name, value }: TextSample): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${name} is ${value}, which is no count`);
}

function statusOf({ name, labels, value }: TextSample, label: string, errors: ErrorDefinition): string {
  const trouble = value === 0 ? null : statusTrouble(labels[label], errors);
  if (trouble !== null) throw new Error(`the label ${label} of ${name} ${trouble}`);
  return readStatus(labels[label] ?? '');
}

function endOf({ name, labels }: TextSample): string {
  const { le = '' } = labels;
  if (Number.isNaN(numberOf(le))) throw new Error(`${name} is no bucket of a histogram: its label le is "${le}"`);
  return le;
}

/** What was counted since; null: from 0. */
export function grown(now: ProcessCounters, before: ProcessCounters | null): ProcessCounters {
  if (before === null || isNewStart(now, before)) return now;
  return {
    ...now,
    byStatus: difference(now.byStatus, before.byStatus),
    byBucket: now.byBucket === null ? null : difference(now.byBucket, before.byBucket ?? {}),
  };
}

function isNewStart(now: ProcessCounters, before: ProcessCounters): boolean {
  if (now.startedS !== null && before.startedS !== null && now.startedS !== before.startedS) return true;
  const fell = (left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>) =>
    Object.entries(right).some(([key, count]) => (left[key] ?? 0) < count);
  return fell(now.byStatus, before.byStatus) || fell(now.byBucket ?? {}, before.byBucket ?? {});
}

function difference(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(now).map(([key, count]) => [key, count - (before[key] ?? 0)]));
}

export function countsOf({ byStatus, byBucket }: ProcessCounters): VersionCounts {
  const ends = Object.entries(byBucket ?? {}).map(([end, count]) => [numberOf(end), count] as const);
  return {
    byStatus: new Map(Object.entries(byStatus)),
    byBucket: byBucket === null ? null : bucketsFrom(new Map(ends)),
  };
}
