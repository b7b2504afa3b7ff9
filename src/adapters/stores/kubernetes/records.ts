// States of policies: read with what is still owed to other objects, written in one patch that holds only for the version
// it was decided on. A second writer, or one that was stopped for a minute, is refused by the API server (rows 64, 65).
// What is owed and cannot be written now stays in the record, is tried with each look, and blocks no decision (I3).
import { FIELD_MANAGER } from '../../../cluster/names.ts';
import type { PodTemplate } from '../../../cluster/revision.ts';
import { isJsonPatchTestFailure, isNotFound, type KubeApi, RELEASE_POLICIES } from '../../../kubernetes/index.ts';
import { describeError } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import {
  type ChainEnd,
  chainEntry,
  EMPTY_CHAIN,
  type JournalEntry,
  type RecordResult,
  type StateChange,
} from '../../../ports/index.ts';
import {
  NOTHING_PENDING,
  type Pending,
  type PendingRelease,
  type PolicyRecord,
  type PolicyResource,
  RECORD_SCHEMA,
  recordOf,
  releaseAt,
} from './documents.ts';
import { fullBecause, policyGone } from './errors.ts';
import { flush } from './flush.ts';
import type { Policies, StoreCaches } from './policies.ts';
import { factsOfRelease } from './release-columns.ts';
import { recordOperations } from './status-patch.ts';
import type { Templates } from './templates.ts';

export interface RecordsDeps {
  readonly api: KubeApi;
  readonly caches: StoreCaches;
  readonly policies: Policies;
  readonly templates: Templates;
  readonly wallTime: () => string;
  readonly log: Log;
}

type Written = { readonly kind: 'written'; readonly resource: PolicyResource };

const TAIL = 50;
const ANSWERED = 32;
/** After so long a full etcd is tried again: somebody may have made room. */
const FULL_FOR_MS = 30_000;

export class Records {
  readonly #deps: RecordsDeps;
  #full: { readonly message: string; readonly sinceMs: number } | null = null;

  constructor(deps: RecordsDeps) {
    this.#deps = deps;
  }

  async readState(policy: string): Promise<{ readonly version: number; readonly state: string } | null> {
    const resource = await this.#deps.policies.known(policy);
    const record = resource === null ? null : recordOf(resource);
    if (resource === null || record === null) return null;
    await this.#settle(resource, record);
    return { version: record.version, state: record.state };
  }

  async record(change: StateChange): Promise<RecordResult> {
    const resource = await this.#deps.policies.known(change.policy);
    if (resource === null) throw policyGone(change.policy);
    const before = recordOf(resource);
    if ((before?.version ?? 0) !== change.expectedVersion) return { kind: 'conflict' };
    const record = this.#next(change, resource, before);
    const written = await this.#write(resource, before, record);
    if (written.kind !== 'written') return written;
    await this.#settle(written.resource, record);
    return { kind: 'recorded', version: record.version };
  }

  fullness(): string | null {
    if (this.#full === null) return null;
    return this.#nowMs() - this.#full.sinceMs < FULL_FOR_MS ? this.#full.message : null;
  }

  #next(change: StateChange, resource: PolicyResource, before: PolicyRecord | null): PolicyRecord {
    let chain: ChainEnd = before?.chain ?? EMPTY_CHAIN;
    const entries: JournalEntry[] = change.journal.map((entry) => {
      const next = chainEntry(chain, change.policy, entry);
      chain = { sequence: next.sequence, hash: next.hash };
      return next;
    });
    const isPaid = before !== null && this.#deps.policies.memory(resource).flushed === before.version;
    const owed = isPaid ? NOTHING_PENDING : (before?.pending ?? NOTHING_PENDING);
    const answered = [...(before?.answered ?? []), ...change.answers.map(({ id }) => id)];
    return {
      schema: RECORD_SCHEMA,
      version: change.expectedVersion + 1,
      state: change.state,
      chain,
      tail: [...(before?.tail ?? []), ...entries.filter(({ release }) => release === null)].slice(-TAIL),
      pending: this.#pending(change, owed, entries),
      answered: answered.slice(-ANSWERED),
    };
  }

  #pending(change: StateChange, owed: Pending, entries: readonly JournalEntry[]): Pending {
    const added = new Set([...change.releases.map(({ id }) => id), ...entries.flatMap(({ release }) => release ?? [])]);
    const releases = new Map(owed.releases.map((release) => [release.id, release]));
    for (const id of added) {
      const before = releases.get(id);
      const document = change.releases.find((release) => release.id === id)?.document ?? before?.document ?? null;
      const journal = [...(before?.journal ?? []), ...entries.filter(({ release }) => release === id)];
      releases.set(id, { id, document, journal, template: this.#templateFor(change.policy, id, document) });
    }
    return { releases: [...releases.values()], answers: [...owed.answers, ...change.answers] };
  }

  /** A release that begins takes its template along. */
  #templateFor(policy: string, id: string, document: PendingRelease['document']): PodTemplate | null {
    const at = releaseAt(id);
    if (document === null || this.#deps.caches.releases.get(at.namespace, at.name) !== undefined) return null;
    const revision = factsOfRelease(document)?.to?.revision;
    const template = revision === undefined ? null : this.#deps.templates.get(policy, revision);
    if (template === null) this.#deps.log.warn('a release begins whose template is not known', { release: id });
    return template;
  }

  async #write(
    resource: PolicyResource,
    before: PolicyRecord | null,
    record: PolicyRecord,
  ): Promise<Written | Exclude<RecordResult, { kind: 'recorded' }>> {
    const { api, policies } = this.#deps;
    try {
      const written = await api.patch<PolicyResource>(
        RELEASE_POLICIES,
        resource.metadata,
        { type: 'json', operations: recordOperations(resource, before, record) },
        { subresource: 'status', fieldManager: FIELD_MANAGER },
      );
      this.#full = null;
      policies.noteWritten(written);
      return { kind: 'written', resource: written };
    } catch (error) {
      if (isNotFound(error)) throw policyGone(`${resource.metadata.namespace}/${resource.metadata.name}`);
      if (isJsonPatchTestFailure(error)) {
        await policies.reread(resource);
        return { kind: 'conflict' };
      }
      const full = fullBecause(error);
      if (full === null) throw error;
      const message = describeError(error);
      if (full === 'cluster') this.#full = { message, sinceMs: this.#nowMs() };
      return { kind: 'full', message };
    }
  }

  /** Recorded all the same if this fails: what is owed stands in the record. */
  async #settle(resource: PolicyResource, record: PolicyRecord): Promise<void> {
    const memory = this.#deps.policies.memory(resource);
    if (memory.flushed === record.version) return;
    try {
      await flush(this.#deps, resource, record.pending);
      memory.flushed = record.version;
    } catch (error) {
      const { namespace, name } = resource.metadata;
      this.#deps.log.warn('not all that was recorded is written yet', { policy: `${namespace}/${name}`, error });
    }
  }

  #nowMs(): number {
    return Date.parse(this.#deps.wallTime());
  }
}
