// What a version answered in slices of ten seconds, an hour back, told apart by replica. The world serves by version; who
// of the replicas answered is drawn only when somebody asks, always the same way. It refuses to make replicas differ.
import type { ReplicaTally } from '../../core/model/measurement.ts';
import type { Random } from '../../core/statistics/index.ts';

const SLICE_MS = 10_000;
const SLICES = 360;

interface Slice {
  readonly startMs: number;
  replicas: number;
  good: number;
  bad: number;
}

export interface Slices {
  note(revision: string, nowMs: number, seen: { total: number; bad: number; replicas: number }): void;
  /** Slices of the last hour in which at least two replicas answered, oldest first. */
  of(revision: string, nowMs: number): readonly (readonly ReplicaTally[])[];
  clear(): void;
}

export function createSlices(random: Random): Slices {
  const byRevision = new Map<string, Slice[]>();
  return {
    note(revision, nowMs, { total, bad, replicas }) {
      const slices = byRevision.get(revision) ?? [];
      byRevision.set(revision, slices);
      const startMs = nowMs - (nowMs % SLICE_MS);
      let slice = slices.at(-1);
      if (slice?.startMs !== startMs) {
        slice = { startMs, replicas, good: 0, bad: 0 };
        slices.push(slice);
        if (slices.length > SLICES) slices.shift();
      }
      slice.replicas = Math.max(slice.replicas, replicas);
      slice.good += total - bad;
      slice.bad += bad;
    },
    of: (revision, nowMs) =>
      (byRevision.get(revision) ?? [])
        .filter(({ startMs, replicas }) => replicas >= 2 && startMs > nowMs - SLICES * SLICE_MS)
        .map((slice) => spread(slice, random.fork(`${revision} ${slice.startMs}`)))
        .filter((replicas) => replicas.length >= 2),
    clear: () => byRevision.clear(),
  };
}

/** Each request to any replica alike; one that got none is left out. */
function spread({ good, bad, replicas }: Slice, random: Random): readonly ReplicaTally[] {
  const found: ReplicaTally[] = [];
  let goodLeft = good;
  let badLeft = bad;
  for (let left = replicas; left > 0; left--) {
    const ownGood = random.binomial(goodLeft, 1 / left);
    const ownBad = random.binomial(badLeft, 1 / left);
    goodLeft -= ownGood;
    badLeft -= ownBad;
    if (ownGood + ownBad > 0) found.push({ total: ownGood + ownBad, bad: ownBad });
  }
  return found;
}
