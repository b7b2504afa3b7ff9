// Life around a release: which version is wanted now, and what its appearance means: a first version, a new one, one in
// the middle of a release, one equal to stable, one promoted before, one known as aborted.
import type { Version } from '../model/version.ts';
import { isInPlace } from './capacity.ts';
import { beginAbort } from './ending.ts';
import { startRelease } from './start.ts';
import {
  type KnownRevision,
  type Release,
  type State,
  type Unanalysed,
  underWay,
  type WaitingVersion,
} from './state.ts';
import { say, type Turn, tell } from './turn.ts';

/** The version that shall become stable: a person's wish (rollback) while the declaration stands, else the declared one. */
export function wantedVersion(state: State, declared: Version | null): Version | null {
  const { wish } = state;
  if (wish === null || declared === null || wish.overDeclared !== declared.revision) return declared;
  return state.known.find((known) => known.version.revision === wish.revision)?.version ?? declared;
}

export function considerVersions(turn: Turn): void {
  const { declared } = turn.observation;
  forgetOutdatedWish(turn, declared);
  const wanted = wantedVersion(turn.state, declared);
  const release = underWay(turn.state);
  if (release !== null) return considerInRelease(turn, release, wanted);
  if (wanted === null) return;
  if (wanted.revision === turn.state.stable?.revision) {
    return settle(turn, wanted);
  }
  considerAtRest(turn, wanted);
}

/** What is wanted is stable. A wish is fulfilled then: the declared version it went over waits, and retry releases it. */
function settle(turn: Turn, wanted: Version): void {
  const { declared } = turn.observation;
  const isWish = turn.state.wish !== null && declared !== null && declared.revision !== wanted.revision;
  const left = isWish ? turn.state.known.find((known) => known.version.revision === declared.revision) : undefined;
  if (left === undefined || left.fate === 'promoted' || left.isFreeToTry) {
    turn.state = { ...turn.state, waiting: null, retry: null };
    return;
  }
  turn.state = { ...turn.state, wish: null };
  considerAtRest(turn, left.version);
}

function forgetOutdatedWish(turn: Turn, declared: Version | null): void {
  const { wish } = turn.state;
  if (wish !== null && declared !== null && wish.overDeclared !== declared.revision) {
    turn.state = { ...turn.state, wish: null };
  }
}

/** A release that has decided already goes on to its end; the newest version has its turn after it (rows 53, 54). */
function considerInRelease(turn: Turn, release: Release, wanted: Version | null): void {
  // What is promoted in place is not given back half rolled out.
  if (wanted === null && release.phase.kind === 'promoting' && isInPlace(release.policy)) {
    return beginAbort(turn, 'author', 'the policy was withdrawn in mid-promotion');
  }
  if (release.phase.kind !== 'starting' && release.phase.kind !== 'testing') return;
  if (wanted === null) return beginAbort(turn, 'author', 'the policy was withdrawn in mid-release');
  if (wanted.revision === release.to.revision) return;
  if (wanted.revision === release.from?.revision) {
    return beginAbort(
      turn,
      'author',
      `${release.from.label}, which is stable, was declared again: its author took it back`,
    );
  }
  beginAbort(turn, 'superseded', `${wanted.label} was declared in mid-release and takes its place`);
}

function considerAtRest(turn: Turn, wanted: Version): void {
  const { state, observation } = turn;
  const known = state.known.find((entry) => entry.version.revision === wanted.revision);
  const isRetried = state.retry?.revision === wanted.revision;
  if (known !== undefined && known.fate !== 'promoted' && !known.isFreeToTry && !isRetried) {
    return wait(turn, { version: wanted, why: 'known as aborted', sentence: knownSentence(known) });
  }
  if (!observation.store.writable) {
    const sentence = `${wanted.label} waits: the store takes no writes (${observation.store.message})`;
    return wait(turn, { version: wanted, why: 'store is full', sentence });
  }
  startRelease(turn, wanted, unanalysedBecause(state, known));
}

function unanalysedBecause(state: State, known: KnownRevision | undefined): Unanalysed | null {
  if (state.stable === null) return { why: 'first version' };
  if (known?.fate === 'promoted') return { why: 'promoted before' };
  return state.suspended === null ? null : { why: 'suspended', by: state.suspended };
}

function knownSentence(known: KnownRevision): string {
  const { label } = known.version;
  return `${label} waits: it ended as ${known.fate} in ${known.release} (${known.sentence.replace(/\.$/, '')}); retry releases it again`;
}

function wait(turn: Turn, waiting: WaitingVersion): void {
  const before = turn.state.waiting;
  turn.state = { ...turn.state, waiting };
  if (before?.version.revision === waiting.version.revision && before.why === waiting.why) return;
  turn.events.push({
    kind: 'waiting',
    sentence: waiting.sentence,
    release: null,
    details: { revision: waiting.version.revision, why: waiting.why },
  });
  tell(turn, 'waiting', `waiting/${waiting.version.revision}/${waiting.why}`, waiting.sentence);
}

/** promote --skip-analysis of a version that waits, or that only just appeared: it is released, marked for ever. */
export function startUnanalysed(turn: Turn, version: Version, unanalysed: Unanalysed): void {
  startRelease(turn, version, unanalysed);
  say(turn, 'command', `${version.label} goes on without analysis`, { why: unanalysed.why });
}
