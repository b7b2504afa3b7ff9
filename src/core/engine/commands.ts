// Obeys people's commands by the table, one answer each. An abort is obeyed in every phase there is something to abort
// (I3); nothing here goes past evidence but promote --skip-analysis, which is marked for ever (I4).
import type { Command, Verb } from '../model/command.ts';
import { beginPromotion } from './advance.ts';
import { COMMAND_TABLE, type Situation } from './command-table.ts';
import { beginAbort, rememberRolledBack } from './ending.ts';
import { approvalsOf, isApproved } from './gates.ts';
import { startUnanalysed, wantedVersion } from './lifecycle.ts';
import { plateauOf } from './plateau.ts';
import { type KnownRevision, type Release, type Signature, type State, underWay } from './state.ts';
import { say, sign, type Turn, updateRelease } from './turn.ts';

export function situationOf(state: State): Situation {
  const release = underWay(state);
  return release === null || release.phase.kind === 'ended' ? 'at rest' : release.phase.kind;
}

export function obeyAll(turn: Turn): void {
  for (const command of turn.observation.commands) {
    const whyNot = refusal(turn, command);
    if (whyNot !== null) {
      turn.answers.push({ id: command.id, accepted: false, message: `${command.verb} refused: ${whyNot}` });
      say(turn, 'command', `${command.verb} by ${command.actor} refused: ${whyNot}`, { command });
      continue;
    }
    say(turn, 'command', `${command.verb} by ${command.actor}${because(command)}`, { command });
    const message = obey(turn, command);
    turn.answers.push({ id: command.id, accepted: true, message });
  }
}

function because(command: Command): string {
  return command.reason === null ? '' : `: ${command.reason}`;
}

function refusal(turn: Turn, command: Command): string | null {
  const release = underWay(turn.state);
  if (command.release !== null && command.release !== release?.id) {
    return `${command.release} is not under way${release === null ? '' : `; ${release.id} is`}`;
  }
  if (command.verb === 'promote' && command.skipAnalysis && command.reason === null) {
    return 'going past analysis needs a reason (--reason)';
  }
  const row = COMMAND_TABLE[command.verb];
  if (row.reason === 'always' && command.reason === null) return `${command.verb} needs a reason (--reason)`;
  return whyNotNow(turn.state, turn.observation.declared, command);
}

export type Intent = Pick<Command, 'verb' | 'skipAnalysis' | 'gate' | 'revision'> & { readonly actor?: string };

/** Why a command would be refused as things stand; null if it would be obeyed. Buttons ask the same question. */
export function whyNotNow(state: State, declared: Turn['observation']['declared'], intent: Intent): string | null {
  const cell = COMMAND_TABLE[intent.verb].cells[situationOf(state)];
  if ('refused' in cell) return cell.refused;
  const release = underWay(state);
  switch (intent.verb) {
    case 'promote':
      return whyNoPromotion(state, declared, release, intent);
    case 'abort':
      return release?.from === null && release.weightPercent === 100 ? 'there is no version to go back to' : null;
    case 'pause':
      return release?.paused != null ? 'it is paused already' : null;
    case 'resume':
      return release?.paused == null ? 'it is not paused' : null;
    case 'advance':
      return whyNoAdvance(release);
    case 'approve':
      return whyNoApproval(release, intent);
    case 'retry':
      return state.waiting?.why === 'known as aborted'
        ? null
        : 'no version waits that is known as aborted or rolled back';
    case 'rollback':
      return rollbackTarget(state, intent.revision) === null ? noTarget(state, intent.revision) : null;
    case 'suspend':
      return state.suspended === null ? null : 'it is suspended already';
    case 'unsuspend':
      return state.suspended === null ? 'it is not suspended' : null;
  }
}

function whyNoPromotion(
  state: State,
  declared: Turn['observation']['declared'],
  release: Release | null,
  intent: Intent,
): string | null {
  if (release === null) {
    if (!intent.skipAnalysis) return 'no release is under way';
    const wanted = wantedVersion(state, declared);
    const isNew = wanted !== null && wanted.revision !== state.stable?.revision;
    return isNew ? null : 'no version waits to be released';
  }
  if (intent.skipAnalysis) return null;
  if (release.phase.kind === 'starting') return 'it has not been analysed; --skip-analysis --reason goes past that';
  return unproven(release);
}

/** The first required check that has not proved no harm. */
function unproven(release: Release): string | null {
  const required = release.policy.checks.filter((check) => check.role === 'required');
  for (const check of required) {
    const verdict = release.verdicts.find((candidate) => candidate.check === check.name);
    if (verdict?.promotion.outcome !== 'pass') {
      const message = verdict?.message ?? `${check.name} has no verdict yet.`;
      return `no harm is not proved yet: ${message} Wait, or use --skip-analysis --reason`;
    }
  }
  if (release.parked !== null) return `${release.parked}; --skip-analysis --reason goes past that`;
  return required.length === 0 ? 'nothing analyses it; --skip-analysis --reason goes past that' : null;
}

function whyNoAdvance(release: Release | null): string | null {
  if (release === null) return 'no release is under way';
  if (release.parked !== null) return 'it waits for a decision: abort, or promote --skip-analysis --reason';
  const { index } = plateauOf(release);
  return release.advances.some((advance) => advance.stage === index) ? 'this stage was advanced already' : null;
}

