// What a release's end means to a program that waits for it. One table: `haldane release --wait` and `haldane watch`
// obey it, help and reference pages are made from it.
import type { ReleaseView } from './release-view.ts';

export interface ExitMeaning {
  readonly code: number;
  readonly word: string;
  readonly means: string;
}

export const EXIT_CODES = {
  promoted: { code: 0, word: 'promoted', means: 'the new version is stable' },
  other: {
    code: 1,
    word: 'failed',
    means: 'anything else: a mistake in the command, no agent, the version never got ready',
  },
  verdict: { code: 2, word: 'aborted by verdict', means: 'a check showed harm; stable serves everyone' },
  person: { code: 3, word: 'aborted by a person', means: 'a person or the author of the version took it back' },
  deadline: { code: 4, word: 'deadline', means: 'no verdict by the deadline (or by --timeout)' },
  waiting: { code: 5, word: 'waits for a person', means: 'an approval, an advance or a decision is asked for' },
  superseded: { code: 6, word: 'superseded', means: 'a newer version took its place' },
} as const satisfies Readonly<Record<string, ExitMeaning>>;

/** What to exit with for this release, or null while it goes on. A release that is gone counts as superseded. */
export function exitOf(view: ReleaseView, releaseId: string): ExitMeaning | null {
  const { release } = view;
  if (release === null) return null;
  if (release.id !== releaseId) return EXIT_CODES.superseded;
  if (release.outcome !== null) return release.phase === 'ended' ? exitOfOutcome(release.outcome) : null;
  switch (release.awaiting) {
    case 'approval':
    case 'advance':
    case 'decision':
      return EXIT_CODES.waiting;
    case 'deadline':
      return EXIT_CODES.deadline;
    default:
      return null;
  }
}

export function exitOfOutcome(outcome: { readonly kind: string; readonly by: string | null }): ExitMeaning {
  if (outcome.kind === 'promoted') return EXIT_CODES.promoted;
  switch (outcome.by) {
    case 'verdict':
      return EXIT_CODES.verdict;
    case 'person':
    case 'author':
      return EXIT_CODES.person;
    case 'deadline':
      return EXIT_CODES.deadline;
    case 'superseded':
      return EXIT_CODES.superseded;
    default:
      return EXIT_CODES.other;
  }
}
