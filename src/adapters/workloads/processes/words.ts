// What is wrong with a replica, in words a person can act on. Pure.
import { describeDuration } from '../../../core/model/duration.ts';
import { elapsedMs, type Instant } from '../../../core/model/time.ts';
import type { ReplicaRecord } from './record.ts';

/** From this many ends in a row on it is called what it is. */
const CRASH_LOOP = 3;
/** For so long a start without readiness is no trouble. */
const STARTING_MS = 10_000;

/** "exited with code 1 after 200ms: Error: boom" */
export function describeEnd(end: { how: string; ranMs: number | null; line: string | null }): string {
  const after = end.ranMs === null ? '' : ` after ${describeDuration(end.ranMs)}`;
  return `${end.how}${after}${end.line === null ? '' : `: ${end.line}`}`;
}

export interface TroubleInput {
  readonly record: ReplicaRecord;
  readonly now: Instant;
  /** Why it could not even be started. */
  readonly problem: string | null;
  /** The last "no" of its readiness probe. */
  readonly probe: string | null;
}

/** Why a replica is not ready; null while it is simply starting. It does not count seconds: what has not changed reads the same. */
export function describeTrouble({ record, now, problem, probe }: TroubleInput): string | null {
  if (record.process === null) {
    const end = problem ?? record.lastEnd;
    if (end === null) return null;
    return `${crashLoop(record)}${end}; started again after ${describeDuration(record.nextLaunchInMs)}`;
  }
  const forMs = record.launchedAt === null ? 0 : elapsedMs(record.launchedAt, now);
  if (probe !== null && forMs >= STARTING_MS) {
    return `not ready ${describeDuration(STARTING_MS)} after its start and since: ${probe}`;
  }
  return record.failures > 0 && record.lastEnd !== null ? `${crashLoop(record)}${record.lastEnd}; started again` : null;
}

function crashLoop(record: ReplicaRecord): string {
  return record.failures >= CRASH_LOOP ? `crash loop, ${record.failures} ends in a row: ` : '';
}
