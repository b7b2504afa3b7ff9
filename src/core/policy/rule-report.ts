/** What the rules between fields say, and what they see. It knows no rule. */
import { nearestName } from '../model/nearest.ts';
import type { MetricKind } from './defaults.ts';
import { listed, quoted } from './describe-value.ts';
import type { ReadSpec } from './schema.ts';
import type { Holes, Problem } from './walk.ts';

export type SpecPath = readonly (string | number)[];

export class Report {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];

  /** `path` is below `spec`. */
  refuse(path: SpecPath, problem: string, fix: string, nearest?: string): void {
    const full = ['spec', ...path];
    this.problems.push(nearest === undefined ? { path: full, problem, fix } : { path: full, problem, fix, nearest });
  }

  /** `path` is of the whole document. */
  refuseAt(path: SpecPath, problem: string, fix: string): void {
    this.problems.push({ path, problem, fix });
  }

  refuseIf(isWrong: boolean, path: SpecPath, problem: string, fix: string): void {
    if (isWrong) this.refuse(path, problem, fix);
  }

  warn(path: SpecPath, problem: string, fix: string): void {
    this.warnings.push({ path: ['spec', ...path], problem, fix });
  }
}

/** Where the measurements will come from: the embedded gateway, or data that somebody recorded. */
export type MeasurementSource = 'live' | 'recorded';

export interface RuleContext {
  readonly spec: Holes<ReadSpec>;
  readonly report: Report;
  readonly source: MeasurementSource;
  /** Whether the document names a namespace. */
  readonly isNamespaced: boolean;
  /** Whether a person wrote the field, whatever its value. */
  readonly isWritten: (...path: (string | number)[]) => boolean;
  /** The value as a person wrote it; undefined where nothing stands. */
  readonly written: (...path: (string | number)[]) => unknown;
}

export type HoledCheck = Holes<NonNullable<ReadSpec['checks']>[number]>;

/** One check whose metric is known, and where it stands below `spec`. */
export interface CheckAt {
  readonly check: HoledCheck;
  readonly kind: MetricKind;
  readonly path: SpecPath;
}

/** Refuses what stands in a list twice. */
export function refuseTwice(
  report: Report,
  path: SpecPath,
  items: readonly (string | number | undefined)[],
  what: string,
): void {
  const seen = new Set<string | number>();
  for (const [index, item] of items.entries()) {
    if (item === undefined) continue;
    if (seen.has(item))
      report.refuse([...path, index], `${quoted(String(item))} is there twice`, `name each ${what} once`);
    seen.add(item);
  }
}

/** Refuses a name that is not among the known ones. */
export function refuseUnknown(
  report: Report,
  path: SpecPath,
  given: string | undefined,
  known: { readonly what: string; readonly names: readonly string[] },
): void {
  if (given === undefined || known.names.includes(given)) return;
  const nearest = nearestName(given, known.names);
  const all = known.names.length === 0 ? `there is no ${known.what}` : `known: ${listed(known.names, 'and')}`;
  const fix = nearest === undefined ? `name one that exists (${all})` : `did you mean ${nearest}? (${all})`;
  report.refuse(path, `there is no ${known.what} called ${quoted(given)}`, fix, nearest);
}
