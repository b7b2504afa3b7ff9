// Does one unit: every replication has a seed of its own, named by what it is, so that any of them can be run again alone.
import { runBare } from './bare.ts';
import { contestantByName } from './contestants.ts';
import type { Unit } from './units.ts';
import { createWorld } from './worlds/world.ts';

/** [end: 1 promoted, 2 aborted, 0 undecided; at seconds; canary requests; expected excess bad; bad seen]. */
export type ReleaseRow = readonly [
  end: number,
  atSeconds: number,
  canaryRequests: number,
  excessBad: number,
  bad: number,
];

export type UnitResult =
  | { readonly kind: 'bare'; readonly limit: number; readonly values: readonly number[] }
  | { readonly kind: 'release'; readonly rows: readonly ReleaseRow[] };

const ENDS = { undecided: 0, promoted: 1, aborted: 2 } as const;

export function doUnit(unit: Unit): UnitResult {
  const reps = Array.from({ length: unit.to - unit.from }, (_, i) => unit.from + i);
  if (unit.kind === 'bare') return { kind: 'bare', ...runBare(unit.cell, reps) };
  const contestant = contestantByName(unit.contestant);
  const { scenario } = unit;
  return {
    kind: 'release',
    rows: reps.map((rep) => {
      const seed = `${unit.section}|${scenario.id}|${scenario.requestsPerSecond}|${unit.contestant}|${rep}`;
      const { end, atSeconds, canaryRequests, excessBad, canaryBad } = contestant.run(
        createWorld(scenario, seed),
        seed,
      );
      return [ENDS[end], rounded(atSeconds), canaryRequests, rounded(excessBad), canaryBad];
    }),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
