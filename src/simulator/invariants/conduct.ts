// What a controller must do, not only leave: take plain harm back, keep to the exposure the policy allows, obey an abort
// for good, not try an aborted version again by itself, and end no healthy release for trouble in a calm world.
import type { Release } from '../../core/engine/state.ts';
import type { Delivered } from '../world/metrics.ts';
import { type Book, releaseBook } from './book.ts';
import type { Accuse } from './traffic.ts';

/** Harm this plain needs no statistics: so many bad requests in a window, at a rate so far above stable's. */
const PLAIN = { bad: 8, ratio: 10, margin: 0.02 };
/** Such windows, one after the other, that a controller may see before it acts. */
const WINDOWS_TO_ACT = 8;

/** I7: harm that anybody can see in one delivered window after the other is taken back, paused or not. */
export function checkPlainHarm(book: Book, window: Delivered, accuse: Accuse): void {
  const release = book.state?.release;
  if (!book.isCalm || release?.phase.kind !== 'testing' || release.to.revision !== window.canary) return;
  const entry = book.releases.get(release.id);
  const check = release.policy.checks.find((one) => one.metric.kind === 'errors');
  if (entry === undefined || check === undefined || check.warmUpMs > 0 || release.policy.analysis === 'none') return;
  const stableRate = window.stableBad / Math.max(1, window.stableTotal);
  const isPlain =
    window.canaryBad >= PLAIN.bad && window.canaryBad / window.canaryTotal > PLAIN.ratio * stableRate + PLAIN.margin;
  entry.plainHarmWindows = isPlain ? entry.plainHarmWindows + 1 : 0;
  if (entry.plainHarmWindows > WINDOWS_TO_ACT && release.weightPercent > 0) {
    accuse('I7', `${entry.plainHarmWindows} windows of plain harm, and ${release.to.revision} still has its weight`);
  }
}

/** I7: the canary's requests in all stay within the policy's bound, give or take what one look cannot see. */
export function checkExposure(book: Book, release: Release, accuse: Accuse): void {
  const { totalRequests } = release.policy.exposure;
  if (!book.isCalm || totalRequests === null || release.phase.kind !== 'testing' || release.unanalysed !== null) return;
  const entry = book.releases.get(release.id);
  if (entry === undefined) return;
  const { requestsPerSecond, metricsLagMs } = book.scenario;
  const unseenMs = 2 * release.policy.intervalMs + metricsLagMs + 10_000;
  const unseen = (requestsPerSecond * unseenMs * (entry.mostWeight + 2)) / 100_000;
  const got = (book.service.plane.exposed.get(release.to.revision) ?? 0) - entry.exposedBefore;
  if (got > totalRequests + 1.5 * unseen + 50) {
    accuse('I7', `${release.to.revision} got ${got} requests, the policy allows ${totalRequests}`);
  }
}

/** I3: once an abort is answered with yes, the release only goes back. */
export function checkAbortKept(book: Book, release: Release, accuse: Accuse): void {
  const wasAborted = book.answered.some(
    ({ command, answer, release: id }) => command.verb === 'abort' && answer.accepted && id === release.id,
  );
  if (!wasAborted) return;
  const { phase } = release;
  const isGoingBack = phase.kind === 'aborting' || (phase.kind === 'ended' && phase.outcome.kind === 'aborted');
  if (!isGoingBack) accuse('I3', `${release.id} was aborted by a person, and is ${phase.kind}`);
}

/** Row 29: a version that was taken back is not tried again by itself. */
export function checkNotRestarted(book: Book, release: Release, nowMs: number, accuse: Accuse): void {
  const before = book.lastEnd;
  const isNew = !book.releases.has(release.id);
  if (!isNew || before === null || before.revision !== release.to.revision) return;
  if (!['verdict', 'person', 'deadline', 'trouble'].includes(before.by)) return;
  const isAsked = book.answered.some(
    ({ command, answer, atMs }) =>
      answer.accepted && atMs >= before.atMs && ['retry', 'promote', 'rollback'].includes(command.verb),
  );
  if (!isAsked)
    accuse('I3', `row 29: ${release.to.revision} was taken back (${before.by}), and is tried again by itself`);
  releaseBook(book, release, nowMs);
}

/** A version like stable that starts at once is not ended for trouble where there was none. */
export function checkFairEnd(book: Book, release: Release, accuse: Accuse): void {
  if (!book.isCalm || release.phase.kind !== 'ended' || release.phase.outcome.kind !== 'aborted') return;
  const truth = book.scenario.truths[release.to.revision];
  const isWell = truth?.neverReady === false && truth.crashAfterReadyMs === null && truth.mostReady === null;
  if (release.phase.outcome.by === 'trouble' && isWell && truth.startMs.most < 10_000) {
    accuse('live', `${release.id} ended for trouble in a calm world: ${release.phase.outcome.sentence}`);
  }
}

export function noteEnd(book: Book, release: Release, nowMs: number): void {
  if (release.phase.kind !== 'ended' || book.lastEnd?.id === release.id) return;
  const { outcome } = release.phase;
  const by = outcome.kind === 'aborted' ? outcome.by : 'promoted';
  book.lastEnd = { id: release.id, revision: release.to.revision, by, atMs: nowMs };
}
