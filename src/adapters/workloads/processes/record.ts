// What is remembered of each replica and version on disk, so that the next agent takes over what this one started.
// One file per replica, written before and after its process is started; nothing here is believed over /proc.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from '../../../core/model/gateway.ts';
import type { VersionLife } from '../../../core/model/observed.ts';
import type { ProcessWorkload } from '../../../core/model/policy.ts';
import { elapsedMs, type Instant } from '../../../core/model/time.ts';
import type { Version } from '../../../core/model/version.ts';
import { isMissing, readJsonFile, removeFileDurably, writeFileAtomic } from '../../../lib/atomic-file.ts';
import type { ProcessIdentity } from '../../../lib/proc.ts';
import { ProcessWorkloadError } from './errors.ts';

export interface ReplicaRecord {
  readonly schema: 1;
  readonly slot: number;
  /** One start of a process; part of the marker in its environment. */
  readonly launch: string | null;
  /** null before the process is known: what carries the marker of such a launch is an orphan. */
  readonly process: ProcessIdentity | null;
  readonly endpoint: Endpoint | null;
  readonly launchedAt: Instant | null;
  readonly readySince: Instant | null;
  /** Starts after the first one that were not asked for. */
  readonly restarts: number;
  /** How long it had lived at `at`, waits between starts included; grows from there until it is told to stop. */
  readonly life?: { readonly at: Instant; readonly ms: number };
  /** Ends in a row without a good run in between: what back-off grows with. */
  readonly failures: number;
  readonly nextLaunchAt: Instant | null;
  readonly nextLaunchInMs: number;
  readonly stopping: Stopping | null;
  /** How the process ended last, in words; null if it never did. */
  readonly lastEnd: string | null;
}

export interface Stopping {
  readonly since: Instant;
  /** When SIGTERM was sent; null while the data plane still has it. */
  readonly terminatedAt: Instant | null;
}

export interface VersionRecord {
  readonly schema: 1;
  readonly policy: string;
  readonly version: Version;
  readonly wanted: number;
  readonly retired: boolean;
  readonly settings: WorkloadSettings;
  /** Of the replicas that are gone, and what this life of the version is called. */
  readonly life?: Omit<VersionLife, 'revision'>;
}

/** What of the policy is needed to go on without it. */
export interface WorkloadSettings {
  readonly workload: ProcessWorkload;
  /** The longest wait for the data plane before a replica is stopped all the same. */
  readonly drainMs: number;
  readonly keptLogFolders: number;
}

export function newReplica(slot: number): ReplicaRecord {
  return {
    schema: 1,
    slot,
    launch: null,
    process: null,
    endpoint: null,
    launchedAt: null,
    readySince: null,
    restarts: 0,
    failures: 0,
    nextLaunchAt: null,
    nextLaunchInMs: 0,
    stopping: null,
    lastEnd: null,
  };
}

/** How long a replica has lived; of a record without it the time begins now. A change of the boot adds nothing. */
export function lifeAt({ life, stopping }: ReplicaRecord, now: Instant): { readonly at: Instant; readonly ms: number } {
  if (life === undefined) return { at: now, ms: 0 };
  return stopping === null ? { at: now, ms: life.ms + elapsedMs(life.at, now) } : life;
}

/** Names become folders: anything that could climb out of them is refused. */
export function safeName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) return name;
  throw new ProcessWorkloadError('name-unusable', `"${name}" cannot be the name of a folder`, {
    fix: 'use letters, digits, ".", "_" and "-", the first a letter or digit',
  });
}

/** The files of one version: version.json and one file per replica. */
export class VersionFiles {
  readonly folder: string;

  constructor(root: string, policy: string, revision: string) {
    this.folder = join(root, safeName(policy), safeName(revision));
  }

  saveVersion(record: VersionRecord): void {
    writeFileAtomic(join(this.folder, 'version.json'), JSON.stringify(record));
  }

  saveReplica(record: ReplicaRecord): void {
    writeFileAtomic(join(this.folder, `${record.slot}.json`), JSON.stringify(record));
  }

  removeReplica(slot: number): void {
    removeFileDurably(join(this.folder, `${slot}.json`));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  replicas(): readonly ReplicaRecord[] {
    return entries(this.folder)
      .filter((name) => /^\d+\.json$/.test(name))
      .map((name) => readRecord<ReplicaRecord>(join(this.folder, name)))
      .filter((record) => record !== null);
  }
}

/** The policies the folder knows of. */
export function readPolicies(root: string): readonly string[] {
  return entries(root).filter((name) => name !== 'id' && !name.endsWith('.tmp'));
}

/** Every version of a policy. A file that cannot be read stops the look: an error is never an absence (row 71). */
export function readVersions(root: string, policy: string): readonly VersionRecord[] {
  return entries(join(root, policy))
    .map((revision) => readRecord<VersionRecord>(join(root, policy, revision, 'version.json')))
    .filter((record) => record !== null);
}

function readRecord<T extends { schema: 1 }>(path: string): T | null {
  let found: unknown;
  try {
    found = readJsonFile(path);
  } catch (cause) {
    throw new ProcessWorkloadError('registry-damaged', `${path} cannot be read`, {
      cause,
      fix: 'restore the file from a backup, or stop its processes by hand and delete it',
    });
  }
  if (found === undefined) return null;
  if ((found as { schema?: unknown }).schema !== 1) {
    throw new ProcessWorkloadError('registry-newer', `${path} was written by another version of Haldane`, {
      fix: 'run the version of Haldane that wrote it, or a newer one',
    });
  }
  return found as T;
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return [];
    throw error;
  }
}
