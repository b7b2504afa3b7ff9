// Status tells the truth: what is recorded (evidence, exposure, outcomes, answers) is held against what really
// happened. Evidence counted twice shows here, as do answers given twice and outcomes that never came true.
import { type Release, type State, underWay } from '../../core/engine/state.ts';
import { type Book, deliveredRequests, deliveredTotal } from './book.ts';
import type { Accuse } from './traffic.ts';

/** I6: no more is counted than was delivered, over all tries of the revision. */
export function checkEvidenceCounted(book: Book, release: Release, accuse: Accuse): void {
  const delivered = deliveredTotal(book, release.to.revision);
  for (const check of release.policy.checks) {
    const evidence = release.evidence[check.name];
    if (evidence === undefined || check.metric.kind === 'gauge') continue;
    const counted = evidence.canary.total + evidence.warmUp.total;
    if (counted > delivered) {
      accuse('I6', `${check.name} counts ${counted} requests of ${release.to.revision}, ${delivered} were delivered`);
    }
  }
  const exposed = deliveredRequests(book, release.to.revision);
  if (release.exposure.canaryRequests > exposed) {
    accuse('I6', `exposure counts ${release.exposure.canaryRequests} requests, ${exposed} were delivered`);
  }
}

/** A release that says it ended must be true in the data plane: `to` or `from` has everything. */
export function checkOutcome(state: State, accuse: Accuse): void {
  const { release, stable } = state;
  if (release?.phase.kind !== 'ended' || stable === null) return;
  const expected = release.phase.outcome.kind === 'promoted' ? release.to.revision : release.from?.revision;
  if (expected !== undefined && expected !== stable.revision) {
    accuse('status', `${release.id} ended as ${release.phase.outcome.kind}, and stable is ${stable.revision}`);
  }
}

/** At rest, once the world is well: stable has everything, at full size, and nothing else is left. */
export function checkAtRest(book: Book, accuse: Accuse): void {
  const { state, service } = book;
  const stable = state?.stable;
  if (state == null || stable == null || book.withdrawn || underWay(state) !== null) return;
  for (const { applied } of service.plane.instances) {
    const weights = applied?.split.weights.filter((entry) => entry.weightPercent > 0) ?? [];
    if (weights.length !== 1 || weights[0]?.revision !== stable.revision) {
      const seen = weights.map((entry) => `${entry.revision} ${entry.weightPercent}`).join(' / ');
      accuse('status', `at rest ${stable.revision} should serve everyone; the data plane has ${seen || 'nothing'}`);
    }
  }
  const { release } = state;
  const kept = release?.policy.onAbort === 'keep' ? release.to.revision : null;
  for (const version of service.replicas.versions.values()) {
    if (version.revision === stable.revision || version.revision === kept) continue;
    if (version.wanted > 0) accuse('status', `at rest ${version.wanted} replicas of ${version.revision} are left over`);
  }
  const size = service.replicas.versions.get(stable.revision)?.wanted ?? 0;
  const { workload } = book.policyNow;
  if (workload.kind === 'processes' && size !== workload.replicas) {
    accuse('status', `at rest ${stable.revision} has ${size} replicas, the policy says ${workload.replicas}`);
  }
}
