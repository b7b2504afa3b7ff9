// A Workload in memory: versions start at once and become ready at once, unless a test says otherwise.
import type { WantedVersion } from '../../core/model/effect.ts';
import type { Endpoint } from '../../core/model/gateway.ts';
import type { VersionObservation, WorkloadObservation } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import type { Workload } from '../workload.ts';
import { Mishaps } from './mishaps.ts';
import { Watchers } from './watchers.ts';

interface Running {
  readonly label: string;
  replicas: number;
  endpoints: readonly Endpoint[];
}

export class FakeWorkload implements Workload {
  readonly mishaps = new Mishaps();
  readonly #running = new Map<string, Map<Revision, Running>>();
  readonly #unready = new Map<Revision, string>();
  readonly #watchers = new Watchers();
  #port = 40_000;

  async observe(policy: ReleasePolicy): Promise<WorkloadObservation> {
    await this.mishaps.meet('observe');
    return { versions: [...this.#of(policy)].map(([revision, running]) => this.#seen(revision, running)) };
  }

  async ensure(policy: ReleasePolicy, wanted: readonly WantedVersion[]): Promise<void> {
    await this.mishaps.meet('ensure');
    const running = this.#of(policy);
    let isNew = false;
    for (const { version, replicas } of wanted) {
      const there = running.get(version.revision);
      if (there?.replicas === replicas) continue;
      isNew = true;
      const kept = there?.endpoints.slice(0, replicas) ?? [];
      const added = Array.from({ length: replicas - kept.length }, () => this.#endpoint());
      running.set(version.revision, { label: version.label, replicas, endpoints: [...kept, ...added] });
    }
    if (isNew) this.#watchers.tell(policy.name);
  }

  async retire(policy: ReleasePolicy, revisions: readonly Revision[]): Promise<void> {
    await this.mishaps.meet('retire');
    let isNew = false;
    for (const revision of revisions) isNew = this.#of(policy).delete(revision) || isNew;
    if (isNew) this.#watchers.tell(policy.name);
  }

  watch(policy: ReleasePolicy, changed: () => void): () => void {
    return this.#watchers.add(policy.name, changed);
  }

  /** From now on this version is not ready, for this reason; null makes it ready. */
  trouble(policy: ReleasePolicy, revision: Revision, reason: string | null): void {
    if (reason === null) this.#unready.delete(revision);
    else this.#unready.set(revision, reason);
    this.#watchers.tell(policy.name);
  }

  revisions(policy: ReleasePolicy): readonly Revision[] {
    return [...this.#of(policy).keys()];
  }

  #of(policy: ReleasePolicy): Map<Revision, Running> {
    const running = this.#running.get(policy.name) ?? new Map<Revision, Running>();
    this.#running.set(policy.name, running);
    return running;
  }

  #seen(revision: Revision, { label, replicas, endpoints }: Running): VersionObservation {
    const trouble = this.#unready.get(revision) ?? null;
    const isReady = trouble === null;
    return {
      revision,
      label,
      wanted: replicas,
      running: replicas,
      ready: isReady ? replicas : 0,
      endpoints: isReady ? endpoints : [],
      readyForMs: isReady ? 60_000 : 0,
      restarts: 0,
      trouble,
    };
  }

  #endpoint(): Endpoint {
    this.#port += 1;
    return { host: '127.0.0.1', port: this.#port };
  }
}
