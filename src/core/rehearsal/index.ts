export { type ConstantTruth, constantTruth } from './constant-truth.ts';
export type { Past } from './past.ts';
export { type Rehearsal, type RehearsalInput, rehearse } from './rehearse.ts';
export type { TrueArm, TrueCounts, TrueWindow, Truth } from './truth.ts';
