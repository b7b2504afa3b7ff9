// Obeys people's commands by the table, one answer each. An abort is obeyed in every phase there is something to abort
// (I3); nothing here goes past evidence but promote --skip-analysis, which is marked for ever (I4).
import type { Command, Verb } from '../model/command.ts';
import { beginPromotion } from './advance.ts';
import { COMMAND_TABLE } from './command-table.ts';
import { beginAbort, rememberRolledBack } from './ending.ts';
import { approvalsOf } from './gates.ts';
import { startUnanalysed, wantedVersion } from './lifecycle.ts';
import { plateauOf } from './plateau.ts';
import { gateFor, rollbackTarget, whyNotNow } from './refusals.ts';
import { type Signature, underWay } from './state.ts';
import { say, sign, type Turn, updateRelease } from './turn.ts';

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
