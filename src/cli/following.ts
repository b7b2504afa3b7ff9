// Following one release to its end, whatever comes after it: the exit code is that release's own.
import { EXIT_CODES, type ExitMeaning, exitOf, exitOfOutcome, type ReleaseView } from '../core/views/index.ts';
import type { Client } from './client.ts';

export class Following {
  readonly #isAsked: boolean;
  #release: string | null;

  /** Follows the release of `first` that is under way; none if it has ended. */
  constructor(first: ReleaseView, isAsked: boolean) {
    this.#isAsked = isAsked;
    this.#release = first.release !== null && first.release.phase !== 'ended' ? first.release.id : null;
  }

  /** What to exit with, or null to go on. */
  async endOf(client: Client, view: ReleaseView): Promise<ExitMeaning | null> {
    if (!this.#isAsked) return null;
    if (this.#release === null) {
      if (view.release === null || view.release.phase === 'ended') return null;
      this.#release = view.release.id;
    }
    return endOfRelease(client, view, this.#release);
  }
}

/** Also for a release that has been followed by another since: the store knows how it ended. */
export async function endOfRelease(client: Client, view: ReleaseView, id: string): Promise<ExitMeaning | null> {
  if (view.release === null || view.release.id === id) return exitOf(view, id);
  const ended = await client.release(id);
  return ended.outcome === null ? EXIT_CODES.superseded : exitOfOutcome(ended.outcome);
}

/** For help: what each exit code means. */
export function exitCodesText(when: string): string {
  const lines = Object.values(EXIT_CODES)
    .sort((a, b) => a.code - b.code)
    .map(({ code, word, means }) => `  ${code}  ${word.padEnd(21)} ${means}`);
  return `\nExit codes:\n${lines.join('\n')}\n${when}; without it 0 and 1 only.`;
}
