// One window: everything all gateway instances counted since the cursor, exactly once. Pure: snapshots in, numbers out.
//
//   instance known and alive       now - cursor
//   instance new                   now - 0 (it started after the cursor)
//   instance ended, last words     last words - cursor, then 'done'
//   instance ended without them    nothing more; what it counted since its last flush is lost, and said
import type { Check, ErrorDefinition } from '../../../core/model/check.ts';
import type { GatewaySnapshot } from '../../../core/model/gateway.ts';
import type { Reading, Sample } from '../../../core/model/measurement.ts';
import type { Revision } from '../../../core/model/split.ts';
import type { Instant } from '../../../core/model/time.ts';
import type { GatewayCursor } from './cursor.ts';
import { type CheckTally, emptyTally, growth, isSound, pairs, sum, type Tally, tallyOf } from './tallies.ts';

/** One gateway process, living or ended, and the newest it said. */
export interface InstanceSnapshot {
  readonly snapshot: GatewaySnapshot;
  /** It has ended, and nothing more will come. */
  readonly ended: boolean;
  /** It ended without its last words: this is an older flush. */
  readonly partial: boolean;
}

export interface WindowQuery {
  readonly revisions: readonly Revision[];
  readonly checks: readonly Check[];
  readonly errors: ErrorDefinition;
}

export interface Window {
  readonly tally: Tally;
  readonly carried: GatewayCursor['carried'];
  /** Per business check and revision: starts that were not followed by a step. */
  readonly notDone: Readonly<Record<string, Readonly<Record<Revision, number>>>>;
  readonly cursor: GatewayCursor;
  /** Instances of which a part is lost. */
  readonly lost: readonly string[];
  readonly sound: boolean;
}

export function openingCursor(instances: readonly InstanceSnapshot[], query: WindowQuery, now: Instant): GatewayCursor {
  return { schema: 1, at: now, instances: positions(instances, query, {}), carried: {} };
}

export function windowSince(
  cursor: GatewayCursor,
  instances: readonly InstanceSnapshot[],
  query: WindowQuery,
  now: Instant,
): Window {
  let tally = emptyTally(query.revisions);
  const lost: string[] = [];
  for (const { snapshot, partial } of instances) {
    const before = cursor.instances[snapshot.instance];
    if (before === 'done') continue;
    const after = tallyOf(snapshot, query.revisions, query.checks, query.errors);
    const grown = growth(before ?? emptyTally(query.revisions), after, query.checks);
    if (grown !== null) tally = sum(tally, grown, query.checks);
    if (partial) lost.push(snapshot.instance);
  }
  const seen = new Set(instances.map(({ snapshot }) => snapshot.instance));
  for (const [instance, before] of Object.entries(cursor.instances)) {
    if (before !== 'done' && !seen.has(instance)) lost.push(instance);
  }
  const { carried, notDone } = carryBusiness(tally, cursor.carried, query.checks);
  return {
    tally,
    carried,
    notDone,
    lost,
    sound: isSound(tally),
    cursor: { schema: 1, at: now, instances: positions(instances, query, cursor.instances), carried },
  };
}

function positions(
  instances: readonly InstanceSnapshot[],
  query: WindowQuery,
  before: GatewayCursor['instances'],
): GatewayCursor['instances'] {
  return Object.fromEntries(
    instances.map(({ snapshot, ended }) => {
      if (ended) return [snapshot.instance, 'done'];
      const tally = tallyOf(snapshot, query.revisions, query.checks, query.errors);
      const was = before[snapshot.instance];
      return [snapshot.instance, was !== undefined && was !== 'done' && was.upMs > tally.upMs ? was : tally];
    }),
  );
}

/**
 * Of the starts, how many were not followed by a step. Steps may fall into a later window than their starts; a surplus
 * is carried over instead of being lost, so that over all windows no start counts as not done for want of a window.
 */
function carryBusiness(
  tally: Tally,
  before: GatewayCursor['carried'],
  checks: readonly Check[],
): Pick<Window, 'carried' | 'notDone'> {
  const carried: Record<string, Record<Revision, number>> = {};
  const notDone: Record<string, Record<Revision, number>> = {};
  for (const { name, metric } of checks) {
    if (metric.kind !== 'business') continue;
    const carry: Record<Revision, number> = {};
    const missing: Record<Revision, number> = {};
    for (const [revision, { checks: tallies }] of Object.entries(tally.revisions)) {
      const [from = 0, done = 0] = tallies[name] ?? [];
      const outstanding = (before[name]?.[revision] ?? 0) + from - done;
      missing[revision] = Math.max(0, outstanding);
      carry[revision] = Math.min(0, outstanding);
    }
    carried[name] = carry;
    notDone[name] = missing;
  }
  return { carried, notDone };
}

/** What no counter of this source holds: said, so that nobody waits for it. */
export function unmeasured({ metric }: Check): Reading {
  switch (metric.kind) {
    case 'mean':
      return { kind: 'no-data', message: 'the gateway does not see what a request is worth' };
    case 'conversion':
      return { kind: 'no-data', message: 'the gateway does not see which users convert later' };
    default:
      return { kind: 'error', message: `the gateway has no reading of kind ${metric.kind}` };
  }
}

/** The reading of one check that counts requests. */
export function readingOf(window: Pick<Window, 'tally' | 'notDone'>, check: Check): Reading {
  const byRevision: Record<Revision, Sample> = {};
  let anything = false;
  for (const [revision, { checks }] of Object.entries(window.tally.revisions)) {
    const sample = sampleOf(check, checks[check.name] ?? [], window.notDone[check.name]?.[revision] ?? 0);
    anything ||=
      sample.kind === 'proportion' ? sample.total > 0 : sample.kind === 'latency' && sample.counts.length > 0;
    byRevision[revision] = sample;
  }
  if (anything) return { kind: 'samples', byRevision };
  return { kind: 'no-data', message: 'no request that this check looks at in this window' };
}

function sampleOf(check: Check, numbers: CheckTally, notDone: number): Sample {
  if (check.metric.kind === 'latency') return { kind: 'latency', counts: pairs(numbers) };
  const [total = 0, bad = 0] = numbers;
  return { kind: 'proportion', total, bad: check.metric.kind === 'business' ? notDone : bad };
}
