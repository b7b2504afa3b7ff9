// The public face of the statistics room: numbers in, numbers out. Refuses to import anything from outside the room.

export {
  type AbsoluteRateOptions,
  type AbsoluteRateState,
  addAbsoluteTick,
  logAbsoluteHarmE,
  logAbsoluteNoHarmE,
  lowerRate,
  startAbsoluteRate,
  upperRate,
} from './absolute-rate.ts';
export {
  type AsymptoticBand,
  type AsymptoticBandOptions,
  type AsymptoticMeanState,
  addAsymptoticTick,
  asymptoticBand,
  startAsymptoticMean,
} from './asymptotic-mean.ts';
export { incompleteBeta } from './beta.ts';
export {
  addMeanTick,
  type BoundedMeanOptions,
  type BoundedMeanState,
  logAboveE,
  logBelowE,
  logScoreNoHarmE,
  lowerDifference,
  meanDifference,
  startBoundedMean,
  upperDifference,
} from './bounded-mean.ts';
export {
  addMeanHarmTick,
  logMeanHarmE,
  type MeanHarmOptions,
  type MeanHarmState,
  startMeanHarm,
} from './bounded-mean-harm.ts';
export { type BinomialInterval, binomialInterval } from './clopper-pearson.ts';
export {
  addCohortTick,
  type CohortArm,
  type CohortOptions,
  type CohortState,
  type CohortTick,
  startCohorts,
  swapArms,
} from './cohorts.ts';
export type { EvidenceOptions } from './counts.ts';
export {
  type DispersionEstimate,
  dispersionOfReplicas,
  estimateDispersion,
  type ReplicaCounts,
} from './dispersion.ts';
export { logGamma } from './gamma.ts';
export { autocorrelationTime, blockLength, blockMeans } from './gauge-blocks.ts';
export { type GaugePoint, type LeakProjection, projectLeak } from './gauge-leak.ts';
export { type RankDisplay, rankBlocks, type WorseEnd } from './gauge-rank.ts';
export {
  addSignBlock,
  LEAST_CANARY_REPLICAS,
  logSignE,
  type SignOptions,
  type SignState,
  startSign,
} from './gauge-sign.ts';
export { logMeanPowers, type Margins } from './hypergeometric.ts';
export {
  type Contrast,
  canaryRequestsKnownStable,
  canaryRequestsToTell,
  klBernoulli,
  natsPerCanaryRequest,
  requiredNats,
  type TestQuality,
} from './information.ts';
export {
  addScores,
  type HarmfulChange,
  LABEL_TILTS,
  type LabelTiltOptions,
  type LabelTiltState,
  logScoreHarmE,
  scoreRatio,
  startLabelTilt,
} from './label-tilt.ts';
export { evenLevels, geometricLevels, nearestLevel, type ScoreTick } from './label-tilt-scores.ts';
export { chooseLines } from './line-choice.ts';
export { isLogZero, LOG_ZERO, logAddExp, logSumExp, logWeightedSum } from './log-space.ts';
export { type LocationShift, mannWhitneyShift, mannWhitneyZ } from './mann-whitney.ts';
export type { OnsetMixture } from './mixture.ts';
export { normalQuantile } from './normal.ts';
export { PLACEBO_RATIOS, type PlaceboOptions, type PlaceboResult, placebo } from './placebo.ts';
export { bandConstant, bandRadius, type QuantileBand, quantileBand, quantileDeviation } from './quantile-band.ts';
export { createRandom, type Random } from './random.ts';
export {
  addStrata,
  addTick,
  type RateRatioOptions,
  type RateRatioState,
  startRateRatio,
  type TickCounts,
} from './rate-ratio.ts';
export {
  anytimeP,
  estimate,
  logHarmE,
  logNoHarmE,
  logPlainHarmE,
  lowerExcess,
  type RateRatioEstimate,
  upperExcess,
} from './rate-ratio-readers.ts';
export {
  addShareTick,
  logSampleRatioE,
  SAMPLE_RATIO_ALPHA,
  type SampleRatioState,
  type ShareTick,
  startSampleRatio,
} from './sample-ratio.ts';
export { logConstantSampleRatioE } from './sample-ratio-constant.ts';
export {
  addTailTick,
  logTailHarmE,
  logTailHarmEAt,
  logTailNoHarmE,
  lowerTailExcess,
  startTails,
  type TailCounts,
  type TailOptions,
  type TailState,
  tailCounts,
  tailExcess,
  upperTailExcess,
} from './tail-comparison.ts';
