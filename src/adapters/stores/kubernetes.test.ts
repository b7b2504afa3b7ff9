import assert from 'node:assert/strict';
import { StoreTrial } from '../../../test/support/kubernetes-store-trial.ts';
import { KubeError, RELEASE_POLICIES } from '../../kubernetes/index.ts';
import { storeConformance } from '../../ports/conformance/store.ts';
import type { Declaration, RecordResult, StateChange, Store, StoredCommand } from '../../ports/index.ts';
import type { KubernetesStore } from './kubernetes.ts';

type Added = Map<string, { readonly uid: string; readonly policy: string; readonly document: string }>;

/**
 * The store to one who declares and commands through it as elsewhere: objects are created for it, and its commands are
 * called as it calls them. All else is the store's own.
 */
class ByObjects implements Store {
  readonly #trial: StoreTrial;
  readonly #commands: Added;
  store: KubernetesStore;

  constructor(trial: StoreTrial, store: KubernetesStore, commands: Added = new Map()) {
    this.#trial = trial;
    this.#commands = commands;
    this.store = store;
  }

  over(store: KubernetesStore): ByObjects {
    return new ByObjects(this.#trial, store, this.#commands);
  }

  async declare(policy: string, document: string): Promise<Declaration> {
    const at = nameIn(policy);
    const spec = { workload: { deployment: { name: at.name } }, document };
    if ((await this.#trial.read(at.name)) === null) {
      await this.#trial.deployment(at.name);
      await this.#trial.heard();
      await this.#trial.policy(at.name, spec);
    } else {
      await this.#trial.api.patch(RELEASE_POLICIES, at, { type: 'merge', body: { spec } });
    }
    await this.#trial.heard();
    const declaration = await this.declaration(policy);
    assert.ok(declaration !== null);
    return declaration;
  }

  async withdraw(policy: string): Promise<void> {
    await this.#trial.api.delete(RELEASE_POLICIES, nameIn(policy));
    await this.#trial.heard();
  }

  async declaration(policy: string): Promise<Declaration | null> {
    const declaration = await this.store.declaration(policy);
    return declaration === null ? null : written(declaration);
  }

  async declarations(): Promise<readonly Declaration[]> {
    return (await this.store.declarations()).map(written);
  }

  async readState(policy: string) {
    return this.store.readState(policy);
  }

  async record(asked: StateChange): Promise<RecordResult> {
    const { name } = nameIn(asked.policy);
    if ((await this.#trial.read(name)) === null) {
      await this.#trial.policy(name, { workload: { deployment: { name } } });
      await this.#trial.heard();
    }
    const answers = asked.answers.map(({ id, document }) => {
      const uid = this.#commands.get(id)?.uid ?? id;
      return { id: uid, document: JSON.stringify({ id: uid, accepted: true, message: document }) };
    });
    return this.store.record({ ...asked, answers });
  }

  async addCommand({ id, policy, document }: { id: string; policy: string; document: string }): Promise<void> {
    const command = { verb: 'pause', release: null, reason: null, gate: null, revision: null, skipAnalysis: false };
    await this.store.addCommand({ id, policy, document: JSON.stringify(command) });
    const uid = (await this.store.command(id))?.id ?? '';
    if (!this.#commands.has(id)) this.#commands.set(id, { uid, policy, document });
  }

  async pendingCommands(policy: string): Promise<readonly StoredCommand[]> {
    return (await this.store.pendingCommands(policy)).map((command) => this.#asAdded(command));
  }

  async command(id: string): Promise<StoredCommand | null> {
    const command = await this.store.command(id);
    return command === null ? null : this.#asAdded(command);
  }

  #asAdded(stored: StoredCommand): StoredCommand {
    const [id = '', { policy, document }] = [...this.#commands].find(([, { uid }]) => uid === stored.id) ?? [
      '',
      stored,
    ];
    const answer = stored.answer === null ? null : (JSON.parse(stored.answer) as { message: string }).message;
    return { id, policy, document, answer };
  }

  async releases(policy: string) {
    return this.store.releases(policy);
  }

  async release(id: string) {
    return this.store.release(id);
  }

  async journal(query: Parameters<Store['journal']>[0]) {
    return this.store.journal(query);
  }

  watch(changed: (policy: string) => void): () => void {
    return this.store.watch(changed);
  }

  async health() {
    return this.store.health();
  }

  async close(): Promise<void> {
    await this.store.close();
  }
}

function nameIn(policy: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = policy.split('/');
  return { namespace, name };
}

/** The document as it was declared, without the version that stands in the Deployment. */
function written(declaration: Declaration): Declaration {
  const { policy } = JSON.parse(declaration.document) as { policy: { spec: { document: string } } };
  return { ...declaration, document: policy.spec.document };
}

storeConformance(
  'KubernetesStore',
  async () => {
    const trial = new StoreTrial();
    let instance = await trial.open();
    const facade = new ByObjects(trial, instance.store);
    return {
      store: facade,
      reopen: async () => {
        await instance.stop();
        instance = await trial.open();
        return facade.over(instance.store);
      },
      fillUp: async () => {
        trial.memory.intercept = (verb) => {
          const message = 'etcdserver: mvcc: database space exceeded';
          if (verb === 'patch') throw new KubeError('patch', 500, { message });
        };
      },
      end: async () => instance.stop(),
    };
  },
  { journalOfEachPolicy: true, withdrawsForGood: true },
);
