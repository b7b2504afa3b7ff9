// Saying what is waited for: a clock, evidence, or a named thing from a person. Time spent waiting for a person counts
// for no deadline (row 38).
import type { Gate } from '../model/policy.ts';
import { plateauOf } from './plateau.ts';
import type { Awaiting, Release } from './state.ts';
import { askWeight, explain, say, type Turn, tell, updateRelease } from './turn.ts';

export function hold(turn: Turn, because: string, inMs: number | null = null): void {
  updateRelease(turn, { awaiting: null });
  explain(turn, because, { what: nextStep(turn), inMs, unless: 'a check fails' });
}

export function holdForEvidence(turn: Turn, release: Release, missing: string): void {
  const isLate = release.elapsed.releaseMs >= release.policy.deadlines.releaseMs;
  if (isLate) return holdFor(turn, 'deadline', `the deadline passed without a verdict: ${missing}`);
  hold(turn, `holds at ${release.weightPercent} %: ${missing}`);
}

/** What was asked is not given yet: no bake time runs, and nothing is asked of the checks. */
export function holdForRouter(turn: Turn, release: Release): void {
  holdForEvidence(turn, release, `the data plane does not give it its ${release.weightPercent} % yet`);
  if (turn.state.release?.awaiting !== null) return;
  turn.next = {
    what: `${release.weightPercent} % at the data plane, which does not give it yet`,
    inMs: null,
    unless: null,
  };
}

/** Waits for a named thing from a person; its time counts for no deadline. */
export function holdFor(turn: Turn, awaiting: Awaiting, because: string, gate?: Gate): void {
  if (turn.state.release?.awaiting !== awaiting) {
    say(turn, 'held', because, gate === undefined ? {} : { gate: gate.name });
    tell(turn, 'waiting', `awaiting/${awaiting}/${gate?.name ?? ''}/${turn.state.release?.weightPercent}`, because);
  }
  updateRelease(turn, { awaiting });
  explain(turn, because, { what: nextStep(turn), inMs: null, unless: null });
}

/** Takes the canary's traffic away and leaves it up: a person decides. */
export function park(turn: Turn, sentence: string): void {
  askWeight(turn, 0);
  updateRelease(turn, { parked: sentence });
  say(turn, 'held', sentence);
  tell(turn, 'held', 'parked', `${sentence}; a person decides: abort, or promote --skip-analysis --reason`);
}

function nextStep(turn: Turn): string {
  const { release } = turn.state;
  if (release === null || release.phase.kind !== 'testing') return 'promotion';
  const { nextWeightPercent } = plateauOf(release);
  return nextWeightPercent === null ? `promotion of ${release.to.label}` : `${nextWeightPercent} %`;
}
