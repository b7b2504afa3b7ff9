// A check that is made of several metrics, as the checks that are really measured: each named `<check>/<metric>`, so that
// every source gives the same readings under the same names. It measures and judges nothing; other kinds pass unchanged.
import type { Check } from './check.ts';

/** What a source is to measure for these checks, in their order. */
export function measuredChecks(checks: readonly Check[]): readonly Check[] {
  return checks.flatMap((check) => (check.metric.kind === 'kayenta' ? partsOf(check, check.metric.config) : [check]));
}

/** A part is only counted: tolerance and limit belong to the judge of the whole. */
function partsOf(check: Check, { metrics }: Extract<Check['metric'], { kind: 'kayenta' }>['config']): readonly Check[] {
  return metrics.map(({ name, metric, selector, direction }) => ({
    ...check,
    name: `${check.name}/${name}`,
    metric,
    selector,
    tolerance: null,
    limit: null,
    direction: direction === 'either' ? check.direction : direction,
  }));
}
