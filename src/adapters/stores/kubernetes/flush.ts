// What a record owes to other objects: Releases with their documents and journals, answers of ReleaseCommands. Each write
// may be done again: journal entries are known by their number, documents are replaced by themselves.
import { FIELD_MANAGER, LABEL } from '../../../cluster/names.ts';
import {
  apiVersionOf,
  type CacheReader,
  isAlreadyExists,
  isNotFound,
  type KubeApi,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
} from '../../../kubernetes/index.ts';
import type { JournalEntry } from '../../../ports/index.ts';
import {
  type CommandResource,
  type Pending,
  type PendingRelease,
  type PolicyResource,
  type ReleaseResource,
  releaseAt,
} from './documents.ts';
import { releaseColumns } from './release-columns.ts';

export interface FlushDeps {
  readonly api: KubeApi;
  readonly caches: { readonly releases: CacheReader; readonly commands: CacheReader };
  readonly wallTime: () => string;
}

export async function flush(deps: FlushDeps, policy: PolicyResource, pending: Pending): Promise<void> {
  for (const release of pending.releases) await flushRelease(deps, policy, release);
  for (const answer of pending.answers) await flushAnswer(deps, policy, answer);
}

async function flushRelease(
  { api, caches }: FlushDeps,
  policy: PolicyResource,
  pending: PendingRelease,
): Promise<void> {
  const at = releaseAt(pending.id);
  let existing = (caches.releases.get(at.namespace, at.name) ?? null) as ReleaseResource | null;
  if (existing === null) {
    if (pending.document === null) return;
    existing = await createRelease(api, policy, pending);
    caches.releases.noteWritten(existing);
  }
  const journal = joined(existing.status?.journal ?? [], pending.journal);
  const isSame =
    journal.length === (existing.status?.journal ?? []).length &&
    (pending.document ?? existing.status?.document) === existing.status?.document;
  if (isSame) return;
  const document = pending.document ?? existing.status?.document ?? '';
  const status = { document, journal, ...releaseColumns(document) };
  const written = await api.patch<ReleaseResource>(
    RELEASES,
    at,
    { type: 'merge', body: { status } },
    { subresource: 'status', fieldManager: FIELD_MANAGER },
  );
  caches.releases.noteWritten(written);
}

async function createRelease(api: KubeApi, policy: PolicyResource, pending: PendingRelease): Promise<ReleaseResource> {
  const at = releaseAt(pending.id);
  const { name, uid = '' } = policy.metadata;
  const { release } = JSON.parse(pending.document ?? '{}') as {
    release: { number: number; to: { revision: string; label: string }; policy: unknown };
  };
  const object = {
    apiVersion: apiVersionOf(RELEASES),
    kind: RELEASES.kind,
    metadata: {
      ...at,
      labels: { [LABEL.policy]: name },
      // History goes with its policy. Nothing that carries traffic is owned by anything.
      ownerReferences: [
        { apiVersion: apiVersionOf(RELEASE_POLICIES), kind: RELEASE_POLICIES.kind, name, uid, controller: true },
      ],
    },
    spec: {
      policy: name,
      number: release.number,
      revision: release.to.revision,
      label: release.to.label,
      document: JSON.stringify(release.policy),
      ...(pending.template === null ? {} : { template: pending.template }),
    },
  };
  try {
    return await api.create<ReleaseResource>(RELEASES, object, { fieldManager: FIELD_MANAGER });
  } catch (error) {
    const existing = isAlreadyExists(error) ? await api.get<ReleaseResource>(RELEASES, at) : null;
    if (existing === null) throw error;
    return existing;
  }
}

function joined(before: readonly JournalEntry[], added: readonly JournalEntry[]): readonly JournalEntry[] {
  const last = before.at(-1)?.sequence ?? 0;
  return [...before, ...added.filter(({ sequence }) => sequence > last)];
}

async function flushAnswer(
  { api, caches, wallTime }: FlushDeps,
  policy: PolicyResource,
  answer: { readonly id: string; readonly document: string },
): Promise<void> {
  const { namespace = '' } = policy.metadata;
  const command = (caches.commands.list(namespace) as readonly CommandResource[]).find(
    ({ metadata }) => metadata.uid === answer.id,
  );
  if (command === undefined || command.status?.accepted !== undefined) return;
  const { accepted, message } = JSON.parse(answer.document) as { accepted: boolean; message: string };
  try {
    const written = await api.patch(
      RELEASE_COMMANDS,
      { namespace, name: command.metadata.name },
      { type: 'merge', body: { status: { accepted, message, answeredAt: wallTime() } } },
      { subresource: 'status', fieldManager: FIELD_MANAGER },
    );
    caches.commands.noteWritten(written);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
