// How releases end: begin an abort, finish it, finish a promotion; and what is remembered of the version afterwards.
import type { Evidence } from '../analysis/index.ts';
import type { KnownRevision, Release, ReleaseOutcome, Signature } from './state.ts';
import { askWeight, enterPhase, explain, say, type Turn, tell, touch, updateRelease } from './turn.ts';

export type Aborted = Extract<ReleaseOutcome, { kind: 'aborted' }>;

/** From every phase at once: the weight asked for the canary becomes 0 in this very decision (I3). */
export function beginAbort(turn: Turn, by: Aborted['by'], sentence: string, check: string | null = null): void {
  askWeight(turn, 0);
  updateRelease(turn, { paused: null, parked: null });
  enterPhase(turn, { kind: 'aborting', outcome: { kind: 'aborted', by, check, sentence } });
  say(turn, 'aborting', sentence, { by, check });
  const label = turn.state.release?.to.label ?? 'the new version';
  explain(turn, `takes ${label} back: ${sentence}`, { what: 'the traffic goes back', inMs: null, unless: null });
}

export function finishAbort(turn: Turn, release: Release, outcome: Aborted): void {
  end(turn, outcome);
  const isFreeToTry = outcome.by === 'superseded' || outcome.by === 'author';
  const evidence = outcome.by === 'verdict' || isHarmShown(release) ? null : release.evidence;
  if (!isFailedRollback(turn, release)) {
    remember(turn, knownAs(release, { fate: 'aborted', isFreeToTry, sentence: outcome.sentence, evidence }));
  }
  say(turn, 'aborted', outcome.sentence, { by: outcome.by, check: outcome.check });
  tell(turn, 'aborted', 'aborted', `${release.to.label} was taken back: ${outcome.sentence}`);
}

/** A rollback that did not come through is no longer wished for; its version stays one that may be gone back to. */
function isFailedRollback(turn: Turn, release: Release): boolean {
  const { wish } = turn.state;
  if (wish === null || wish.revision !== release.to.revision) return false;
  turn.state = { ...turn.state, wish: null };
  return true;
}

export function finishPromotion(turn: Turn, release: Release, sentence: string): void {
  turn.state = { ...turn.state, stable: release.to };
  end(turn, { kind: 'promoted', sentence });
  remember(turn, knownAs(release, { fate: 'promoted', isFreeToTry: true, sentence, evidence: null }));
  say(turn, 'promoted', sentence, { revision: release.to.revision, unanalysed: release.unanalysed?.why ?? null });
  tell(turn, 'promoted', 'promoted', sentence);
}

/** After promotion: the version is left for an earlier one, and waits if it is declared again. */
export function rememberRolledBack(turn: Turn, by: Signature): void {
  const { stable, known } = turn.state;
  const entry = known.find((entry) => entry.version.revision === stable?.revision);
  if (entry === undefined) return;
  const sentence = `rolled back by ${by.actor}${by.reason === null ? '' : `: ${by.reason}`}`;
  remember(turn, { ...entry, fate: 'rolled back', isFreeToTry: false, sentence });
}

function end(turn: Turn, outcome: ReleaseOutcome): void {
  enterPhase(turn, { kind: 'ended', outcome });
  updateRelease(turn, { endedAt: turn.observation.now.wallTime, paused: null, parked: null });
  touch(turn);
}

/** Shown, though a person ended it (hybrid mode): evidence that is carried on would end a retry before its first look. */
function isHarmShown({ policy, logHarm, verdicts }: Release): boolean {
  return logHarm >= -Math.log(policy.alphas.abort) || verdicts.some(({ outcome }) => outcome === 'fail');
}

function knownAs(
  release: Release,
  fate: Pick<KnownRevision, 'fate' | 'isFreeToTry' | 'sentence'> & {
    readonly evidence: Readonly<Record<string, Evidence>> | null;
  },
): KnownRevision {
  const against = release.from?.revision ?? null;
  return { version: release.to, release: release.id, policyHash: release.policyHash, against, ...fate };
}

/**
 * One entry a revision, the newest last, at most the policy's history limit. Never forgotten: stable, the version a
 * rollback returns to, and what is declared (forgotten, it would be taken for new and released again).
 */
function remember(turn: Turn, entry: KnownRevision): void {
  const others = turn.state.known.filter((known) => known.version.revision !== entry.version.revision);
  const limit = Math.max(turn.declaredPolicy.historyLimit, 2);
  const known = [...others, entry];
  const stable = turn.state.stable?.revision;
  const earlier = known.findLast(({ fate, version }) => fate === 'promoted' && version.revision !== stable);
  const needed = [stable, earlier?.version.revision, turn.observation.declared?.revision];
  const isKept = ({ version }: KnownRevision, i: number) =>
    i >= known.length - limit || needed.includes(version.revision);
  turn.state = { ...turn.state, known: known.filter(isKept) };
}
