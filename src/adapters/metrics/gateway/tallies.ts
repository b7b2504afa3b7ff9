// What the checks of a policy need of one gateway snapshot, as numbers that only grow: cumulative, per revision.
// All of them are sums over cells, so the difference of two tallies is the tally of what happened in between. Pure.
import type { Check, ErrorDefinition, Metric, RequestSelector } from '../../../core/model/check.ts';
import { AUDIENCE_ROUTE, type GatewaySnapshot } from '../../../core/model/gateway.ts';
import { businessSample, errorSample, latencySample } from '../../../core/model/http-counts.ts';
import type { Revision } from '../../../core/model/split.ts';

/** errors: [total, bad]. business: [from, done]. latency: bucket, count, bucket, count, ... */
export type CheckTally = readonly number[];

export interface RevisionTally {
  readonly requests: number;
  /** Of these, the ones no rule sent. Absent in a cursor of a former Haldane: then not known for its window. */
  readonly drawn?: number;
  readonly checks: Readonly<Record<string, CheckTally>>;
}

export interface Tally {
  readonly upMs: number;
  readonly revisions: Readonly<Record<Revision, RevisionTally>>;
}

/** The kinds that are counted request by request. */
export function countsRequests({ kind }: Metric): boolean {
  return kind === 'errors' || kind === 'latency' || kind === 'business';
}

const NOTHING: RequestSelector = { routes: [], methods: [] };

export function tallyOf(
  snapshot: GatewaySnapshot,
  revisions: readonly Revision[],
  checks: readonly Check[],
  errors: ErrorDefinition,
): Tally {
  return {
    upMs: snapshot.upMs,
    revisions: Object.fromEntries(
      revisions.map((revision) => [
        revision,
        {
          requests: requestsIn(snapshot, revision, () => true),
          drawn: requestsIn(snapshot, revision, (route) => route !== AUDIENCE_ROUTE),
          checks: Object.fromEntries(
            checks
              .filter(({ metric }) => countsRequests(metric))
              .map((check) => [check.name, checkTally(snapshot, revision, check, errors)]),
          ),
        },
      ]),
    ),
  };
}

function requestsIn(snapshot: GatewaySnapshot, revision: Revision, isMeant: (route: string) => boolean): number {
  return snapshot.cells.reduce(
    (sum, cell) => (cell.revision === revision && isMeant(cell.route) ? sum + cell.count : sum),
    0,
  );
}

function checkTally(
  snapshot: GatewaySnapshot,
  revision: Revision,
  { metric, selector }: Check,
  errors: ErrorDefinition,
): CheckTally {
  switch (metric.kind) {
    case 'errors': {
      const sample = errorSample(snapshot.cells, revision, errors, selector);
      return sample.kind === 'proportion' ? [sample.total, sample.bad] : [];
    }
    case 'latency': {
      const sample = latencySample(snapshot.latency, revision, errors, selector);
      return sample.kind === 'latency' ? sample.counts.flat() : [];
    }
    case 'business': {
      // Each side alone, so that a surplus of steps in one window is not cut off before it is carried to the next.
      const from = businessSample(snapshot.cells, revision, { ...metric, to: NOTHING });
      const done = businessSample(snapshot.cells, revision, { ...metric, from: NOTHING });
      return [from.kind === 'proportion' ? from.total : 0, done.kind === 'proportion' ? done.total : 0];
    }
    case 'gauge':
    case 'count':
    case 'mean':
    case 'conversion':
    case 'kayenta':
      return [];
  }
}

export function emptyTally(revisions: readonly Revision[]): Tally {
  return { upMs: 0, revisions: Object.fromEntries(revisions.map((revision) => [revision, EMPTY])) };
}

const EMPTY: RevisionTally = { requests: 0, drawn: 0, checks: {} };

/** What came between two tallies of one instance; null if the later one is not later (a file flushed before). */
export function growth(before: Tally, after: Tally, checks: readonly Check[]): Tally | null {
  if (after.upMs < before.upMs) return null;
  const revisions: Record<Revision, RevisionTally> = {};
  for (const [revision, now] of Object.entries(after.revisions)) {
    const was = before.revisions[revision] ?? EMPTY;
    revisions[revision] = combine(now, was, checks, -1);
  }
  return { upMs: after.upMs - before.upMs, revisions };
}

export function sum(left: Tally, right: Tally, checks: readonly Check[]): Tally {
  const revisions: Record<Revision, RevisionTally> = { ...left.revisions };
  for (const [revision, more] of Object.entries(right.revisions)) {
    revisions[revision] = combine(revisions[revision] ?? EMPTY, more, checks, 1);
  }
  return { upMs: left.upMs + right.upMs, revisions };
}

function combine(left: RevisionTally, right: RevisionTally, checks: readonly Check[], sign: 1 | -1): RevisionTally {
  const combined: Record<string, CheckTally> = {};
  for (const { name, metric } of checks) {
    const first = left.checks[name] ?? [];
    const second = right.checks[name] ?? [];
    if (metric.kind === 'latency') combined[name] = combineSparse(first, second, sign);
    else if (countsRequests(metric)) combined[name] = [0, 1].map((i) => (first[i] ?? 0) + sign * (second[i] ?? 0));
  }
  const requests = left.requests + sign * right.requests;
  return left.drawn === undefined || right.drawn === undefined
    ? { requests, checks: combined }
    : { requests, drawn: left.drawn + sign * right.drawn, checks: combined };
}

function combineSparse(first: CheckTally, second: CheckTally, sign: 1 | -1): CheckTally {
  const counts = new Map(pairs(first));
  for (const [bucket, count] of pairs(second)) counts.set(bucket, (counts.get(bucket) ?? 0) + sign * count);
  return [...counts]
    .filter(([, count]) => count !== 0)
    .sort(([a], [b]) => a - b)
    .flat();
}

/** [bucket, count] of a flat list. */
export function pairs(flat: CheckTally): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) found.push([flat[i] ?? 0, flat[i + 1] ?? 0]);
  return found;
}

/** Whether every number is a count. What is not (NaN, negative, a fraction) is no reading. */
export function isSound(tally: Tally): boolean {
  return Object.values(tally.revisions).every(
    ({ requests, drawn, checks }) =>
      isCount(requests) &&
      (drawn === undefined || isCount(drawn)) &&
      Object.values(checks).every((numbers) => numbers.every(isCount)),
  );
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
