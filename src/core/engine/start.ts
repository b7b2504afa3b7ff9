// Starting a release: freezes the policy, takes over evidence where the same version is tried again.
import { NO_SHARES } from '../analysis/index.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import type { Version } from '../model/version.ts';
import { restReplicas } from './capacity.ts';
import type { KnownRevision, Phase, Release, Unanalysed } from './state.ts';
import { say, seen, type Turn, tell } from './turn.ts';

const NO_TIME = { stageMs: 0, testingMs: 0, releaseMs: 0, gateMs: 0, notReadyMs: 0 };
const NO_EXPOSURE = { canaryRequests: 0, stableRequests: 0, canaryBad: 0, canaryUsers: 0, stableUsers: 0 };

export function startRelease(turn: Turn, to: Version, unanalysed: Unanalysed | null): void {
  const { state, observation, declaredPolicy } = turn;
  const number = state.releases + 1;
  const earlier = state.known.find((known) => known.version.revision === to.revision);
  const release: Release = {
    id: `${state.policy}-${number}`,
    number,
    from: state.stable,
    to,
    policy: declaredPolicy,
    policyHash: observation.policyHash,
    salt: observation.freshId,
    startedAt: observation.now.wallTime,
    endedAt: null,
    phase: firstPhase(declaredPolicy, unanalysed),
    weightPercent: 0,
    isAtWeight: false,
    paused: null,
    parked: null,
    awaiting: null,
    elapsed: NO_TIME,
    evidence: carriedEvidence(turn, earlier),
    verdicts: [],
    logHarm: 0,
    cursor: null,
    windowWeight: null,
    sampleRatio: NO_SHARES,
    lastWindow: null,
    windows: 0,
    approvals: [],
    advances: [],
    unanalysed: unanalysed ?? (isAnalysed(declaredPolicy) ? null : { why: 'policy' }),
    exposure: NO_EXPOSURE,
    baseReplicas: Math.max(restReplicas(declaredPolicy), seen(turn, state.stable?.revision)?.wanted ?? 0),
    retryOf: earlier?.fate === 'promoted' ? null : (earlier?.release ?? null),
    weights: [[0, 0]],
  };
  turn.state = { ...state, release, releases: number, waiting: null, retry: null };
  const from = state.stable === null ? '' : ` from ${state.stable.label}`;
  const how = release.unanalysed === null ? '' : `, unanalysed (${release.unanalysed.why})`;
  const sentence = `release ${release.id} started${from} to ${to.label}${how}`;
  say(turn, 'release-started', sentence, { revision: to.revision, policyHash: observation.policyHash });
  tell(turn, 'started', 'started', sentence);
}

export function isAnalysed(policy: ReleasePolicy): boolean {
  return policy.analysis === 'checks' && !(policy.ramp.kind === 'stages' && policy.ramp.stages.length === 0);
}

/** Straight to full capacity only where analysis has no say in it; all else is tried on a few first. */
function firstPhase(policy: ReleasePolicy, unanalysed: Unanalysed | null): Phase {
  if (unanalysed !== null) return { kind: 'promoting', sentence: `goes on without analysis: ${unanalysed.why}` };
  const hasStages = policy.ramp.kind === 'adaptive' || policy.ramp.stages.length > 0;
  return hasStages ? { kind: 'starting' } : { kind: 'promoting', sentence: 'the policy has no stages' };
}

/**
 * Trying the same version again, under the same policy and against the same stable, continues its evidence (statistics 3,
 * Stages). The rules of peers begin anew: they count within one release.
 */
function carriedEvidence(turn: Turn, earlier: KnownRevision | undefined): Release['evidence'] {
  if (earlier?.evidence == null || earlier.policyHash !== turn.observation.policyHash) return {};
  if (earlier.against !== (turn.state.stable?.revision ?? null)) return {};
  return Object.fromEntries(
    Object.entries(earlier.evidence)
      .filter(([, { peer }]) => peer == null)
      .map(([name, evidence]) => [name, { ...evidence, isHeard: false }]),
  );
}
