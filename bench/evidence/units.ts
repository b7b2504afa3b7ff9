// The benchmark as a list of units of work: small enough to lose one, big enough to be worth a message. A unit is named by
// what it is, so that a run that was broken off goes on with those that are missing.
import { createRandom } from '../../src/core/statistics/index.ts';
import type { BareCell } from './bare.ts';
import { HALDANE } from './haldane.ts';
import { drawScenarios, REPORTED_SEED, TUNING_SEED } from './scenarios.ts';
import type { Scenario } from './worlds/scenario.ts';

export type Unit =
  | {
      readonly kind: 'bare';
      readonly section: string;
      readonly cell: BareCell;
      readonly from: number;
      readonly to: number;
    }
  /** Rehearsed and by the full controller: the same, byte for byte? */
  | {
      readonly kind: 'same';
      readonly section: string;
      readonly scenario: Scenario;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: 'release';
      readonly section: string;
      readonly scenario: Scenario;
      /** Name of a contestant, as contestants.ts knows it. */
      readonly contestant: string;
      readonly from: number;
      readonly to: number;
    };

export function unitName(unit: Unit): string {
  return `${unit.section}|${subjectOf(unit)}|${unit.from}-${unit.to}`;
}

function subjectOf(unit: Unit): string {
  switch (unit.kind) {
    case 'bare':
      return unit.cell.id;
    case 'same':
      return unit.scenario.id;
    case 'release':
      return `${unit.scenario.id}|${unit.contestant}`;
  }
}

export interface Size {
  /** Replications of equal worlds, of the others, of bare cells, and of each setting of a sweep. */
  readonly equal: number;
  readonly other: number;
  readonly bare: number;
  readonly sweep: number;
  /** Releases of each of twenty worlds that are also run by the full controller. */
  readonly same: number;
}

export const FULL: Size = { equal: 5000, other: 150, bare: 2000, sweep: 30, same: 10 };
export const QUICK: Size = { equal: 50, other: 5, bare: 50, sweep: 0, same: 1 };

export function bareCells(): readonly BareCell[] {
  const random = createRandom(`${REPORTED_SEED}/bare`);
  const log = (low: number, high: number): number => Number((low * (high / low) ** random.uniform()).toPrecision(3));
  const cells: BareCell[] = [];
  const ranges = [
    [1.5, 2],
    [2, 4],
    [4, 10],
    [10, 30],
    [30, 100],
  ] as const;
  for (const [low, high] of ranges) {
    const stableRate = log(0.0002, low < 10 ? 0.02 : 0.004);
    const canaryRate = Number((stableRate * log(low, high)).toPrecision(3));
    for (const share of [0.01, 0.05, 0.1, 0.5]) {
      for (const ratio of [1, 1.1]) {
        const id = `harm ${stableRate}-${canaryRate} share ${share} r ${ratio}`;
        cells.push({ kind: 'harm', id, stableRate, canaryRate, share, ratio, asShipped: false });
      }
    }
    const id = `shipped ${stableRate}-${canaryRate} share 0.05 r 1.1`;
    cells.push({ kind: 'harm', id, stableRate, canaryRate, share: 0.05, ratio: 1.1, asShipped: true });
  }
  for (let i = 0; i < 5; i++) {
    const rate = i === 0 ? 0 : log(0.0003, 0.015);
    const margin = log(0.001, 0.008);
    const share = log(0.05, 0.3);
    cells.push({ kind: 'no-harm', id: `no-harm ${rate} margin ${margin} share ${share}`, rate, margin, share });
  }
  for (const share of [0.005, 0.02, 0.05]) {
    const stableRate = log(0.0001, 0.005);
    const perTick = Math.round(log(200, 4000));
    cells.push({
      kind: 'crash',
      id: `crash ${stableRate} share ${share} ${perTick} a tick`,
      stableRate,
      share,
      perTick,
    });
  }
  for (const { id, latency } of drawScenarios(REPORTED_SEED).latency) {
    if (latency !== null && latency.change.kind !== 'leak') {
      cells.push({ kind: 'latency', id: `bare ${id}`, truth: latency, share: 0.05 });
    }
  }
  return cells;
}

/** Releases per unit: about a second of work. */
const CHUNK = 50;

/**
 * Where seeds begin: a row whose default was changed after it had been seen is run again on seeds that nobody has seen
 * (bench/results/evidence-remarks.md says why).
 */
const FRESH: Readonly<Record<string, number>> = { clusters: 5000 };

function chunks(count: number, size = CHUNK, first = 0): readonly (readonly [number, number])[] {
  return Array.from(
    { length: Math.ceil(count / size) },
    (_, i) => [first + i * size, first + Math.min(count, (i + 1) * size)] as const,
  );
}

export interface Contestants {
  /** Shown in every row: peers at their documented defaults. */
  readonly defaults: readonly string[];
  /** Every setting of every peer's sweep. */
  readonly sweep: (stableRate: number) => readonly string[];
}

export function planUnits(size: Size, peers: Contestants): readonly Unit[] {
  const reported = drawScenarios(REPORTED_SEED);
  const ours = HALDANE.map(({ name }) => name);
  const main = ours[0] ?? '';
  const units: Unit[] = bareCells().flatMap((cell) =>
    chunks(size.bare, cell.kind === 'latency' ? 50 : 200).map(
      ([from, to]) => ({ kind: 'bare', section: 'bare', cell, from, to }) as const,
    ),
  );
  const add = (section: string, scenarios: readonly Scenario[], contestants: readonly string[], reps: number): void => {
    for (const scenario of scenarios)
      for (const contestant of contestants)
        for (const [from, to] of chunks(reps, CHUNK, section === 'equal' ? (FRESH[scenario.id] ?? 0) : 0))
          units.push({ kind: 'release', section, scenario, contestant, from, to });
  };
  const alsoControlled = [...reported.equal, ...reported.errors, ...reported.latency].slice(0, 20);
  for (const scenario of alsoControlled)
    units.push({ kind: 'same', section: 'same', scenario, from: 0, to: size.same });
  add('equal', reported.equal, [main], size.equal);
  add('equal', reported.unfair, [main], Math.ceil(size.equal / 5));
  const compared = [...reported.errors, ...reported.special, ...reported.latency];
  add('compared', compared, [...ours, ...peers.defaults], size.other);
  // What peers and we do in equal worlds beside each other: false aborts of rules that look often.
  add('compared', reported.equal, [...ours.slice(1), ...peers.defaults], size.other);
  return [...units, ...sweepUnits(size, peers)];
}

/** Peers' best settings are looked for in the tuning set, and each setting is run in the reported one, too. */
function sweepUnits({ sweep }: Size, peers: Contestants): readonly Unit[] {
  if (sweep === 0) return [];
  // Whether a setting keeps its false aborts to 1 % takes more looks than how soon it acts.
  const repsOf = ({ truth }: Scenario, section: string): number =>
    truth === 'equal' && section === 'tuning' ? 4 * sweep : sweep;
  const units: Unit[] = [];
  for (const seed of [TUNING_SEED, REPORTED_SEED]) {
    const set = drawScenarios(seed);
    const section = seed === TUNING_SEED ? 'tuning' : 'swept';
    const healthy = set.special.filter(({ id }) => id.startsWith('healthy'));
    const scenarios = [...set.errors, ...set.special.filter(({ id }) => id === 'crash'), ...healthy];
    for (const scenario of scenarios)
      for (const contestant of peers.sweep(scenario.stableRate))
        units.push({ kind: 'release', section, scenario, contestant, from: 0, to: repsOf(scenario, section) });
  }
  return units;
}
