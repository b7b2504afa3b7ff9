// What the data plane really does with a version: its share, whether its traffic has left, whether it has drained (I2).
import { type Revision, weightOf } from '../model/split.ts';
import type { Turn } from './turn.ts';

/**
 * Percent the data plane gives a version now; null if that is not known: it cannot be looked at, or it is still
 * changing over.
 */
export function shareOf(turn: Turn, revision: Revision): number | null {
  const { router } = turn.observation;
  if (router.kind === 'error') return null;
  if (router.value.state === 'absent') return 0;
  if (router.value.state === 'progressing' || router.value.split === null) return null;
  return weightOf(router.value.split, revision);
}

/** No request is sent to this version any more: no weight and no rule, in the data plane itself. */
export function isCutOff(turn: Turn, revision: Revision): boolean {
  const { router } = turn.observation;
  if (shareOf(turn, revision) !== 0 || router.kind === 'error') return false;
  return !(router.value.split?.rules.some((rule) => rule.revision === revision) ?? false);
}

/** Adds to the drain clocks of versions that are cut off; the others' start anew. */
export function passDrainTime(turn: Turn): void {
  const { workload } = turn.observation;
  if (workload.kind === 'error') return;
  const draining: Record<Revision, number> = {};
  for (const { revision } of workload.value.versions) {
    if (!isCutOff(turn, revision)) continue;
    const before = turn.state.draining[revision];
    draining[revision] = before === undefined ? 0 : before + turn.passedMs;
  }
  turn.state = { ...turn.state, draining };
}

/** Cut off, and nothing in flight any more, or the drain deadline is over. */
export function isDrained(turn: Turn, revision: Revision, drainMs: number): boolean {
  const { router } = turn.observation;
  if (!isCutOff(turn, revision) || router.kind === 'error') return false;
  const inFlight = router.value.inFlight[revision] ?? 0;
  return inFlight === 0 || (turn.state.draining[revision] ?? 0) >= drainMs;
}
