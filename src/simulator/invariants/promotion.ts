// I4: what gets everything is the revision that was analysed, and went through the policy's stages; or it is marked as
// unanalysed for a reason that is true in the world.
import type { Release } from '../../core/engine/state.ts';
import { type Book, releaseBook } from './book.ts';
import type { Accuse } from './traffic.ts';
import { checkEvidenceNow, checkProof, checkStageLeft } from './weight.ts';

/** A version other than stable is asked to take all traffic. */
export function checkPromotion(book: Book, release: Release, nowMs: number, accuse: Accuse): void {
  const entry = releaseBook(book, release, nowMs);
  if (entry.promotionChecked) return;
  entry.promotionChecked = true;
  if (release.unanalysed !== null) {
    const lie = whyUntrue(book, release);
    if (lie !== null) accuse('I4', `${release.to.revision} is marked unanalysed (${release.unanalysed.why}): ${lie}`);
    if (release.unanalysed.why === 'policy') checkLastStage(book, release, nowMs, accuse);
    return;
  }
  checkProof(book, release, accuse);
  if (!isByPerson(book, release)) checkLastStage(book, release, nowMs, accuse);
}

function isByPerson(book: Book, release: Release): boolean {
  return book.answered.some(
    ({ command, answer, release: id }) => answer.accepted && id === release.id && command.verb === 'promote',
  );
}

/** The decision to promote: made on readings of now, not on silence. Full capacity may take its time afterwards. */
export function checkPromotionDecided(book: Book, release: Release, nowMs: number, accuse: Accuse): void {
  if (release.unanalysed === null && !isByPerson(book, release)) checkEvidenceNow(book, release, nowMs, accuse);
}

function checkLastStage(book: Book, release: Release, nowMs: number, accuse: Accuse): void {
  const { ramp } = release.policy;
  if (ramp.kind === 'stages' && ramp.stages.length > 0) {
    checkStageLeft(book, { release, stage: ramp.stages.length - 1, nowMs }, accuse);
  }
}

function whyUntrue(book: Book, release: Release): string | null {
  const { unanalysed } = release;
  const { revision } = release.to;
  switch (unanalysed?.why) {
    case 'policy': {
      const { ramp, analysis } = release.policy;
      const hasNoStages = ramp.kind === 'stages' && ramp.stages.length === 0;
      return analysis === 'none' || hasNoStages ? null : 'the policy wants analysis';
    }
    case 'first version':
      return book.promoted.size === 0 ? null : 'a version served before it';
    case 'promoted before':
      return book.promoted.has(revision) ? null : 'it was never promoted before';
    case 'skip-analysis': {
      const asked = book.answered.some(
        ({ command, answer }) =>
          answer.accepted && command.verb === 'promote' && command.skipAnalysis && command.reason !== null,
      );
      return asked ? null : 'nobody asked to skip the analysis, with a reason';
    }
    case 'suspended': {
      const suspended = book.answered.some(({ command, answer }) => answer.accepted && command.verb === 'suspend');
      return suspended ? null : 'nobody suspended the workload';
    }
    case undefined:
      return null;
  }
}
