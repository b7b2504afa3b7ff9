// The best a peer can be made to do: its best single setting, chosen on the tuning set, and its best setting per scenario.
import { geometricMean, type ReleaseSummary } from './summary.ts';

export interface SweptRow {
  readonly scenario: ReleaseSummary['scenario'];
  /** The best single setting here. */
  readonly own: ReleaseSummary;
  readonly perScenario: ReleaseSummary;
  readonly ours: ReleaseSummary;
}

export interface Swept {
  readonly family: string;
  readonly settings: number;
  readonly feasible: number;
  readonly single: string;
  readonly reported: readonly SweptRow[];
}

/** "Flagger step 2 ..." is of the family "Flagger". */
export function familyOf(contestant: string): string {
  return contestant.split(' ')[0] ?? contestant;
}

const MOST_FALSE_ABORTS = 0.01;

export function sweptBest(releases: readonly ReleaseSummary[]): readonly Swept[] {
  const tuning = releases.filter(({ section }) => section === 'tuning');
  const reported = releases.filter(({ section }) => section === 'swept');
  const ours = new Map(
    releases
      .filter(({ section, contestant }) => section === 'compared' && contestant === 'Haldane default')
      .map((row) => [row.scenario.id, row] as const),
  );
  return [...new Set(tuning.map(({ contestant }) => familyOf(contestant)))].flatMap((family) => {
    const rows = tuning.filter(({ contestant }) => familyOf(contestant) === family);
    const names = [...new Set(rows.map(({ contestant }) => contestant))];
    const feasible = names.filter((name) => isFeasible(rows.filter(({ contestant }) => contestant === name)));
    const single = smallest(feasible, (name) => exposure(rows.filter(({ contestant }) => contestant === name)));
    if (single === undefined) return [];
    const mine = reported.filter(({ contestant }) => familyOf(contestant) === family);
    return [
      {
        family,
        settings: names.length,
        feasible: feasible.length,
        single,
        reported: reportedRows(mine, { single, feasible }, ours),
      },
    ];
  });
}

function isFeasible(rows: readonly ReleaseSummary[]): boolean {
  return rows.every(({ scenario, aborted }) => scenario.truth !== 'equal' || aborted.rate <= MOST_FALSE_ABORTS);
}

function exposure(rows: readonly ReleaseSummary[]): number {
  return geometricMean(
    rows.filter(({ scenario }) => scenario.truth === 'harmful').map(({ excessBad }) => Math.max(0.1, excessBad.mean)),
  );
}

function reportedRows(
  rows: readonly ReleaseSummary[],
  { single, feasible }: { readonly single: string; readonly feasible: readonly string[] },
  ours: ReadonlyMap<string, ReleaseSummary>,
): readonly SweptRow[] {
  const ids = [...new Set(rows.map(({ scenario }) => scenario.id))];
  return ids.flatMap((id) => {
    const here = rows.filter(({ scenario }) => scenario.id === id);
    const own = here.find(({ contestant }) => contestant === single);
    const mine = ours.get(id);
    if (own === undefined || mine === undefined) return [];
    const isEqual = own.scenario.truth === 'equal';
    // A setting that aborts whatever comes exposes nobody: only those that let equal versions pass are compared.
    const allowed = here.filter(
      ({ contestant, aborted }) => feasible.includes(contestant) && (!isEqual || aborted.rate <= MOST_FALSE_ABORTS),
    );
    const perScenario =
      smallest(allowed, (row) => (isEqual ? (row.promoteSeconds?.mean ?? Infinity) : row.excessBad.mean)) ?? own;
    return [{ scenario: own.scenario, own, perScenario, ours: mine }];
  });
}

function smallest<T>(list: readonly T[], by: (item: T) => number): T | undefined {
  let best: T | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const item of list) {
    const value = by(item);
    if (value < least) [best, least] = [item, value];
  }
  return best;
}
