// The simulated store: durable over crashes of the controller, linearisable, and able to be full, to fail and to refuse
// a write that comes second. It keeps what it was told and the order of it; the hash chain is the real store's matter.
import type { Declaration, JournalEntry, RecordResult, StateChange, Store, StoredCommand } from '../../ports/store.ts';

export interface StoreWorld {
  /** The port itself, without faults and without delay. */
  readonly port: Store;
  readonly states: ReadonlyMap<string, { version: number; state: string }>;
  readonly commands: ReadonlyMap<string, StoredCommand>;
  readonly allReleases: ReadonlyMap<string, ReadonlyMap<string, string>>;
  full: boolean;
  /** Another writer records the same state once more: the next write on the old version is refused. */
  overtake(policy: string): void;
  readonly answeredTwice: readonly string[];
  /** Kinds and sentences of the journal, oldest first, as far as it is kept. */
  journalOf(policy: string): readonly { readonly kind: string; readonly sentence: string }[];
  readonly recorded: number;
}

export interface StoreWorldOptions {
  readonly wallTime: () => string;
  /** Journal entries kept; older ones are dropped to keep long runs small. */
  readonly keepJournal: number;
  readonly recordedChange: (change: StateChange) => void;
}

export function createStoreWorld(options: StoreWorldOptions): StoreWorld {
  const states = new Map<string, { version: number; state: string }>();
  const commands = new Map<string, StoredCommand>();
  const releases = new Map<string, Map<string, string>>();
  const declarations = new Map<string, Declaration>();
  const journal: JournalEntry[] = [];
  const watchers = new Set<(policy: string) => void>();
  const answeredTwice: string[] = [];
  let sequence = 0;
  let recorded = 0;
  const world = { full: false };
  const tell = (policy: string): void => {
    for (const watcher of watchers) watcher(policy);
  };

  function record(change: StateChange): RecordResult {
    const current = states.get(change.policy)?.version ?? 0;
    if (change.expectedVersion !== current) return { kind: 'conflict' };
    if (world.full) return { kind: 'full', message: 'no space left on device' };
    states.set(change.policy, { version: current + 1, state: change.state });
    recorded += 1;
    for (const entry of change.journal) {
      sequence += 1;
      journal.push({ sequence, policy: change.policy, hash: '', ...entry });
    }
    if (journal.length > 2 * options.keepJournal) journal.splice(0, journal.length - options.keepJournal);
    keepReleases(change);
    for (const { id, document } of change.answers) {
      const command = commands.get(id);
      if (command === undefined) continue;
      if (command.answer !== null) answeredTwice.push(id);
      commands.set(id, { ...command, answer: document });
    }
    options.recordedChange(change);
    return { kind: 'recorded', version: current + 1 };
  }

  function keepReleases(change: StateChange): void {
    let own = releases.get(change.policy);
    if (own === undefined) {
      own = new Map();
      releases.set(change.policy, own);
    }
    for (const { id, document } of change.releases) own.set(id, document);
    for (const id of own.keys()) {
      if (own.size <= change.keepReleases) break;
      own.delete(id);
    }
  }

  function declare(policy: string, document: string, removed: boolean): Declaration {
    const generation = (declarations.get(policy)?.generation ?? 0) + 1;
    const declaration = { policy, document, generation, removed };
    declarations.set(policy, declaration);
    tell(policy);
    return declaration;
  }

  const port: Store = {
    readState: async (policy) => states.get(policy) ?? null,
    record: async (change) => record(change),
    declare: async (policy, document) => declare(policy, document, false),
    withdraw: async (policy) => {
      const existing = declarations.get(policy);
      if (existing !== undefined) declare(policy, existing.document, true);
    },
    declarations: async () => [...declarations.values()],
    declaration: async (policy) => declarations.get(policy) ?? null,
    addCommand: async (command) => {
      if (commands.has(command.id)) return;
      commands.set(command.id, { ...command, answer: null });
      tell(command.policy);
    },
    pendingCommands: async (policy) =>
      [...commands.values()].filter((command) => command.policy === policy && command.answer === null),
    command: async (id) => commands.get(id) ?? null,
    releases: async (policy) => [...(releases.get(policy) ?? [])].map(([id, document]) => ({ id, document })),
    release: async (id) => {
      for (const [policy, own] of releases) {
        const document = own.get(id);
        if (document !== undefined) return { id, policy, document };
      }
      return null;
    },
    journal: async (query) =>
      journal
        .filter(
          (entry) =>
            (query.policy === undefined || entry.policy === query.policy) &&
            (query.release === undefined || entry.release === query.release) &&
            entry.sequence > (query.after ?? 0),
        )
        .slice(0, query.limit ?? Number.POSITIVE_INFINITY),
    watch: (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    health: async () => ({ writable: !world.full, message: world.full ? 'no space left on device' : 'ok' }),
    close: async () => {},
  };

  return {
    get full() {
      return world.full;
    },
    set full(isFull) {
      world.full = isFull;
    },
    port,
    states,
    commands,
    allReleases: releases,
    overtake(policy: string) {
      const existing = states.get(policy);
      if (existing !== undefined) states.set(policy, { ...existing, version: existing.version + 1 });
    },
    answeredTwice,
    journalOf: (policy) =>
      journal
        .filter((entry) => entry.policy === policy)
        .map(({ document }) => JSON.parse(document) as { kind: string; sentence: string }),
    get recorded() {
      return recorded;
    },
  };
}
