// Releases that were, and the journal of decisions, one chain for each policy. What is decided and not yet written to its
// Release is read from the record. The journal of a Release goes when the Release goes.
import { keyOf } from '../../../cluster/names.ts';
import { type KubeApi, RELEASES } from '../../../kubernetes/index.ts';
import type { JournalEntry, StateChange } from '../../../ports/index.ts';
import { factsOf, type PendingRelease, type ReleaseResource, recordOf, releaseAt, uidOf } from './documents.ts';
import type { Policies, StoreCaches } from './policies.ts';
import { releasesOf } from './templates.ts';

export interface JournalQuery {
  readonly policy?: string;
  readonly release?: string;
  readonly after?: number;
  readonly limit?: number;
}

interface StoredRelease {
  readonly id: string;
  readonly document: string;
}

interface Kept {
  readonly own: readonly ReleaseResource[];
  /** Decided, and not yet written to its Release. */
  readonly owed: readonly PendingRelease[];
  readonly tail: readonly JournalEntry[];
}

export class History {
  readonly #api: KubeApi;
  readonly #caches: StoreCaches;
  readonly #policies: Policies;

  constructor(api: KubeApi, caches: StoreCaches, policies: Policies) {
    this.#api = api;
    this.#caches = caches;
    this.#policies = policies;
  }

  /** Oldest first. */
  releases(policy: string): readonly StoredRelease[] {
    const { own, owed } = this.#read(policy);
    const documents = new Map(own.map(({ metadata, status }) => [idOf(metadata), status?.document ?? null]));
    for (const { id, document } of owed) if (document !== null) documents.set(id, document);
    return [...documents].flatMap(([id, document]) => (document === null ? [] : [{ id, document }]));
  }

  release(id: string): (StoredRelease & { readonly policy: string }) | null {
    const { namespace, name } = releaseAt(id);
    const resource = this.#caches.releases.get(namespace, name) as ReleaseResource | undefined;
    if (resource === undefined) return null;
    const policy = keyOf({ namespace, name: resource.spec.policy });
    const found = this.releases(policy).find((release) => release.id === id);
    return found === undefined ? null : { ...found, policy };
  }

  journal({ policy, release, after = 0, limit }: JournalQuery): readonly JournalEntry[] {
    const policies = policy === undefined ? this.#policies.keys() : [policy];
    return policies
      .flatMap((key) => this.#journalOf(key))
      .filter((entry) => entry.sequence > after && (release === undefined || entry.release === release))
      .toSorted((a, b) => a.sequence - b.sequence)
      .slice(0, limit);
  }

  /** Older ones than the policy keeps; never one whose template may still be needed. */
  async forgetOld({ policy, keepReleases, state }: StateChange): Promise<void> {
    const { own } = this.#read(policy);
    const needed = neededRevisions(state);
    for (const release of own.slice(0, Math.max(0, own.length - Math.max(1, keepReleases)))) {
      if (needed.has(release.spec.revision)) continue;
      await this.#api.delete(RELEASES, release.metadata, uidOf(release.metadata));
      this.#caches.releases.noteDeleted(release);
    }
  }

  #journalOf(policy: string): readonly JournalEntry[] {
    const { own, owed, tail } = this.#read(policy);
    const kept = own.flatMap(({ status }) => status?.journal ?? []);
    const entries = [...kept, ...owed.flatMap(({ journal }) => journal), ...tail];
    return [...new Map(entries.map((entry) => [entry.sequence, entry])).values()];
  }

  #read(policy: string): Kept {
    const resource = this.#policies.get(policy);
    const record = resource === null ? null : recordOf(resource);
    const own = resource === null ? [] : releasesOf(this.#caches.releases, resource);
    if (resource === null || record === null) return { own, owed: [], tail: [] };
    const isPaid = this.#policies.memory(resource).flushed === record.version;
    return { own, owed: isPaid ? [] : record.pending.releases, tail: record.tail };
  }
}

function idOf({ namespace = '', name }: { readonly namespace?: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function neededRevisions(state: string): ReadonlySet<string> {
  const { stable, release, waiting, known } = factsOf(state);
  const versions = [stable, release?.to, waiting?.version, ...known.map(({ version }) => version)];
  return new Set(versions.flatMap((version) => version?.revision ?? []));
}
