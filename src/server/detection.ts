// Is a check able to fail? How long a release of this policy needs to see twice the largest harm that the tolerance
// accepts, at the traffic there is now: the estimate that `haldane plan` makes, in closed form. It says nothing of the
// service itself.
import { evidenceShares } from '../core/analysis/index.ts';
import type { Check } from '../core/model/check.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import { acceptedRate, msToShowHarm, type PlannedQuestion } from '../core/rehearsal/index.ts';
import type { Detection } from '../core/views/index.ts';

export interface Baseline {
  readonly perSecond: number;
  /** Of the requests the check looks at, how many are bad now; null if that is not known. */
  readonly badRate: number | null;
}

const LONGEST_MS = 86_400_000;

export function detectionOf(policy: ReleasePolicy, check: Check, baseline: Baseline): Detection {
  const weightPercent = testedWeight(policy);
  const withinMs = Math.min(policy.deadlines.releaseMs, LONGEST_MS);
  const { perSecond, badRate: baseRate } = baseline;
  const result = { check: check.name, role: check.role, weightPercent, perSecond, baseRate, withinMs };
  if (check.metric.kind === 'gauge') {
    const detectsInMs = 3 * policy.intervalMs;
    return { ...result, harm: 'a replica over the limit', detectsInMs, note: 'three readings in a row' };
  }
  const question = questionOf(policy, check, baseline);
  const canaryRate = harmfulRate(question);
  const harm = harmText(check, question.baseRate, canaryRate);
  if (question.evidenceShare === 0) {
    return { ...result, harm, detectsInMs: null, note: `its role is ${check.role}: it never ends a release` };
  }
  if (perSecond <= 0) return { ...result, harm, detectsInMs: null, note: 'there is no traffic now' };
  const ms = msToShowHarm(question, canaryRate, { weightPercent, intervalMs: policy.intervalMs });
  return { ...result, harm, detectsInMs: ms <= withinMs ? ms : null, note: null };
}

function questionOf(policy: ReleasePolicy, check: Check, { perSecond, badRate }: Baseline): PlannedQuestion {
  return {
    check,
    evidenceShare: evidenceShares(policy.checks).get(check.name) ?? 0,
    alphaAbort: policy.alphas.abort,
    alphaPromote: policy.alphas.promote,
    requestsPerSecond: perSecond,
    baseRate: check.metric.kind === 'latency' ? 1 - check.metric.quantile : (badRate ?? 0.001),
  };
}

/** The weight at which most of the release is spent early: the second stage if there is one, else the first. */
function testedWeight({ ramp }: ReleasePolicy): number {
  if (ramp.kind === 'adaptive') return ramp.firstWeightPercent;
  return ramp.stages[0]?.weightPercent ?? 0;
}

/** Twice the tolerance, ratio and margin both; or twice the limit. */
function harmfulRate(question: PlannedQuestion): number {
  return Math.min(0.99, Math.max(2 * acceptedRate(question), question.baseRate + 0.001));
}

function harmText(check: Check, stableRate: number, canaryRate: number): string {
  const percent = (rate: number) => `${(rate * 100).toFixed(rate < 0.001 ? 3 : 2)} %`;
  const what =
    check.metric.kind === 'latency' ? 'slow requests' : check.metric.kind === 'business' ? 'users lost' : 'errors';
  return `${percent(canaryRate)} ${what} beside ${percent(stableRate)}`;
}
