// A workload that is promoted in place, in virtual time: stable's place rolls one replica at a time, the canary has a
// place of its own. As a Deployment does it, with neither API server nor pods.
import type { WantedVersion } from '../../src/core/model/effect.ts';
import { type StablePlace, spareRevision, type VersionObservation } from '../../src/core/model/observed.ts';
import type { Split } from '../../src/core/model/split.ts';
import type { Version } from '../../src/core/model/version.ts';

const ROLL_MS = 3_000;
const START_MS = 2_000;

export class PlaceModel {
  /** Revision of each replica in stable's place. */
  replicas: string[];
  serving: string | null;
  heading: Version;
  canary: { version: Version; wanted: number; sinceMs: number } | null = null;
  /** What stable's place was told to become, in order. */
  readonly told: string[] = [];
  stuck: string | null = null;
  readonly labels = new Map<string, string>();
  private rolledMs = 0;

  constructor(first: Version, size: number) {
    this.replicas = Array.from({ length: size }, () => first.revision);
    this.serving = first.revision;
    this.heading = first;
    this.labels.set(first.revision, first.label);
  }

  ensure(wanted: readonly WantedVersion[], nowMs: number): void {
    for (const { version, replicas, role } of wanted) {
      this.labels.set(version.revision, version.label);
      if (role === 'stable' && version.revision !== this.heading.revision) {
        this.heading = version;
        this.told.push(version.label);
      }
      if (role !== 'canary') continue;
      if (this.canary === null) this.canary = { version, wanted: replicas, sinceMs: nowMs };
      else if (this.canary.version.revision === version.revision) this.canary.wanted = replicas;
    }
  }

  retire(revisions: readonly string[]): void {
    const own = this.canary?.version.revision;
    if (own !== undefined && (revisions.includes(own) || revisions.includes(spareRevision(own)))) this.canary = null;
  }

  pass(ms: number): void {
    this.rolledMs += ms;
    while (this.rolledMs >= ROLL_MS) {
      this.rolledMs -= ROLL_MS;
      const next = this.replicas.findIndex((revision) => revision !== this.heading.revision);
      if (next >= 0 && this.stuck === null) this.replicas[next] = this.heading.revision;
    }
    if (this.replicas.every((revision) => revision === this.heading.revision)) this.serving = this.heading.revision;
  }

  /** Routers know two places, not versions: what is in a place gets its weight. */
  asSeen(split: Split): Split {
    const [stable, canary] = split.weights;
    const seen = [{ revision: this.serving ?? '', weightPercent: stable?.weightPercent ?? 0 }];
    if (canary !== undefined && this.canary !== null) {
      const { revision } = this.canary.version;
      const there = revision === this.serving ? spareRevision(revision) : revision;
      seen.push({ revision: there, weightPercent: canary.weightPercent });
    }
    return { ...split, weights: seen };
  }

  get place(): StablePlace {
    const there = this.replicas.filter((revision) => revision === this.heading.revision).length;
    const isSettled = this.serving === this.heading.revision && there === this.replicas.length;
    return {
      serving: this.serving,
      heading: this.heading.revision,
      isSettled,
      progress: isSettled ? '' : `${there} of ${this.replicas.length} replicas are new`,
      trouble: this.stuck,
    };
  }

  versions(nowMs: number): VersionObservation[] {
    const counts = new Map<string, { wanted: number; ready: number }>();
    const add = (revision: string, wanted: number, ready: number) => {
      const before = counts.get(revision) ?? { wanted: 0, ready: 0 };
      counts.set(revision, { wanted: before.wanted + wanted, ready: before.ready + ready });
    };
    for (const revision of this.replicas) add(revision, 1, 1);
    if (this.canary !== null) {
      const { version, wanted, sinceMs } = this.canary;
      const revision = version.revision === this.serving ? spareRevision(version.revision) : version.revision;
      add(revision, wanted, nowMs - sinceMs < START_MS ? 0 : wanted);
    }
    return [...counts].map(([revision, { wanted, ready }]) => ({
      revision,
      label: this.labels.get(revision) ?? revision,
      wanted,
      running: wanted,
      ready,
      endpoints: Array.from({ length: ready }, (_, index) => ({ host: revision, port: 1_000 + index })),
      readyForMs: nowMs,
      restarts: 0,
      trouble: null,
    }));
  }
}
