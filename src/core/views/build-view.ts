// From what the engine decided and what was seen to the view model. Decides nothing and computes no statistics: it
// names, orders and joins. What it cannot know is null.
import type { Allowed, Condition, Next, Release, State } from '../engine/index.ts';
import type { Observed, RouterObservation, WorkloadObservation } from '../model/observed.ts';
import { listenOf } from '../model/place.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import type { Version } from '../model/version.ts';
import { evidenceLines } from './build-evidence.ts';
import { stageLines } from './build-stages.ts';
import { trafficLines } from './build-traffic.ts';
import { wallSpanMs } from './format.ts';
import { headlineOf } from './headline.ts';
import {
  type LiveTraffic,
  type LogLine,
  type OutcomeLine,
  type PolicyLine,
  type ReleaseLine,
  type ReleaseView,
  type VersionLine,
  VIEW_SCHEMA,
  type ViewState,
} from './release-view.ts';

export interface ViewInput {
  readonly name: string;
  readonly generation: number;
  readonly wallTime: string;
  readonly policy: ReleasePolicy | null;
  readonly declared: Version | null;
  readonly state: State | null;
  readonly decision: {
    readonly because: string;
    readonly next: Next;
    readonly can: readonly Allowed[];
    readonly conditions: readonly Condition[];
  } | null;
  readonly seen: {
    readonly workload: Observed<WorkloadObservation>;
    readonly router: Observed<RouterObservation>;
  } | null;
  readonly trouble: string | null;
  readonly owed: readonly { readonly effect: string; readonly message: string }[];
  readonly log: readonly LogLine[];
  readonly live: LiveTraffic | null;
}

export function buildView(input: ViewInput): ReleaseView {
  const { state, decision } = input;
  const release = state?.release ?? null;
  const policy = release !== null && release.phase.kind !== 'ended' ? release.policy : input.policy;
  const partial = {
    schema: VIEW_SCHEMA,
    now: input.wallTime,
    policy: policyLine(input, policy),
    release: release === null ? null : releaseLine(release, input.wallTime),
    state: viewState(state),
    needs: needsOf(state),
    versions: versionLines(input),
    traffic: trafficLines(state, input.seen?.router ?? null, input.live),
    stages: release === null ? [] : stageLines(release),
    evidence: release === null ? [] : evidenceLines(release),
    log: input.log,
    because: decision?.because ?? 'no decision has been made yet',
    next: decision?.next ?? { what: 'a first look', inMs: null, unless: null },
    can: decision?.can ?? [],
    conditions: decision?.conditions ?? [],
    troubles: troublesOf(input),
  } as const;
  return { ...partial, headline: headlineOf(partial) };
}

function policyLine(input: ViewInput, policy: ReleasePolicy | null): PolicyLine {
  const { state } = input;
  const listen = policy === null ? null : listenOf(policy);
  return {
    name: input.name,
    generation: input.generation,
    decision: policy?.decision ?? 'automatic',
    analysis: policy?.analysis ?? 'checks',
    listen: listen === null ? null : `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`,
    suspended: state?.suspended == null ? null : signed(state.suspended),
    waiting: waitingLine(state),
    withdrawn: input.policy !== null && input.declared === null,
  };
}

function waitingLine(state: State | null): PolicyLine['waiting'] {
  const waiting = state?.waiting ?? null;
  if (waiting === null) return null;
  const { label, revision } = waiting.version;
  return { label, revision, sentence: waiting.sentence };
}

function signed(by: { readonly actor: string; readonly reason: string | null }): string {
  return by.reason === null ? by.actor : `${by.actor}: ${by.reason}`;
}

export function releaseLine(release: Release, now: string): ReleaseLine {
  return {
    id: release.id,
    number: release.number,
    from: release.from?.label ?? null,
    to: release.to.label,
    fromRevision: release.from?.revision ?? null,
    toRevision: release.to.revision,
    startedAt: release.startedAt,
    endedAt: release.endedAt,
    spentMs: wallSpanMs(release.startedAt, release.endedAt ?? now),
    phase: release.phase.kind,
    stage: release.phase.kind === 'testing' ? release.phase.stage : null,
    weightPercent: release.weightPercent,
    highestWeightPercent: Math.max(0, ...release.weights.map(([, weight]) => weight)),
    awaiting: release.awaiting,
    paused: release.paused === null ? null : signed(release.paused),
    parked: release.parked,
    unanalysed: unanalysedText(release),
    outcome: outcomeLine(release),
    exposure: release.exposure,
  };
}

