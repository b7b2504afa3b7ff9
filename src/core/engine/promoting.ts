// The decision to promote is made; now it is carried out in the only safe order: full capacity of the new version, then
// all traffic, then drain, and only then is it stable. Until that moment an abort still goes back (rows 1, 2, 24).
import { isInPlace } from './capacity.ts';
import { beginAbort, finishPromotion } from './ending.ts';
import { isDrained, shareOf } from './share.ts';
import type { Release } from './state.ts';
import { askWeight, explain, isInPlaceOf, placeOf, readyReplicas, say, seen, type Turn } from './turn.ts';

export function promote(turn: Turn, release: Release, sentence: string): void {
  if (isInPlace(release.policy)) return promoteInPlace(turn, release, sentence);
  const { to, from, baseReplicas, policy } = release;
  const ready = readyReplicas(turn, to.revision);
  const isShifted = release.weightPercent === 100;
  if (!isShifted) return ready >= baseReplicas ? shift(turn, release) : scaleUp(turn, release, ready);
  const isFallen = turn.observation.workload.kind === 'seen' && ready === 0;
  if (isFallen && readyReplicas(turn, from?.revision) > 0) {
    return beginAbort(turn, 'trouble', `${to.label} lost all its replicas while it was promoted`);
  }
  if (shareOf(turn, to.revision) !== 100) {
    return explain(turn, `all traffic goes to ${to.label}`, { what: 'drain', inMs: null, unless: null });
  }
  if (from !== null && !isDrained(turn, from.revision, policy.deadlines.drainMs)) {
    return explain(turn, `${from.label} finishes its last requests`, { what: 'promoted', inMs: null, unless: null });
  }
  finishPromotion(turn, release, `${to.label} is stable: ${sentence}`);
  explain(turn, `${to.label} is stable`, { what: 'nothing', inMs: null, unless: null });
}

function scaleUp(turn: Turn, release: Release, ready: number): void {
  const { to, baseReplicas, policy, elapsed } = release;
  const trouble = seen(turn, to.revision)?.trouble ?? null;
  const counted = `${ready} of ${baseReplicas} replicas ready`;
  if (elapsed.stageMs >= policy.deadlines.startMs) {
    const sentence = `${to.label} did not reach full capacity in time: ${trouble ?? counted}`;
    return beginAbort(turn, 'trouble', sentence);
  }
  const because = `${to.label} comes to full capacity: ${counted}${trouble === null ? '' : ` (${trouble})`}`;
  explain(turn, because, { what: `all traffic to ${to.label}`, inMs: null, unless: 'it does not get ready' });
}

function shift(turn: Turn, release: Release): void {
  askWeight(turn, 100);
  say(turn, 'weight', `all traffic goes to ${release.to.label}`, { weightPercent: 100 });
  explain(turn, `all traffic goes to ${release.to.label}`, { what: 'drain', inMs: null, unless: null });
}

/**
 * The new version is rolled out in stable's own place while the canary goes on beside it; then all traffic goes there, and
 * what was tried is left over, to be drained and retired like any other version (ADR 0051).
 */
function promoteInPlace(turn: Turn, release: Release, sentence: string): void {
  const { to } = release;
  if (!isInPlaceOf(turn, to.revision)) return rollOut(turn, release);
  if (release.weightPercent !== 100) return shift(turn, release);
  if (shareOf(turn, to.revision) !== 100) {
    return explain(turn, `all traffic goes to ${to.label}`, { what: 'promoted', inMs: null, unless: null });
  }
  finishPromotion(turn, release, `${to.label} is stable: ${sentence}`);
  explain(turn, `${to.label} is stable`, { what: 'nothing', inMs: null, unless: null });
}

function rollOut(turn: Turn, release: Release): void {
  const { to, from, policy, elapsed } = release;
  const place = placeOf(turn);
  const trouble = place?.trouble ?? null;
  const isStuck = trouble !== null || (place !== null && place.heading !== to.revision);
  // A first version has nothing to go back to: what runs is what its owner wanted, ready or not.
  if (from !== null && isStuck && elapsed.stageMs >= policy.deadlines.startMs) {
    const sentence = `${to.label} did not take the place of ${from.label} in time: ${trouble ?? 'it was not rolled out'}`;
    return beginAbort(turn, 'trouble', sentence);
  }
  const how = [place?.progress ?? 'it cannot be looked at', trouble === null ? '' : `(${trouble})`];
  const because = `${to.label} takes ${from === null ? 'its' : `${from.label}'s`} place: ${how.join(' ').trim()}`;
  explain(turn, because, { what: `all traffic to ${to.label}`, inMs: null, unless: 'it does not get ready' });
}
