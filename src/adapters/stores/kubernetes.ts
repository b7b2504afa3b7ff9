// The API server as the store (kubernetes.md). The state of a policy, with what is still owed to other objects, is one
// field of its status and is written in one patch that holds only for the version it was decided on: a second writer, or one
// that was stopped for a minute, is refused by the server. Policies are declared with kubectl, not here.
import type { Admission } from '../../cluster/admission.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Version } from '../../core/model/version.ts';
import type { KubeApi, KubeObject } from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import type { Declaration, JournalEntry, RecordResult, StateChange, Store, StoredCommand } from '../../ports/index.ts';
import { Commands } from './kubernetes/commands.ts';
import { Declarations } from './kubernetes/declarations.ts';
import { declaredElsewhere } from './kubernetes/errors.ts';
import { History, type JournalQuery } from './kubernetes/history.ts';
import { type Compiled, Policies, type StoreCaches } from './kubernetes/policies.ts';
import { Records } from './kubernetes/records.ts';
import { Templates } from './kubernetes/templates.ts';
import { watchCaches } from './kubernetes/watching.ts';

export type { Compiled, StoreCaches } from './kubernetes/policies.ts';

export interface KubernetesStoreDeps {
  readonly api: KubeApi;
  readonly caches: StoreCaches;
  readonly compile: (object: KubeObject) => Compiled;
  readonly encodeDeclared: (policy: ReleasePolicy, version: Version) => string;
  readonly wallTime: () => string;
  /** Whether commands carry the name of who gave them, and who may give which. */
  readonly stamp: () => Admission;
  readonly log: Log;
}

export class KubernetesStore implements Store {
  readonly templates: Templates;
  readonly #caches: StoreCaches;
  readonly #log: Log;
  readonly #declarations: Declarations;
  readonly #records: Records;
  readonly #commands: Commands;
  readonly #history: History;

  constructor(deps: KubernetesStoreDeps) {
    const { api, caches, log } = deps;
    const policies = new Policies(api, caches);
    const templates = new Templates(caches, policies);
    this.templates = templates;
    this.#caches = caches;
    this.#log = log;
    this.#commands = new Commands({ ...deps, policies });
    this.#declarations = new Declarations({ ...deps, policies, templates, commands: this.#commands });
    this.#records = new Records({ ...deps, policies, templates });
    this.#history = new History(api, caches, policies);
  }

  async readState(policy: string): Promise<{ readonly version: number; readonly state: string } | null> {
    return this.#records.readState(policy);
  }

  async record(change: StateChange): Promise<RecordResult> {
    const result = await this.#records.record(change);
    if (result.kind === 'recorded') await this.#forgetOld(change);
    return result;
  }

  async #forgetOld(change: StateChange): Promise<void> {
    try {
      if (change.releases.length > 0) await this.#history.forgetOld(change);
      if (change.answers.length > 0) await this.#commands.forgetOld(change.policy);
    } catch (error) {
      // They go with a later one.
      this.#log.warn('what is too old is not deleted yet', { policy: change.policy, error });
    }
  }

  async declare(): Promise<Declaration> {
    throw declaredElsewhere();
  }

  async withdraw(): Promise<void> {
    throw declaredElsewhere();
  }

  async declarations(): Promise<readonly Declaration[]> {
    return this.#declarations.all();
  }

  async declaration(policy: string): Promise<Declaration | null> {
    return this.#declarations.get(policy);
  }

  /** Why the spec as it stands is refused; null if it is not. */
  refusal(policy: string): string | null {
    return this.#declarations.refusal(policy);
  }

  /** Hands off, by a person's command. */
  isSuspended(policy: string): boolean {
    return this.#declarations.isSuspended(policy);
  }

  async finish(policy: string): Promise<void> {
    await this.#declarations.finish(policy);
  }

  async addCommand(command: { id: string; policy: string; document: string }): Promise<void> {
    await this.#commands.add(command);
  }

  async pendingCommands(policy: string): Promise<readonly StoredCommand[]> {
    return this.#commands.pending(policy);
  }

  async command(id: string): Promise<StoredCommand | null> {
    return this.#commands.get(id);
  }

  async releases(policy: string): Promise<readonly { readonly id: string; readonly document: string }[]> {
    return this.#history.releases(policy);
  }

  async release(
    id: string,
  ): Promise<{ readonly id: string; readonly policy: string; readonly document: string } | null> {
    return this.#history.release(id);
  }

  async journal(query: JournalQuery): Promise<readonly JournalEntry[]> {
    return this.#history.journal(query);
  }

  watch(changed: (policy: string) => void): () => void {
    return watchCaches(this.#caches, changed);
  }

  async health(): Promise<{ readonly writable: boolean; readonly message: string }> {
    const message = this.#records.fullness();
    return { writable: message === null, message: message ?? '' };
  }

  async close(): Promise<void> {}
}
