// Runs the replicas of each version as child processes on this machine, for the workload `processes`.
// They outlive the agent and are taken over by the next one. It adds and sizes what it is asked for, and takes away
// only what it is told to retire (I2). Linux only: elsewhere it refuses to start, because it could not tell its own
// processes from others (processes.md).
import { dirname, join } from 'node:path';
import type { WantedVersion } from '../../core/model/effect.ts';
import type { Endpoint } from '../../core/model/gateway.ts';
import type { VersionLife, WorkloadObservation } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import { procAvailable } from '../../lib/proc.ts';
import type { Clock, Randomness } from '../../ports/clock.ts';
import type { Workload } from '../../ports/workload.ts';
import { ProcessWorkloadError } from './processes/errors.ts';
import { pruneLogFolders } from './processes/logs.ts';
import { endOrphans, stateId } from './processes/marker.ts';
import { PortAllocator } from './processes/ports.ts';
import { readPolicies, readVersions, safeName, type WorkloadSettings } from './processes/record.ts';
import { type GroupContext, VersionGroup } from './processes/version-group.ts';

export interface ProcessesOptions {
  /** The agent's state folder; used by one agent at a time (the store's lock sees to it). */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly ids: Randomness;
  /**
   * Whether the data plane still sends requests to an endpoint that left the ready list, or has some in flight there.
   * Without it a replica that leaves is given one second.
   */
  readonly inUse?: (policy: string, revision: Revision, endpoint: Endpoint) => Promise<boolean>;
  /** For the agent's log: what was ended because nobody knew it. */
  readonly onOrphan?: (orphan: { readonly pid: number; readonly policy: string; readonly revision: Revision }) => void;
}

const ROTATE_EVERY_MS = 2_000;
const GRACE_MS = 1_000;

export class ProcessWorkloads implements Workload {
  readonly #options: ProcessesOptions;
  readonly #groups = new Map<string, VersionGroup>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #closing = new AbortController();
  readonly #registry: string;
  readonly #logs: string;
  /** Policies whose registry could not be read, and why. */
  readonly #unread = new Map<string, unknown>();
  #context: GroupContext | null = null;
  #opened: Promise<void> | null = null;

  constructor(options: ProcessesOptions) {
    this.#options = options;
    this.#registry = join(options.stateDir, 'processes');
    this.#logs = join(options.stateDir, 'logs');
  }

  async observe(policy: ReleasePolicy): Promise<WorkloadObservation> {
    await this.#open(policy.name);
    const groups = this.#groupsOf(policy.name);
    const settings = settingsOf(policy);
    if (settings !== null) for (const group of groups) group.configure(settings);
    return { versions: groups.map((group) => group.observe()) };
  }

