// A Router in memory that converges at once and whose data plane reaches every endpoint it was given. It refuses to
// send traffic to nothing (row 17), as every router must.
import type { Backend } from '../../core/model/effect.ts';
import type { RouterObservation } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision, Split } from '../../core/model/split.ts';
import type { EnsureResult, Router, RouterCapabilities } from '../router.ts';
import { Mishaps } from './mishaps.ts';
import { Watchers } from './watchers.ts';

interface Routed {
  readonly split: Split;
  readonly backends: readonly Backend[];
}

export class FakeRouter implements Router {
  readonly capabilities: RouterCapabilities = {
    weightStepPercent: 0.01,
    headerMatch: true,
    cookieMatch: true,
    affinity: true,
    userBuckets: true,
  };
  readonly mishaps = new Mishaps();
  readonly #routed = new Map<string, Routed>();
  readonly #inFlight = new Map<Revision, number>();
  readonly #watchers = new Watchers();

  async ensure(policy: ReleasePolicy, split: Split, backends: readonly Backend[]): Promise<EnsureResult> {
    await this.mishaps.meet('ensure');
    const empty = sentToNothing(split, backends);
    if (empty !== undefined) return { kind: 'rejected', reason: `${empty} would get traffic and has no endpoint` };
    const before = JSON.stringify(this.#routed.get(policy.name));
    this.#routed.set(policy.name, { split, backends });
    if (JSON.stringify({ split, backends }) !== before) this.#watchers.tell(policy.name);
    return { kind: 'converged' };
  }

  async observe(policy: ReleasePolicy): Promise<RouterObservation> {
    await this.mishaps.meet('observe');
    const routed = this.#routed.get(policy.name);
    const backends = routed?.backends ?? [];
    return {
      state: routed === undefined ? 'absent' : 'converged',
      reason: routed === undefined ? 'no split was ever asked for' : 'in force',
      split: routed?.split ?? null,
      endpoints: Object.fromEntries(backends.map(({ revision, endpoints }) => [revision, endpoints])),
      healthy: Object.fromEntries(backends.map(({ revision, endpoints }) => [revision, endpoints.length])),
      inFlight: this.#inFlightOf(backends),
      instances: ['double'],
    };
  }

  async inFlight(policy: ReleasePolicy): Promise<Readonly<Record<Revision, number>>> {
    await this.mishaps.meet('inFlight');
    return this.#inFlightOf(this.#routed.get(policy.name)?.backends ?? []);
  }

  watch(policy: ReleasePolicy, changed: () => void): () => void {
    return this.#watchers.add(policy.name, changed);
  }

  /** So many requests of this version are open now. */
  open(revision: Revision, requests: number): void {
    this.#inFlight.set(revision, requests);
  }

  splitOf(policy: ReleasePolicy): Split | null {
    return this.#routed.get(policy.name)?.split ?? null;
  }

  #inFlightOf(backends: readonly Backend[]): Record<Revision, number> {
    const counts = Object.fromEntries(backends.map(({ revision }) => [revision, 0]));
    return { ...counts, ...Object.fromEntries(this.#inFlight) };
  }
}

/** The first version that would get requests and has no endpoint. */
function sentToNothing(split: Split, backends: readonly Backend[]): Revision | undefined {
  const weighted = split.weights.filter(({ weightPercent }) => weightPercent > 0).map(({ revision }) => revision);
  const wanted = [...weighted, ...split.rules.map(({ revision }) => revision)];
  return wanted.find(
    (revision) => !backends.some((other) => other.revision === revision && other.endpoints.length > 0),
  );
}
