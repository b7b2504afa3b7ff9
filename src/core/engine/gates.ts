// The yes that must come from outside before a stage is left: approvals by people, webhooks, jobs. Asked only after the
// stage's own evidence is in. A run that ended without an answer is never a yes (rows 41, 42).
import type { GateRequest } from '../model/effect.ts';
import type { Gate } from '../model/policy.ts';
import { beginAbort } from './ending.ts';
import { holdFor, park } from './holding.ts';
import type { Plateau } from './plateau.ts';
import type { Release } from './state.ts';
import { explain, type Turn, updateRelease } from './turn.ts';

export function gateKey(release: Release, stage: number, gate: Gate): string {
  return `${release.id}/${stage}/${gate.name}`;
}

/** Distinct people who approved this gate for this very revision and stage. */
export function approvalsOf(release: Release, stage: number, gate: Gate): number {
  const given = release.approvals.filter(
    (approval) => approval.gate === gate.name && approval.stage === stage && approval.revision === release.to.revision,
  );
  return new Set(given.map((approval) => approval.actor)).size;
}

export function isApproved(release: Release, stage: number, gate: Gate): boolean {
  return gate.kind === 'approval' && approvalsOf(release, stage, gate) >= gate.approvals;
}

/** Asks the stage's gates in order; the first that is not open is the one waited for. */
export function askGates(turn: Turn, release: Release, plateau: Plateau): 'open' | 'held' {
  for (const gate of plateau.gates) {
    const isOpen =
      gate.kind === 'approval' ? askPeople(turn, release, plateau, gate) : askOutside(turn, release, plateau, gate);
    if (!isOpen) return 'held';
  }
  return 'open';
}

function askPeople(turn: Turn, release: Release, plateau: Plateau, gate: Extract<Gate, { kind: 'approval' }>): boolean {
  const given = approvalsOf(release, plateau.index, gate);
  if (given >= gate.approvals) return true;
  holdFor(turn, 'approval', `waits for approval "${gate.name}" (${given} of ${gate.approvals})`, gate);
  return false;
}

function askOutside(turn: Turn, release: Release, plateau: Plateau, gate: Gate): boolean {
  const key = gateKey(release, plateau.index, gate);
  const answer = turn.observation.gates[key];
  if (answer?.status === 'yes') return true;
  if (answer?.status === 'no') {
    const sentence = `gate "${gate.name}" said no: ${answer.message}`;
    // Hybrid goes on by itself while all is well; on anything else a person decides.
    if (release.policy.decision === 'hybrid') {
      park(turn, sentence);
      holdFor(turn, 'decision', `${sentence}; a person decides`);
    } else beginAbort(turn, 'verdict', sentence);
    return false;
  }
  if (release.elapsed.gateMs >= release.policy.deadlines.gateMs) {
    const sentence = `gate "${gate.name}" gave no answer in time${answer === undefined ? '' : `: ${answer.message}`}`;
    if (release.policy.onDeadline === 'abort' && release.policy.decision !== 'hybrid')
      beginAbort(turn, 'deadline', sentence);
    else holdFor(turn, 'deadline', sentence, gate);
    return false;
  }
  startGateClock(turn, release);
  const request: GateRequest = { key, gate, release: release.id, revision: release.to.revision, stage: plateau.index };
  turn.gateRequests.push(request);
  explain(turn, `waits for gate "${gate.name}"`, { what: `gate "${gate.name}"`, inMs: null, unless: 'it says no' });
  return false;
}

function startGateClock(turn: Turn, release: Release): void {
  if (release.elapsed.gateMs > 0) return;
  updateRelease(turn, { elapsed: { ...release.elapsed, gateMs: 1 }, awaiting: null });
}

/** Keys of the gates whose answers the next decision wants to see. */
export function gateKeys(release: Release, plateau: Plateau): readonly string[] {
  return plateau.gates.filter((gate) => gate.kind !== 'approval').map((gate) => gateKey(release, plateau.index, gate));
}
