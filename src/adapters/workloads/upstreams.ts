// Versions that somebody else runs, known by their addresses, for the workload `upstreams`. It asks them whether they
// are well and remembers which are wanted; it starts nothing and stops nothing: to retire one is to forget it.
import { join } from 'node:path';
import type { WantedVersion } from '../../core/model/effect.ts';
import type { WorkloadObservation } from '../../core/model/observed.ts';
import type { Probe, ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import type { Version } from '../../core/model/version.ts';
import { readJsonFile, writeFileAtomic } from '../../lib/atomic-file.ts';
import { HaldaneError } from '../../lib/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Workload } from '../../ports/workload.ts';
import { UpstreamVersion } from './upstreams/upstream-version.ts';

export class UpstreamWorkloadError extends HaldaneError {
  constructor(code: string, message: string, options: { cause?: unknown; fix?: string } = {}) {
    super(message, { code, retry: 'later', ...options });
  }
}

export interface UpstreamsOptions {
  readonly stateDir: string;
  readonly clock: Clock;
}

interface Stored {
  readonly schema: 1;
  readonly versions: readonly { readonly version: Version; readonly wanted: number }[];
}

interface Group {
  readonly versions: Map<Revision, UpstreamVersion>;
  probe: Probe | null;
}

export class UpstreamWorkloads implements Workload {
  readonly #options: UpstreamsOptions;
  readonly #groups = new Map<string, Group>();
  readonly #watchers = new Map<string, Set<() => void>>();

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  async observe(policy: ReleasePolicy): Promise<WorkloadObservation> {
    const { versions } = this.#group(policy);
    await Promise.all([...versions.values()].map((version) => version.firstLook()));
    return {
      versions: [...versions.values()]
        .map((version) => version.observe())
        .sort((left, right) => (left.revision < right.revision ? -1 : 1)),
    };
  }

  async ensure(policy: ReleasePolicy, wanted: readonly WantedVersion[]): Promise<void> {
    if (policy.workload.kind !== 'upstreams') {
      throw new UpstreamWorkloadError('workload-kind', `the workload of ${policy.name} is not one of upstreams`);
    }
    const { versions } = this.#group(policy);
    for (const { version, replicas } of wanted) {
      const known = versions.get(version.revision);
      if (known === undefined) versions.set(version.revision, this.#watchVersion(policy.name, version, replicas));
      else {
        known.version = version;
        known.wanted = replicas;
      }
    }
    this.#save(policy.name, versions);
  }

  async retire(policy: ReleasePolicy, revisions: readonly Revision[]): Promise<void> {
    const { versions } = this.#group(policy);
    for (const revision of revisions) {
      versions.get(revision)?.close();
      versions.delete(revision);
    }
    this.#save(policy.name, versions);
    this.#changed(policy.name);
  }

  watch(policy: ReleasePolicy, changed: () => void): () => void {
    const watchers = this.#watchers.get(policy.name) ?? new Set();
    this.#watchers.set(policy.name, watchers);
    watchers.add(changed);
    return () => watchers.delete(changed);
  }

  close(): void {
    for (const { versions } of this.#groups.values()) for (const version of versions.values()) version.close();
    this.#groups.clear();
  }

  #group(policy: ReleasePolicy): Group {
    const probe = policy.workload.kind === 'upstreams' ? policy.workload.ready : null;
    const known = this.#groups.get(policy.name);
    if (known !== undefined) {
      known.probe = probe;
      return known;
    }
    const stored = this.#load(policy.name);
    const group: Group = { versions: new Map(), probe };
    this.#groups.set(policy.name, group);
    for (const { version, wanted } of stored?.versions ?? []) {
      group.versions.set(version.revision, this.#watchVersion(policy.name, version, wanted));
    }
    return group;
  }

  #watchVersion(policy: string, version: Version, wanted: number): UpstreamVersion {
    return new UpstreamVersion(
      {
        clock: this.#options.clock,
        probe: () => this.#groups.get(policy)?.probe ?? null,
        changed: () => this.#changed(policy),
      },
      version,
      wanted,
    );
  }

  #changed(policy: string): void {
    for (const watcher of this.#watchers.get(policy) ?? []) watcher();
  }

  #save(policy: string, versions: ReadonlyMap<Revision, UpstreamVersion>): void {
    const stored: Stored = {
      schema: 1,
      versions: [...versions.values()].map(({ version, wanted }) => ({ version, wanted })),
    };
    const path = this.#path(policy);
    if (JSON.stringify(readJsonFile(path)) !== JSON.stringify(stored)) writeFileAtomic(path, JSON.stringify(stored));
  }

  #load(policy: string): Stored | null {
    const path = this.#path(policy);
    let stored: Stored | undefined;
    try {
      stored = readJsonFile(path) as Stored | undefined;
    } catch (cause) {
      throw new UpstreamWorkloadError('registry-damaged', `${path} cannot be read`, { cause, fix: 'delete the file' });
    }
    if (stored === undefined) return null;
    if (stored.schema !== 1) {
      throw new UpstreamWorkloadError('registry-newer', `${path} was written by another version of Haldane`);
    }
    return stored;
  }

  #path(policy: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(policy)) {
      throw new UpstreamWorkloadError('name-unusable', `"${policy}" cannot be the name of a file`);
    }
    return join(this.#options.stateDir, 'upstreams', `${policy}.json`);
  }
}
