// One replica: started, watched, probed, started again with back-off, stopped gracefully. What it is told survives the
// agent in its record; what it sees comes from /proc and the probes. It never signals a process it cannot identify.
import type { ChildProcess } from 'node:child_process';
import type { Endpoint } from '../../../core/model/gateway.ts';
import { elapsedMs, type Instant } from '../../../core/model/time.ts';
import type { Version } from '../../../core/model/version.ts';
import { backoffMs } from '../../../lib/backoff.ts';
import { isRunning, type ProcessIdentity, signalGroup, signalProcess } from '../../../lib/proc.ts';
import type { Clock, Randomness } from '../../../ports/clock.ts';
import { launch } from './launch.ts';
import { type LogFiles, lastErrorLine } from './logs.ts';
import { processesOfLaunch } from './marker.ts';
import type { PortAllocator } from './ports.ts';
import { lifeAt, type ReplicaRecord, type VersionFiles, type WorkloadSettings } from './record.ts';
import { ReplicaHealth } from './replica-health.ts';
import { describeEnd, describeTrouble } from './words.ts';

export const REPLICA_HOST = '127.0.0.1';
/** How often a process that is not our child is looked at: nobody tells us when it ends. */
const LOOK_MS = 250;
const STOP_LOOK_MS = 50;
/** The data plane must be seen without the endpoint twice, this far apart: a split computed before may be on its way. */
const SETTLE_MS = 400;

export interface ReplicaContext {
  readonly policy: string;
  readonly files: VersionFiles;
  readonly clock: Clock;
  readonly ids: Randomness;
  readonly ports: PortAllocator;
  readonly stateId: string;
  version(): Version;
  settings(): WorkloadSettings;
  logs(slot: number): LogFiles;
  /** Whether the data plane still sends requests there, or has some in flight. */
  inUse(endpoint: Endpoint): Promise<boolean>;
  changed(): void;
  gone(slot: number): void;
}

export class Replica {
  readonly slot: number;
  readonly #context: ReplicaContext;
  #record: ReplicaRecord;
  #closed = false;
  #launching = false;
  #stopFlow = false;
  /** Ends what belongs to the present launch, or to the wait for the next one. */
  #run = new AbortController();
  #health: ReplicaHealth | null = null;
  #endReason: string | null = null;
  #startProblem: string | null = null;

  constructor(context: ReplicaContext, record: ReplicaRecord) {
    this.slot = record.slot;
    this.#context = context;
    this.#record = record;
    if (record.endpoint !== null) context.ports.keep(record.endpoint.port);
  }

  get record(): ReplicaRecord {
    return this.#record;
  }

  get isStopping(): boolean {
    return this.#record.stopping !== null;
  }

  get isRunning(): boolean {
    return this.#record.process !== null && isRunning(this.#record.process);
  }

  get isReady(): boolean {
    return !this.isStopping && this.#record.readySince !== null && this.isRunning;
  }

  /** Why it is not ready, in words; null if it is or is still starting. */
  get trouble(): string | null {
    return this.isStopping || this.isReady
      ? null
      : describeTrouble({
          record: this.#record,
          now: this.#context.clock.now(),
          problem: this.#startProblem,
          probe: this.#health?.lastNo ?? null,
        });
  }

