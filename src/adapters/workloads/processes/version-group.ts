// The replicas of one version: as many as wanted, those that leave are stopped gracefully. It never acts on its own
// idea of what is wanted: `size` and `retire` are the only ways.
import { basename, join } from 'node:path';
import type { Endpoint } from '../../../core/model/gateway.ts';
import type { VersionLife, VersionObservation } from '../../../core/model/observed.ts';
import { elapsedMs } from '../../../core/model/time.ts';
import type { Version } from '../../../core/model/version.ts';
import type { Clock, Randomness } from '../../../ports/clock.ts';
import { type LogFiles, rotateLog } from './logs.ts';
import type { PortAllocator } from './ports.ts';
import { newReplica, VersionFiles, type VersionRecord, type WorkloadSettings } from './record.ts';
import { Replica, type ReplicaContext } from './replica.ts';

export interface GroupContext {
  readonly registry: string;
  readonly logs: string;
  readonly clock: Clock;
  readonly ids: Randomness;
  readonly ports: PortAllocator;
  readonly stateId: string;
  inUse(policy: string, revision: string, endpoint: Endpoint): Promise<boolean>;
  changed(policy: string): void;
  empty(group: VersionGroup): void;
}

export class VersionGroup {
  readonly #context: GroupContext;
  readonly #files: VersionFiles;
  readonly #replicas = new Map<number, Replica>();
  #record: VersionRecord;
  #saved = '';

  constructor(context: GroupContext, record: VersionRecord) {
    this.#context = context;
    this.#record = record;
    this.#files = new VersionFiles(context.registry, record.policy, record.version.revision);
  }

  get policy(): string {
    return this.#record.policy;
  }

  get revision(): string {
    return this.#record.version.revision;
  }

