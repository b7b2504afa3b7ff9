export { type ConstantTruth, constantTruth } from './constant-truth.ts';
export type { Past } from './past.ts';
export {
  type CheckTraffic,
  type Harm,
  isTried,
  type Plan,
  type PlanInput,
  type PlannedCheck,
  type PlannedHarm,
  type PlannedStage,
  planRelease,
} from './plan.ts';
export { acceptedRate, msToShowHarm, type PlannedQuestion } from './plan-detectable.ts';
export type { Ends, Times } from './plan-times.ts';
export { type Rehearsal, type RehearsalInput, rehearse } from './rehearse.ts';
export type { TrueArm, TrueCounts, TrueWindow, Truth } from './truth.ts';
