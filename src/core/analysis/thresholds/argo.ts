// A metric judged in Argo Rollouts' way, as a pure state machine: when to measure, what a measurement is by its
// conditions, and when the counts decide (generateMetricTasks, EvaluateResult and assessMetricStatus of
// argoproj/argo-rollouts, 9f8d111). Refuses what Argo's own validation refuses, and conditions it cannot read. Phases
// carry Argo's names, since this is Argo's verdict and not ours.

import { type Condition, type ConditionResult, parseCondition } from '../../model/condition.ts';
import { evaluateCondition } from './condition-value.ts';

export interface ArgoMetric {
  /** Without an interval and a count: one measurement. With an interval alone: for ever. */
  readonly intervalSeconds?: number;
  readonly count?: number;
  readonly initialDelaySeconds?: number;
  readonly successCondition?: string;
  readonly failureCondition?: string;
  /** Fails when MORE measurements than this failed. Default 0; −1 turns it off. */
  readonly failureLimit?: number;
  readonly inconclusiveLimit?: number;
  /** Default 4: the fifth error in a row ends it. */
  readonly consecutiveErrorLimit?: number;
  /** Successful after so many in a row. Default 0: off. */
  readonly consecutiveSuccessLimit?: number;
}

export type ArgoMeasurement = 'Successful' | 'Failed' | 'Inconclusive' | 'Error';
export type ArgoPhase = ArgoMeasurement | 'Running';

export interface ArgoState {
  readonly startedSeconds: number;
  /** When and what the last measurement was; null before the first. */
  readonly last: { readonly atSeconds: number; readonly phase: ArgoMeasurement } | null;
  /** Measurements that were no errors. */
  readonly count: number;
  readonly successful: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly error: number;
  readonly consecutiveError: number;
  readonly consecutiveSuccess: number;
  readonly phase: ArgoPhase;
  readonly reason: string;
}

export interface ReadArgoMetric {
  readonly metric: ArgoMetric;
  readonly success: Condition | null;
  readonly failure: Condition | null;
}

/** After an error Argo asks again so soon, whatever the interval. */
const ERROR_RETRY_SECONDS = 10;
const CONSECUTIVE_ERROR_LIMIT = 4;

/** Reads conditions and checks limits once; throws ConditionRefusal or RangeError. */
export function readArgoMetric(metric: ArgoMetric): ReadArgoMetric {
  const { count = 0, failureLimit = 0, inconclusiveLimit = 0, consecutiveSuccessLimit = 0 } = metric;
  const { consecutiveErrorLimit = CONSECUTIVE_ERROR_LIMIT, intervalSeconds } = metric;
  const refuse = (what: string): never => {
    throw new RangeError(what);
  };
  if (consecutiveSuccessLimit < 0) refuse(`consecutiveSuccessLimit must be >= 0, but is ${consecutiveSuccessLimit}`);
  if (failureLimit < -1) refuse(`failureLimit must be >= 0, or -1 for none, but is ${failureLimit}`);
  if (consecutiveSuccessLimit === 0 && failureLimit === -1) {
    refuse('failureLimit and consecutiveSuccessLimit cannot both be off');
  }
  if (inconclusiveLimit < 0) refuse(`inconclusiveLimit must be >= 0, but is ${inconclusiveLimit}`);
  if (consecutiveErrorLimit < 0) refuse(`consecutiveErrorLimit must be >= 0, but is ${consecutiveErrorLimit}`);
  const least = Math.max(0, failureLimit) + consecutiveSuccessLimit;
  if (count > 0 && count < least) refuse(`count must be at least ${least} for these limits, but is ${count}`);
  if (count > 0 && count < inconclusiveLimit) refuse(`count must be at least inconclusiveLimit, but is ${count}`);
  if (count > 1 && intervalSeconds === undefined) refuse(`a count of ${count} needs an interval`);
  return {
    metric,
    success: metric.successCondition === undefined ? null : parseCondition(metric.successCondition),
    failure: metric.failureCondition === undefined ? null : parseCondition(metric.failureCondition),
  };
}

export function startArgo(atSeconds: number): ArgoState {
  return {
    startedSeconds: atSeconds,
    last: null,
    count: 0,
    successful: 0,
    failed: 0,
    inconclusive: 0,
    error: 0,
    consecutiveError: 0,
    consecutiveSuccess: 0,
    phase: 'Running',
    reason: '',
  };
}