  get logFolder(): string {
    const label = this.#record.version.label.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 40);
    return join(this.#context.logs, this.policy, `${label}-${this.revision.slice(0, 8)}`);
  }

  get logFolderName(): string {
    return basename(this.logFolder);
  }

  get keptLogFolders(): number {
    return this.#record.settings.keptLogFolders;
  }

  get launches(): readonly string[] {
    return [...this.#replicas.values()].flatMap(({ record }) =>
      record.process !== null && record.launch !== null ? [record.launch] : [],
    );
  }

  get processIds(): readonly number[] {
    return [...this.#replicas.values()].flatMap((replica) =>
      replica.isRunning && replica.record.process !== null ? [replica.record.process.pid] : [],
    );
  }

  /** Reads the registry of a former agent; nothing is started or signalled yet. */
  load(): void {
    this.#saved = JSON.stringify(this.#record);
    for (const record of this.#files.replicas()) this.#add(record);
  }

  async adopt(): Promise<void> {
    await Promise.all([...this.#replicas.values()].map((replica) => replica.adopt()));
    this.#resize();
  }

  size(version: Version, wanted: number, settings: WorkloadSettings): void {
    this.#change({ version, wanted, settings, retired: false });
    this.#resize();
  }

  /** A full disk does not keep anyone from looking: the settings are kept at the next chance. */
  configure(settings: WorkloadSettings): void {
    this.#changeIfPossible({ settings });
  }

  /** A full disk does not keep anything from being stopped; the next agent would be told to retire it once more. */
  retire(): void {
    this.#changeIfPossible({ wanted: 0, retired: true });
    this.#resize();
  }

  observe(): VersionObservation {
    const replicas = [...this.#replicas.values()].sort((left, right) => left.slot - right.slot);
    const ready = replicas.filter((replica) => replica.isReady);
    const now = this.#context.clock.now();
    const ages = ready.map(({ record }) => (record.readySince === null ? 0 : elapsedMs(record.readySince, now)));
    return {
      revision: this.revision,
      label: this.#record.version.label,
      wanted: this.#record.wanted,
      running: replicas.filter((replica) => replica.isRunning).length,
      ready: ready.length,
      endpoints: ready.flatMap(({ record }) => (record.endpoint === null ? [] : [record.endpoint])),
      readyForMs: ages.length === 0 ? 0 : Math.min(...ages),
      restarts: replicas.reduce((sum, { record }) => sum + record.restarts, 0),
      trouble: describeAll(replicas),
    };
  }

  /** Replicas that are gone, and those that are there. */
  get life(): VersionLife {
    const gone = this.#record.life ?? UNNAMED_LIFE;
    return [...this.#replicas.values()].reduce(withReplica, { revision: this.revision, ...gone });
  }

  rotateLogs(): void {
    const { logs } = this.#record.settings.workload;
    for (const slot of this.#replicas.keys()) {
      const files = this.#logs(slot);
      rotateLog(files.output, logs);
      rotateLog(files.errors, logs);
    }
  }

  close(): void {
    for (const replica of this.#replicas.values()) replica.close();
  }

  /** Takes its files away; only when nothing runs. */
  remove(): void {
    this.#files.remove();
  }

  #resize(): void {
    const staying = [...this.#replicas.values()].filter((replica) => !replica.isStopping);
    for (let missing = this.#record.wanted - staying.length; missing > 0; missing--) {
      this.#add(newReplica(this.#freeSlot())).start();
    }
    // Those that serve nobody go first, then the youngest.
    const leaving = staying
      .toSorted((left, right) => Number(left.isReady) - Number(right.isReady) || right.slot - left.slot)
      .slice(0, Math.max(0, staying.length - this.#record.wanted));
    for (const replica of leaving) replica.stop();
    if (this.#replicas.size === 0 && this.#record.wanted === 0) this.#context.empty(this);
  }

  #add(record: ReturnType<typeof newReplica>): Replica {
    const replica = new Replica(this.#replicaContext(), record);
    this.#replicas.set(record.slot, replica);
    return replica;
  }

  #replicaContext(): ReplicaContext {
    const { clock, ids, ports, stateId } = this.#context;
    return {
      policy: this.policy,
      files: this.#files,
      clock,
      ids,
      ports,
      stateId,
      version: () => this.#record.version,
      settings: () => this.#record.settings,
      logs: (slot) => this.#logs(slot),
      inUse: (endpoint) => this.#context.inUse(this.policy, this.revision, endpoint),
      changed: () => this.#context.changed(this.policy),
      gone: (slot) => {
        this.#forget(slot);
        this.#resize();
        this.#context.changed(this.policy);
      },
    };
  }

  /** What it lived through stays with the version. Its file is gone by now: a crash in between loses it, never doubles it. */
  #forget(slot: number): void {
    const replica = this.#replicas.get(slot);
    this.#replicas.delete(slot);
    if (replica === undefined) return;
    this.#changeIfPossible({ life: withReplica(this.#record.life ?? UNNAMED_LIFE, replica) });
  }

  #freeSlot(): number {
    let slot = 0;
    while (this.#replicas.has(slot)) slot++;
    return slot;
  }

  #logs(slot: number): LogFiles {
    return { output: join(this.logFolder, `${slot}.log`), errors: join(this.logFolder, `${slot}.err.log`) };
  }

  /** Throws if the disk does not take it: a version that is not recorded is not started. */
  #change(change: Partial<VersionRecord>): void {
    const record = { ...this.#record, ...change };
    const text = JSON.stringify(record);
    if (text !== this.#saved) this.#files.saveVersion(record);
    this.#saved = text;
    this.#record = record;
  }

  #changeIfPossible(change: Partial<VersionRecord>): void {
    try {
      this.#change(change);
    } catch {
      this.#record = { ...this.#record, ...change };
    }
  }
}

/** Of a version that an agent recorded which did not count yet. */
const UNNAMED_LIFE = { id: '', restarts: 0, replicaMs: 0 } as const;

function withReplica<T extends Omit<VersionLife, 'revision'>>(life: T, { record, livedMs }: Replica): T {
  return { ...life, restarts: life.restarts + record.restarts, replicaMs: life.replicaMs + livedMs };
}

/** One sentence for the version: the replicas' troubles, equal ones once. */
function describeAll(replicas: readonly Replica[]): string | null {
  const troubles = new Map<string, number[]>();
  for (const replica of replicas) {
    const trouble = replica.trouble;
    if (trouble !== null) troubles.set(trouble, [...(troubles.get(trouble) ?? []), replica.slot]);
  }
  if (troubles.size === 0) return null;
  return [...troubles].map(([trouble, slots]) => `replica ${slots.join(', ')}: ${trouble}`).join('; ');
}
