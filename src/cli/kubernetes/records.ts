// Releases that were and the journal, read from Releases and from what a ReleasePolicy still owes them. One that cannot be
// read is told by the few words in its status; it keeps no other from being shown.
import { decodeRelease } from '../../controller/index.ts';
import type { Release } from '../../core/engine/index.ts';
import { type ReleaseLine, releaseLine } from '../../core/views/index.ts';
import { checkChain, EMPTY_CHAIN, type JournalEntry } from '../../ports/index.ts';
import type { Verified } from '../client.ts';
import type { PolicyObject, ReleaseObject } from './cluster.ts';

export interface Stored {
  /** "namespace/shop-3" */
  readonly id: string;
  readonly object: ReleaseObject | null;
  /** null: nothing is written of it yet. */
  readonly document: string | null;
}

/** Of one policy, oldest first; what is owed to a Release is newer than what is in it. */
export function storedReleases(policy: PolicyObject, all: readonly ReleaseObject[]): readonly Stored[] {
  const { namespace = '', name } = policy.metadata;
  const owed = policy.status?.record?.pending?.releases ?? [];
  const documentOwed = (id: string) => owed.find((each) => each.id === id)?.document ?? null;
  const own = all
    .filter(({ metadata, spec }) => metadata.namespace === namespace && spec?.policy === name)
    .map((object): Stored => {
      const id = `${namespace}/${object.metadata.name}`;
      return { id, object, document: documentOwed(id) ?? object.status?.document ?? null };
    });
  const known = new Set(own.map(({ id }) => id));
  const others = owed
    .filter(({ id, document }) => !known.has(id) && document !== null)
    .map(({ id, document }): Stored => ({ id, object: null, document }));
  return [...own, ...others].toSorted((a, b) => numberOf(a) - numberOf(b));
}

function numberOf({ id, object }: Stored): number {
  return object?.spec?.number ?? Number(/-(\d+)$/.exec(id)?.[1] ?? 0);
}

/** Throws where it cannot be read: what was not read is not told. */
export function releaseOf({ id, document }: Stored): Release | null {
  return document === null ? null : decodeRelease(id, document);
}

export function lineOf(stored: Stored, now: string): ReleaseLine {
  try {
    const release = releaseOf(stored);
    if (release !== null) return releaseLine(release, now);
  } catch {
    // Of a newer operator: its own words in the status will do.
  }
  return lineOfStatus(stored, now);
}

const PHASES = ['starting', 'testing', 'promoting', 'aborting', 'ended'] as const;
const NOBODY = { canaryRequests: 0, stableRequests: 0, canaryBad: 0, canaryUsers: 0, stableUsers: 0 };

function lineOfStatus({ id, object }: Stored, now: string): ReleaseLine {
  const { spec = {}, status = {}, metadata } = object ?? { metadata: { name: id } };
  const { outcome, sentence = '' } = status;
  const phase = PHASES.find((each) => each === status.phase) ?? 'ended';
  const startedAt = status.startedAt ?? metadata.creationTimestamp ?? now;
  return {
    id,
    number: spec.number ?? 0,
    from: null,
    to: spec.label ?? spec.revision ?? '?',
    fromRevision: null,
    toRevision: spec.revision ?? '',
    startedAt,
    endedAt: status.endedAt ?? null,
    spentMs: Math.max(0, Date.parse(status.endedAt ?? now) - Date.parse(startedAt)),
    phase,
    stage: null,
    weightPercent: 0,
    highestWeightPercent: 0,
    awaiting: null,
    paused: null,
    parked: null,
    unanalysed: null,
    outcome:
      outcome === 'promoted' || outcome === 'aborted' ? { kind: outcome, by: null, check: null, sentence } : null,
    exposure: NOBODY,
  };
}

/** Each entry once, oldest first. */
export function journalOf(policy: PolicyObject, all: readonly ReleaseObject[]): readonly JournalEntry[] {
  const { tail = [], pending } = policy.status?.record ?? {};
  const written = storedReleases(policy, all).flatMap(({ object }) => object?.status?.journal ?? []);
  const owed = (pending?.releases ?? []).flatMap(({ journal = [] }) => journal);
  const entries = [...written, ...owed, ...tail];
  return [...new Map(entries.map((entry) => [entry.sequence, entry])).values()].toSorted(
    (a, b) => a.sequence - b.sequence,
  );
}

/**
 * Whether every entry that is kept follows the one before it, up to the end that the record names. Releases that are gone
 * took their entries with them: after such a gap the chain is taken up anew.
 */
export function verifyJournal(policy: PolicyObject, entries: readonly JournalEntry[]): Verified {
  const name = `${policy.metadata.namespace}/${policy.metadata.name}`;
  let end = EMPTY_CHAIN;
  for (const run of runsOf(entries)) {
    const [first] = run;
    if (first === undefined) continue;
    const isStart = first.sequence === end.sequence + 1;
    const from = isStart ? end : { sequence: first.sequence, hash: first.hash };
    const checked = checkChain(isStart ? run : run.slice(1), from);
    if (checked.kind === 'broken') return { intact: false, message: `${name}: ${checked.message}` };
    end = checked.end;
  }
  const wanted = policy.status?.record?.chain;
  if (wanted !== undefined && wanted.sequence > 0 && (wanted.sequence !== end.sequence || wanted.hash !== end.hash)) {
    return { intact: false, message: `${name}: entry ${wanted.sequence}, the newest that was written, is not there` };
  }
  return { intact: true, entries: entries.length };
}

function runsOf(entries: readonly JournalEntry[]): readonly (readonly JournalEntry[])[] {
  const runs: JournalEntry[][] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1)?.sequence === entry.sequence - 1) run.push(entry);
    else runs.push([entry]);
  }
  return runs;
}
