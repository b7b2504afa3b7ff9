// The heart: from policy, state and what is seen to the next state and what is to be done. Pure and total: no clock, no
// input or output, no randomness; the same input always gives the same decision.

import { elapsedMs } from '../model/time.ts';
import { abort } from './aborting.ts';
import { isInPlace } from './capacity.ts';
import { obeyAll } from './commands.ts';
import type { Decision, DecisionInput } from './decision.ts';
import { effectsOf } from './effects.ts';
import { allowedNow, conditionsOf } from './forecast.ts';
import { considerVersions } from './lifecycle.ts';
import { LONGEST_LOOK_MS, passTime, watchedMs } from './passing.ts';
import { promote } from './promoting.ts';
import { passDrainTime } from './share.ts';
import { isAnalysed } from './start.ts';
import { startUp } from './starting.ts';
import { type Release, underWay } from './state.ts';
import { test } from './testing.ts';
import { explain, seen, type Turn, updateRelease } from './turn.ts';
import { weigh } from './weigh.ts';

export function decide({ policy, state, observation }: DecisionInput): Decision {
  const turn: Turn = {
    declaredPolicy: policy,
    observation,
    passedMs: watchedMs(state.clock, observation.now),
    state,
    because: '',
    next: { what: 'nothing', inMs: null, unless: null },
    events: [],
    answers: [],
    notices: [],
    gateRequests: [],
    changed: new Map(),
  };
  passTime(turn);
  passDrainTime(turn);
  weighTested(turn);
  obeyAll(turn);
  considerVersions(turn);
  growBase(turn);
  takePhase(turn);
  const effects = effectsOf(turn);
  return {
    state: turn.state,
    effects,
    conditions: conditionsOf(turn.state, turn.because),
    because: turn.because,
    next: turn.next,
    can: allowedNow(turn.state, observation.declared),
    answers: turn.answers,
    events: turn.events,
    changed: [...turn.changed.values()],
    lookAgainMs: lookAgainMs(turn, effects.length > 0),
  };
}

/** Whoever owns the size of stable's place may grow it in mid-release: the canary is then sized from that (row 60). */
function growBase(turn: Turn): void {
  const release = underWay(turn.state);
  if (release === null || !isInPlace(release.policy)) return;
  const wanted = seen(turn, release.from?.revision)?.wanted ?? 0;
  if (wanted > release.baseReplicas) updateRelease(turn, { baseReplicas: wanted });
}

/** Before commands: what a person is answered, and may promote, stands on the newest window, not on the one before (I4). */
function weighTested(turn: Turn): void {
  const release = underWay(turn.state);
  if (release?.phase.kind === 'testing' && isAnalysed(release.policy)) weigh(turn);
}

function takePhase(turn: Turn): void {
  const release = underWay(turn.state);
  if (release === null) return explainRest(turn);
  switch (release.phase.kind) {
    case 'starting':
      return startUp(turn, release);
    case 'testing':
      return test(turn);
    case 'promoting':
      return promote(turn, release, release.phase.sentence);
    case 'aborting':
      return abort(turn, release, release.phase.outcome);
    case 'ended':
      return explainRest(turn);
  }
}

function explainRest(turn: Turn): void {
  const { waiting, stable, suspended } = turn.state;
  const isFree = turn.state.suspended !== null;
  const what = isFree ? 'hands off: a new version passes unanalysed, until unsuspend' : 'a new version';
  const next = { what, inMs: null, unless: null };
  if (waiting !== null) return explain(turn, waiting.sentence, next);
  if (stable === null) return explain(turn, 'no version has been declared yet', next);
  const how = suspended === null ? '' : `; suspended by ${suspended.actor}: new versions pass unanalysed`;
  explain(turn, `${stable.label} serves everyone${how}`, next);
}

/** While something is changing over, soon; while a window runs, when it ends; at rest, seldom. */
const SOON_MS = 500;

function lookAgainMs(turn: Turn, hasEffects: boolean): number {
  const release = underWay(turn.state);
  if (release === null) return hasEffects || hasLeftovers(turn) ? SOON_MS : LONGEST_LOOK_MS;
  return release.phase.kind === 'testing' ? untilWindow(turn, release) : SOON_MS;
}

function hasLeftovers(turn: Turn): boolean {
  const { workload } = turn.observation;
  return workload.kind === 'error' || workload.value.versions.length > (turn.state.stable === null ? 0 : 1);
}

function untilWindow(turn: Turn, release: Release): number {
  const { now } = turn.observation;
  const { intervalMs } = release.policy;
  const since = release.lastWindow === null ? intervalMs : elapsedMs(release.lastWindow, now);
  const untilDue = Math.max(intervalMs - since, Math.min(SOON_MS, intervalMs));
  const nextMs = turn.next.inMs === null ? untilDue : Math.max(turn.next.inMs, 1);
  return Math.min(untilDue, nextMs, LONGEST_LOOK_MS);
}
