export { type Condition, ConditionRefusal, type ConditionResult, parseCondition } from '../../model/condition.ts';
export {
  type ArgoMeasurement,
  type ArgoMetric,
  type ArgoPhase,
  type ArgoState,
  argoStep,
  measurementOf,
  nextArgoSeconds,
  type ReadArgoMetric,
  readArgoMetric,
  startArgo,
  terminateArgo,
} from './argo.ts';
export { type ConditionAnswer, evaluateCondition } from './condition-value.ts';
export {
  FLAGGER_START,
  type FlaggerCheck,
  type FlaggerLook,
  type FlaggerState,
  type FlaggerThresholds,
  flaggerDurationMs,
  flaggerStep,
  flaggerSuccessRate,
} from './flagger.ts';
export { type Bucket, histogramQuantile, quantileOfCounts } from './histogram-quantile.ts';
