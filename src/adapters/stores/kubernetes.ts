// The API server as the store (kubernetes.md). The state of a policy, with what is still owed to other objects, is one
// field of its status and is written in one patch that holds only for the version it was decided on: a second writer, or one
// that was stopped for a minute, is refused by the server. Policies are declared with kubectl, not here.
import { FIELD_MANAGER, FINALIZER, keyOf, policyKey } from '../../cluster/names.ts';
import type { Deployment } from '../../cluster/objects.ts';
import { lockOf } from '../../cluster/places.ts';
import { templateImages, templateLabel, templateRevision } from '../../cluster/revision.ts';
import type { Command, Verb } from '../../core/model/command.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Version } from '../../core/model/version.ts';
import {
  apiVersionOf,
  type CacheReader,
  isJsonPatchTestFailure,
  isNotFound,
  type JsonPatchOperation,
  type KubeApi,
  KubeError,
  type KubeObject,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
} from '../../kubernetes/index.ts';
import { describeError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import {
  type ChainEnd,
  chainEntry,
  type Declaration,
  EMPTY_CHAIN,
  type JournalEntry,
  type RecordResult,
  type StateChange,
  type Store,
  type StoredCommand,
} from '../../ports/index.ts';
import {
  type CommandResource,
  NOTHING_PENDING,
  type Pending,
  type PendingRelease,
  type PolicyRecord,
  type PolicyResource,
  type ReleaseResource,
  recordOf,
  releaseAt,
} from './kubernetes/documents.ts';
import { declaredElsewhere, notSynced, policyGone, refusedPolicy } from './kubernetes/errors.ts';
import { flush } from './kubernetes/flush.ts';
import { releasesOf, Templates } from './kubernetes/templates.ts';

export type Compiled =
  | { readonly kind: 'ok'; readonly policy: ReleasePolicy }
  | { readonly kind: 'refused'; readonly errors: readonly { path: string; problem: string; fix: string }[] };

export interface KubernetesStoreDeps {
  readonly api: KubeApi;
  readonly caches: {
    readonly policies: CacheReader;
    readonly releases: CacheReader;
    readonly commands: CacheReader;
    readonly deployments: CacheReader;
  };
  readonly compile: (object: KubeObject) => Compiled;
  readonly encodeDeclared: (policy: ReleasePolicy, version: Version) => string;
  readonly wallTime: () => string;
  readonly log: Log;
}

const TAIL = 50;
const FINISHED_COMMANDS = 20;

export class KubernetesStore implements Store {
  readonly #deps: KubernetesStoreDeps;
  readonly templates: Templates;
  /** Declarations by policy, so that one whose parts did not change is the same. */
  readonly #declared = new Map<string, { readonly key: string; readonly declaration: Declaration }>();
  /** The last spec that could be read, by policy. */
  readonly #compiled = new Map<string, { readonly generation: number; readonly policy: ReleasePolicy }>();
  /** Record versions of which everything owed was written. */
  readonly #flushed = new Map<string, number>();
  /** What was last heard of each policy that is worth a look. */
  readonly #heard = new Map<string, string>();
  #full: string | null = null;
  #generations = 0;

  constructor(deps: KubernetesStoreDeps) {
    this.#deps = deps;
    this.templates = new Templates(deps.caches.releases);
  }

  async readState(policy: string): Promise<{ readonly version: number; readonly state: string } | null> {
    const resource = this.#policy(policy);
    const record = resource === null ? null : recordOf(resource);
    if (resource === null || record === null) return null;
    await this.#flush(policy, resource, record);
    return { version: record.version, state: record.state };
  }

  async record(change: StateChange): Promise<RecordResult> {
    const resource = this.#policy(change.policy);
    if (resource === null) throw policyGone(change.policy);
    const before = recordOf(resource);
    if ((before?.version ?? 0) !== change.expectedVersion) return { kind: 'conflict' };
    const record = this.#nextRecord(change, before);
    const written = await this.#write(resource, before, record, change.state);
    if (written.kind !== 'written') return written;
    await this.#settle(change, written.resource, record);
    return { kind: 'recorded', version: record.version };
  }

  #nextRecord(change: StateChange, before: PolicyRecord | null): PolicyRecord {
    let chain: ChainEnd = before?.chain ?? EMPTY_CHAIN;
    const entries: JournalEntry[] = change.journal.map((entry) => {
      const next = chainEntry(chain, change.policy, entry);
      chain = { sequence: next.sequence, hash: next.hash };
      return next;
    });
    const version = change.expectedVersion + 1;
    const owed =
      this.#flushed.get(change.policy) === before?.version ? NOTHING_PENDING : (before?.pending ?? NOTHING_PENDING);
    const tail = [...(before?.tail ?? []), ...entries.filter(({ release }) => release === null)].slice(-TAIL);
    return { version, state: change.state, chain, tail, pending: this.#pending(change, owed, entries) };
  }

  #pending(change: StateChange, owed: Pending, entries: readonly JournalEntry[]): Pending {
    const ids = new Set([...change.releases.map(({ id }) => id), ...entries.flatMap(({ release }) => release ?? [])]);
    const releases = [...ids].map((id): PendingRelease => {
      const document = change.releases.find((release) => release.id === id)?.document ?? null;
      const journal = entries.filter(({ release }) => release === id);
      return { id, document, journal, template: this.#templateFor(change.policy, id, document) };
    });
    return { releases: [...owed.releases, ...releases], answers: [...owed.answers, ...change.answers] };
  }

  /** A release that begins takes its template along. */
  #templateFor(policy: string, id: string, document: string | null) {
    const at = releaseAt(id);
    if (document === null || this.#deps.caches.releases.get(at.namespace, at.name) !== undefined) return null;
    const { release } = JSON.parse(document) as { release: { to: { revision: string } } };
    return this.templates.get(policy, release.to.revision);
  }

  async #write(
    resource: PolicyResource,
    before: PolicyRecord | null,
    record: PolicyRecord,
    state: string,
  ): Promise<{ kind: 'written'; resource: PolicyResource } | Exclude<RecordResult, { kind: 'recorded' }>> {
    const { namespace, name } = resource.metadata;
    const fields: Record<string, unknown> = { record, ...admissionFields(state) };
    const operations: JsonPatchOperation[] =
      resource.status === undefined
        ? [
            { op: 'test', path: '/status', value: null },
            { op: 'add', path: '/status', value: withoutNulls(fields) },
          ]
        : [
            before === null
              ? { op: 'test', path: '/status/record', value: null }
              : { op: 'test', path: '/status/record/version', value: before.version },
            ...Object.entries(fields).flatMap(([field, value]) => fieldOperation(resource, field, value)),
          ];
    try {
      const written = await this.#deps.api.patch<PolicyResource>(
        RELEASE_POLICIES,
        { namespace, name },
        { type: 'json', operations },
        { subresource: 'status', fieldManager: FIELD_MANAGER },
      );
      this.#full = null;
      this.#deps.caches.policies.noteWritten(written);
      return { kind: 'written', resource: written };
    } catch (error) {
      if (isNotFound(error)) throw policyGone(keyOf({ namespace: namespace ?? '', name }));
      if (isJsonPatchTestFailure(error)) {
        await this.#reread(resource);
        return { kind: 'conflict' };
      }
      if (isFull(error)) {
        this.#full = describeError(error);
        return { kind: 'full', message: this.#full };
      }
      throw error;
    }
  }

  /** Another has written: the cache may not have heard of it yet. */
  async #reread({ metadata: { namespace, name } }: PolicyResource): Promise<void> {
    const live = await this.#deps.api.get(RELEASE_POLICIES, { namespace, name });
    if (live !== null) this.#deps.caches.policies.noteWritten(live);
  }

  async #settle(change: StateChange, resource: PolicyResource, record: PolicyRecord): Promise<void> {
    try {
      await this.#flush(change.policy, resource, record);
      if (change.releases.length > 0) await this.#forgetOld(change);
      if (change.answers.length > 0) await this.#forgetCommands(change.policy);
    } catch (error) {
      // Recorded all the same: what is owed stands in the record and is written with the next look.
      this.#deps.log.warn('not all that was recorded is written yet', { policy: change.policy, error });
    }
  }

  async #flush(policy: string, resource: PolicyResource, record: PolicyRecord): Promise<void> {
    if (this.#flushed.get(policy) === record.version) return;
    await flush(this.#deps, resource, record.pending);
    this.#flushed.set(policy, record.version);
  }

  /** Older ones than the policy keeps; never one whose template may still be needed. */
  async #forgetOld({ policy, keepReleases, state }: StateChange): Promise<void> {
    const all = releasesOf(this.#deps.caches.releases, policyKey(policy));
    const old = all.slice(0, Math.max(0, all.length - Math.max(1, keepReleases)));
    for (const { metadata, spec } of old) {
      if (state.includes(spec.revision)) continue;
      await this.#deps.api.delete(RELEASES, metadata, uidOf(metadata));
    }
  }

  async #forgetCommands(policy: string): Promise<void> {
    const done = this.#commandsOf(policy).filter(({ status }) => status?.accepted !== undefined);
    for (const { metadata } of done.slice(0, Math.max(0, done.length - FINISHED_COMMANDS))) {
      await this.#deps.api.delete(RELEASE_COMMANDS, metadata, uidOf(metadata));
    }
  }

  async declare(): Promise<Declaration> {
    throw declaredElsewhere();
  }

  async withdraw(): Promise<void> {
    throw declaredElsewhere();
  }

  async declarations(): Promise<readonly Declaration[]> {
    this.#refuseUnsynced();
    const found: Declaration[] = [];
    for (const { metadata } of this.#deps.caches.policies.list()) {
      const key = keyOf({ namespace: metadata.namespace ?? '', name: metadata.name });
      try {
        const declaration = await this.declaration(key);
        if (declaration !== null) found.push(declaration);
      } catch (error) {
        // One that cannot be read keeps no other from being released (row 68).
        this.#deps.log.warn('policy not read', { policy: key, error });
      }
    }
    return found;
  }

  /** null: there is no such policy, or nothing yet of what it names. */
  async declaration(policy: string): Promise<Declaration | null> {
    this.#refuseUnsynced();
    const resource = this.#policy(policy);
    if (resource === null) return null;
    const compiled = this.#compile(policy, resource);
    if (resource.metadata.deletionTimestamp === undefined) await this.#claim(resource);
    const version = this.#version(policy, compiled);
    const known = recordOf(resource);
    const removed = resource.metadata.deletionTimestamp !== undefined || (version === null && known !== null);
    const declared = version ?? lastVersion(known);
    if (declared === null) {
      // Nothing was ever released by it: there is nothing to give back.
      if (removed) await this.finish(policy);
      return null;
    }
    return this.#declaration(policy, compiled, declared, removed);
  }

  #declaration(policy: string, compiled: ReleasePolicy, version: Version, removed: boolean): Declaration {
    const document = this.#deps.encodeDeclared(compiled, version);
    const key = `${removed} ${document}`;
    const before = this.#declared.get(policy);
    if (before?.key === key) return before.declaration;
    this.#generations += 1;
    const declaration = { policy, document, generation: this.#generations, removed };
    this.#declared.set(policy, { key, declaration });
    return declaration;
  }

  /** A spec that cannot be read any more does not stop what is under way: the last good one holds. */
  #compile(policy: string, resource: PolicyResource): ReleasePolicy {
    const generation = resource.metadata.generation ?? 0;
    const before = this.#compiled.get(policy);
    if (before?.generation === generation) return before.policy;
    const result = this.#deps.compile(resource);
    if (result.kind === 'ok') {
      this.#compiled.set(policy, { generation, policy: result.policy });
      return result.policy;
    }
    const last = before?.policy ?? lastPolicy(recordOf(resource));
    if (last === null) throw refusedPolicy(policy, result.errors[0]);
    this.#deps.log.warn('policy refused; the one before holds', { policy, problem: result.errors[0]?.problem });
    return last;
  }

  /** Hands off, by a person's command. */
  isSuspended(policy: string): boolean {
    return this.#policy(policy)?.status?.suspended === true;
  }

  /** Why the spec as it stands is refused; null if it is not. */
  refusal(policy: string): string | null {
    const resource = this.#policy(policy);
    if (resource === null) return null;
    const result = this.#deps.compile(resource);
    return result.kind === 'ok' ? null : describeError(refusedPolicy(policy, result.errors[0]));
  }

  /** The version that its owner wants: what stands in the Deployment, or waits while another is restored. */
  #version(policy: string, { workload, name }: ReleasePolicy): Version | null {
    if (workload.kind !== 'deployment') return null;
    const { namespace } = policyKey(name);
    const deployment = this.#deps.caches.deployments.get(namespace, workload.deployment) as Deployment | undefined;
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return null;
    const lock = lockOf(deployment);
    const waiting = lock?.verb === 'restore' && lock.waiting !== null ? this.templates.get(policy, lock.waiting) : null;
    const { template } = deployment.spec;
    this.templates.remember(policy, template);
    const wanted = waiting ?? template;
    return {
      revision: templateRevision(wanted),
      label: templateLabel(wanted, workload.container),
      template: { kind: 'deployment', images: templateImages(wanted) },
    };
  }

  /** So that a policy is not gone before its workload is given back. */
  async #claim(resource: PolicyResource): Promise<void> {
    const { namespace, name, finalizers = [], resourceVersion } = resource.metadata;
    if (finalizers.includes(FINALIZER)) return;
    const body = { metadata: { resourceVersion, finalizers: [...finalizers, FINALIZER] } };
    const written = await this.#deps.api.patch(
      RELEASE_POLICIES,
      { namespace, name },
      { type: 'merge', body },
      { fieldManager: FIELD_MANAGER },
    );
    this.#deps.caches.policies.noteWritten(written);
  }

  async finish(policy: string): Promise<void> {
    const resource = this.#policy(policy);
    if (resource === null) return;
    const { namespace, name, finalizers = [], resourceVersion, deletionTimestamp } = resource.metadata;
    if (deletionTimestamp === undefined || !finalizers.includes(FINALIZER)) return;
    const body = { metadata: { resourceVersion, finalizers: finalizers.filter((each) => each !== FINALIZER) } };
    await this.#deps.api.patch(
      RELEASE_POLICIES,
      { namespace, name },
      { type: 'merge', body },
      { fieldManager: FIELD_MANAGER },
    );
  }

  async addCommand(command: { id: string; policy: string; document: string }): Promise<void> {
    const { namespace, name } = policyKey(command.policy);
    const { verb, reason, release, gate, revision, skipAnalysis } = JSON.parse(command.document) as Command;
    const given = { reason, release: release === null ? null : releaseAt(release).name, gate, revision };
    const spec = { policy: name, verb, ...withoutNulls(given), ...(skipAnalysis ? { skipAnalysis } : {}) };
    const at = { namespace, name: `${name}-${verb}-${command.id}`.toLowerCase().slice(0, 253) };
    const object = { apiVersion: apiVersionOf(RELEASE_COMMANDS), kind: RELEASE_COMMANDS.kind, metadata: at, spec };
    const created = await this.#deps.api.create(RELEASE_COMMANDS, object, { fieldManager: FIELD_MANAGER });
    this.#deps.caches.commands.noteWritten(created);
  }

  async pendingCommands(policy: string): Promise<readonly StoredCommand[]> {
    return this.#commandsOf(policy)
      .filter(({ status, metadata }) => status?.accepted === undefined && metadata.deletionTimestamp === undefined)
      .map((command) => storedCommand(policy, command));
  }

  async command(id: string): Promise<StoredCommand | null> {
    const found = (this.#deps.caches.commands.list() as readonly CommandResource[]).find(
      ({ metadata }) => metadata.uid === id || metadata.name.endsWith(`-${id}`.toLowerCase()),
    );
    if (found === undefined) return null;
    const { namespace = '' } = found.metadata;
    return storedCommand(keyOf({ namespace, name: found.spec.policy }), found);
  }

  /** Oldest first. */
  #commandsOf(policy: string): readonly CommandResource[] {
    const { namespace, name } = policyKey(policy);
    const own = (this.#deps.caches.commands.list(namespace) as readonly CommandResource[]).filter(
      ({ spec }) => spec.policy === name,
    );
    return own.toSorted((a, b) =>
      (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1,
    );
  }

  async releases(policy: string): Promise<readonly { readonly id: string; readonly document: string }[]> {
    const { namespace } = policyKey(policy);
    return releasesOf(this.#deps.caches.releases, policyKey(policy)).flatMap(({ metadata, status }) =>
      status?.document === undefined ? [] : [{ id: `${namespace}/${metadata.name}`, document: status.document }],
    );
  }

  async release(
    id: string,
  ): Promise<{ readonly id: string; readonly policy: string; readonly document: string } | null> {
    const { namespace, name } = releaseAt(id);
    const found = this.#deps.caches.releases.get(namespace, name) as ReleaseResource | undefined;
    if (found?.status?.document === undefined) return null;
    return { id, policy: keyOf({ namespace, name: found.spec.policy }), document: found.status.document };
  }

  async journal(query: {
    policy?: string;
    release?: string;
    after?: number;
    limit?: number;
  }): Promise<readonly JournalEntry[]> {
    const policies = query.policy === undefined ? this.#keys() : [query.policy];
    const entries = policies.flatMap((policy) => this.#journalOf(policy));
    const { release, after = 0, limit = Number.POSITIVE_INFINITY } = query;
    const found = entries.filter(
      (entry) => entry.sequence > after && (release === undefined || entry.release === release),
    );
    return found.toSorted((a, b) => a.sequence - b.sequence).slice(0, limit);
  }

  #journalOf(policy: string): readonly JournalEntry[] {
    const resource = this.#policy(policy);
    const record = resource === null ? null : recordOf(resource);
    const kept = releasesOf(this.#deps.caches.releases, policyKey(policy)).flatMap(
      ({ status }) => status?.journal ?? [],
    );
    const owed = (record?.pending.releases ?? []).flatMap(({ journal }) => journal);
    const bySequence = new Map([...kept, ...owed, ...(record?.tail ?? [])].map((entry) => [entry.sequence, entry]));
    return [...bySequence.values()];
  }

  #keys(): readonly string[] {
    return this.#deps.caches.policies
      .list()
      .map(({ metadata }) => keyOf({ namespace: metadata.namespace ?? '', name: metadata.name }));
  }

  watch(changed: (policy: string) => void): () => void {
    const { policies, commands, deployments } = this.#deps.caches;
    const stops = [
      policies.onChange(({ metadata }) => {
        const key = keyOf({ namespace: metadata.namespace ?? '', name: metadata.name });
        const news = `${metadata.generation} ${metadata.deletionTimestamp}`;
        // Its status is written with every decision, and is no reason to look again.
        if (this.#heard.get(key) === news) return;
        this.#heard.set(key, news);
        changed(key);
      }),
      commands.onChange((command, change) => {
        const { spec, status, metadata } = command as CommandResource;
        if (change !== 'deleted' && status?.accepted === undefined)
          changed(keyOf({ namespace: metadata.namespace ?? '', name: spec.policy }));
      }),
      deployments.onChange((deployment) => {
        for (const key of this.#policiesOf(deployment)) changed(key);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #policiesOf({ metadata: { namespace = '', name } }: KubeObject): readonly string[] {
    const own = this.#deps.caches.policies.list(namespace) as readonly PolicyResource[];
    return own
      .filter(({ spec }) => spec.workload?.deployment?.name === name)
      .map(({ metadata }) => keyOf({ namespace, name: metadata.name }));
  }

  async health(): Promise<{ readonly writable: boolean; readonly message: string }> {
    return { writable: this.#full === null, message: this.#full ?? '' };
  }

  async close(): Promise<void> {}

  #policy(policy: string): PolicyResource | null {
    const { namespace, name } = policyKey(policy);
    return (this.#deps.caches.policies.get(namespace, name) ?? null) as PolicyResource | null;
  }

  #refuseUnsynced(): void {
    const { policies, deployments, releases, commands } = this.#deps.caches;
    if (![policies, deployments, releases, commands].every(({ isSynced }) => isSynced)) throw notSynced();
  }
}

function storedCommand(policy: string, { metadata, spec, status }: CommandResource): StoredCommand {
  const { namespace = '', uid = '', creationTimestamp = '' } = metadata;
  const command: Command = {
    id: uid,
    verb: spec.verb as Verb,
    policy,
    release: spec.release === undefined ? null : `${namespace}/${spec.release}`,
    actor: spec.actor ?? 'unknown',
    reason: spec.reason ?? null,
    skipAnalysis: spec.skipAnalysis ?? false,
    gate: spec.gate ?? null,
    revision: spec.revision ?? null,
    wallTime: creationTimestamp,
  };
  const { accepted, message = '' } = status ?? {};
  const answer = accepted === undefined ? null : JSON.stringify({ id: uid, accepted, message });
  return { id: uid, policy, document: JSON.stringify(command), answer };
}

interface StateFields {
  readonly suspended: unknown;
  readonly stable: Version | null;
  readonly release: {
    readonly phase: { readonly kind: string };
    readonly baseReplicas: number;
    readonly to: Version;
    readonly policy: ReleasePolicy;
  } | null;
}

/** What the admission policies read: hands off, and how far stable may shrink. */
function admissionFields(state: string): Record<string, unknown> {
  const { suspended, release } = JSON.parse(state) as StateFields;
  const isUnderWay = release !== null && release.phase.kind !== 'ended';
  return { suspended: suspended !== null, floor: isUnderWay ? release.baseReplicas : null };
}

function lastVersion(record: PolicyRecord | null): Version | null {
  if (record === null) return null;
  const { stable, release } = JSON.parse(record.state) as StateFields;
  return release?.to ?? stable;
}

function lastPolicy(record: PolicyRecord | null): ReleasePolicy | null {
  return record === null ? null : ((JSON.parse(record.state) as StateFields).release?.policy ?? null);
}

function fieldOperation({ status }: PolicyResource, field: string, value: unknown): JsonPatchOperation[] {
  const path = `/status/${field}`;
  if (value !== null && value !== undefined) return [{ op: 'add', path, value }];
  return status?.[field] === undefined ? [] : [{ op: 'remove', path }];
}

function withoutNulls(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

function uidOf({ uid }: { readonly uid?: string }): { uid?: string } {
  return uid === undefined ? {} : { uid };
}

/** The object has grown too large, or etcd takes no more. */
function isFull(error: unknown): boolean {
  if (!(error instanceof KubeError)) return false;
  return error.status === 413 || /database space exceeded|request is too large|too large/i.test(error.message);
}
