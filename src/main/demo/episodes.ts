// What the demo releases, and how each should end. The expectation is compared with the outcome afterwards and reaches
// nobody before: the shop's faults are in its environment, and the engine sees requests only.
import type { ReleaseReport } from '../../core/views/index.ts';
import type { ShopVersion } from './shop-policy.ts';
import type { VersionCounts } from './users-process.ts';

export interface Episode {
  readonly version: ShopVersion;
  /** What is true of it, for people. */
  readonly truth: string;
  readonly should: 'promoted' | 'aborted';
  /** Of the checks, any of these may be the one to blame. */
  readonly blame: readonly string[];
}

export function firstVersion(seed: string): ShopVersion {
  return { label: 'v1', env: environment(seed) };
}

export function episodesFor(seed: string): readonly Episode[] {
  const make = (label: string, faults: Readonly<Record<string, string>>): ShopVersion => ({
    label,
    env: { ...environment(seed), ...faults },
  });
  return [
    { version: make('v2', {}), truth: 'as good as v1', should: 'promoted', blame: [] },
    {
      version: make('v3', { EXTRA_ERRORS: 'checkout=0.015' }),
      truth: '1.5 % more errors at the checkout',
      should: 'aborted',
      blame: ['checkout-errors', 'errors'],
    },
    {
      version: make('v4', { LATENCY_TAIL: '2' }),
      truth: 'p99 latency doubled',
      should: 'aborted',
      blame: ['p99-latency'],
    },
  ];
}

function environment(seed: string): Readonly<Record<string, string>> {
  return { SEED: seed, BASE_ERRORS: '0.002' };
}

/** One release as it went; everything in it was measured. */
export interface EpisodeResult {
  readonly version: string;
  readonly from: string;
  readonly truth: string;
  readonly should: 'promoted' | 'aborted';
  readonly ended: 'promoted' | 'aborted';
  /** Who or what ended it: "verdict", "person", ...; null for a promotion. */
  readonly by: string | null;
  readonly check: string | null;
  readonly sentence: string;
  readonly asItShould: boolean;
  /** Under measurement with traffic on it, up to the verdict. */
  readonly exposedSeconds: number;
  /** Up to the verdict. */
  readonly exposed: { readonly requests: number; readonly users: number; readonly bad: number };
  /** Requests the check to blame looked at, and how many of them were bad. */
  readonly deciding: { readonly check: string; readonly total: number; readonly bad: number } | null;
  /** What the users themselves counted of this version so far. */
  readonly users: VersionCounts | null;
}

export function resultOf(episode: Episode, report: ReleaseReport, users: VersionCounts | null): EpisodeResult {
  const { release, exposed } = report;
  const { outcome } = release;
  if (outcome === null) throw new TypeError(`${episode.version.label} has not ended`);
  const evidence = report.evidence.find((line) => line.check === outcome.check);
  return {
    version: episode.version.label,
    from: release.from ?? 'nothing',
    truth: episode.truth,
    should: episode.should,
    ended: outcome.kind,
    by: outcome.by,
    check: outcome.check,
    sentence: report.sentence,
    asItShould: isAsItShould(episode, outcome, release.unanalysed),
    exposedSeconds: Number((exposed.ms / 1_000).toFixed(1)),
    exposed: { requests: exposed.requests, users: exposed.users, bad: exposed.bad },
    deciding: evidence === undefined ? null : { check: evidence.check, ...evidence.canary },
    users,
  };
}

type Outcome = NonNullable<ReleaseReport['release']['outcome']>;

/** A promotion counts only if it was earned by measurements; an abort only if a verdict blames what is really broken. */
function isAsItShould({ should, blame }: Episode, outcome: Outcome, unanalysed: string | null): boolean {
  if (should === 'promoted') return outcome.kind === 'promoted' && unanalysed === null;
  return outcome.kind === 'aborted' && outcome.by === 'verdict' && blame.includes(outcome.check ?? '');
}

export function endWord(result: EpisodeResult): string {
  if (result.ended === 'promoted') return 'promoted';
  return result.by === 'verdict' ? 'taken back' : `aborted (${result.by ?? 'for another reason'})`;
}
