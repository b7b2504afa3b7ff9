// The report of one release as data: sentence, exposure, pictures' numbers, log, policy, data quality. HTML, Markdown
// and JSON are drawn from it. Refuses to soften: what was not measured is said to be so.

import type { Release } from '../engine/index.ts';
import { formatDuration } from '../model/duration.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import { evidenceLines } from './build-evidence.ts';
import { releaseLine } from './build-view.ts';
import { countText, percentText, spanText, wallSpanMs } from './format.ts';
import { outcomeSentence } from './headline.ts';
import type { EvidenceLine, LogLine, ReleaseLine } from './release-view.ts';
import type { TracePoint } from './trace.ts';

export const REPORT_SCHEMA = 1;

export interface ReleaseReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly madeAt: string;
  readonly haldane: string;
  readonly policy: string;
  readonly release: ReleaseLine;
  /** How it ended, with its numbers. */
  readonly sentence: string;
  readonly exposed: ExposureReport;
  /** [milliseconds since start, weight asked] */
  readonly weights: readonly (readonly [atMs: number, weightPercent: number])[];
  readonly evidence: readonly EvidenceLine[];
  readonly trace: readonly TracePoint[];
  readonly log: readonly LogLine[];
  readonly document: {
    readonly hash: string;
    readonly policy: ReleasePolicy;
    /** What changed since the release before, field by field; null if that one is not known. */
    readonly changes: readonly { readonly path: string; readonly from: unknown; readonly to: unknown }[] | null;
  };
  readonly quality: readonly string[];
  readonly reproduce: readonly string[];
}

export interface ExposureReport {
  readonly requests: number;
  readonly bad: number;
  readonly users: number;
  /** Of all users seen, in percent; null where users are not told apart. */
  readonly usersPercent: number | null;
  readonly ms: number;
  /** Bad requests beyond those expected at stable's rate; null without a comparison. */
  readonly extraBad: number | null;
  readonly sentence: string;
}

export interface ReportInput {
  readonly release: Release;
  readonly log: readonly LogLine[];
  readonly trace: readonly TracePoint[];
  readonly now: string;
  readonly haldane: string;
  readonly changes: ReleaseReport['document']['changes'];
}

export function buildReport({ release, log, trace, now, haldane, changes }: ReportInput): ReleaseReport {
  const line = releaseLine(release, now);
  const evidence = evidenceLines(release);
  return {
    schema: REPORT_SCHEMA,
    madeAt: now,
    haldane,
    policy: release.policy.name,
    release: line,
    sentence: outcomeSentence(line, evidence),
    exposed: exposureOf(release, line, evidence),
    weights: weightsOf(release, log),
    evidence,
    trace,
    log,
    document: { hash: release.policyHash, policy: release.policy, changes },
    quality: qualityOf(release, trace),
    reproduce: [`haldane report ${release.id} --json`, `haldane history ${release.policy.name} --log ${release.id}`],
  };
}

function exposureOf(release: Release, line: ReleaseLine, evidence: readonly EvidenceLine[]): ExposureReport {
  const { canaryRequests, canaryBad, canaryUsers, stableUsers } = release.exposure;
  const errors = evidence.find((each) => each.metric === 'errors' && each.against === 'stable');
  const stableRate = errors === undefined || errors.stable.total === 0 ? null : errors.stable.bad / errors.stable.total;
  const extraBad = stableRate === null ? null : canaryBad - stableRate * canaryRequests;
  const all = canaryUsers + stableUsers;
  const usersPercent = canaryUsers === 0 || release.policy.userKey === null ? null : (100 * canaryUsers) / all;
  const first = release.weights.find(([, weight]) => weight > 0)?.[0];
  const last =
    release.phase.kind === 'ended' && release.phase.outcome.kind === 'aborted'
      ? release.weights.at(-1)?.[0]
      : undefined;
  const ms = first === undefined ? 0 : Math.max(0, (last ?? release.elapsed.releaseMs) - first);
  const more =
    extraBad === null
      ? ''
      : extraBad < 0.5
        ? ', no more than stable would have had'
        : `, about ${countText(extraBad)} more than stable would have had`;
  const parts = [
    canaryRequests === 0
      ? 'No request met the new version while it was measured.'
      : `${countText(canaryRequests)} requests met ${line.to} in ${spanText(ms)}; ${countText(canaryBad)} of them were bad${more}.`,
    usersPercent === null
      ? ''
      : `They came from ${countText(canaryUsers)} users, ${percentText(Math.round(usersPercent * 10) / 10)} % of those seen.`,
  ];
  return {
    requests: canaryRequests,
    bad: canaryBad,
    users: canaryUsers,
    usersPercent,
    ms,
    extraBad,
    sentence: parts.filter((part) => part !== '').join(' '),
  };
}

/** By wall time, from the journal; the release's own clock stands still while it is paused. */
function weightsOf(release: Release, log: readonly LogLine[]): ReleaseReport['weights'] {
  const told = log.flatMap(({ at, weightPercent }) =>
    weightPercent === null ? [] : [[wallSpanMs(release.startedAt, at), weightPercent] as const],
  );
  return told.length === 0 ? release.weights : [[0, 0], ...told];
}

function qualityOf(release: Release, trace: readonly TracePoint[]): string[] {
  const found: string[] = [];
  if (release.unanalysed !== null) found.push('This release was not analysed; its numbers decided nothing.');
  found.push(`${countText(release.windows)} windows of ${formatDuration(release.policy.intervalMs)} were counted.`);
  for (const verdict of release.verdicts) {
    if (verdict.outcome === 'no-data') found.push(`${verdict.check} had no data at the end.`);
    if (verdict.outcome === 'error') found.push(`${verdict.check} could not be read at the end: ${verdict.message}`);
  }
  for (const [name, evidence] of Object.entries(release.evidence)) {
    if (evidence.warmUp.total > 0) {
      found.push(`${name}: ${countText(evidence.warmUp.total)} requests in the warm-up were shown and not counted.`);
    }
  }
  const gaps = gapsOf(release, trace);
  if (gaps > 0)
    found.push(
      `${gaps} gap${gaps === 1 ? '' : 's'} in the record of evidence: the agent was away, or nothing was counted.`,
    );
  if (release.retryOf !== null) found.push(`It is another try of ${release.retryOf}.`);
  return found;
}

const GAP_WINDOWS = 6;

function gapsOf(release: Release, trace: readonly TracePoint[]): number {
  const stride = Math.max(1, Math.round(release.windows / Math.max(1, trace.length)));
  const longestMs = Math.max(GAP_WINDOWS * stride * release.policy.intervalMs, 5_000);
  return trace.filter((point, index) => index > 0 && point.atMs - (trace[index - 1]?.atMs ?? 0) > longestMs).length;
}
