// A Store in memory, with the same contract as a durable one: versions, conflicts, a hash chain, retention.
// It forgets everything when the process ends. `fillUp` and `failNext` make it as unhelpful as a real disk.
import { chainEntry, EMPTY_CHAIN } from '../journal-chain.ts';
import type { Declaration, JournalEntry, RecordResult, StateChange, Store, StoredCommand } from '../store.ts';

interface StoredRelease {
  readonly id: string;
  readonly policy: string;
  readonly document: string;
}

export class MemoryStore implements Store {
  readonly #states = new Map<string, { version: number; state: string }>();
  readonly #declarations = new Map<string, Declaration>();
  readonly #commands = new Map<string, StoredCommand>();
  readonly #pending = new Map<string, Map<string, StoredCommand>>();
  readonly #releases = new Map<string, StoredRelease>();
  readonly #journal: JournalEntry[] = [];
  readonly #watchers = new Set<(policy: string) => void>();
  #full: string | null = null;
  #failure: Error | null = null;

  /** From now on every write finds the disk full; null makes room again. */
  fillUp(message: string | null): void {
    this.#full = message;
  }

  /** The next call that reads or writes a state is refused with this error. */
  failNext(error: Error): void {
    this.#failure = error;
  }

  async readState(policy: string): Promise<{ readonly version: number; readonly state: string } | null> {
    this.#throwFailure();
    return this.#states.get(policy) ?? null;
  }

  async record(change: StateChange): Promise<RecordResult> {
    this.#throwFailure();
    if (this.#full !== null) return { kind: 'full', message: this.#full };
    const version = this.#states.get(change.policy)?.version ?? 0;
    if (version !== change.expectedVersion) return { kind: 'conflict' };
    this.#states.set(change.policy, { version: version + 1, state: change.state });
    for (const entry of change.journal) {
      this.#journal.push(chainEntry(this.#journal.at(-1) ?? EMPTY_CHAIN, change.policy, entry));
    }
    for (const { id, document } of change.releases) this.#releases.set(id, { id, policy: change.policy, document });
    if (change.releases.length > 0) this.#dropOldReleases(change.policy, change.keepReleases);
    for (const { id, document } of change.answers) this.#answer(id, document);
    return { kind: 'recorded', version: version + 1 };
  }

  async declare(policy: string, document: string): Promise<Declaration> {
    const before = this.#declarations.get(policy);
    if (before !== undefined && before.document === document && !before.removed) return before;
    this.#throwIfFull();
    const declaration = { policy, document, generation: (before?.generation ?? 0) + 1, removed: false };
    this.#declarations.set(policy, declaration);
    this.#tell(policy);
    return declaration;
  }

  async withdraw(policy: string): Promise<void> {
    const before = this.#declarations.get(policy);
    if (before === undefined || before.removed) return;
    this.#throwIfFull();
    this.#declarations.set(policy, { ...before, generation: before.generation + 1, removed: true });
    this.#tell(policy);
  }

  async declarations(): Promise<readonly Declaration[]> {
    return [...this.#declarations.values()].sort((a, b) => (a.policy < b.policy ? -1 : 1));
  }

  async declaration(policy: string): Promise<Declaration | null> {
    return this.#declarations.get(policy) ?? null;
  }

  async addCommand(command: { id: string; policy: string; document: string }): Promise<void> {
    if (this.#commands.has(command.id)) return;
    this.#throwIfFull();
    const { id, policy, document } = command;
    const stored = { id, policy, document, answer: null };
    this.#commands.set(id, stored);
    const pending = this.#pending.get(policy) ?? new Map<string, StoredCommand>();
    this.#pending.set(policy, pending.set(id, stored));
    this.#tell(policy);
  }

  async pendingCommands(policy: string): Promise<readonly StoredCommand[]> {
    const pending = this.#pending.get(policy);
    return pending === undefined || pending.size === 0 ? [] : [...pending.values()];
  }

  async command(id: string): Promise<StoredCommand | null> {
    return this.#commands.get(id) ?? null;
  }

  async releases(policy: string): Promise<readonly { readonly id: string; readonly document: string }[]> {
    return this.#releasesOf(policy).map(({ id, document }) => ({ id, document }));
  }

  async release(id: string): Promise<StoredRelease | null> {
    return this.#releases.get(id) ?? null;
  }

  async journal(query: {
    policy?: string;
    release?: string;
    after?: number;
    limit?: number;
  }): Promise<readonly JournalEntry[]> {
    const found: JournalEntry[] = [];
    for (const entry of this.#journal.slice(query.after ?? 0)) {
      if (query.policy !== undefined && entry.policy !== query.policy) continue;
      if (query.release !== undefined && entry.release !== query.release) continue;
      if (found.push(entry) === query.limit) break;
    }
    return found;
  }

  watch(changed: (policy: string) => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  async health(): Promise<{ readonly writable: boolean; readonly message: string }> {
    return this.#full === null ? HEALTHY : { writable: false, message: this.#full };
  }

  async close(): Promise<void> {
    this.#watchers.clear();
  }

  #answer(id: string, answer: string): void {
    const command = this.#commands.get(id);
    if (command === undefined) return;
    this.#commands.set(id, { ...command, answer });
    this.#pending.get(command.policy)?.delete(id);
  }

  #releasesOf(policy: string): StoredRelease[] {
    return [...this.#releases.values()].filter((release) => release.policy === policy);
  }

  #dropOldReleases(policy: string, keepReleases: number): void {
    for (const { id } of this.#releasesOf(policy).slice(0, -Math.max(1, keepReleases))) this.#releases.delete(id);
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure;
  }

  #throwIfFull(): void {
    if (this.#full !== null) throw new Error(this.#full);
  }

  #tell(policy: string): void {
    for (const changed of this.#watchers) changed(policy);
  }
}

const HEALTHY = { writable: true, message: '' };
