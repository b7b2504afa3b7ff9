// Is a check able to fail? How long a release of this policy needs to see twice the largest harm that the tolerance
// accepts, at the traffic there is now: the estimate that `haldane plan` makes, in closed form. It says nothing of the
// service itself.
import { evidenceShares } from '../core/analysis/index.ts';
import type { Check, PeerRule } from '../core/model/check.ts';
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
  const ruled = ruleOf(check);
  if (ruled !== null) return { ...result, ...ruled, ...byRule(ruled, result) };
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

interface Ruled {
  readonly harm: string;
  /** Without an interruption; null if the rule cannot end a release by itself. */
  readonly detectsInMs: number | null;
  readonly note: string | null;
}

/** A rule of a peer has no odds: how long it takes if every look fails. Null: evidence judges the check. */
function ruleOf({ rule, metric }: Check): Ruled | null {
  if (metric.kind === 'kayenta') {
    const { marginal, intervalMs } = metric.config;
    return { harm: `a score of ${marginal} or less`, detectsInMs: intervalMs, note: 'the first judgement' };
  }
  switch (rule?.kind) {
    case undefined:
      return null;
    case 'flagger': {
      const note = `the look after ${rule.failures} failed ones`;
      return { harm: 'a value outside of its range', detectsInMs: (rule.failures + 1) * rule.intervalMs, note };
    }
    case 'argo':
      return argoRuled(rule);
  }
}

function argoRuled(rule: Extract<PeerRule, { kind: 'argo' }>): Ruled {
  const { failureLimit, intervalMs, initialDelayMs, count } = rule;
  const harm = 'a failed measurement';
  // With its limit off it fails where the count is reached without enough successes in a row.
  const needed = failureLimit >= 0 ? failureLimit + 1 : count;
  if (needed === null) return { harm, detectsInMs: null, note: 'its failureLimit is off' };
  const detectsInMs = Math.max(intervalMs, initialDelayMs) + (needed - 1) * intervalMs;
  return { harm, detectsInMs, note: `measurement ${needed} that fails` };
}

function byRule(
  { detectsInMs, note }: Ruled,
  asked: Pick<Detection, 'role' | 'perSecond' | 'withinMs'>,
): Pick<Detection, 'detectsInMs' | 'note'> {
  if (asked.role === 'informational') {
    return { detectsInMs: null, note: `its role is ${asked.role}: it never ends a release` };
  }
  if (asked.perSecond <= 0) return { detectsInMs: null, note: 'there is no traffic now' };
  return detectsInMs !== null && detectsInMs <= asked.withinMs ? { detectsInMs, note } : { detectsInMs: null, note };
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
