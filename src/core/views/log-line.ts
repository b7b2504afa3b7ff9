// A journal entry as a line of a log. Pure; of a document it cannot read it shows nothing rather than a guess.
import type { LogLine } from './release-view.ts';

export interface LoggedEntry {
  readonly sequence: number;
  readonly wallTime: string;
  readonly release: string | null;
  readonly document: string;
}

export function logLine(entry: LoggedEntry): LogLine {
  const {
    kind = 'unknown',
    sentence = '',
    details,
  } = JSON.parse(entry.document) as {
    kind?: string;
    sentence?: string;
    details?: { weightPercent?: unknown };
  };
  const asked = kind === 'aborting' ? 0 : details?.weightPercent;
  const weightPercent = typeof asked === 'number' ? asked : null;
  return { sequence: entry.sequence, at: entry.wallTime, kind, sentence, release: entry.release, weightPercent };
}
