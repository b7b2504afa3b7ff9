// Sample-ratio mismatch: do the requests each version got agree with the weights asked, beyond chance? Requests lost or
// moved between versions (retries after failures, ejected endpoints, readiness flaps) make the comparison itself unsafe.
// It blocks promotion and never aborts: it says that something is wrong with the split, not with the version.
import {
  addShareTick,
  logSampleRatioE,
  SAMPLE_RATIO_ALPHA,
  type SampleRatioState,
  startSampleRatio,
} from '../statistics/index.ts';

export interface SampleRatio {
  /** Null until the first window whose weight stood still and whose requests chance drew one by one. */
  readonly state: SampleRatioState | null;
}

export const NO_SHARES: SampleRatio = { state: null };

export interface DrawnWindow {
  readonly canary: number;
  readonly stable: number;
  readonly weightPercent: number;
  readonly intervalMs: number;
}

export function addShares({ state }: SampleRatio, window: DrawnWindow): SampleRatio {
  const options = { tickMs: window.intervalMs, alpha: SAMPLE_RATIO_ALPHA };
  const { canary, stable } = window;
  const tick = { canary, stable, share: window.weightPercent / 100 };
  return { state: addShareTick(state ?? startSampleRatio(options), tick, options) };
}

/** Why the shares seen cannot be chance; null if they can. */
export function sharesMismatch({ state }: SampleRatio): string | null {
  if (state === null || logSampleRatioE(state) < -Math.log(SAMPLE_RATIO_ALPHA)) return null;
  const { canary, expectedCanary } = state;
  return (
    `the shares are off: the new version got ${canary} of the requests, ${Math.round(expectedCanary)} were expected; ` +
    'promotion waits until a person looks (retries, ejected endpoints, a second splitter?)'
  );
}
