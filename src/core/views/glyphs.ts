// The mark and the word of each verdict and state: always together, so that nothing rests on one of them.
import type { Outcome } from '../model/verdict.ts';
import type { ReleaseView } from './release-view.ts';

export const VERDICT_GLYPH: Readonly<Record<Outcome, string>> = {
  pass: '✔',
  fail: '✖',
  undecided: '◌',
  'no-data': '?',
  error: '!',
};

/** "undecided", "no-data, holds": the word beside the glyph. */
export function verdictWord(outcome: Outcome): string {
  switch (outcome) {
    case 'pass':
    case 'fail':
    case 'undecided':
      return outcome;
    case 'no-data':
      return 'no-data, holds';
    case 'error':
      return 'error, holds';
  }
}

/** How far a release is, as a filling circle; how it ended; what stops it. */
export function stateGlyph(view: ReleaseView): string {
  const { release } = view;
  if (view.state === 'unknown') return '!';
  if (release === null || release.phase === 'ended') {
    if (view.state === 'waiting') return '‖';
    return release?.outcome?.kind === 'aborted' ? '✖' : '✔';
  }
  switch (view.state) {
    case 'paused':
    case 'waiting':
      return '‖';
    case 'aborting':
      return '✖';
    case 'promoting':
      return '●';
    case 'starting':
      return '○';
    default:
      return progressGlyph(release.weightPercent);
  }
}

function progressGlyph(weightPercent: number): string {
  if (weightPercent < 12.5) return '○';
  if (weightPercent < 37.5) return '◔';
  if (weightPercent < 62.5) return '◑';
  return weightPercent < 87.5 ? '◕' : '●';
}
