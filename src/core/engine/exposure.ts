// What users were exposed to so far, and whether the policy's bound on it is reached (I7).
import type { Measurement } from '../model/measurement.ts';
import type { Exposure, Release } from './state.ts';

/** Adds a window's requests and users; bad requests are those of the checks on errors, else of the first check. */
export function addExposure(release: Release, measurement: Measurement): Exposure {
  const canary = release.to.revision;
  const stable = release.from?.revision;
  const { exposure } = release;
  const check = release.policy.checks.find((entry) => entry.metric.kind === 'errors');
  const reading = check === undefined ? undefined : measurement.readings[check.name];
  const sample = reading?.kind === 'samples' ? reading.byRevision[canary] : undefined;
  const bad = sample?.kind === 'proportion' ? sample.bad : 0;
  return {
    canaryRequests: exposure.canaryRequests + (measurement.requests[canary] ?? 0),
    stableRequests: exposure.stableRequests + (stable === undefined ? 0 : (measurement.requests[stable] ?? 0)),
    canaryBad: exposure.canaryBad + bad,
    canaryUsers: Math.max(exposure.canaryUsers, measurement.users[canary] ?? 0),
    stableUsers: Math.max(exposure.stableUsers, stable === undefined ? 0 : (measurement.users[stable] ?? 0)),
  };
}

/** The next interval at this weight could go past the bound: no further request may go to the canary. */
export function isExposureSpent(release: Release): boolean {
  const { totalRequests } = release.policy.exposure;
  if (totalRequests === null) return false;
  const { canaryRequests, stableRequests } = release.exposure;
  const windows = Math.max(1, release.windows);
  // The average of the past is too little right after a rise: what this weight will take of all requests counts, too.
  const atThisWeight = ((canaryRequests + stableRequests) / windows) * (release.weightPercent / 100);
  return canaryRequests + Math.max(canaryRequests / windows, atThisWeight) > totalRequests;
}
