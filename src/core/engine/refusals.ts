// Why a command would be refused as things stand, and what to do instead. Commands and buttons ask the same question.
import type { Command, Verb } from '../model/command.ts';
import type { Version } from '../model/version.ts';
import { COMMAND_TABLE, type Situation } from './command-table.ts';
import { isApproved } from './gates.ts';
import { wantedVersion } from './lifecycle.ts';
import { plateauOf } from './plateau.ts';
import { type KnownRevision, type Release, type State, underWay, verdictOn } from './state.ts';

export function situationOf(state: State): Situation {
  const release = underWay(state);
  return release === null || release.phase.kind === 'ended' ? 'at rest' : release.phase.kind;
}

export type Intent = Pick<Command, 'verb' | 'skipAnalysis' | 'gate' | 'revision'> & { readonly actor?: string };

interface Question {
  readonly state: State;
  readonly declared: Version | null;
  readonly release: Release | null;
  readonly intent: Intent;
}

const WHY_NOT: Readonly<Record<Verb, (question: Question) => string | null>> = {
  promote: whyNoPromotion,
  abort: ({ release }) =>
    release?.from === null && release.weightPercent === 100 ? 'there is no version to go back to' : null,
  pause: ({ release }) => (release?.paused != null ? 'it is paused already' : null),
  resume: ({ release }) => (release?.paused == null ? 'it is not paused' : null),
  advance: whyNoAdvance,
  approve: whyNoApproval,
  retry: ({ state }) =>
    state.waiting?.why === 'known as aborted' ? null : 'no version waits that is known as aborted or rolled back',
  rollback: ({ state, intent }) =>
    rollbackTarget(state, intent.revision) === null ? noTarget(state, intent.revision) : null,
  suspend: ({ state }) => (state.suspended === null ? null : 'it is suspended already'),
  unsuspend: ({ state }) => (state.suspended === null ? 'it is not suspended' : null),
};

/** Why a command would be refused as things stand; null if it would be obeyed. Buttons ask the same question. */
export function whyNotNow(state: State, declared: Version | null, intent: Intent): string | null {
  const cell = COMMAND_TABLE[intent.verb].cells[situationOf(state)];
  if ('refused' in cell) return cell.refused;
  const release = underWay(state);
  return WHY_NOT[intent.verb]({ state, declared, release, intent });
}

function whyNoPromotion({ state, declared, release, intent }: Question): string | null {
  if (release === null) {
    if (!intent.skipAnalysis) return 'no release is under way';
    const wanted = wantedVersion(state, declared);
    const isNew = wanted !== null && wanted.revision !== state.stable?.revision;
    return isNew ? null : 'no version waits to be released';
  }
  if (intent.skipAnalysis) return null;
  if (release.phase.kind === 'starting') return 'it has not been analysed; --skip-analysis --reason goes past that';
  return unproven(release) ?? closedGate(release);
}

/** Proof opens no gate: what people or other systems must agree to is not passed by one person's promote. */
function closedGate(release: Release): string | null {
  const { ramp } = release.policy;
  const { index } = plateauOf(release);
  const stages = ramp.kind === 'adaptive' ? [{ gates: ramp.gates }] : ramp.stages;
  for (const [stage, { gates }] of stages.entries()) {
    const closed = stage < index ? undefined : gates.find((gate) => !isApproved(release, stage, gate));
    if (closed !== undefined) return `gate "${closed.name}" has not said yes; --skip-analysis --reason goes past that`;
  }
  return null;
}

/** The first required check that has not proved no harm. */
function unproven(release: Release): string | null {
  const required = release.policy.checks.filter((check) => check.role === 'required');
  for (const check of required) {
    const verdict = verdictOn(release, check.name);
    if (verdict?.promotion.outcome !== 'pass') {
      const message = verdict?.message ?? `${check.name} has no verdict yet.`;
      return `no harm is not proved yet: ${message} Wait, or use --skip-analysis --reason`;
    }
  }
  const troubled = release.verdicts.find(({ check, exposure }) => {
    const role = release.policy.checks.find((entry) => entry.name === check)?.role;
    return role !== 'informational' && ['fail', 'no-data', 'error'].includes(exposure.outcome);
  });
  // A guardrail need prove nothing, but no weight rises past one that fails or cannot be read (I7).
  if (troubled !== undefined) return `${troubled.message} Wait, or use --skip-analysis --reason`;
  if (release.parked !== null) return `${release.parked}; --skip-analysis --reason goes past that`;
  return required.length === 0 ? 'nothing analyses it; --skip-analysis --reason goes past that' : null;
}

function whyNoAdvance({ release }: Question): string | null {
  if (release === null) return 'no release is under way';
  if (release.parked !== null) return 'it waits for a decision: abort, or promote --skip-analysis --reason';
  const { index } = plateauOf(release);
  return release.advances.some((advance) => advance.stage === index) ? 'this stage was advanced already' : null;
}

function whyNoApproval({ release, intent }: Question): string | null {
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

export function gateFor(release: Release, name: string | null) {
  const { gates, index } = plateauOf(release);
  const approvals = gates.flatMap((gate) => (gate.kind === 'approval' ? [gate] : []));
  if (name !== null) return approvals.find((gate) => gate.name === name) ?? null;
  return approvals.find((gate) => !isApproved(release, index, gate)) ?? null;
}

export function rollbackTarget(state: State, revision: string | null): KnownRevision | null {
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
