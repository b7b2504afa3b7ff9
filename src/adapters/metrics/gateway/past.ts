// Stable's past as the gateway processes and the workload still know it: everything since they began to count. Pure.
import type { Check } from '../../../core/model/check.ts';
import type { Reading } from '../../../core/model/measurement.ts';
import type { ReleasePolicy } from '../../../core/model/policy.ts';
import type { Revision } from '../../../core/model/split.ts';
import { type Lives, lifeReading } from './lives.ts';
import { countsRequests, emptyTally, sum, tallyOf } from './tallies.ts';
import { type InstanceSnapshot, readingOf, unmeasured } from './window.ts';

export interface PastQuery {
  readonly policy: ReleasePolicy;
  readonly stable: Revision;
  /** As measured: parts apart. */
  readonly checks: readonly Check[];
}

export function pastReadings(
  { policy, stable, checks }: PastQuery,
  instances: readonly InstanceSnapshot[],
  lives: Lives,
): Readonly<Record<string, Reading>> {
  const counted = checks.filter(({ metric }) => countsRequests(metric));
  const tally = instances
    .map(({ snapshot }) => tallyOf(snapshot, [stable], counted, policy.errors))
    .reduce((left, right) => sum(left, right, counted), emptyTally([stable]));
  const notDone = Object.fromEntries(
    counted.map(({ name }) => {
      const [from = 0, done = 0] = tally.revisions[stable]?.checks[name] ?? [];
      return [name, { [stable]: Math.max(0, from - done) }];
    }),
  );
  return Object.fromEntries(
    checks.map((check): [string, Reading] => {
      if (check.metric.kind === 'count')
        return [check.name, lifeReading(check, { revisions: [stable], since: {}, lives })];
      if (countsRequests(check.metric)) return [check.name, readingOf({ tally, notDone }, check)];
      const isGauge = check.metric.kind === 'gauge';
      return [
        check.name,
        isGauge ? { kind: 'no-data', message: 'the past of a gauge is not kept' } : unmeasured(check),
      ];
    }),
  );
}
