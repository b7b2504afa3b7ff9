// Events of the replicas' lives (restarts), from what the workload counts since each version began: the difference to the
// cursor is the window. Pure. An event nobody can see is no data with the reason, never a zero.
import type { Check } from '../../../core/model/check.ts';
import type { Reading, Sample } from '../../../core/model/measurement.ts';
import type { Observed, VersionLife } from '../../../core/model/observed.ts';
import type { Revision } from '../../../core/model/split.ts';

/** By revision, what was read when the window ended. */
export type LifeMarks = Readonly<Record<Revision, Omit<VersionLife, 'revision'>>>;

/** What the workload says; null where somebody else runs the replicas. */
export type Lives = Observed<readonly VersionLife[] | null>;

export interface LifeWindow {
  readonly revisions: readonly Revision[];
  /** Absent: no place to count from yet. */
  readonly since: LifeMarks | undefined;
  readonly lives: Lives;
}

const UNSEEN: Readonly<Record<string, string>> = {
  oomKills: 'the processes have no control group of their own whose memory events could be counted',
  throttledPeriods: 'the processes have no control group of their own whose throttled periods could be counted',
};

export function countsLives({ metric }: Check): boolean {
  return metric.kind === 'count' && metric.event === 'restarts';
}

/** Where the next window starts. What could not be read leaves the place as it was: nothing is lost, nothing doubled. */
export function lifeMarks(lives: Lives, before: LifeMarks | undefined): LifeMarks | undefined {
  if (lives.kind === 'error' || lives.value === null) return before;
  return Object.fromEntries(lives.value.map(({ revision, ...mark }) => [revision, mark]));
}

export function lifeReading(check: Check, { revisions, since, lives }: LifeWindow): Reading {
  if (check.metric.kind !== 'count') return { kind: 'error', message: `${check.name} counts no events` };
  const { event } = check.metric;
  if (event !== 'restarts') return { kind: 'no-data', message: UNSEEN[event] ?? `${event} are not counted` };
  if (lives.kind === 'error') return { kind: 'error', message: `the replicas could not be read: ${lives.message}` };
  if (lives.value === null) return { kind: 'no-data', message: 'not visible for upstreams' };
  if (since === undefined) return { kind: 'no-data', message: 'restarts are counted from this window on' };
  const byRevision: Record<Revision, Sample> = {};
  for (const revision of revisions) {
    const now = lives.value.find((life) => life.revision === revision);
    byRevision[revision] = { kind: 'count', ...(now === undefined ? NOTHING : growth(since[revision], now)) };
  }
  const isAnyAlive = Object.values(byRevision).some((sample) => sample.kind === 'count' && sample.seconds > 0);
  return isAnyAlive ? { kind: 'samples', byRevision } : { kind: 'no-data', message: 'no replica ran in this window' };
}

const NOTHING = { events: 0, seconds: 0 } as const;

/** A version that began anew counts from 0; a number that fell (a record lost with its disk) has not grown. */
function growth(
  before: LifeMarks[Revision] | undefined,
  now: VersionLife,
): { readonly events: number; readonly seconds: number } {
  const was = before?.id === now.id ? before : undefined;
  return {
    events: Math.max(0, now.restarts - (was?.restarts ?? 0)),
    seconds: Math.max(0, now.replicaMs - (was?.replicaMs ?? 0)) / 1_000,
  };
}
