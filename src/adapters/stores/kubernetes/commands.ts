// What people ask for, as objects they created with their own rights. The API server says who asked; the answer is written
// into the object's status. A command that was answered is not pending, even before its own status is heard of (row 69).
// Where nothing stamps commands, whoever creates one may write any name into it and needs no right to its verb: then only
// those that take away are taken, by nobody's name.
import type { Admission } from '../../../cluster/admission.ts';
import { FIELD_MANAGER, keyOf, policyKey } from '../../../cluster/names.ts';
import type { Command, Verb } from '../../../core/model/command.ts';
import { apiVersionOf, isAlreadyExists, type KubeApi, RELEASE_COMMANDS, versionOf } from '../../../kubernetes/index.ts';
import type { Log } from '../../../lib/log.ts';
import type { StoredCommand } from '../../../ports/index.ts';
import { type CommandResource, recordOf, releaseAt, uidOf, withoutNulls } from './documents.ts';
import { flushAnswer } from './flush.ts';
import type { Policies, StoreCaches } from './policies.ts';

/** No guard may block them (I3). */
const WAY_BACK = ['abort', 'pause', 'rollback'];
const FINISHED_KEPT = 20;
const LONGEST_NAME = 253;

export interface CommandsDeps {
  readonly api: KubeApi;
  readonly caches: StoreCaches;
  readonly policies: Policies;
  readonly wallTime: () => string;
  readonly stamp: () => Admission;
  readonly log: Log;
}

export class Commands {
  readonly #deps: CommandsDeps;
  readonly #api: KubeApi;
  readonly #caches: StoreCaches;
  readonly #policies: Policies;

  constructor(deps: CommandsDeps) {
    this.#deps = deps;
    this.#api = deps.api;
    this.#caches = deps.caches;
    this.#policies = deps.policies;
  }

  async add({ id, policy, document }: { id: string; policy: string; document: string }): Promise<void> {
    const { namespace, name } = policyKey(policy);
    const { verb, reason, release, gate, revision, skipAnalysis } = JSON.parse(document) as Command;
    const given = { reason, release: release === null ? null : releaseAt(release).name, gate, revision };
    const object = {
      apiVersion: apiVersionOf(RELEASE_COMMANDS),
      kind: RELEASE_COMMANDS.kind,
      metadata: { namespace, name: nameFor(name, verb, id) },
      spec: { policy: name, verb, ...withoutNulls(given), ...(skipAnalysis ? { skipAnalysis } : {}) },
    };
    try {
      const created = await this.#api.create(RELEASE_COMMANDS, object, { fieldManager: FIELD_MANAGER });
      this.#caches.commands.noteWritten(created);
    } catch (error) {
      // The same id twice is the same intent.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async pending(policy: string): Promise<readonly StoredCommand[]> {
    const resource = await this.#policies.known(policy);
    const answered = new Set(resource === null ? [] : recordOf(resource)?.answered);
    const waiting = this.#of(policy)
      .filter(({ metadata, status }) => status?.accepted === undefined && !answered.has(metadata.uid ?? ''))
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const stamp = this.#deps.stamp();
    if (stamp.kind === 'there') return waiting.map(storedCommand);
    const back = waiting.filter(({ spec }) => WAY_BACK.includes(spec.verb));
    // Not known yet is waited for: the command stays as it is.
    const others = waiting.filter((command) => !back.includes(command));
    if (stamp.kind === 'missing') for (const command of others) await this.#refuse(command, stamp.why);
    return back.map((command) => storedCommand({ ...command, spec: withoutActor(command.spec) }));
  }

  async #refuse(command: CommandResource, why: string): Promise<void> {
    const { uid: id = '', name } = command.metadata;
    const message = `nobody knows who gave it, so it is not taken: ${why}; kubectl apply -f admission.yaml, and give it again`;
    try {
      await flushAnswer(this.#deps, command, { id, document: JSON.stringify({ accepted: false, message }) });
    } catch (error) {
      // It is tried again at the next look, and keeps no abort waiting (I3).
      this.#deps.log.warn('a command that is not taken was not answered', { command: name, error });
    }
  }

  /** By the id of the object, or by the one it was added with. */
  get(id: string): StoredCommand | null {
    const all = this.#caches.commands.list() as readonly CommandResource[];
    const found = all.find(
      ({ metadata, spec }) => metadata.uid === id || metadata.name === nameFor(spec.policy, spec.verb, id),
    );
    return found === undefined ? null : storedCommand(found);
  }

  /** Answered ones beyond those that are kept. */
  async forgetOld(policy: string): Promise<void> {
    const done = this.#of(policy).filter(({ status }) => status?.accepted !== undefined);
    for (const command of done.slice(0, Math.max(0, done.length - FINISHED_KEPT))) await this.#forget(command);
  }

  /** Their policy goes. */
  async forgetAll(policy: string): Promise<void> {
    for (const command of this.#of(policy)) await this.#forget(command);
  }

  async #forget(command: CommandResource): Promise<void> {
    await this.#api.delete(RELEASE_COMMANDS, command.metadata, uidOf(command.metadata));
    this.#caches.commands.noteDeleted(command);
  }

  /** Oldest first. */
  #of(policy: string): readonly CommandResource[] {
    const { namespace, name } = policyKey(policy);
    const all = this.#caches.commands.list(namespace) as readonly CommandResource[];
    return all.filter(({ spec }) => spec.policy === name).toSorted(byAge);
  }
}

function withoutActor({ actor: _actor, ...spec }: CommandResource['spec']): CommandResource['spec'] {
  return spec;
}

function nameFor(policy: string, verb: string, id: string): string {
  const rest = `-${verb}-${id}`.toLowerCase();
  return `${policy.slice(0, Math.max(1, LONGEST_NAME - rest.length))}${rest}`;
}

/** Of the same second, the order of their last writes, which is that of their creation until they are answered. */
function byAge({ metadata: a }: CommandResource, { metadata: b }: CommandResource): number {
  const [bornA = '', bornB = ''] = [a.creationTimestamp, b.creationTimestamp];
  if (bornA !== bornB) return bornA < bornB ? -1 : 1;
  return versionOf(a.resourceVersion) < versionOf(b.resourceVersion) ? -1 : 1;
}

function storedCommand({ metadata, spec, status }: CommandResource): StoredCommand {
  const { namespace = '', uid = '', creationTimestamp = '' } = metadata;
  const policy = keyOf({ namespace, name: spec.policy });
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