  /** How long it has lived, waits between starts included. */
  get livedMs(): number {
    return lifeAt(this.#record, this.#context.clock.now()).ms;
  }

  start(): void {
    this.#update({});
    void this.#launchWhenDue();
  }

  /** Takes over what a former agent left; resolves after a first look. */
  async adopt(): Promise<void> {
    const { process: identity, launch: launchId } = this.#record;
    if (identity !== null && isRunning(identity)) {
      this.#watch(identity, null);
      if (this.isStopping) void this.#stopGracefully();
      else await this.#health?.firstLook;
      return;
    }
    if (identity !== null && launchId !== null)
      return this.#ended('ended while no agent was watching (exit code unknown)');
    if (this.isStopping) return this.#finish();
    void this.#launchWhenDue();
  }

  /** Leaves the ready list at once; the process is ended when the data plane has let go. */
  stop(): void {
    if (this.isStopping) return;
    this.#update({ stopping: { since: this.#context.clock.now(), terminatedAt: null } });
    this.#context.changed();
    if (this.#record.process !== null) void this.#stopGracefully();
    else if (!this.#launching) this.#finish();
  }

  /** Lets go without touching the process: the next agent takes over. */
  close(): void {
    this.#closed = true;
    this.#run.abort();
  }

  async #launchWhenDue(): Promise<void> {
    const { clock } = this.#context;
    const { nextLaunchAt, nextLaunchInMs } = this.#record;
    const waitMs = nextLaunchAt === null ? 0 : nextLaunchInMs - elapsedMs(nextLaunchAt, clock.now());
    if (waitMs > 0) await clock.sleep(waitMs, this.#run.signal);
    if (this.#closed || this.isStopping || this.#launching || this.#record.process !== null) return;
    this.#launching = true;
    try {
      await this.#launch();
    } catch (error) {
      this.#failedToStart(`could not be started: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#launching = false;
    }
  }

  async #launch(): Promise<void> {
    const { clock, ids, ports, policy, stateId } = this.#context;
    const version = this.#context.version();
    if (version.template.kind !== 'processes') return this.#failedToStart('the version is not one of processes');
    this.#releasePort();
    const endpoint = { host: REPLICA_HOST, port: await ports.take(REPLICA_HOST) };
    const launchId = ids.id();
    // A full disk must not keep a running service from coming up again: a process that could not be registered carries
    // the mark all the same, so a later agent ends it as an orphan and starts another.
    this.#update({ launch: launchId, endpoint, process: null, readySince: null });
    if (this.#closed || this.isStopping) return this.isStopping ? this.#finish() : undefined;
    const launched = await launch({
      version,
      template: version.template,
      endpoint,
      mark: `${stateId}/${policy}/${version.revision}/${this.slot}.${launchId}`,
      logs: this.#context.logs(this.slot),
    });
    if (launched.kind === 'failed') return this.#failedToStart(launched.message);
    this.#startProblem = null;
    this.#endReason = null;
    this.#update({ process: launched.identity, launchedAt: clock.now(), nextLaunchAt: null, nextLaunchInMs: 0 });
    if (!this.#closed) this.#watch(launched.identity, launched.child);
    if (this.isStopping) void this.#stopGracefully();
    this.#context.changed();
  }

  #watch(identity: ProcessIdentity, child: ChildProcess | null): void {
    const run = new AbortController();
    this.#run = run;
    const endpoint = this.#record.endpoint;
    if (child !== null) {
      child.once('exit', (code, signal) =>
        this.#endedOnce(run, code === null ? `was killed by ${signal}` : `exited with code ${code}`),
      );
    } else {
      void this.#watchFromOutside(identity, run);
    }
    if (endpoint === null || this.isStopping) return;
    this.#health = new ReplicaHealth({
      endpoint,
      settings: () => this.#context.settings().workload,
      clock: this.#context.clock,
      signal: run.signal,
      isReady: () => this.#record.readySince !== null,
      becameReady: () => this.#setReady(this.#context.clock.now()),
      becameUnready: () => this.#setReady(null),
      becameDead: (message) => void this.#restart(message, run),
    });
  }

  async #watchFromOutside(identity: ProcessIdentity, run: AbortController): Promise<void> {
    while (!run.signal.aborted && mayRun(identity)) await this.#context.clock.sleep(LOOK_MS, run.signal);
    this.#endedOnce(run, 'ended (exit code unknown: another agent had started it)');
  }

  #endedOnce(run: AbortController, how: string): void {
    if (this.#closed || run.signal.aborted || run !== this.#run) return;
    run.abort();
    if (this.#stopFlow) return;
    this.#ended(how);
  }

  /** The process is gone without having been asked to stop for good. */
  #ended(how: string): void {
    const { clock } = this.#context;
    const now = clock.now();
    this.#endLeftovers();
    const { restart } = this.#context.settings().workload;
    const good = this.#record.readySince !== null && elapsedMs(this.#record.readySince, now) >= restart.maxMs;
    const failures = (good ? 0 : this.#record.failures) + 1;
    const lastEnd = describeEnd({
      how: this.#endReason ?? how,
      ranMs: this.#record.launchedAt === null ? null : elapsedMs(this.#record.launchedAt, now),
      line: lastErrorLine(this.#context.logs(this.slot).errors),
    });
    this.#health = null;
    this.#waitForNext({ failures, lastEnd, restarts: this.#record.restarts + 1 });
  }

  #failedToStart(message: string): void {
    this.#startProblem = message;
    this.#waitForNext({ failures: this.#record.failures + 1, lastEnd: message, restarts: this.#record.restarts });
  }

  #waitForNext(outcome: Pick<ReplicaRecord, 'failures' | 'lastEnd' | 'restarts'>): void {
    const { restart } = this.#context.settings().workload;
    this.#run = new AbortController();
    this.#update({
      ...outcome,
      process: null,
      readySince: null,
      nextLaunchAt: this.#context.clock.now(),
      nextLaunchInMs: backoffMs(restart, outcome.failures),
    });
    this.#context.changed();
    if (this.#closed) return;
    if (this.isStopping) this.#finish();
    else setImmediate(() => void this.#launchWhenDue());
  }

  #setReady(since: Instant | null): void {
    this.#update({ readySince: since });
    this.#context.changed();
  }

