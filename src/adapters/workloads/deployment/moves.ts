// Which one thing is to be done next with stable's Deployment, from what is seen of it. Pure: the adapter carries it out
// with one guarded write and looks again, so a crash between any two of them goes on where it was. What is not Haldane's
// is no reason to move: a person's own pause stays while nothing waits.
import type { Lock } from '../../../cluster/names.ts';
import type { StableSlot } from '../../../cluster/places.ts';
import type { Revision } from '../../../core/model/split.ts';

export type Move =
  | { readonly kind: 'none' }
  /** Nothing waits: the pause and the mark go, and nothing rolls. */
  | { readonly kind: 'lift' }
  /** A new template got in unheld and nothing runs of it: it waits from now on. */
  | { readonly kind: 'hold' }
  /** The waiting template is let go: the Deployment rolls to it. */
  | { readonly kind: 'promote'; readonly lock: Lock }
  /** Another version's template is written: the Deployment rolls to it. */
  | { readonly kind: 'restore'; readonly lock: Lock }
  /** What rolls is not what was analysed: it stops where it is. */
  | { readonly kind: 'pause'; readonly lock: Lock }
  /** The roll is complete: the lock goes; after a restore the waiting template comes back, held. */
  | { readonly kind: 'finish'; readonly lock: Lock }
  /** Empty sets that would come up instead of stable's if it were scaled to 0 and back. */
  | { readonly kind: 'forget'; readonly sets: readonly string[] }
  /** The lock goes: nobody can read it, or its owner takes over. */
  | { readonly kind: 'unlock' }
  /** New templates wait from now on even where the API server does not know of the policy; or no longer. */
  | { readonly kind: 'mark'; readonly isHolding: boolean }
  /** Fields of its owner's that Haldane wrote for a while are nobody's again. */
  | { readonly kind: 'disown' };

export interface Standing {
  readonly slot: StableSlot;
  readonly isRolledOut: boolean;
  /** Images that are rolled out are not those that were analysed. */
  readonly isMoved: boolean;
  /** New templates pass. */
  readonly isSuspended: boolean;
  /** Haldane counts as the owner of a field of its spec. */
  readonly isOwned: boolean;
}

const NONE: Move = { kind: 'none' };

/** @param wanted the version that shall have the place. */
export function nextMove(standing: Standing, wanted: Revision): Move {
  const { slot } = standing;
  if (slot.isLockBroken) return { kind: 'unlock' };
  if (slot.lock !== null) return underLock(standing, slot.lock, wanted);
  const move = slot.isPaused ? whilePaused(slot, wanted) : whileRolling(slot, wanted);
  return move.kind === 'none' ? whileAtRest(standing) : move;
}

/** It serves one version, heads for no other, and nothing is left to be put right. */
export function isAtRest(standing: Standing): boolean {
  const { serving, heading, active, lock } = standing.slot;
  if (lock !== null || serving === null || heading !== serving) return false;
  return active.every((revision) => revision === serving) && nextMove(standing, serving).kind === 'none';
}

function underLock({ slot, isRolledOut, isMoved, isSuspended }: Standing, lock: Lock, wanted: Revision): Move {
  // Hands off is the way out of a roll back that cannot end: what stands there rolls on, and its owner may write again (row 27).
  if (lock.verb === 'restore' && isSuspended) return { kind: 'unlock' };
  // A restore is always finished first: until then its owner's template is not where it belongs.
  if (lock.verb === 'promote' && lock.to !== wanted) return restore(slot, wanted);
  // Somebody got past the lock: the version that is on its way is written again, and theirs waits.
  if (slot.written !== lock.to) return restore(slot, lock.to);
  if (lock.halted !== undefined) return NONE;
  if (isMoved) return { kind: 'pause', lock };
  if (slot.isPaused) return lock.verb === 'promote' ? { kind: 'promote', lock } : restore(slot, lock.to);
  return isRolledOut && slot.active.every((revision) => revision === lock.to) ? { kind: 'finish', lock } : NONE;
}

function whilePaused(slot: StableSlot, wanted: Revision): Move {
  const { written, isHeld, saysHeld } = slot;
  const isThere = serves(slot, wanted);
  if (written === wanted) {
    if (!isThere) return { kind: 'promote', lock: lockFor('promote', slot, wanted, null) };
    return saysHeld ? { kind: 'lift' } : NONE;
  }
  if (!isThere) return restore(slot, wanted);
  const sets = leftovers(slot, wanted);
  if (sets.length > 0) return { kind: 'forget', sets };
  return isHeld ? NONE : { kind: 'hold' };
}

function whileRolling(slot: StableSlot, wanted: Revision): Move {
  const { written, active, saysHeld } = slot;
  if (written === wanted) return saysHeld ? { kind: 'lift' } : NONE;
  return active.includes(written) ? restore(slot, wanted) : { kind: 'hold' };
}

function whileAtRest({ slot, isSuspended, isOwned }: Standing): Move {
  if (slot.isMarked === isSuspended) return { kind: 'mark', isHolding: !isSuspended };
  return isOwned ? { kind: 'disown' } : NONE;
}

/** Nothing but this version runs; or nothing at all, and it has a set to come up with. */
function serves({ active, sets }: StableSlot, revision: Revision): boolean {
  if (active.length > 0) return active.every((each) => each === revision);
  return sets.some((own) => own.revision === revision);
}

/** The template that stands there comes back after it; else what the lock kept waiting. */
function restore(slot: StableSlot, to: Revision): Move {
  const kept = slot.lock?.verb === 'restore' && slot.lock.waiting !== to ? slot.lock.waiting : null;
  return { kind: 'restore', lock: lockFor('restore', slot, to, slot.written === to ? kept : slot.written) };
}

function lockFor(verb: Lock['verb'], { serving }: StableSlot, to: Revision, waiting: Revision | null): Lock {
  return { verb, serving, to, waiting };
}

/**
 * Names of sets without replicas that the Deployment controller would scale up before this version's, were nothing to run:
 * that of the waiting template, however old, and those that are younger.
 */
function leftovers({ sets, written }: StableSlot, revision: Revision): readonly string[] {
  const last = sets.findLastIndex((own) => own.revision === revision);
  return sets
    .filter((own, at) => own.revision !== revision && (own.revision === written || at > last))
    .filter(({ set, pods }) => (set.spec.replicas ?? 0) === 0 && pods.length === 0)
    .map(({ set }) => set.metadata.name);
}
