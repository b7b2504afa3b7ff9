// Who writes an adopted route back: once is drift, and is set right; twice within a minute is a fight, which Haldane does not
// join. It is tried again after a while, since the other side may have been told by then. Kept in memory: a restart counts anew.
import { elapsedMs, type Instant } from '../../../core/model/time.ts';

const WITHIN_MS = 60_000;
const AGAIN_MS = 300_000;

interface Seen {
  readonly version: string;
  readonly at: Instant;
  readonly isFight: boolean;
}

export class Fights {
  readonly #seen = new Map<string, Seen>();

  /** What we wrote is not there any more; each version of the spec is counted once. */
  note(key: string, version: string, at: Instant): void {
    const before = this.#seen.get(key);
    if (before?.version === version) return;
    const withinMs = before?.isFight === true ? AGAIN_MS + WITHIN_MS : WITHIN_MS;
    const isFight = before !== undefined && before.at.epoch === at.epoch && elapsedMs(before.at, at) <= withinMs;
    this.#seen.set(key, { version, at, isFight });
  }

  stands(key: string, now: Instant): boolean {
    const seen = this.#seen.get(key);
    return seen?.isFight === true && elapsedMs(seen.at, now) < AGAIN_MS;
  }

  end(key: string): void {
    this.#seen.delete(key);
  }
}

export function fightReason(route: string, manager: string | null, policy: string): string {
  const who = manager ?? 'another manager';
  return `${who} writes the weights of HTTPRoute ${route} back while they are in use; ${fixFor(who)}, or run: kubectl haldane adopt ${policy}`;
}

function fixFor(manager: string): string {
  if (/argo/i.test(manager)) {
    return 'have Argo CD leave them alone (ignoreDifferences of the Application: {group: gateway.networking.k8s.io, kind: HTTPRoute, jqPathExpressions: [".spec.rules[].backendRefs"]}, and the sync option RespectIgnoreDifferences=true)';
  }
  if (/flux|kustomize-controller|helm-controller/i.test(manager)) {
    return 'have Flux leave the route alone (annotation kustomize.toolkit.fluxcd.io/ssa: IfNotPresent)';
  }
  return 'have it leave spec.rules[].backendRefs alone';
}