  /** The liveness probe gave up: out of the ready list first, then ended; it is started again like after any end. */
  async #restart(message: string, run: AbortController): Promise<void> {
    this.#endReason = message;
    this.#setReady(null);
    const identity = this.#record.process;
    const { stopMs } = this.#context.settings().workload;
    const { clock } = this.#context;
    await this.#waitUntilUnused(clock.now(), stopMs);
    if (identity === null || run.signal.aborted || this.isStopping) return;
    trySignalGroup(identity, 'SIGTERM');
    await clock.sleep(stopMs, run.signal);
    if (!run.signal.aborted) trySignalGroup(identity, 'SIGKILL');
  }

  async #stopGracefully(): Promise<void> {
    if (this.#stopFlow) return;
    this.#stopFlow = true;
    const { clock } = this.#context;
    const identity = this.#record.process;
    const stopping = this.#record.stopping;
    if (identity === null || stopping === null) return;
    if (stopping.terminatedAt === null && this.#record.readySince !== null) {
      await this.#waitUntilUnused(stopping.since, this.#context.settings().drainMs);
    }
    if (this.#closed) return;
    const terminatedAt = stopping.terminatedAt ?? clock.now();
    this.#update({ stopping: { since: stopping.since, terminatedAt } });
    trySignalGroup(identity, 'SIGTERM');
    while (this.#isAnythingLeft(identity)) {
      if (elapsedMs(terminatedAt, clock.now()) >= this.#context.settings().workload.stopMs) {
        trySignalGroup(identity, 'SIGKILL');
        this.#endLeftovers();
      }
      await clock.sleep(STOP_LOOK_MS);
      if (this.#closed) return;
    }
    this.#finish();
  }

  #isAnythingLeft(identity: ProcessIdentity): boolean {
    const { launch: launchId } = this.#record;
    if (mayRun(identity)) return true;
    try {
      return launchId !== null && processesOfLaunch(this.#context.stateId, launchId).length > 0;
    } catch {
      return true;
    }
  }

  /** Children the process left behind would keep its port and its files. */
  #endLeftovers(): void {
    const { launch: launchId } = this.#record;
    if (launchId === null) return;
    try {
      for (const left of processesOfLaunch(this.#context.stateId, launchId)) signalProcess(left, 'SIGKILL');
    } catch {
      // It cannot be looked now. Once its launch is no longer registered, the next agent ends what is left.
    }
  }

  async #waitUntilUnused(since: Instant, atMostMs: number): Promise<void> {
    const { clock } = this.#context;
    const { endpoint, process: identity } = this.#record;
    if (endpoint === null) return;
    let unusedLooks = 0;
    while (!this.#closed && elapsedMs(since, clock.now()) < atMostMs) {
      if (identity === null || !mayRun(identity)) return;
      const used = await this.#context.inUse(endpoint).catch(() => true);
      unusedLooks = used ? 0 : unusedLooks + 1;
      if (unusedLooks === 2) return;
      await clock.sleep(Math.min(SETTLE_MS, atMostMs));
    }
  }

  #finish(): void {
    this.#run.abort();
    this.#releasePort();
    try {
      this.#context.files.removeReplica(this.slot);
    } catch {
      // Its file stays: the next agent finds that its process is gone and that it was to stop, and tries again.
    }
    this.#context.gone(this.slot);
  }

  #releasePort(): void {
    if (this.#record.endpoint !== null) this.#context.ports.release(this.#record.endpoint.port);
  }

  /** Changes the record, on disk too; if the disk does not take it, the next change tries again. */
  #update(change: Partial<ReplicaRecord>): void {
    const life = lifeAt(this.#record, this.#context.clock.now());
    this.#record = { ...this.#record, life, ...change };
    this.#save();
  }

  #save(): void {
    try {
      this.#context.files.saveReplica(this.#record);
    } catch {
      // See #launch: what is not on disk is found by its mark.
    }
  }
}

/** What cannot be looked at now is taken to run: an error is never an absence (row 71). */
function mayRun(identity: ProcessIdentity): boolean {
  try {
    return isRunning(identity);
  } catch {
    return true;
  }
}

function trySignalGroup(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    signalGroup(identity, signal);
  } catch {
    // Tried again at the next look, or told by it.
  }
}
