// The passing of time, by the monotonic clock, into the clocks a release runs on (row 81). Paused time and time spent
// waiting for people is no lack of progress (row 38); time nobody watched counts for nothing.
import { elapsedMs } from '../model/time.ts';
import { neededReplicas } from './capacity.ts';
import { shareOf } from './share.ts';
import { underWay } from './state.ts';
import { readyReplicas, type Turn, updateRelease } from './turn.ts';

/** The longest the engine itself asks to be left alone; more than this since the last look means nobody watched. */
export const LONGEST_LOOK_MS = 60_000;

/** Milliseconds to count since the decision before. */
export function watchedMs(from: Parameters<typeof elapsedMs>[0], to: Parameters<typeof elapsedMs>[0]): number {
  return Math.min(elapsedMs(from, to), LONGEST_LOOK_MS);
}

export function passTime(turn: Turn): void {
  turn.state = { ...turn.state, clock: turn.observation.now };
  const release = underWay(turn.state);
  if (release === null || release.paused !== null) return;
  const { elapsed, phase } = release;
  const isAtWeight = phase.kind !== 'testing' || isAsAsked(turn, release.to.revision, release.weightPercent);
  const stageMs = isAtWeight && release.isAtWeight && release.parked === null ? turn.passedMs : 0;
  const isReady = phase.kind === 'testing' || phase.kind === 'promoting' ? hasReady(turn, release.to.revision) : true;
  updateRelease(turn, {
    isAtWeight,
    elapsed: {
      stageMs: elapsed.stageMs + stageMs,
      testingMs: elapsed.testingMs + (phase.kind === 'testing' ? stageMs : 0),
      releaseMs: elapsed.releaseMs + (release.awaiting === null ? turn.passedMs : 0),
      gateMs: elapsed.gateMs > 0 && release.awaiting === null ? elapsed.gateMs + turn.passedMs : elapsed.gateMs,
      notReadyMs: isReady ? 0 : elapsed.notReadyMs + turn.passedMs,
    },
  });
}

/** The data plane gives the canary the weight that is asked, and its replicas for it are there. */
export function isAsAsked(turn: Turn, revision: string, weightPercent: number): boolean {
  const release = underWay(turn.state);
  const share = shareOf(turn, revision);
  return share === weightPercent && release !== null && readyReplicas(turn, revision) >= neededReplicas(release);
}

/** Whether at least one replica is ready; what cannot be looked at is not held against it. */
function hasReady(turn: Turn, revision: string): boolean {
  return turn.observation.workload.kind === 'error' || readyReplicas(turn, revision) > 0;
}