/** When the next measurement is due; undefined once the metric has ended. */
export function nextArgoSeconds({ metric }: ReadArgoMetric, state: ArgoState): number | undefined {
  if (state.phase !== 'Running') return undefined;
  const { intervalSeconds = ERROR_RETRY_SECONDS, initialDelaySeconds = 0 } = metric;
  if (state.last === null) return state.startedSeconds + initialDelaySeconds;
  return state.last.atSeconds + (state.last.phase === 'Error' ? ERROR_RETRY_SECONDS : intervalSeconds);
}

/** The state after one measurement; `error` is a query that broke. */
export function argoStep(
  read: ReadArgoMetric,
  state: ArgoState,
  measured: { readonly atSeconds: number; readonly result: ConditionResult | { readonly error: string } },
): ArgoState {
  if (state.phase !== 'Running') throw new RangeError(`this metric has ended already: it is ${state.phase}`);
  const { phase, reason } = measurementOf(read, measured.result);
  const isError = phase === 'Error';
  const next: ArgoState = {
    ...state,
    last: { atSeconds: measured.atSeconds, phase },
    count: state.count + (isError ? 0 : 1),
    successful: state.successful + (phase === 'Successful' ? 1 : 0),
    failed: state.failed + (phase === 'Failed' ? 1 : 0),
    inconclusive: state.inconclusive + (phase === 'Inconclusive' ? 1 : 0),
    error: state.error + (isError ? 1 : 0),
    consecutiveError: isError ? state.consecutiveError + 1 : 0,
    consecutiveSuccess: phase === 'Successful' ? state.consecutiveSuccess + 1 : 0,
  };
  const verdict = assess(read.metric, next);
  return { ...next, ...verdict, reason: verdict.phase === 'Error' ? `${verdict.reason}: ${reason}` : verdict.reason };
}

/** The run is told to stop: what has not been decided counts as successful. */
export function terminateArgo(state: ArgoState): ArgoState {
  return state.phase === 'Running' ? { ...state, phase: 'Successful', reason: 'terminated undecided' } : state;
}

/** One measurement by its conditions. The failure condition wins; with one of the two, the other is its opposite. */
export function measurementOf(
  { success, failure }: ReadArgoMetric,
  result: ConditionResult | { readonly error: string },
): { readonly phase: ArgoMeasurement; readonly reason: string } {
  if (result !== null && typeof result === 'object' && 'error' in result)
    return { phase: 'Error', reason: result.error };
  const [succeeded, failed] = [success, failure].map((condition) =>
    condition === null ? null : evaluateCondition(condition, result),
  );
  for (const answer of [succeeded, failed]) {
    if (answer?.kind === 'error') return { phase: 'Error', reason: answer.reason };
  }
  const isTrue = (answer: typeof succeeded) => answer?.kind === 'answer' && answer.value;
  if (!succeeded && !failed) return { phase: 'Successful', reason: '' };
  if (isTrue(failed) || (!failed && !isTrue(succeeded))) return { phase: 'Failed', reason: '' };
  if (isTrue(succeeded) || !succeeded) return { phase: 'Successful', reason: '' };
  return { phase: 'Inconclusive', reason: '' };
}

type Assessment = Pick<ArgoState, 'phase' | 'reason'>;

/** Later rules of the first three overwrite earlier ones, as in Argo. */
function assess(metric: ArgoMetric, state: ArgoState): Assessment {
  const { failureLimit = 0, inconclusiveLimit = 0, consecutiveErrorLimit = CONSECUTIVE_ERROR_LIMIT } = metric;
  const { consecutiveSuccessLimit = 0 } = metric;
  if (state.consecutiveError > consecutiveErrorLimit) {
    return { phase: 'Error', reason: `${state.consecutiveError} errors in a row, more than ${consecutiveErrorLimit}` };
  }
  if (state.inconclusive > inconclusiveLimit) {
    return { phase: 'Inconclusive', reason: `${state.inconclusive} inconclusive, more than ${inconclusiveLimit}` };
  }
  if (failureLimit >= 0 && state.failed > failureLimit) {
    return { phase: 'Failed', reason: `${state.failed} failed, more than ${failureLimit}` };
  }
  if (consecutiveSuccessLimit > 0 && state.consecutiveSuccess >= consecutiveSuccessLimit) {
    return { phase: 'Successful', reason: `${state.consecutiveSuccess} successes in a row` };
  }
  const count = metric.count || (metric.intervalSeconds === undefined ? 1 : undefined);
  if (count === undefined || state.count < count) return { phase: 'Running', reason: '' };
  if (consecutiveSuccessLimit === 0) return { phase: 'Successful', reason: `${count} measured` };
  const phase = failureLimit >= 0 ? 'Inconclusive' : 'Failed';
  return { phase, reason: `${count} measured without ${consecutiveSuccessLimit} successes in a row` };
}
