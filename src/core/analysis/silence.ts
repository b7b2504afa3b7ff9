// Windows that bring nothing to count: remembered as trouble, which holds. Refuses to call them good or bad.
import type { Check } from '../model/check.ts';
import type { Evidence } from './evidence.ts';
import type { Window } from './fold.ts';

/** The source failed, or what it said cannot be counted. */
export function broken(evidence: Evidence, message: string): Evidence {
  return { ...evidence, isHeard: false, trouble: { outcome: 'error', message } };
}

export function fallSilent(
  check: Check,
  evidence: Evidence,
  { passedMs }: Pick<Window, 'passedMs'>,
  message: string,
): Evidence {
  const silentMs = evidence.silentMs + passedMs;
  const trouble = silentMs >= check.noDataMs ? ({ outcome: 'no-data', message } as const) : evidence.trouble;
  return { ...evidence, silentMs, isHeard: false, trouble };
}
