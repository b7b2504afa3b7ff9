// Durable memory: the state per policy, the hash-chained decision journal, finished releases, what people asked for.
// It stores documents as JSON text and knows nothing of what they mean.

export interface JournalEntry {
  /** Rises by one per store, without gaps. */
  readonly sequence: number;
  readonly policy: string;
  readonly release: string | null;
  readonly wallTime: string;
  /** JSON: the decision as recorded. */
  readonly document: string;
  /** SHA-256, hex, over the previous entry's hash and this entry's fields. */
  readonly hash: string;
}

export interface NewJournalEntry {
  readonly release: string | null;
  readonly wallTime: string;
  readonly document: string;
}

/** Everything one decision changes, written in one transaction or not at all. */
export interface StateChange {
  readonly policy: string;
  /** The version of the state this decision was made on; a newer one in the store refuses the write. */
  readonly expectedVersion: number;
  readonly state: string;
  readonly journal: readonly NewJournalEntry[];
  /** Finished or changed releases, by id. */
  readonly releases: readonly { readonly id: string; readonly document: string }[];
  /** Commands this decision answered. */
  readonly answers: readonly { readonly id: string; readonly document: string }[];
  /** Releases of this policy beyond this many (at least 1) are dropped, oldest first; the journal keeps its entries. */
  readonly keepReleases: number;
}

export type RecordResult =
  | { readonly kind: 'recorded'; readonly version: number }
  /** Somebody else recorded first: read again and decide anew. */
  | { readonly kind: 'conflict' }
  /** The disk is full: nothing was written, nothing may be started. */
  | { readonly kind: 'full'; readonly message: string };

export interface StoredCommand {
  readonly id: string;
  readonly policy: string;
  readonly document: string;
  /** JSON of the answer; null while pending. */
  readonly answer: string | null;
}

/** What people declared: policies with the version they want. */
export interface Declaration {
  readonly policy: string;
  /** JSON of the whole declared document, as normalised by the parser. */
  readonly document: string;
  /** Rises with each change. */
  readonly generation: number;
  readonly removed: boolean;
}

export interface Store {
  readState(policy: string): Promise<{ readonly version: number; readonly state: string } | null>;
  record(change: StateChange): Promise<RecordResult>;

  declare(policy: string, document: string): Promise<Declaration>;
  /** A withdrawn policy's workload has been given back: nothing of it need be kept any more. Idempotent. */
  finish?(policy: string): Promise<void>;
  /**
   * Marks it removed; the workload goes on running until the controller has handed it back. Where nothing was ever released
   * there is nothing to hand back, and a store may forget the policy at once.
   */
  withdraw(policy: string): Promise<void>;
  declarations(): Promise<readonly Declaration[]>;
  declaration(policy: string): Promise<Declaration | null>;

  /** The same id twice is the same intent: the second is not stored again. */
  addCommand(command: { id: string; policy: string; document: string }): Promise<void>;
  pendingCommands(policy: string): Promise<readonly StoredCommand[]>;
  command(id: string): Promise<StoredCommand | null>;

  /** Oldest first. */
  releases(policy: string): Promise<readonly { readonly id: string; readonly document: string }[]>;
  release(id: string): Promise<{ readonly id: string; readonly policy: string; readonly document: string } | null>;
  /** Oldest first; `after` leaves out entries up to and with that sequence. */
  journal(query: {
    policy?: string;
    release?: string;
    after?: number;
    limit?: number;
  }): Promise<readonly JournalEntry[]>;
  /** Calls back after a declaration or a command came in, with the policy's name. */
  watch(changed: (policy: string) => void): () => void;
  /** Whether new releases may be started: false while the disk is full or nearly so. */
  health(): Promise<{ readonly writable: boolean; readonly message: string }>;
  close(): Promise<void>;
}
