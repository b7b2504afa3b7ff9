// All rows of a run, by what they are about: the document that is committed and that reports are written from.
import type { Ledger } from './ledger.ts';
import { type BareSummary, meanOf, type ReleaseSummary, summarise } from './summary.ts';
import { type Swept, sweptBest } from './sweeps.ts';
import { type Unit, unitName } from './units.ts';
import type { ReleaseRow } from './work.ts';

export interface Results {
  readonly commit: string;
  readonly date: string;
  /** All but the settings of sweeps, of which there are twenty thousand rows: these stay with the run. */
  readonly releases: readonly ReleaseSummary[];
  readonly swept: readonly Swept[];
  readonly bare: readonly BareSummary[];
  /** Releases run by the full controller as well, and those of them that were not the same. */
  readonly same: { readonly of: number; readonly differences: readonly string[] };
}

export function summariseAll(units: readonly Unit[], ledger: Ledger, about: Pick<Results, 'commit' | 'date'>): Results {
  const releases = new Map<string, { unit: Extract<Unit, { kind: 'release' }>; rows: ReleaseRow[] }>();
  const bare = new Map<string, { unit: Extract<Unit, { kind: 'bare' }>; limit: number; values: number[] }>();
  const same = { of: 0, differences: [] as string[] };
  for (const unit of units) {
    const result = ledger.get(unitName(unit));
    if (result === undefined) continue;
    if (result.kind === 'same') {
      same.of += result.of;
      same.differences.push(...result.differences);
    } else if (unit.kind === 'bare' && result.kind === 'bare') {
      const entry = bare.get(unit.cell.id) ?? { unit, limit: result.limit, values: [] };
      entry.values.push(...result.values);
      bare.set(unit.cell.id, entry);
    } else if (unit.kind === 'release' && result.kind === 'release') {
      const key = `${unit.section}|${unit.scenario.id}|${unit.contestant}`;
      const entry = releases.get(key) ?? { unit, rows: [] };
      entry.rows.push(...result.rows);
      releases.set(key, entry);
    }
  }
  const summaries = [...releases.values()].map(({ unit, rows }) => summarise(unit, rows));
  return {
    ...about,
    same,
    releases: summaries.filter(({ section }) => section !== 'tuning' && section !== 'swept'),
    swept: sweptBest(summaries),
    bare: [...bare.values()].map(({ unit, limit, values }) => {
      const scale = unit.cell.kind === 'crash' ? 1 : limit;
      return {
        id: unit.cell.id,
        kind: unit.cell.kind,
        limit,
        n: values.length,
        times: meanOf(values.map((value) => value / scale)),
      };
    }),
  };
}

/** JSON with one row a line: a changed row is a changed line. */
export function resultsText(results: Results): string {
  const parts = Object.entries(results).map(([key, value]) => {
    if (!Array.isArray(value)) return `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    const rows = value.map((row) => `  ${JSON.stringify(row)}`);
    return `${JSON.stringify(key)}: [\n${rows.join(',\n')}\n ]`;
  });
  return `{\n ${parts.join(',\n ')}\n}\n`;
}
