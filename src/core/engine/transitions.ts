// Every way a release can go from one phase to another, and what makes it. The engine is tested to make no other move;
// the diagram in the docs is drawn from this.
import type { PhaseKind } from './state.ts';

export interface Transition {
  readonly from: 'at rest' | PhaseKind;
  readonly to: PhaseKind;
  readonly when: string;
}

export const TRANSITIONS: readonly Transition[] = [
  { from: 'at rest', to: 'starting', when: 'a new version is declared' },
  { from: 'at rest', to: 'promoting', when: 'first version, promoted before, suspended, or promote --skip-analysis' },
  { from: 'starting', to: 'testing', when: 'its replicas for the first weight are ready' },
  { from: 'starting', to: 'promoting', when: 'promote --skip-analysis' },
  { from: 'starting', to: 'aborting', when: 'not ready in time, abort, superseded, or its author took it back' },
  { from: 'testing', to: 'testing', when: 'bake time over, exposure passes, gates open: next stage' },
  { from: 'testing', to: 'promoting', when: 'no harm is proved by every required check, or promote --skip-analysis' },
  { from: 'testing', to: 'aborting', when: 'harm, not ready, deadline (if the policy says so), abort, superseded' },
  { from: 'promoting', to: 'ended', when: 'it serves everyone and stable has drained: promoted' },
  { from: 'promoting', to: 'aborting', when: 'abort, or it never gets full capacity, or it loses all replicas' },
  { from: 'aborting', to: 'ended', when: 'its traffic has left, it has drained and is gone: aborted' },
];

/** Whether one decision may end in `to` when it began in `from`; one decision may pass through several phases. */
export function isReachable(from: Transition['from'], to: Transition['from']): boolean {
  if (from === to) return true;
  const seen = new Set<Transition['from']>([from]);
  for (const place of seen) {
    for (const transition of TRANSITIONS) if (transition.from === place) seen.add(transition.to);
  }
  return seen.has(to);
}
