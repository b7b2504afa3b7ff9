// A person's or API's intent: data in the log with an actor and a reason, never a flag poked into status.
import type { Revision } from './split.ts';

export type Verb =
  | 'promote'
  | 'abort'
  | 'pause'
  | 'resume'
  | 'advance'
  | 'approve'
  | 'retry'
  | 'rollback'
  | 'suspend'
  | 'unsuspend';

export interface Command {
  /** Unique; the same id twice is the same intent. */
  readonly id: string;
  readonly verb: Verb;
  readonly policy: string;
  /** Refused if this is not the release under way; null means whichever it is. */
  readonly release: string | null;
  readonly actor: string;
  /** Needed where the risky direction is asked for: skipAnalysis, advance past evidence, suspend. */
  readonly reason: string | null;
  /** promote --skip-analysis. */
  readonly skipAnalysis: boolean;
  /** approve: the gate; null means the one that is waiting. rollback: the revision; null means the one before. */
  readonly gate: string | null;
  readonly revision: Revision | null;
  readonly wallTime: string;
}

export interface CommandAnswer {
  readonly id: string;
  readonly accepted: boolean;
  /** What it did, or why not and what to do instead. */
  readonly message: string;
}
