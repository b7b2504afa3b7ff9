/**
 * Rules between fields. They see the policy as read, with holes where a part is wrong, so that everything wrong is
 * told at once; and the value as written, to tell a default from a wish.
 */

import { Report, type RuleContext } from './rule-report.ts';
import { checksRules } from './rules-checks.ts';
import { rampRules } from './rules-ramp.ts';
import { routesRules } from './rules-routes.ts';
import { specRules } from './rules-spec.ts';
import type { ReadPolicy } from './schema.ts';
import { type Holes, type Problem, plainEntries } from './walk.ts';

export function checkRules(
  read: Holes<ReadPolicy> | undefined,
  written: unknown,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const report = new Report();
  const spec = read?.spec;
  if (spec === undefined) return report;
  const context: RuleContext = { spec, report, isWritten: (...path) => isWritten(written, ['spec', ...path]) };
  rampRules(context);
  checksRules(context);
  routesRules(context);
  specRules(context);
  return report;
}

function isWritten(value: unknown, path: readonly string[]): boolean {
  let current = value;
  for (const key of path) {
    const entry = plainEntries(current)?.find(([name]) => name === key);
    if (entry === undefined) return false;
    current = entry[1];
  }
  return current !== undefined;
}
