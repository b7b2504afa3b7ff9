// The simulated processes of one service: they start after a while, get ready or never do, die by themselves, start
// again, and stop with a drain. Knows the truth about every version; tells nobody whether it is good.
import type { VersionLife } from '../../core/model/observed.ts';
import type { Random } from '../../core/statistics/index.ts';
import type { Scheduler, Ticket } from '../scheduler.ts';
import type { Truth } from './truth.ts';

export type ReplicaState = 'starting' | 'ready' | 'crashed' | 'stopping' | 'gone';

export interface Replica {
  readonly port: number;
  readonly revision: string;
  /** When it was first started, and when it was told to stop. */
  readonly bornMs: number;
  endMs: number | null;
  state: ReplicaState;
  /** When it last got ready, and when it was last ready; -1 for never. */
  readyAtMs: number;
  lastReadyMs: number;
  /** Who ended it, if it has ended. */
  endedBy: 'itself' | 'controller' | null;
  timer: Ticket | null;
}

export interface RunningVersion {
  readonly revision: string;
  /** Another one after it was gone and came again. */
  readonly life: string;
  /** Time of the replicas that are gone. */
  goneMs: number;
  label: string;
  wanted: number;
  restarts: number;
  crashesInARow: number;
  replicas: Replica[];
}

export interface ReplicaWorld {
  readonly versions: ReadonlyMap<string, RunningVersion>;
  /** Starts what is missing, stops the newest of what is too many. */
  size(revision: string, label: string, wanted: number): void;
  stop(revision: string): void;
  /** A replica ends by itself, as any process may. */
  crash(revision: string, all: boolean): void;
  /** What became of the replicas of every version that is there. */
  lives(): readonly VersionLife[];
  ready(revision: string): readonly Replica[];
  byPort(port: number): Replica | undefined;
}

export interface ReplicaWorldOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly truthOf: (revision: string) => Truth;
  /** How long a stopping replica has for its open requests, and when the last of them is answered. */
  readonly stopMs: number;
  readonly openUntilMs: (revision: string) => number;
  /** Called before anything changes, so that traffic up to now is accounted to what was. */
  readonly beforeChange: () => void;
  readonly changed: (what: string) => void;
}

/** From the wish to stop to the end of an idle process. */
const EXIT_MS = 300;
const FIRST_BACKOFF_MS = 1_000;
const MOST_BACKOFF_MS = 60_000;

export function createReplicaWorld(options: ReplicaWorldOptions): ReplicaWorld {
  const { scheduler, random, truthOf, beforeChange, changed } = options;
  const versions = new Map<string, RunningVersion>();
  const ports = new Map<number, Replica>();
  let nextPort = 20_000;
  let nextLife = 0;

  function start(version: RunningVersion): void {
    const replica: Replica = {
      port: nextPort++,
      revision: version.revision,
      bornMs: scheduler.nowMs,
      endMs: null,
      state: 'starting',
      readyAtMs: -1,
      lastReadyMs: -1,
      endedBy: null,
      timer: null,
    };
    version.replicas.push(replica);
    ports.set(replica.port, replica);
    boot(version, replica);
  }

  function boot(version: RunningVersion, replica: Replica): void {
    const truth = truthOf(version.revision);
    replica.state = 'starting';
    if (truth.neverReady) return;
    const { least, most } = truth.startMs;
    replica.timer = scheduler.after(least + random.uniform() * (most - least), () => {
      if (truth.mostReady !== null && readyOf(version).length >= truth.mostReady) return;
      beforeChange();
      replica.state = 'ready';
      replica.readyAtMs = scheduler.nowMs;
      replica.endedBy = null;
      if (truth.crashAfterReadyMs !== null) {
        const lifeMs = truth.crashAfterReadyMs * (0.5 + random.uniform());
        replica.timer = scheduler.after(lifeMs, () => die(version, replica));
      }
      changed(`${version.revision} replica ${replica.port} is ready`);
    });
  }

  function die(version: RunningVersion, replica: Replica): void {
    if (replica.state !== 'ready' && replica.state !== 'starting') return;
    beforeChange();
    leaveReady(replica);
    replica.state = 'crashed';
    replica.endedBy = 'itself';
    version.restarts += 1;
    version.crashesInARow = scheduler.nowMs - replica.readyAtMs > 120_000 ? 1 : version.crashesInARow + 1;
    const backoffMs = Math.min(MOST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(10, version.crashesInARow - 1));
    replica.timer = scheduler.after(backoffMs, () => boot(version, replica));
    changed(`${version.revision} replica ${replica.port} died by itself`);
  }

  function leaveReady(replica: Replica): void {
    if (replica.timer !== null) replica.timer.cancelled = true;
    if (replica.state === 'ready') replica.lastReadyMs = scheduler.nowMs;
  }

  function stopReplica(version: RunningVersion, replica: Replica): void {
    beforeChange();
    leaveReady(replica);
    replica.state = 'stopping';
    replica.endMs = scheduler.nowMs;
    replica.endedBy = 'controller';
    const drainMs = options.openUntilMs(version.revision) - scheduler.nowMs;
    const endMs = Math.min(options.stopMs, Math.max(EXIT_MS, drainMs));
    replica.timer = scheduler.after(endMs, () => {
      beforeChange();
      replica.state = 'gone';
      version.goneMs += livedMs(replica);
      version.replicas = version.replicas.filter((other) => other !== replica);
      ports.delete(replica.port);
      if (version.replicas.length === 0 && version.wanted === 0) versions.delete(version.revision);
      changed(`${version.revision} replica ${replica.port} is gone`);
    });
  }

  const livedMs = ({ bornMs, endMs }: Replica): number => (endMs ?? scheduler.nowMs) - bornMs;

  const readyOf = (version: RunningVersion): Replica[] => version.replicas.filter(({ state }) => state === 'ready');
  const alive = (version: RunningVersion): Replica[] =>
    version.replicas.filter((replica) => replica.state !== 'stopping' && replica.state !== 'gone');

  function size(revision: string, label: string, wanted: number): void {
    let version = versions.get(revision);
    if (version === undefined) {
      nextLife += 1;
      version = {
        revision,
        life: String(nextLife),
        goneMs: 0,
        label,
        wanted,
        restarts: 0,
        crashesInARow: 0,
        replicas: [],
      };
      versions.set(revision, version);
    }
    version.wanted = wanted;
    version.label = label;
    const existing = alive(version);
    for (let missing = wanted - existing.length; missing > 0; missing--) start(version);
    for (const surplus of existing.slice(wanted)) stopReplica(version, surplus);
  }

  return {
    versions,
    size,
    stop(revision) {
      const version = versions.get(revision);
      if (version === undefined) return;
      version.wanted = 0;
      for (const replica of alive(version)) stopReplica(version, replica);
    },
    crash(revision, all) {
      const version = versions.get(revision);
      if (version === undefined) return;
      const ready = version.replicas.filter((replica) => replica.state === 'ready');
      for (const replica of all ? ready : ready.slice(0, 1)) die(version, replica);
    },
    lives: () =>
      [...versions.values()].map(({ revision, life, restarts, goneMs, replicas }) => ({
        revision,
        id: life,
        restarts,
        replicaMs: replicas.reduce((sum, replica) => sum + livedMs(replica), goneMs),
      })),
    ready: (revision) => versions.get(revision)?.replicas.filter((replica) => replica.state === 'ready') ?? [],
    byPort: (port) => ports.get(port),
  };
}
