// The sections on the evidence itself: equal worlds, and the distance to the limit of what any test can do.
import { percentText, secondsText, table } from './report-format.ts';
import type { Results } from './results.ts';
import { drawScenarios, REPORTED_SEED } from './scenarios.ts';
import { type BareSummary, geometricMean, type ReleaseSummary, upperLimit } from './summary.ts';

export function equalRows({ releases }: Results): readonly ReleaseSummary[] {
  return releases.filter(({ section }) => section === 'equal');
}

export function equalSection(results: Results): string {
  const fair = new Set(drawScenarios(REPORTED_SEED).equal.map(({ id }) => id));
  const line = (row: ReleaseSummary): string[] => [
    row.scenario.title,
    `${row.aborted.count} of ${row.aborted.of}`,
    percentText(upperLimit(row.aborted.count, row.aborted.of, 0.99)),
    percentText(row.promoted.rate),
    secondsText(row.promoteSeconds),
  ];
  const head = ['equal versions', 'aborted', '99 % upper limit', 'promoted', 'seconds to promotion'];
  const rows = equalRows(results);
  return `## Equal versions: how often one is aborted

![False aborts in each world, with their 99 % limits](false-aborts.svg)

Defaults as shipped, judged after every window until the release ends. The promise is at most 1 % over the whole release.

${table(head, rows.filter(({ scenario }) => fair.has(scenario.id)).map(line))}

Worlds that break any comparison of two arms, printed without a target: noise that belongs to one arm is a difference between the
arms, and a faster version should pass.

${table(head, rows.filter(({ scenario }) => !fair.has(scenario.id)).map(line))}`;
}

export function ofKind(results: Results, kind: string): readonly BareSummary[] {
  return results.bare.filter((row) => row.kind === kind);
}

export function isShipped({ id }: BareSummary): boolean {
  return id.startsWith('shipped');
}

export function timesGeometric(rows: readonly BareSummary[]): number {
  return geometricMean(rows.map(({ times }) => times.mean));
}

export function bareSection(results: Results): string {
  const line = ({ id, limit, times }: BareSummary): string[] => [
    id,
    limit >= 100 ? String(Math.round(limit)) : limit.toPrecision(3),
    `${times.mean.toFixed(2)} ± ${times.within.toFixed(2)}`,
    times.median.toFixed(2),
    times.p90.toFixed(2),
  ];
  const head = ['cell', 'limit, canary requests', 'mean, times the limit', 'median', '90th percentile'];
  const harm = ofKind(results, 'harm');
  return `## The evidence beside the limit of what any test can do

![Canary requests to detection as a multiple of the limit](detection.svg)

The limit is Wald's bound for a false-alarm probability of 1 % (5 % for no harm) when stable's rate must be learnt too
([statistics](../statistics.md)): no test that is allowed to look at any time can need fewer canary requests on average.

Harm, evidence alone (no cap, no onset mixture):

${table(head, harm.filter((row) => !isShipped(row)).map(line))}

Harm, defaults as shipped (cap, onset mixture, a window a look):

${table(head, harm.filter(isShipped).map(line))}

No harm, at an error probability of 5 %:

${table(head, ofKind(results, 'no-harm').map(line))}

Latency, all lines at once, onset mixture and cap as shipped; the limit is that of the one line that tells the two apart best:

${table(head, ofKind(results, 'latency').map(line))}

Crash: bad answers of the canary before the deciding window, evidence alone at a constant small share:

${table(
  ['cell', 'mean', '90th percentile'],
  ofKind(results, 'crash').map(({ id, times }) => [id, times.mean.toFixed(2), times.p90.toFixed(0)]),
)}`;
}
