/**
 * Rules between fields. They see the policy as read, with holes where a part is wrong, so that everything wrong is
 * told at once; and the value as written, to tell a default from a wish.
 */

import { type MeasurementSource, Report, type RuleContext } from './rule-report.ts';
import { checksRules } from './rules-checks.ts';
import { deadlineRules } from './rules-deadline.ts';
import { kubernetesRules } from './rules-kubernetes.ts';
import { rampRules } from './rules-ramp.ts';
import { routesRules } from './rules-routes.ts';
import { sourceRules } from './rules-source.ts';
import { specRules } from './rules-spec.ts';
import type { ReadPolicy } from './schema.ts';
import { type Holes, type Problem, plainEntries } from './walk.ts';

export function checkRules(
  read: Holes<ReadPolicy> | undefined,
  written: unknown,
  source: MeasurementSource,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const report = new Report();
  const spec = read?.spec;
  if (spec === undefined) return report;
  const context: RuleContext = {
    spec,
    report,
    source,
    isNamespaced: writtenAt(written, ['metadata', 'namespace']) !== undefined,
    isWritten: (...path) => writtenAt(written, ['spec', ...path]) !== undefined,
    written: (...path) => writtenAt(written, ['spec', ...path]),
  };
  rampRules(context);
  checksRules(context);
  routesRules(context);
  specRules(context);
  deadlineRules(context);
  kubernetesRules(context);
  sourceRules(context);
  return report;
}

function writtenAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof key === 'number') current = Array.isArray(current) ? (current[key] as unknown) : undefined;
    else current = plainEntries(current)?.find(([name]) => name === key)?.[1];
  }
  return current;
}