  async ensure(policy: ReleasePolicy, wanted: readonly WantedVersion[]): Promise<void> {
    await this.#open(policy.name);
    const settings = settingsOf(policy);
    if (settings === null) {
      throw new ProcessWorkloadError('workload-kind', `the workload of ${policy.name} is not one of processes`);
    }
    safeName(policy.name);
    for (const { version, replicas } of wanted) {
      safeName(version.revision);
      this.#group(policy.name, version.revision, () => ({
        schema: 1,
        policy: policy.name,
        version,
        wanted: 0,
        retired: false,
        settings,
        life: { id: this.#options.ids.id(), restarts: 0, replicaMs: 0 },
      })).size(version, replicas, settings);
    }
  }

  async retire(policy: ReleasePolicy, revisions: readonly Revision[]): Promise<void> {
    await this.#open(policy.name);
    for (const revision of revisions) this.#groups.get(key(policy.name, revision))?.retire();
  }

  watch(policy: ReleasePolicy, changed: () => void): () => void {
    const watchers = this.#watchers.get(policy.name) ?? new Set();
    this.#watchers.set(policy.name, watchers);
    watchers.add(changed);
    // Looking begins when somebody watches, so that what a former agent left is taken over without being asked for.
    this.#open(policy.name).catch(() => {});
    return () => watchers.delete(changed);
  }

  /** The processes behind each version, for readings of memory and processor time. */
  async readReplicas(policy: string): Promise<readonly { readonly revision: Revision; readonly pid: number }[]> {
    await this.#open(policy);
    return this.#groupsOf(policy).flatMap(({ revision, processIds }) => processIds.map((pid) => ({ revision, pid })));
  }

  /** How often the replicas of each version were started again, and over how much time: counted across agents. */
  async readLives(policy: string): Promise<readonly VersionLife[]> {
    await this.#open(policy);
    return this.#groupsOf(policy).map(({ life }) => life);
  }

  /** Lets go of everything; the processes run on and the next agent takes them over. */
  close(): void {
    this.#closing.abort();
    for (const group of this.#groups.values()) group.close();
  }

  /** Ready to act for this policy: what a former agent left is taken over. Another policy's trouble is not ours (row 68). */
  async #open(policy: string): Promise<void> {
    this.#opened ??= this.#takeOver().catch((error: unknown) => {
      this.#opened = null;
      throw error;
    });
    await this.#opened;
    if (!this.#unread.has(policy)) return;
    this.#unread.delete(policy);
    await this.#takeOverPolicies([policy], (other) => other !== policy);
    const problem = this.#unread.get(policy);
    if (problem !== undefined) throw problem;
  }

  async #takeOver(): Promise<void> {
    if (!procAvailable()) {
      throw new ProcessWorkloadError('needs-linux', `processes can be run on Linux only, not on ${process.platform}`, {
        fix: 'start the versions yourself and name their addresses with the workload "upstreams"',
      });
    }
    this.#context = this.#groupContext(stateId(this.#registry));
    await this.#takeOverPolicies(readPolicies(this.#registry), () => false);
    void this.#rotateForEver();
  }

  async #takeOverPolicies(policies: readonly string[], isOthers: (policy: string) => boolean): Promise<void> {
    const loaded = policies.flatMap((policy) => this.#load(policy));
    for (const group of loaded) this.#groups.set(key(group.policy, group.revision), group);
    this.#endOrphans((policy) => this.#unread.has(policy) || isOthers(policy));
    await Promise.all(loaded.map((group) => group.adopt()));
  }

  #load(policy: string): readonly VersionGroup[] {
    const context = this.#contextNow();
    try {
      return readVersions(this.#registry, policy).map((record) => {
        const group = new VersionGroup(context, record);
        group.load();
        return group;
      });
    } catch (error) {
      this.#unread.set(policy, error);
      return [];
    }
  }

  /** What was started and never registered. Of a policy whose registry cannot be read nothing is known: it is spared. */
  #endOrphans(isSpared: (policy: string) => boolean): void {
    const launches = new Set([...this.#groups.values()].flatMap((group) => group.launches));
    for (const orphan of endOrphans(this.#contextNow().stateId, { launches, isSpared })) {
      this.#options.onOrphan?.({ pid: orphan.identity.pid, policy: orphan.policy, revision: orphan.revision });
    }
  }

  #contextNow(): GroupContext {
    if (this.#context === null) throw new ProcessWorkloadError('not-open', 'the registry has not been read');
    return this.#context;
  }

  #groupContext(id: string): GroupContext {
    const { clock, ids, inUse } = this.#options;
    return {
      registry: this.#registry,
      logs: this.#logs,
      clock,
      ids,
      ports: new PortAllocator(),
      stateId: id,
      inUse:
        inUse ??
        (async () => {
          await clock.sleep(GRACE_MS / 2, this.#closing.signal);
          return false;
        }),
      changed: (policy) => {
        for (const watcher of this.#watchers.get(policy) ?? []) watcher();
      },
      empty: (group) => this.#drop(group),
    };
  }

  #group(
    policy: string,
    revision: Revision,
    record: () => ConstructorParameters<typeof VersionGroup>[1],
  ): VersionGroup {
    const known = this.#groups.get(key(policy, revision));
    if (known !== undefined) return known;
    const group = new VersionGroup(this.#contextNow(), record());
    this.#groups.set(key(policy, revision), group);
    return group;
  }

  #groupsOf(policy: string): readonly VersionGroup[] {
    return [...this.#groups.values()]
      .filter((group) => group.policy === policy)
      .sort((left, right) => (left.revision < right.revision ? -1 : 1));
  }

  #drop(group: VersionGroup): void {
    this.#groups.delete(key(group.policy, group.revision));
    const folder = dirname(group.logFolder);
    const inUse = new Set(this.#groupsOf(group.policy).map(({ logFolderName }) => logFolderName));
    try {
      group.remove();
      pruneLogFolders(folder, group.keptLogFolders, inUse);
    } catch {
      // What cannot be taken away now is taken away when the next version goes.
    }
  }

  async #rotateForEver(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#options.clock.sleep(ROTATE_EVERY_MS, this.#closing.signal);
      for (const group of this.#groups.values()) {
        try {
          group.rotateLogs();
        } catch {
          // A full disk stops rotation, never a running service.
        }
      }
    }
  }
}

function key(policy: string, revision: Revision): string {
  return `${policy}/${revision}`;
}

function settingsOf(policy: ReleasePolicy): WorkloadSettings | null {
  if (policy.workload.kind !== 'processes') return null;
  return { workload: policy.workload, drainMs: policy.deadlines.drainMs, keptLogFolders: policy.historyLimit };
}
