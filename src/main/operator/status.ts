// From where a policy stands to what kubectl shows: conditions that kubectl wait and kstatus understand, and a few words
// for the columns. Pure. `Ready` means at rest with what its owner wrote; `Stalled`, that nothing goes on by itself.

import type { StatusCondition } from '../../adapters/stores/kubernetes/documents.ts';
import { worstVerdict } from '../../adapters/stores/kubernetes/release-columns.ts';
import type { PolicyView } from '../../controller/index.ts';
import type { Condition } from '../../core/engine/index.ts';
import { describeDuration } from '../../core/model/duration.ts';
import { evidenceLines, onceText, shareText } from '../../core/views/index.ts';

export interface PolicyStatus {
  readonly [field: string]: unknown;
  readonly conditions: readonly StatusCondition[];
}

export interface StatusInput {
  readonly view: PolicyView;
  /** Percent of the requests seen lately that the version under release got; null where nothing was counted. */
  readonly sharePercent: number | null;
  /** Generation of the ReleasePolicy. */
  readonly generation: number;
  /** The Deployment's name and generation; null if there is none. */
  readonly deployment: { readonly name: string; readonly generation: number } | null;
  /** Why the policy as it stands is refused; null if it is not. */
  readonly refusal: string | null;
  readonly before: readonly StatusCondition[];
  readonly wallTime: string;
}

export function statusOf(input: StatusInput): PolicyStatus {
  const { view, sharePercent, generation, deployment } = input;
  const { state } = view;
  const release = underWay(view);
  return {
    observedGeneration: generation,
    conditions: conditionsOf(input),
    phase: release?.phase.kind ?? 'at rest',
    version: versionText(view),
    stable: state?.stable?.label ?? null,
    revision: release?.to.revision ?? state?.stable?.revision ?? null,
    release: state?.release?.id.split('/')[1] ?? null,
    weight: release === null ? null : `${release.weightPercent} %`,
    share: release === null || sharePercent === null ? null : shareText(sharePercent),
    verdict: verdictText(view),
    next: nextText(view),
    workload: deployment === null ? null : { deployment: deployment.name, observedGeneration: deployment.generation },
  };
}

function underWay({ state }: PolicyView) {
  return state?.release != null && state.release.phase.kind !== 'ended' ? state.release : null;
}

function versionText(view: PolicyView): string {
  const release = underWay(view);
  const { state, declared } = view;
  if (release !== null)
    return release.from === null ? release.to.label : `${release.from.label} -> ${release.to.label}`;
  const stable = state?.stable?.label ?? '';
  if (state?.waiting != null) return `${stable} (${state.waiting.version.label} waits)`;
  return stable === '' ? (declared?.label ?? '') : stable;
}

function verdictText(view: PolicyView): string | null {
  const release = underWay(view);
  if (release !== null) return worstVerdict(release.verdicts);
  const phase = view.state?.release?.phase;
  return phase?.kind === 'ended' ? phase.outcome.kind : null;
}

function nextText({ decision, state }: PolicyView): string | null {
  if (decision === null) return null;
  const { what, inMs, unless } = decision.next;
  if (what === 'nothing') return null;
  const release = state?.release ?? null;
  const awaiting = release?.phase.kind === 'ended' ? null : (release?.awaiting ?? null);
  if (awaiting !== null) return `${what} ${AWAITED[awaiting]}`;
  const once = release === null ? '' : onceText(decision.next, evidenceLines(release));
  const when = inMs === null || inMs <= 0 ? '' : ` in ${describeDuration(Math.ceil(inMs / 1_000) * 1_000)}`;
  return `${what}${when}${once !== '' ? once : unless === null ? '' : ` unless ${unless}`}`;
}

const AWAITED = {
  approval: 'after an approval',
  advance: 'once a person says advance',
  decision: 'if a person decides so',
  deadline: 'if a person decides so; the deadline passed',
} as const;

type Draft = Pick<StatusCondition, 'type' | 'status' | 'reason' | 'message'>;

function conditionsOf({ view, generation, refusal, before, wallTime }: StatusInput): readonly StatusCondition[] {
  return draftsOf(view, refusal).map((draft) => {
    const old = before.find(({ type }) => type === draft.type);
    const isSame = old?.status === draft.status;
    return { ...draft, observedGeneration: generation, lastTransitionTime: isSame ? old.lastTransitionTime : wallTime };
  });
}

function draftsOf(view: PolicyView, refusal: string | null): readonly Draft[] {
  const { state, decision, trouble, declared } = view;
  const release = underWay(view);
  const because = decision?.because ?? trouble ?? '';
  const own = (type: Condition['type']) => decision?.conditions.find((condition) => condition.type === type);
  const isAt = (revision: string | undefined) => declared !== null && revision === declared.revision;
  const ended = state?.release?.phase.kind === 'ended' ? state.release.phase.outcome : null;
  const isAborted = ended?.kind === 'aborted' && isAt(state?.release?.to.revision) && !isAt(state?.stable?.revision);
  const isPromoted = release === null && state?.waiting == null && isAt(state?.stable?.revision);
  const stalled = stalledBecause(view, refusal, own('Stalled')?.status === 'True');
  return [
    draft(
      'Ready',
      isPromoted && stalled === null,
      stalled?.reason ?? (isPromoted ? 'AtRest' : 'NotAtRest'),
      stalled?.message ?? because,
    ),
    draft('Reconciling', release !== null, release === null ? 'AtRest' : 'UnderWay', release === null ? '' : because),
    draft('Stalled', stalled !== null, stalled?.reason ?? 'NotStalled', stalled?.message ?? ''),
    draft('Promoted', isPromoted, isPromoted ? 'Promoted' : 'NotPromoted', isPromoted ? because : ''),
    draft('Aborted', isAborted, isAborted ? 'Aborted' : 'NotAborted', isAborted ? ended.sentence : ''),
    ...(['Progressing', 'Paused', 'Waiting', 'Suspended'] as const).map((type): Draft => {
      const { status = 'False', reason = `Not${type}`, message = '' } = own(type) ?? {};
      return { type, status, reason, message };
    }),
  ];
}

/** Why nothing goes on by itself; null if it does, or if nothing need. */
function stalledBecause({ state, trouble, owed }: PolicyView, refusal: string | null, isLate: boolean) {
  if (refusal !== null) return { reason: 'PolicyRefused', message: refusal };
  if (trouble !== null) return { reason: 'Trouble', message: trouble };
  const failing = owed.find(({ failures }) => failures >= 3);
  if (failing !== undefined) return { reason: 'EffectFails', message: `${failing.effect}: ${failing.message}` };
  if (isLate) return { reason: 'DeadlinePassed', message: 'the deadline passed without a verdict' };
  if (state?.waiting != null) return { reason: 'VersionWaits', message: state.waiting.sentence };
  return null;
}

function draft(type: string, isTrue: boolean, reason: string, message: string): Draft {
  return { type, status: isTrue ? 'True' : 'False', reason, message: message.slice(0, 32_000) };
}
