// Readings of the replicas themselves, from /proc: memory now, processor time since the last reading.
// A replica that is gone while it is read is left out; none at all is no data, never a zero.
import type { Check } from '../../../core/model/check.ts';
import type { Reading, Sample } from '../../../core/model/measurement.ts';
import type { Revision } from '../../../core/model/split.ts';
import { type ProcessUsage, processUsage } from '../../../lib/proc.ts';

export interface ReplicaProcess {
  readonly revision: Revision;
  readonly pid: number;
}

/** Below this much time between two looks the share of a processor would be noise. */
const LEAST_SECONDS = 0.2;

export class Gauges {
  readonly #usage: (pid: number) => ProcessUsage | null;
  #before = new Map<number, ProcessUsage>();
  #cpuPercent = new Map<number, number>();

  constructor(usage: (pid: number) => ProcessUsage | null = processUsage) {
    this.#usage = usage;
  }

  read(check: Check, revisions: readonly Revision[], replicas: readonly ReplicaProcess[]): Reading {
    if (check.metric.kind !== 'gauge') return { kind: 'error', message: `${check.name} is not a gauge` };
    const { reading } = check.metric;
    const byRevision: Record<Revision, Sample> = {};
    for (const revision of revisions) {
      const values = replicas
        .filter((replica) => replica.revision === revision)
        .map(({ pid }) => this.#value(pid, reading))
        .filter((value) => value !== null);
      if (values.length > 0) byRevision[revision] = { kind: 'gauge', values };
    }
    if (Object.keys(byRevision).length === 0) return { kind: 'no-data', message: 'no replica that runs could be read' };
    const broken = Object.values(byRevision).some(
      (sample) => sample.kind === 'gauge' && !sample.values.every((value) => Number.isFinite(value) && value >= 0),
    );
    return broken
      ? { kind: 'error', message: `${reading} of a replica is not a number` }
      : { kind: 'samples', byRevision };
  }

  /** Forgets replicas that are no more. */
  keepOnly(replicas: readonly ReplicaProcess[]): void {
    const alive = new Set(replicas.map(({ pid }) => pid));
    for (const pid of this.#before.keys()) {
      if (alive.has(pid)) continue;
      this.#before.delete(pid);
      this.#cpuPercent.delete(pid);
    }
  }

  #value(pid: number, reading: 'residentMemoryBytes' | 'cpuPercent'): number | null {
    const usage = this.#usage(pid);
    if (usage === null) return null;
    return reading === 'residentMemoryBytes' ? usage.residentMemoryBytes : this.#cpu(pid, usage);
  }

  /** Percent of one processor since the last look; since its start at the first. */
  #cpu(pid: number, usage: ProcessUsage): number {
    const before = this.#before.get(pid);
    const same = before !== undefined && usage.cpuSeconds >= before.cpuSeconds && usage.ageSeconds >= before.ageSeconds;
    const seconds = usage.ageSeconds - (same ? before.ageSeconds : 0);
    const last = this.#cpuPercent.get(pid);
    if (same && seconds < LEAST_SECONDS && last !== undefined) return last;
    const percent = (100 * (usage.cpuSeconds - (same ? before.cpuSeconds : 0))) / Math.max(seconds, LEAST_SECONDS);
    this.#before.set(pid, usage);
    this.#cpuPercent.set(pid, percent);
    return percent;
  }
}
