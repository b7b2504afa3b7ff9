// What the next decision needs to see, so that the controller reads no more than that: measurements only when a window
// is due, stable's past only until boundaries are chosen, gates only while they are asked.
import type { Check } from '../model/check.ts';
import type { Cursor } from '../model/measurement.ts';
import type { Revision } from '../model/split.ts';
import type { Instant } from '../model/time.ts';
import { gateKeys } from './gates.ts';
import { plateauOf } from './plateau.ts';
import { isAnalysed } from './start.ts';
import { type State, underWay } from './state.ts';
import { isWindowDue, needsAnyHistory } from './weigh.ts';

export interface LookFor {
  readonly measure: {
    readonly stable: Revision | null;
    readonly canary: Revision;
    readonly checks: readonly Check[];
    readonly cursor: Cursor | null;
  } | null;
  /** Stable's history, for these checks; null if none is needed. */
  readonly history: { readonly stable: Revision; readonly checks: readonly Check[] } | null;
  readonly gates: readonly string[];
}

const NOTHING: LookFor = { measure: null, history: null, gates: [] };

export function lookFor(state: State, now: Instant): LookFor {
  const release = underWay(state);
  if (release?.phase.kind !== 'testing') return NOTHING;
  const gates = gateKeys(release, plateauOf(release));
  if (!isAnalysed(release.policy) || !isWindowDue(release, now)) return { ...NOTHING, gates };
  const { checks } = release.policy;
  const stable = release.from?.revision ?? null;
  const history = stable !== null && needsAnyHistory(release) ? { stable, checks } : null;
  return { measure: { stable, canary: release.to.revision, checks, cursor: release.cursor }, history, gates };
}
