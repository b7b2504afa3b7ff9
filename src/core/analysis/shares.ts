// Sample-ratio mismatch: do the requests each version got agree with the weights asked, beyond chance? Requests lost or
// moved between versions (retries after failures, ejected endpoints, readiness flaps) make the comparison itself unsafe.
// It blocks promotion and never aborts: it says that something is wrong with the split, not with the version.
import { addSampleRatioTick, logSampleRatioE, type SampleRatioState, startSampleRatio } from '../statistics/index.ts';

export interface SampleRatio {
  /** Null until the first window whose weight stood still and whose requests chance drew one by one. */
  readonly state: SampleRatioState | null;
}

export const NO_SHARES: SampleRatio = { state: null };

/** Odds of 1000 to 1 before shares are said to be off: it holds a release up. */
const ALPHA = 0.001;

export interface DrawnWindow {
  readonly canary: number;
  readonly stable: number;
  readonly weightPercent: number;
}

export function addShares({ state }: SampleRatio, window: DrawnWindow): SampleRatio {
  const weight = window.weightPercent / 100;
  const before = state ?? startSampleRatio();
  return { state: addSampleRatioTick(before, { canary: window.canary, stable: window.stable, canaryWeight: weight }) };
}

/** Why the shares seen cannot be chance; null if they can. */
export function sharesMismatch({ state }: SampleRatio): string | null {
  if (state === null || logSampleRatioE(state) < -Math.log(ALPHA)) return null;
  const { canary, expectedCanary } = state;
  return (
    `the shares are off: the new version got ${canary} of the requests, ${Math.round(expectedCanary)} were expected; ` +
    'promotion waits until a person looks (retries, ejected endpoints, a second splitter?)'
  );
}
