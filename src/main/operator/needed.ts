// What must be known before releases are led: every kind but those a cluster may be without. An instance that cannot read one
// of them is not ready; and one that got the lease gives it up when it still cannot after a while though the API server
// answers, since another may be able to (a rolling update whose new rights were not applied). It never leads by half.
import type { KubeObject, ResourceCache } from '../../kubernetes/index.ts';
import { HaldaneError } from '../../lib/errors.ts';
import type { Clock } from '../../ports/index.ts';
import type { OperatorCaches } from './caches.ts';

export class CannotLead extends HaldaneError {}

type Cache = Pick<ResourceCache<KubeObject>, 'kind' | 'isSynced' | 'failure' | 'lastContactMs' | 'whenSynced'>;

export interface Waiting {
  readonly needed: readonly Cache[];
  /** Whether the API server answers this instance: it could not hold the lease otherwise. */
  readonly isAnswered: () => boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const LEAD_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 5_000;
const STALE_MS = 600_000;

export function neededOf(caches: OperatorCaches): readonly ResourceCache<KubeObject>[] {
  const { policies, releases, commands, deployments, replicaSets, pods, services, endpointSlices } = caches;
  return [policies, releases, commands, deployments, replicaSets, pods, services, endpointSlices];
}

/** Those a cluster may be without. */
export function admissionOf(caches: OperatorCaches): readonly ResourceCache<KubeObject>[] {
  const { mutatingPolicies, mutatingBindings, validatingPolicies, validatingBindings } = caches;
  return [mutatingPolicies, mutatingBindings, validatingPolicies, validatingBindings];
}

/** null: ready. */
export function whyNotReady(needed: readonly Cache[], nowMs: number): string | null {
  const unread = needed.filter(({ isSynced }) => !isSynced);
  if (unread.length > 0) return `what is in the cluster is not known yet: ${textOf(unread)}`;
  const silent = needed.filter((cache) => nowMs - cache.lastContactMs() > STALE_MS);
  return silent.length > 0 ? `nothing was heard of the API server for ten minutes: ${textOf(silent)}` : null;
}

/** Resolves when all is known. Slow is not broken: only what failed while it was waited for is given up. */
export async function whenKnown({ needed, isAnswered, clock, signal }: Waiting): Promise<void> {
  const all = Promise.all(needed.map((cache) => cache.whenSynced(signal)));
  all.catch(() => {});
  let answeredMs = 0;
  while (needed.some(({ isSynced }) => !isSynced)) {
    const failing = needed.filter(({ isSynced, failure }) => !isSynced && failure !== null);
    if (answeredMs >= LEAD_WITHIN_MS && failing.length > 0) throw cannotLead(failing);
    await Promise.race([all, clock.sleep(LOOK_EVERY_MS, signal)]);
    signal.throwIfAborted();
    answeredMs = isAnswered() ? answeredMs + LOOK_EVERY_MS : 0;
  }
}

function cannotLead(failing: readonly Cache[]): CannotLead {
  return new CannotLead(`this instance cannot read all that it needs: ${textOf(failing)}`, {
    code: 'operator-cannot-lead',
    fix: 'apply install.yaml as this version has it; until then another instance may lead, and what serves goes on',
  });
}

function textOf(caches: readonly Cache[]): string {
  return caches
    .map(({ kind, failure }) => (failure instanceof Error ? `${kind} (${failure.message})` : kind))
    .join(', ');
}
