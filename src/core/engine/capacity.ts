// How many replicas each version needs, so that capacity covers a weight before the weight moves (row 11).
import type { WantedVersion } from '../model/effect.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import { type Release, type State, underWay } from './state.ts';

/** Replicas a policy asks for at rest; versions that others run count as one. */
export function restReplicas(policy: ReleasePolicy): number {
  switch (policy.workload.kind) {
    case 'processes':
      return policy.workload.replicas;
    case 'upstreams':
      return 1;
    case 'deployment':
      // Its replicas are its owner's: the base is what is seen when the release starts, or more.
      return 0;
  }
}

/** Whether a new version, once that is decided, is rolled out in stable's own place (ADR 0051). */
export function isInPlace(policy: ReleasePolicy): boolean {
  return policy.workload.kind === 'deployment';
}

/** max(least, ceil(weight x base x ratio)); at most the base, which carries everything. */
export function canaryReplicas(release: Release, weightPercent: number): number {
  const { minReplicas, ratio } = release.policy.canary;
  if (release.policy.workload.kind === 'upstreams') return 1;
  const forWeight = replicasFor(release.policy, weightPercent / 100, release.baseReplicas * ratio);
  return Math.min(Math.max(minReplicas, forWeight, 1), Math.max(release.baseReplicas, minReplicas));
}

/** Where the share is the number of replicas, k of n + k; else as many as the weight's part of the load needs. */
function replicasFor(policy: ReleasePolicy, weight: number, base: number): number {
  if (policy.router.kind === 'replicaShare') return Math.floor((weight * base) / (1 - Math.min(weight, 0.99)) + 1e-9);
  return Math.ceil(weight * base - 1e-9);
}

/** Replicas of the new version that its present phase needs. */
export function neededReplicas(release: Release): number {
  switch (release.phase.kind) {
    case 'starting':
      return canaryReplicas(release, firstWeight(release.policy));
    case 'testing':
      return canaryReplicas(release, release.weightPercent);
    case 'promoting':
      return isInPlace(release.policy) ? tried(release) : release.baseReplicas;
    case 'aborting':
    case 'ended':
      return 0;
  }
}

/** Promoted in place, the canary goes on with the weight it was tried at until stable's place has its version. */
function tried(release: Release): number {
  const { weightPercent } = release;
  return weightPercent > 0 && weightPercent < 100 ? canaryReplicas(release, weightPercent) : 0;
}

export function firstWeight(policy: ReleasePolicy): number {
  return policy.ramp.kind === 'adaptive' ? policy.ramp.firstWeightPercent : (policy.ramp.stages[0]?.weightPercent ?? 0);
}

/** Every version that shall run now. What runs and is not named here is drained and retired. */
export function wantedVersions(state: State, declared: ReleasePolicy): readonly WantedVersion[] {
  const release = underWay(state);
  const replicas = Math.max(release?.baseReplicas ?? 0, restReplicas(declared));
  if (isInPlace(declared)) return wantedInPlace(state);
  const wanted: WantedVersion[] = [];
  if (state.stable !== null) wanted.push({ version: state.stable, replicas, role: 'stable' });
  if (release !== null && release.phase.kind !== 'aborting') {
    const needed = Math.max(neededReplicas(release), release.parked === null ? 0 : release.policy.canary.minReplicas);
    wanted.push({ version: release.to, replicas: needed, role: 'canary' });
  }
  return wanted;
}

/** One version for stable's place, whatever its size, and the one that is tried beside it. */
function wantedInPlace(state: State): readonly WantedVersion[] {
  const release = underWay(state);
  const isPromoting = release?.phase.kind === 'promoting';
  const stable = isPromoting ? release.to : state.stable;
  const wanted: WantedVersion[] = [];
  if (stable !== null) wanted.push({ version: stable, replicas: release?.baseReplicas ?? 0, role: 'stable' });
  if (release === null || release.phase.kind === 'aborting') return wanted;
  const needed = Math.max(neededReplicas(release), release.parked === null ? 0 : release.policy.canary.minReplicas);
  if (needed > 0) wanted.push({ version: release.to, replicas: needed, role: 'canary' });
  return wanted;
}

/** A version that runs on though no release wants it: kept after an abort because the policy says so. */
export function keptRevision(state: State): string | null {
  const { release } = state;
  if (release?.phase.kind !== 'ended' || release.phase.outcome.kind !== 'aborted') return null;
  return release.policy.onAbort === 'keep' ? release.to.revision : null;
}
