// The way out: all traffic to stable, drain, retire. The weight is 0 from the decision on; what is waited for here only
// keeps the canary's capacity until its traffic has left (I2, row 21: kept with a warning, never silently).

import { isInPlace } from './capacity.ts';
import type { Aborted } from './ending.ts';
import { finishAbort } from './ending.ts';
import { isCutOff, isDrained } from './share.ts';
import type { Release } from './state.ts';
import { explain, isInPlaceOf, placeOf, readyReplicas, seen, type Turn } from './turn.ts';

export function abort(turn: Turn, release: Release, outcome: Aborted): void {
  const { to, from, policy } = release;
  const next = { what: `${to.label} is retired`, inMs: null, unless: null };
  if (isInPlace(policy) && isNothingLeft(turn, release)) return finish(turn, release, outcome);
  if (!isCutOff(turn, to.revision)) {
    return explain(turn, `takes ${to.label} back: ${whyItTakes(turn, release)}`, next);
  }
  if (!isDrained(turn, to.revision, policy.deadlines.drainMs)) {
    return explain(turn, `takes ${to.label} back: it finishes its last requests`, next);
  }
  if (isInPlace(policy) && from !== null && placeOf(turn) !== null && !isInPlaceOf(turn, from.revision)) {
    const trouble = placeOf(turn)?.trouble ?? null;
    if (trouble !== null && release.elapsed.stageMs >= policy.deadlines.startMs) {
      // The release is over; the place is still asked for, and a person may go another way (row 27).
      const sentence = `${outcome.sentence}; ${from.label} does not get its place back: ${trouble}`;
      return finish(turn, release, { ...outcome, sentence });
    }
    const progress = trouble ?? placeOf(turn)?.progress ?? '';
    const because = `takes ${to.label} back: ${from.label} gets its place back${progress === '' ? '' : `, ${progress}`}`;
    return explain(turn, because, next);
  }
  if (policy.onAbort === 'keep' || seen(turn, to.revision) === null) {
    if (turn.observation.workload.kind === 'seen') return finish(turn, release, outcome);
  }
  explain(turn, `takes ${to.label} back: its replicas are stopped`, next);
}

function whyItTakes(turn: Turn, { from }: Release): string {
  const { router, workload } = turn.observation;
  if (workload.kind === 'error') return `its replicas cannot be seen: ${workload.message}`;
  if (router.kind === 'error') return `the router cannot be seen: ${router.message}`;
  const isStableDown = from !== null && readyReplicas(turn, from.revision) === 0;
  return isStableDown ? `${from.label} has no ready replica to take the traffic` : 'the traffic goes back';
}

/** Nothing of it runs and stable has its place, or there is no such place any more: whatever a router says, it is over. */
function isNothingLeft(turn: Turn, { to, from }: Release): boolean {
  if (turn.observation.workload.kind === 'error') return false;
  // A first version was there before Haldane and stays: there is nothing to go back to.
  if (from === null) return true;
  if (seen(turn, to.revision) !== null) return false;
  return placeOf(turn) === null || isInPlaceOf(turn, from.revision);
}

function finish(turn: Turn, release: Release, outcome: Aborted): void {
  finishAbort(turn, release, outcome);
  explain(turn, `${release.to.label} was taken back: ${outcome.sentence}`, {
    what: 'nothing',
    inMs: null,
    unless: null,
  });
}
