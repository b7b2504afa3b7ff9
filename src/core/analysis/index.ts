export { chooseBoundary, slowerThan } from './boundary.ts';
export {
  type AnalysisSettings,
  type Counts,
  type Evidence,
  type GaugeEvidence,
  limitRate,
  startEvidence,
} from './evidence.ts';
export { broken, foldHistory, foldWindow, needsHistory, type Window } from './fold.ts';
export {
  combinedLogHarm,
  evidenceShares,
  type JudgeContext,
  judge,
  logHarm,
  provenWeightPercent,
} from './judge.ts';
export { odds, percent, seconds } from './sentences.ts';
