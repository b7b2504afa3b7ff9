// A release on its plateaus: harm first, then trouble, then deadlines, and only then the question of advancing. Nothing
// that waits or pauses stands before the way out (I3).
import { odds } from '../analysis/index.ts';
import { advance } from './advance.ts';
import { beginAbort } from './ending.ts';
import { isExposureSpent } from './exposure.ts';
import { holdFor, park } from './holding.ts';
import type { Release } from './state.ts';
import { explain, seen, type Turn } from './turn.ts';

export function test(turn: Turn): void {
  for (const end of [endForHarm, endForTrouble, endForDeadline]) {
    const { release } = turn.state;
    if (release?.phase.kind !== 'testing') return;
    end(turn, release);
  }
  const { release } = turn.state;
  if (release?.phase.kind !== 'testing') return;
  if (release.parked !== null) {
    return holdFor(turn, 'decision', `${release.parked}; ${release.to.label} gets no traffic while a person decides`);
  }
  if (release.paused !== null) {
    const because = `paused by ${release.paused.actor} at ${release.weightPercent} %`;
    return explain(turn, because, { what: 'resume', inMs: null, unless: null });
  }
  advance(turn, release);
}

/** Weighted evidence of all checks at 1/alpha_R, or a check over its own line (statistics 3). */
function endForHarm(turn: Turn, release: Release): void {
  const line = -Math.log(release.policy.alphas.abort);
  const blamed = blame(release);
  const isHarm = release.logHarm >= line || blamed?.outcome === 'fail';
  if (!isHarm || release.parked !== null) return;
  const sentence = harmSentence(release, blamed);
  if (release.policy.decision === 'hybrid') park(turn, sentence);
  else beginAbort(turn, 'verdict', sentence, blamed?.check ?? null);
}

function blame(release: Release) {
  const roleOf = (name: string) => release.policy.checks.find((check) => check.name === name)?.role;
  const counting = release.verdicts.filter((verdict) => roleOf(verdict.check) !== 'informational');
  const failed = counting.find((verdict) => verdict.outcome === 'fail');
  const heaviest = [...counting].sort((a, b) => margin(b) - margin(a))[0];
  return failed ?? heaviest;
}

/** No check alone need have reached its line: their weighted evidence may have, and then that is what is said. */
function harmSentence(release: Release, blamed: Release['verdicts'][number] | undefined): string {
  if (blamed?.outcome === 'fail') return blamed.message;
  const together = `the evidence of all checks together shows harm (odds ${odds(release.logHarm)} to 1)`;
  return blamed === undefined ? together : `${together}, most of it ${blamed.message}`;
}

function margin(verdict: Release['verdicts'][number]): number {
  return verdict.numbers.logHarm - verdict.numbers.logHarmLine;
}

function endForTrouble(turn: Turn, release: Release): void {
  if (release.elapsed.notReadyMs < release.policy.deadlines.startMs) return;
  const trouble = seen(turn, release.to.revision)?.trouble ?? 'no replica is ready';
  beginAbort(turn, 'trouble', `${release.to.label} stopped being ready: ${trouble}`);
}

/** The exposure bound and the deadline do what the policy says; asking a person is the default. */
function endForDeadline(turn: Turn, release: Release): void {
  const isSpent = isExposureSpent(release);
  const isLate = release.elapsed.releaseMs >= release.policy.deadlines.releaseMs;
  if ((!isSpent && !isLate) || release.parked !== null) return;
  const sentence = isSpent
    ? `the exposure bound of ${release.policy.exposure.totalRequests} requests is reached without a verdict`
    : 'the deadline passed without a verdict';
  if (release.policy.onDeadline === 'abort' && release.policy.decision !== 'hybrid') {
    beginAbort(turn, 'deadline', sentence);
  } else if (isSpent) {
    park(turn, sentence);
  }
}