function whyNoApproval(release: Release | null, intent: Intent): string | null {
  const gate = release === null ? null : gateFor(release, intent.gate);
  if (release === null || gate === null) {
    return intent.gate === null
      ? 'no gate of this stage waits for approval'
      : `this stage has no approval gate "${intent.gate}"`;
  }
  const stage = plateauOf(release).index;
  const isRepeat = release.approvals.some(
    (approval) => approval.gate === gate.name && approval.stage === stage && approval.actor === intent.actor,
  );
  return isRepeat ? `you approved "${gate.name}" already; another person must` : null;
}

function gateFor(release: Release, name: string | null) {
  const { gates, index } = plateauOf(release);
  const approvals = gates.flatMap((gate) => (gate.kind === 'approval' ? [gate] : []));
  if (name !== null) return approvals.find((gate) => gate.name === name) ?? null;
  return approvals.find((gate) => !isApproved(release, index, gate)) ?? null;
}

function rollbackTarget(state: State, revision: string | null): KnownRevision | null {
  const promoted = state.known.filter(
    (known) => known.fate === 'promoted' && known.version.revision !== state.stable?.revision,
  );
  if (revision === null) return promoted.at(-1) ?? null;
  return promoted.find((known) => [known.version.revision, known.version.label].includes(revision)) ?? null;
}

function noTarget(state: State, revision: string | null): string {
  const names = state.known.filter((known) => known.fate === 'promoted').map((known) => known.version.label);
  if (revision === null) return 'no earlier promoted version is known';
  return `${revision} is no earlier promoted version; known are: ${names.join(', ') || 'none'}`;
}

const OBEY: Readonly<Record<Verb, (turn: Turn, by: Signature, command: Command) => string>> = {
  promote: (turn, by, command) => obeyPromote(turn, by, command),
  abort: (turn, by) => {
    if (underWay(turn.state)?.phase.kind === 'aborting') return 'it is being aborted already';
    beginAbort(turn, 'person', `aborted by ${by.actor}${by.reason === null ? '' : `: ${by.reason}`}`);
    return 'all traffic goes to stable';
  },
  pause: (turn, by) => {
    updateRelease(turn, { paused: by });
    return 'paused';
  },
  resume: (turn) => {
    updateRelease(turn, { paused: null });
    return 'goes on';
  },
  advance: (turn, by) => {
    const release = underWay(turn.state);
    if (release !== null) {
      updateRelease(turn, { advances: [...release.advances, { ...by, stage: plateauOf(release).index }] });
    }
    return 'goes on as soon as the checks of this stage pass';
  },
  approve: (turn, by, command) => obeyApprove(turn, by, command),
  retry: (turn, by) => {
    const revision = turn.state.waiting?.version.revision;
    if (revision !== undefined) turn.state = { ...turn.state, retry: { revision, by } };
    return 'a new release starts';
  },
  rollback: (turn, by, command) => obeyRollback(turn, by, command),
  suspend: (turn, by) => {
    turn.state = { ...turn.state, suspended: by };
    return 'suspended: new versions pass unanalysed until unsuspend';
  },
  unsuspend: (turn) => {
    turn.state = { ...turn.state, suspended: null };
    return 'new versions are analysed again';
  },
};

function obey(turn: Turn, command: Command): string {
  return OBEY[command.verb](turn, sign(turn, command.actor, command.reason), command);
}

function obeyPromote(turn: Turn, by: Signature, command: Command): string {
  const release = underWay(turn.state);
  if (release === null) {
    const wanted = wantedVersion(turn.state, turn.observation.declared);
    if (wanted !== null) startUnanalysed(turn, wanted, { why: 'skip-analysis', by });
    return 'goes to everybody without analysis';
  }
  if (command.skipAnalysis) updateRelease(turn, { unanalysed: { why: 'skip-analysis', by } });
  const how = command.skipAnalysis ? 'without analysis' : 'on proof';
  beginPromotion(turn, `promoted ${how} by ${by.actor}${by.reason === null ? '' : `: ${by.reason}`}`);
  return 'promotion is under way';
}

function obeyApprove(turn: Turn, by: Signature, command: Command): string {
  const release = underWay(turn.state);
  const gate = release === null ? null : gateFor(release, command.gate);
  if (release === null || gate === null) return 'no gate waits';
  const stage = plateauOf(release).index;
  const approval = { ...by, gate: gate.name, stage, revision: release.to.revision };
  updateRelease(turn, { approvals: [...release.approvals, approval] });
  const approved = turn.state.release ?? release;
  return `approval recorded for "${gate.name}" (${approvalsOf(approved, stage, gate)} of ${gate.approvals})`;
}

function obeyRollback(turn: Turn, by: Signature, command: Command): string {
  const target = rollbackTarget(turn.state, command.revision);
  if (target === null) return 'no earlier version is known';
  rememberRolledBack(turn, by);
  const overDeclared = turn.observation.declared?.revision ?? null;
  turn.state = { ...turn.state, wish: { revision: target.version.revision, overDeclared, by } };
  return `goes back to ${target.version.label}`;
}
