// Which one thing is to be done next with stable's Deployment, from what is seen of it. Pure: the adapter carries it out
// with one guarded write and looks again, so a crash between any two of them goes on where it was.
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
  /** The roll is complete: the lock goes; after a restore the waiting template comes back, held. */
  | { readonly kind: 'finish'; readonly lock: Lock }
  /** Empty sets that would come up instead of stable's if it were scaled to 0 and back. */
  | { readonly kind: 'forget'; readonly sets: readonly string[] };

const NONE: Move = { kind: 'none' };

/** @param wanted the version that shall have the place. @param isRolledOut of the Deployment as it stands. */
export function nextMove(slot: StableSlot, wanted: Revision, isRolledOut: boolean): Move {
  if (slot.lock !== null) return underLock(slot, slot.lock, wanted, isRolledOut);
  return slot.isPaused ? whilePaused(slot, wanted) : whileRolling(slot, wanted);
}

function underLock(slot: StableSlot, lock: Lock, wanted: Revision, isRolledOut: boolean): Move {
  // A restore is always finished first: until then its owner's template is not where it belongs.
  if (lock.verb === 'promote' && lock.to !== wanted) {
    return { kind: 'restore', lock: { verb: 'restore', serving: lock.serving, to: wanted, waiting: lock.to } };
  }
  if (slot.written !== lock.to) {
    // Somebody got past the lock: the version that is on its way is written again, and theirs waits.
    return { kind: 'restore', lock: { verb: 'restore', serving: lock.serving, to: lock.to, waiting: slot.written } };
  }
  const isThere = isRolledOut && slot.active.every((revision) => revision === lock.to);
  if (!isThere) return NONE;
  return slot.leftovers.length > 0 ? { kind: 'forget', sets: slot.leftovers } : { kind: 'finish', lock };
}

function whilePaused(slot: StableSlot, wanted: Revision): Move {
  const { written, serving, isHeld, active } = slot;
  const isServing = serving === wanted && active.every((revision) => revision === wanted);
  if (written === wanted) {
    return isServing ? { kind: 'lift' } : { kind: 'promote', lock: lockFor('promote', slot, wanted, null) };
  }
  if (!isServing) return { kind: 'restore', lock: lockFor('restore', slot, wanted, written) };
  if (slot.leftovers.length > 0) return { kind: 'forget', sets: slot.leftovers };
  return isHeld ? NONE : { kind: 'hold' };
}

function whileRolling(slot: StableSlot, wanted: Revision): Move {
  const { written, active } = slot;
  if (written === wanted) return NONE;
  if (!active.includes(written)) return { kind: 'hold' };
  return { kind: 'restore', lock: lockFor('restore', slot, wanted, written) };
}

function lockFor(verb: Lock['verb'], { serving }: StableSlot, to: Revision, waiting: Revision | null): Lock {
  return { verb, serving, to, waiting };
}
