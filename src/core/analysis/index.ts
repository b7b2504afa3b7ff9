export {
  type AnalysisSettings,
  type Counts,
  type Evidence,
  limitRate,
  startEvidence,
} from './evidence.ts';
export { foldHistory, foldWindow, needsHistory, type Window } from './fold.ts';
export type { GaugeEvidence } from './gauge.ts';
export {
  combinedLogHarm,
  evidenceShares,
  type JudgeContext,
  judge,
  provenWeightPercent,
} from './judge.ts';
export { lineAtLeast, linesFrom, slowerThan } from './latency-lines.ts';
export { logHarm } from './numbers.ts';
export { odds, percent, seconds } from './sentences.ts';
export { addShares, NO_SHARES, type SampleRatio, sharesMismatch } from './shares.ts';
export { broken } from './silence.ts';