function unanalysedText({ unanalysed }: Release): string | null {
  if (unanalysed === null) return null;
  switch (unanalysed.why) {
    case 'policy':
      return 'the policy says analysis: none';
    case 'first version':
      return 'it is the first version: there was nothing to compare with';
    case 'promoted before':
      return 'it had been promoted before';
    case 'skip-analysis':
      return `analysis was skipped by ${signed(unanalysed.by)}`;
    case 'suspended':
      return `suspended by ${signed(unanalysed.by)}`;
  }
}

function outcomeLine({ phase }: Release): OutcomeLine | null {
  if (phase.kind !== 'ended' && phase.kind !== 'aborting') return null;
  const { outcome } = phase;
  if (outcome.kind === 'promoted') return { kind: 'promoted', by: null, check: null, sentence: outcome.sentence };
  return { kind: 'aborted', by: outcome.by, check: outcome.check, sentence: outcome.sentence };
}

function viewState(state: State | null): ViewState {
  if (state === null) return 'unknown';
  const { release } = state;
  if (release === null || release.phase.kind === 'ended') return state.waiting === null ? 'at rest' : 'waiting';
  if (release.paused !== null) return 'paused';
  if (release.awaiting !== null) return 'waiting';
  return release.phase.kind;
}

function needsOf(state: State | null): string | null {
  if (state === null) return null;
  const { release, waiting } = state;
  const isOpen = release !== null && release.phase.kind !== 'ended';
  if (isOpen && release.awaiting !== null) return askedOfPerson(state.policy, release.awaiting);
  if (waiting?.why === 'known as aborted') return `a person who wants it all the same (haldane retry ${state.policy})`;
  return null;
}

function askedOfPerson(policy: string, awaiting: NonNullable<Release['awaiting']>): string {
  const skip = `haldane promote ${policy} --skip-analysis --reason "…"`;
  switch (awaiting) {
    case 'approval':
      return `an approval (haldane approve ${policy})`;
    case 'advance':
      return `a word to go on (haldane advance ${policy})`;
    case 'decision':
      return `a decision (haldane abort ${policy}, or ${skip})`;
    case 'deadline':
      return `a decision, as the deadline passed (haldane abort ${policy}, or ${skip})`;
  }
}

function versionLines({ state, seen }: ViewInput): VersionLine[] {
  const { workload } = seen ?? {};
  if (workload?.kind !== 'seen') return [];
  const stable = state?.stable?.revision;
  const release = state?.release ?? null;
  const canary = release !== null && release.phase.kind !== 'ended' ? release.to.revision : undefined;
  const roleOf = (revision: string) => (revision === stable ? 'stable' : revision === canary ? 'canary' : 'other');
  const order = { stable: 0, canary: 1, other: 2 };
  return workload.value.versions
    .map(({ revision, label, wanted, running, ready, restarts, trouble }) => {
      const role: VersionLine['role'] = roleOf(revision);
      return { role, label, revision, wanted, running, ready, restarts, trouble };
    })
    .sort((a, b) => order[a.role] - order[b.role]);
}

/** Effects in the reader's words. */
const OWED_WORDS: Readonly<Record<string, string>> = {
  ensureWorkload: 'starting and sizing replicas',
  ensureSplit: 'giving the gateway its split',
  retire: 'stopping replicas',
  runGate: 'asking a gate',
  notify: 'telling people',
};

export function troublesOf({ trouble, owed, seen }: Pick<ViewInput, 'trouble' | 'owed' | 'seen'>): string[] {
  const troubles = trouble === null ? [] : [trouble];
  for (const { effect, message } of owed) troubles.push(`${OWED_WORDS[effect] ?? effect}: not done yet (${message})`);
  if (seen?.workload.kind === 'error') troubles.push(`the workload cannot be looked at: ${seen.workload.message}`);
  if (seen?.router.kind === 'error') troubles.push(`the gateway cannot be looked at: ${seen.router.message}`);
  return [...new Set(troubles)];
}
