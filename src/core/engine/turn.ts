// The working paper of one decision: the state as it changes and what is to be said and done about it. Lives only
// inside decide(); nothing outside ever sees it change.
import type { CommandAnswer } from '../model/command.ts';
import type { GateRequest, NotifyMessage } from '../model/effect.ts';
import type { StablePlace, VersionObservation } from '../model/observed.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import type { Revision } from '../model/split.ts';
import type { JournalEvent, Next, Observation } from './decision.ts';
import { type Phase, type Release, type Signature, type State, underWay } from './state.ts';

export interface Turn {
  /** As declared now; a release under way keeps to its own frozen copy. */
  readonly declaredPolicy: ReleasePolicy;
  readonly observation: Observation;
  /** Monotonic milliseconds since the decision before. */
  readonly passedMs: number;
  state: State;
  because: string;
  next: Next;
  readonly events: JournalEvent[];
  readonly answers: CommandAnswer[];
  readonly notices: NotifyMessage[];
  readonly gateRequests: GateRequest[];
  readonly changed: Map<string, Release>;
}

/** The policy that holds: frozen while a release is under way. */
export function policyOf(turn: Turn): ReleasePolicy {
  return underWay(turn.state)?.policy ?? turn.declaredPolicy;
}

export function updateRelease(turn: Turn, patch: Partial<Release>): void {
  const { release } = turn.state;
  if (release === null) return;
  const updated = { ...release, ...patch };
  turn.state = { ...turn.state, release: updated };
  if (turn.changed.has(updated.id)) turn.changed.set(updated.id, updated);
}

/** Enters a phase: its clocks start anew. */
export function enterPhase(turn: Turn, phase: Phase): void {
  const { release } = turn.state;
  if (release === null) return;
  const elapsed = { ...release.elapsed, stageMs: 0, gateMs: 0, notReadyMs: 0 };
  updateRelease(turn, { phase, elapsed, awaiting: null });
}

/** Asks for another weight for the canary, and remembers when. */
export function askWeight(turn: Turn, weightPercent: number): void {
  const { release } = turn.state;
  if (release === null || release.weightPercent === weightPercent) return;
  const weights = [...release.weights, [release.elapsed.releaseMs, weightPercent] as const];
  updateRelease(turn, { weightPercent, weights, isAtWeight: false });
}

/** A line in the journal; the release's own record is stored along with it. */
export function say(
  turn: Turn,
  kind: JournalEvent['kind'],
  sentence: string,
  details: Readonly<Record<string, unknown>> = {},
): void {
  const { release } = turn.state;
  turn.events.push({ kind, sentence, release: release?.id ?? null, details });
  if (release !== null) turn.changed.set(release.id, release);
}

/** Tells people; `what` makes the key, so that the same news is told once. */
export function tell(turn: Turn, kind: NotifyMessage['kind'], what: string, sentence: string): void {
  const { release, policy } = turn.state;
  turn.notices.push({ key: `${release?.id ?? policy}/${what}`, kind, release: release?.id ?? null, sentence });
}

export function explain(turn: Turn, because: string, next: Next): void {
  turn.because = because;
  turn.next = next;
}

/** What is seen of one version; null if nothing of it runs or the workload cannot be looked at. */
export function seen(turn: Turn, revision: Revision | undefined): VersionObservation | null {
  const { workload } = turn.observation;
  if (workload.kind === 'error' || revision === undefined) return null;
  return workload.value.versions.find((version) => version.revision === revision) ?? null;
}

/** Where stable runs, of a workload that is promoted in place; null if there is none or it cannot be looked at. */
export function placeOf(turn: Turn): StablePlace | null {
  const { workload } = turn.observation;
  return workload.kind === 'error' ? null : (workload.value.place ?? null);
}

/** Stable's place serves this version, and nothing is on its way in it. */
export function isInPlaceOf(turn: Turn, revision: Revision): boolean {
  const place = placeOf(turn);
  return place !== null && place.serving === revision && place.heading === revision && place.isSettled;
}

export function readyReplicas(turn: Turn, revision: Revision | undefined): number {
  return seen(turn, revision)?.ready ?? 0;
}

export function sign(turn: Turn, actor: string, reason: string | null): Signature {
  return { actor, reason, wallTime: turn.observation.now.wallTime };
}

/** Remembers a release's record as changed, so that it is stored as it is when the decision ends. */
export function touch(turn: Turn): void {
  const { release } = turn.state;
  if (release !== null) turn.changed.set(release.id, release);
}
