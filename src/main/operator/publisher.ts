// Writes where each policy stands into its status, when that changed: at once for what people wait for, and not more often
// than every few seconds for numbers that move. At rest it writes nothing.

import type { StatusCondition } from '../../adapters/stores/kubernetes/documents.ts';
import { FIELD_MANAGER, policyKey } from '../../cluster/names.ts';
import type { Deployment } from '../../cluster/objects.ts';
import { templateRevision } from '../../cluster/revision.ts';
import type { PolicyView } from '../../controller/index.ts';
import {
  type CacheReader,
  isNotFound,
  type KubeApi,
  type KubeObject,
  RELEASE_POLICIES,
} from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import type { Clock } from '../../ports/index.ts';
import { type PolicyStatus, statusOf } from './status.ts';

export interface PublisherDeps {
  readonly api: KubeApi;
  readonly policies: CacheReader;
  readonly deployments: CacheReader;
  readonly refusal: (policy: string) => string | null;
  /** Percent of the requests seen lately that a version got; null where nothing was counted. */
  readonly sharePercent: (policy: string, revision: string) => number | null;
  /** What every screen shows, as JSON; null if it cannot be made. */
  readonly viewText: (policy: string) => Promise<string | null>;
  readonly clock: Clock;
  readonly log: Log;
}

const NUMBERS_EVERY_MS = 5_000;
const RETRY_MS = 2_000;

interface Entry {
  latest: PolicyView;
  busy: boolean;
  /** What was last written of what people wait for, and of everything. */
  news: string;
  whole: string;
  writtenMs: number;
  timer: AbortController | null;
}

/** That a replica has grown older is no news: at rest nothing is written. */
const withoutAges = (key: string, value: unknown) => (key === 'readyForMs' ? undefined : value);

export class StatusPublisher {
  readonly #deps: PublisherDeps;
  readonly #entries = new Map<string, Entry>();
  #isStopped = false;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
  }

  take(view: PolicyView): void {
    const entry = this.#entries.get(view.name) ?? {
      latest: view,
      busy: false,
      news: '',
      whole: '',
      writtenMs: Number.NEGATIVE_INFINITY,
      timer: null,
    };
    entry.latest = view;
    this.#entries.set(view.name, entry);
    void this.#consider(entry);
  }

  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#entries.values()) timer?.abort();
  }

  async #consider(entry: Entry): Promise<void> {
    if (entry.busy || this.#isStopped) return;
    entry.busy = true;
    try {
      await this.#publish(entry);
    } catch (error) {
      this.#deps.log.warn('status not written', { policy: entry.latest.name, error });
      this.#later(entry, RETRY_MS);
    } finally {
      entry.busy = false;
    }
  }

  async #publish(entry: Entry): Promise<void> {
    const { clock } = this.#deps;
    const view = entry.latest;
    const status = this.#statusOf(view);
    if (status === null) return;
    const news = JSON.stringify([
      status.conditions,
      status.version,
      status.observedGeneration,
      status.workload,
      status.phase,
      status.weight,
    ]);
    const whole = JSON.stringify(
      [status, view.state?.release?.windows ?? 0, view.seen?.workload, view.owed],
      withoutAges,
    );
    if (whole === entry.whole) return;
    const waitMs = entry.writtenMs + NUMBERS_EVERY_MS - clock.now().monotonicMs;
    if (news === entry.news && waitMs > 0) return this.#later(entry, waitMs);
    await this.#write(view.name, status);
    entry.news = news;
    entry.whole = whole;
    entry.writtenMs = clock.now().monotonicMs;
    if (entry.latest !== view) this.#later(entry, RETRY_MS);
  }

  #statusOf(view: PolicyView): PolicyStatus | null {
    const { policies, refusal, sharePercent, clock } = this.#deps;
    const key = policyKey(view.name);
    const policy = policies.get(key.namespace, key.name);
    if (policy === undefined) {
      this.#entries.delete(view.name);
      return null;
    }
    const revision = view.state?.release?.to.revision;
    return statusOf({
      view,
      sharePercent: revision === undefined ? null : sharePercent(view.name, revision),
      generation: policy.metadata.generation ?? 0,
      deployment: this.#seenDeployment(view, policy),
      refusal: refusal(view.name),
      before: conditionsOf(policy),
      wallTime: clock.now().wallTime,
    });
  }

  /**
   * The Deployment whose template this view was decided on. One that was written since is not claimed to have been looked
   * at: kubectl wait would take the outcome of the version before for its own.
   */
  #seenDeployment(view: PolicyView, policy: KubeObject): { readonly name: string; readonly generation: number } | null {
    const { workload } = view.policy ?? {};
    if (workload?.kind !== 'deployment') return null;
    const { namespace } = policyKey(view.name);
    const found = this.#deps.deployments.get(namespace, workload.deployment) as Deployment | undefined;
    if (found === undefined) return null;
    if (templateRevision(found.spec.template) === view.declared?.revision) {
      return { name: found.metadata.name, generation: found.metadata.generation ?? 0 };
    }
    const { workload: before } = (policy.status ?? {}) as {
      readonly workload?: { readonly observedGeneration?: number };
    };
    return { name: found.metadata.name, generation: before?.observedGeneration ?? 0 };
  }

  async #write(policy: string, status: PolicyStatus): Promise<void> {
    const { api, policies, viewText } = this.#deps;
    const view = await viewText(policy);
    const body = { status: { ...status, ...(view === null ? {} : { view }) } };
    try {
      const written = await api.patch(
        RELEASE_POLICIES,
        policyKey(policy),
        { type: 'merge', body },
        { subresource: 'status', fieldManager: FIELD_MANAGER },
      );
      policies.noteWritten(written);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #later(entry: Entry, ms: number): void {
    if (entry.timer !== null || this.#isStopped) return;
    const timer = new AbortController();
    entry.timer = timer;
    void this.#deps.clock.sleep(ms, timer.signal).then(() => {
      entry.timer = null;
      if (!timer.signal.aborted) void this.#consider(entry);
    });
  }
}

function conditionsOf(policy: KubeObject): readonly StatusCondition[] {
  return (policy.status as { readonly conditions?: readonly StatusCondition[] } | undefined)?.conditions ?? [];
}
