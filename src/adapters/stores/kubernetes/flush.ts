// What a record owes to other objects: Releases with their documents and journals, answers of ReleaseCommands. Each write
// may be done again: journal entries are known by their number, documents are replaced by themselves. A Release that another
// has written meanwhile is read again first, so that nothing of its journal is lost.
import { FIELD_MANAGER, LABEL } from '../../../cluster/names.ts';
import {
  apiVersionOf,
  isAlreadyExists,
  isConflict,
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
  uidOf,
  withoutNulls,
} from './documents.ts';
import type { StoreCaches } from './policies.ts';
import { factsOfRelease, releaseColumns } from './release-columns.ts';
import { isOwn } from './templates.ts';

export interface FlushDeps {
  readonly api: KubeApi;
  readonly caches: StoreCaches;
  readonly wallTime: () => string;
}

/** Of a Release's journal; older entries give way, else one object would grow until etcd refuses it. */
const JOURNAL_CHARACTERS = 400_000;
const MESSAGE_CHARACTERS = 4_096;

export async function flush(deps: FlushDeps, policy: PolicyResource, pending: Pending): Promise<void> {
  for (const answer of pending.answers) await flushAnswer(deps, policy, answer);
  for (const release of pending.releases) await flushRelease(deps, policy, release);
}

async function flushRelease(deps: FlushDeps, policy: PolicyResource, pending: PendingRelease): Promise<void> {
  const { releases } = deps.caches;
  const at = releaseAt(pending.id);
  let existing = (releases.get(at.namespace, at.name) ?? null) as ReleaseResource | null;
  if (existing === null || !isOwn(existing, policy.metadata)) {
    if (pending.document === null) return;
    existing = await created(deps, policy, pending);
    releases.noteWritten(existing);
  }
  try {
    await writeStatus(deps, existing, pending);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const live = await deps.api.get<ReleaseResource>(RELEASES, at);
    if (live === null) throw error;
    releases.noteWritten(live);
    await writeStatus(deps, live, pending);
  }
}

async function writeStatus({ api, caches }: FlushDeps, existing: ReleaseResource, pending: PendingRelease) {
  const { journal: before = [], document: documentBefore } = existing.status ?? {};
  const journal = joined(before, pending.journal);
  const document = pending.document ?? documentBefore ?? '';
  if (journal === before && document === documentBefore) return;
  const { namespace, name, resourceVersion } = existing.metadata;
  const status = { document, journal, ...releaseColumns(document) };
  const written = await api.patch<ReleaseResource>(
    RELEASES,
    { namespace, name },
    { type: 'merge', body: { metadata: { resourceVersion }, status } },
    { subresource: 'status', fieldManager: FIELD_MANAGER },
  );
  caches.releases.noteWritten(written);
}

/** The very same list if there is nothing to add. */
function joined(before: readonly JournalEntry[], added: readonly JournalEntry[]): readonly JournalEntry[] {
  const last = before.at(-1)?.sequence ?? 0;
  const fresh = added.filter(({ sequence }) => sequence > last);
  if (fresh.length === 0) return before;
  const all = [...before, ...fresh];
  let characters = 0;
  const first = all.findLastIndex(({ document }) => {
    characters += document.length + 200;
    return characters > JOURNAL_CHARACTERS;
  });
  return all.slice(first + 1);
}

async function created(deps: FlushDeps, policy: PolicyResource, pending: PendingRelease): Promise<ReleaseResource> {
  const { api } = deps;
  const object = releaseObject(policy, pending);
  try {
    return await api.create<ReleaseResource>(RELEASES, object, { fieldManager: FIELD_MANAGER });
  } catch (error) {
    const existing = isAlreadyExists(error) ? await api.get<ReleaseResource>(RELEASES, object.metadata) : null;
    if (existing === null) throw error;
    if (isOwn(existing, policy.metadata)) return existing;
    // Of a policy of the same name that is gone: the garbage collector would take it in a moment.
    await api.delete(RELEASES, existing.metadata, uidOf(existing.metadata));
    deps.caches.releases.noteDeleted(existing);
    return api.create<ReleaseResource>(RELEASES, object, { fieldManager: FIELD_MANAGER });
  }
}

function releaseObject({ metadata }: PolicyResource, { id, document, template }: PendingRelease) {
  const at = releaseAt(id);
  const { name, uid = '' } = metadata;
  const release = factsOfRelease(document ?? '') ?? {};
  return {
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
      number: release.number ?? Number(/-(\d+)$/.exec(at.name)?.[1] ?? 0),
      revision: release.to?.revision ?? '',
      ...withoutNulls({ label: release.to?.label, document: JSON.stringify(release.policy), template }),
    },
  };
}

export async function flushAnswer(
  { api, caches, wallTime }: FlushDeps,
  policy: Pick<PolicyResource, 'metadata'>,
  answer: { readonly id: string; readonly document: string },
): Promise<void> {
  const { namespace } = policy.metadata;
  const commands = caches.commands.list(namespace) as readonly CommandResource[];
  const command = commands.find(({ metadata }) => metadata.uid === answer.id);
  if (command === undefined || command.status?.accepted !== undefined) return;
  const { accepted, message } = JSON.parse(answer.document) as { accepted: boolean; message: string };
  const status = { accepted, message: message.slice(0, MESSAGE_CHARACTERS), answeredAt: wallTime() };
  try {
    const written = await api.patch(
      RELEASE_COMMANDS,
      { namespace, name: command.metadata.name },
      { type: 'merge', body: { status } },
      { subresource: 'status', fieldManager: FIELD_MANAGER },
    );
    caches.commands.noteWritten(written);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    caches.commands.noteDeleted(command);
  }
}
