// What a person sees of a decision beyond its sentence: conditions, and what each button would do now.
import type { Version } from '../model/version.ts';
import { COMMAND_TABLE, VERBS } from './command-table.ts';
import type { Allowed, Condition } from './decision.ts';
import { type Intent, situationOf, whyNotNow } from './refusals.ts';
import { type State, underWay } from './state.ts';

/** Every verb with what it would do now, or why it would be refused. */
export function allowedNow(state: State, declared: Version | null): Allowed[] {
  const situation = situationOf(state);
  return VERBS.map((verb) => {
    const isWaiting = situation === 'at rest' && verb === 'promote';
    const intent: Intent = { verb, skipAnalysis: isWaiting, gate: null, revision: null };
    const whyNot = whyNotNow(state, declared, intent);
    const cell = COMMAND_TABLE[verb].cells[situation];
    const consequence = 'does' in cell ? cell.does : '';
    const flags = isWaiting
      ? ' --skip-analysis --reason "..."'
      : COMMAND_TABLE[verb].reason === 'always'
        ? ' --reason "..."'
        : '';
    const command = `haldane ${verb} ${state.policy}${flags}`;
    return { verb, allowed: whyNot === null, whyNot, consequence, command };
  });
}

export function conditionsOf(state: State, because: string): Condition[] {
  const release = underWay(state);
  const ended = state.release?.phase.kind === 'ended' ? state.release.phase.outcome : null;
  const isAwaiting = release?.awaiting != null;
  return [
    condition('Ready', release === null && state.waiting === null && state.stable !== null, 'AtRest', because),
    condition('Progressing', release !== null && release.paused === null && !isAwaiting, 'UnderWay', because),
    condition('Paused', release?.paused != null, 'PausedByPerson', release?.paused?.reason ?? because),
    condition(
      'Waiting',
      isAwaiting || state.waiting !== null,
      waitingReason(state),
      state.waiting?.sentence ?? because,
    ),
    condition('Stalled', release?.awaiting === 'deadline', 'DeadlinePassed', because),
    condition('Suspended', state.suspended !== null, 'SuspendedByPerson', state.suspended?.reason ?? ''),
    condition('Promoted', ended?.kind === 'promoted', 'Promoted', ended?.sentence ?? ''),
    condition('Aborted', ended?.kind === 'aborted', 'Aborted', ended?.sentence ?? ''),
  ];
}

function waitingReason(state: State): string {
  switch (underWay(state)?.awaiting ?? null) {
    case 'approval':
      return 'ApprovalNeeded';
    case 'advance':
      return 'AdvanceNeeded';
    case 'decision':
      return 'DecisionNeeded';
    case 'deadline':
      return 'DeadlinePassed';
    case null:
      return state.waiting === null ? 'NotWaiting' : 'VersionWaits';
  }
}

function condition(type: Condition['type'], isTrue: boolean, reason: string, message: string): Condition {
  return {
    type,
    status: isTrue ? 'True' : 'False',
    reason: isTrue ? reason : `Not${type}`,
    message: isTrue ? message : '',
  };
}
