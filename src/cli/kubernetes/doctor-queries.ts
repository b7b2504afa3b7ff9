// Does every query tell both versions: by what the operator last read, of the release under way or of the last one. What
// cannot have been counted yet is no fault.
import type { MetricsFrom, ReleasePolicy } from '../../core/model/policy.ts';
import type { EvidenceLine, Finding, ReleaseView } from '../../core/views/index.ts';
import { ok, problem, warning } from './doctor.ts';

interface Seen {
  readonly isUnderWay: boolean;
  readonly hadTraffic: boolean;
  /** How long versions have been compared. */
  readonly testedMs: number;
  readonly policy: ReleasePolicy | null;
}

export function queryFindings({ evidence, release, stages }: ReleaseView, policy: ReleasePolicy | null) {
  if (evidence.length === 0) {
    const fix = 'the first release shows it; kubectl haldane plan says what it takes';
    return [warning('queries', 'no query has been asked yet: nothing was released', fix)];
  }
  const seen: Seen = {
    isUnderWay: release !== null && release.phase !== 'ended',
    hadTraffic: (release?.highestWeightPercent ?? 0) > 0,
    testedMs: stages.reduce((sum, { spentMs }) => sum + (spentMs ?? 0), 0),
    policy,
  };
  return evidence.flatMap((line) => evidenceFindings(line, seen));
}

function evidenceFindings(line: EvidenceLine, seen: Seen): readonly Finding[] {
  const { check, outcome, against, stable, canary } = line;
  const when = seen.isUnderWay ? '' : ' in the last release';
  const message = withoutName(line);
  if (outcome === 'error') return [problem('queries', `${check}: ${message}`, errorFix(message))];
  if (outcome === 'no-data') return [warning('queries', `${check}: no data${when} (${message})`, 'it holds a release')];
  if (against === 'gauge') return [ok('queries', `${check}: answers`)];
  const counts = `${stable.total} of stable, ${canary.total} of the new version${when}`;
  const missing = [
    ...(stable.total > 0 ? [] : ['stable']),
    ...(canary.total > 0 || !seen.hadTraffic ? [] : ['the new version']),
  ];
  if (missing.length > 0 && isEarly(check, seen)) {
    const fix = 'ask again when the warm-up and two readings are over';
    return [warning('queries', `${check}: not yet: ${counts}, and it has only begun to count`, fix)];
  }
  if (missing.length === 0) return [ok('queries', `${check}: tells the versions apart: ${counts}`)];
  return [
    problem(
      'queries',
      `${check}: nothing was counted of ${missing.join(' and ')}: ${counts}`,
      'does its query name the version as the policy says? are its routes those that users call?',
    ),
  ];
}

/** The sentence of a verdict begins with the name of its check. */
function withoutName({ check, message }: EvidenceLine): string {
  return message.startsWith(`${check}: `) ? message.slice(check.length + 2) : message;
}

const UNANSWERED =
  /did not answer|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|connect(?:ion)? (?:refused|timeout)/i;

/** Who does not answer at all has not read the query. */
function errorFix(message: string): string {
  return UNANSWERED.test(message)
    ? 'is the address in spec.metrics right, is there a Service of that name and port, and do its pods run?'
    : 'mend the query';
}

/** Before the warm-up and two readings are over, nothing can have been counted. */
function isEarly(check: string, { isUnderWay, testedMs, policy }: Seen): boolean {
  if (!isUnderWay || policy === null) return false;
  const warmUpMs = policy.checks.find(({ name }) => name === check)?.warmUpMs ?? 0;
  return testedMs < warmUpMs + 2 * readingMs(policy.metrics, policy.intervalMs) + policy.intervalMs;
}

function readingMs(metrics: MetricsFrom, intervalMs: number): number {
  return metrics.kind === 'prometheus' ? metrics.scrapeMs + metrics.lagMs : intervalMs;
}
