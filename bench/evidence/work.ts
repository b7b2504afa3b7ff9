// Does one unit: every replication has a seed of its own, named by what it is, so that any of them can be run again alone.
import { runBare } from './bare.ts';
import { contestantByName } from './contestants.ts';
import { firstDifference } from './full-controller.ts';
import { HALDANE, rehearsalOf } from './haldane.ts';
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
  /** Releases compared, and what was first found to differ in those that differ. */
  | { readonly kind: 'same'; readonly of: number; readonly differences: readonly string[] }
  | { readonly kind: 'release'; readonly rows: readonly ReleaseRow[] };

const ENDS = { undecided: 0, promoted: 1, aborted: 2 } as const;

export async function doUnit(unit: Unit): Promise<UnitResult> {
  const reps = Array.from({ length: unit.to - unit.from }, (_, i) => unit.from + i);
  switch (unit.kind) {
    case 'bare':
      return { kind: 'bare', ...runBare(unit.cell, reps) };
    case 'same':
      return { kind: 'same', of: reps.length, differences: await differencesIn(unit, reps) };
    case 'release':
      return releases(unit, reps);
  }
}

/** Every Haldane contestant in turn. */
async function differencesIn(
  { scenario }: Extract<Unit, { kind: 'same' }>,
  reps: readonly number[],
): Promise<string[]> {
  const differences: string[] = [];
  for (const rep of reps) {
    const seed = `same|${scenario.id}|${scenario.requestsPerSecond}|${rep}`;
    const settings = HALDANE[rep % HALDANE.length];
    if (settings === undefined) continue;
    const difference = await firstDifference(() => rehearsalOf(settings, createWorld(scenario, seed)));
    if (difference !== null) differences.push(`${seed}, ${settings.name}: ${difference}`);
  }
  return differences;
}

function releases(unit: Extract<Unit, { kind: 'release' }>, reps: readonly number[]): UnitResult {
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
