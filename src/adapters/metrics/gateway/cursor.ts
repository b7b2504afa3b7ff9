// Where reading stopped: the cumulative tallies of each gateway instance, as compact JSON inside the record.
import type { Instant } from '../../../core/model/time.ts';
import type { LifeMarks } from './lives.ts';
import type { Tally } from './tallies.ts';

export interface GatewayCursor {
  readonly schema: 1;
  readonly at: Instant;
  /** By instance; 'done' once it has ended and all it counted has been read. */
  readonly instances: Readonly<Record<string, Tally | 'done'>>;
  /**
   * Business checks: steps seen beyond the starts they belong to (those were in an earlier window and counted as not
   * done, or are about to come). By check and revision; always <= 0.
   */
  readonly carried: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Absent while nothing is counted of the replicas' lives. */
  readonly lives?: LifeMarks;
}

export function formatCursor(cursor: GatewayCursor): string {
  return JSON.stringify(cursor);
}

/** null if it is not one of ours. */
export function parseCursor(text: string): GatewayCursor | null {
  try {
    const found = JSON.parse(text) as GatewayCursor | null;
    return found?.schema === 1 && typeof found.instances === 'object' ? found : null;
  } catch {
    return null;
  }
}
