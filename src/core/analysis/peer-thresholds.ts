// Looks of Flagger and Argo Rollouts: when one is due on the check's clock, which value it takes, and the step of their
// state machines. Refuses to know of windows: it is given the sums of the interval.
import type { Check, PeerRule } from '../model/check.ts';
import type { Condition, ConditionNode } from '../model/condition.ts';
import type { ArgoEvidence, FlaggerEvidence } from './peer-evidence.ts';
import { badFraction, NO_SUMS, type PeerSums, quantileSeconds } from './peer-sums.ts';
import {
  type ArgoMetric,
  argoStep,
  flaggerDurationMs,
  flaggerStep,
  flaggerSuccessRate,
  nextArgoSeconds,
  type ReadArgoMetric,
  readArgoMetric,
} from './thresholds/index.ts';

export type FlaggerRule = Extract<PeerRule, { kind: 'flagger' }>;
export type ArgoRule = Extract<PeerRule, { kind: 'argo' }>;

/** Seconds as fractions come out of their milliseconds a little off. */
export const ROUNDING_MS = 0.5;

/** One look if it is due; a reading that broke leaves it to the next window. */
export function lookFlagger(
  check: Check,
  rule: FlaggerRule,
  peer: FlaggerEvidence,
  isBroken: boolean,
): FlaggerEvidence {
  const { clockMs, dueMs, sums, state } = peer;
  if (clockMs < dueMs || isBroken || state.verdict === 'abort') return peer;
  const { min, max, failures: threshold, emptyIsFailure } = rule;
  const range = { ...(min === null ? {} : { min }), ...(max === null ? {} : { max }) };
  const value = flaggerValue(check, sums);
  const thresholds = { checks: [{ name: check.name, ...range }], threshold, emptyIsFailure };
  const look = flaggerStep(thresholds, state, { [check.name]: value });
  const missed = Math.floor((clockMs - dueMs) / rule.intervalMs);
  return {
    ...peer,
    dueMs: dueMs + (missed + 1) * rule.intervalMs,
    sums: NO_SUMS,
    state: look.state,
    last: look.outcome,
    value: value ?? peer.value,
  };
}

/** Success in percent, or whole milliseconds. */
function flaggerValue({ metric }: Check, sums: PeerSums): number | null {
  if (metric.kind !== 'latency') return flaggerSuccessRate(sums.total, sums.bad);
  const seconds = quantileSeconds(sums, metric.quantile);
  return seconds === null ? null : flaggerDurationMs(seconds);
}

/** Reads the conditions anew each time: they are short, and the record holds plain data only. */
export function argoMetricOf(rule: ArgoRule): ReadArgoMetric {
  const { intervalMs, initialDelayMs, successCondition, failureCondition, count, kind: _, ...limits } = rule;
  const metric: ArgoMetric = {
    intervalSeconds: intervalMs / 1000,
    initialDelaySeconds: initialDelayMs / 1000,
    ...(successCondition === null ? {} : { successCondition }),
    ...(failureCondition === null ? {} : { failureCondition }),
    ...(count === null ? {} : { count }),
    ...limits,
  };
  const { success, failure } = readArgoMetric(metric);
  return { metric, success: scalar(success), failure: scalar(failure) };
}

/** One value is measured, and `result` and `result[0]` both mean it. */
function scalar(condition: Condition | null): Condition | null {
  return condition === null ? null : { ...condition, root: scalarNode(condition.root) };
}

function scalarNode(node: ConditionNode): ConditionNode {
  switch (node.kind) {
    case 'value':
    case 'result':
      return node;
    case 'element':
      return { kind: 'result' };
    case 'call':
      return node.name === 'len' ? { kind: 'value', value: 1 } : { ...node, args: node.args.map(scalarNode) };
    case 'unary':
      return { ...node, operand: scalarNode(node.operand) };
    case 'binary':
      return { ...node, left: scalarNode(node.left), right: scalarNode(node.right) };
  }
}

/** When the next measurement is due on the check's clock; null once the metric has ended. */
export function argoDueMs(read: ReadArgoMetric, { state }: ArgoEvidence): number | null {
  const seconds = nextArgoSeconds(read, state);
  return seconds === undefined ? null : seconds * 1000;
}

/** One measurement if it is due. Without a request there is none to make: it waits, and is no error. */
export function lookArgo(check: Check, rule: ArgoRule, peer: ArgoEvidence, brokenBy: string | null): ArgoEvidence {
  const read = argoMetricOf(rule);
  const dueMs = argoDueMs(read, peer);
  if (dueMs === null || peer.clockMs < dueMs - ROUNDING_MS) return peer;
  const atSeconds = peer.clockMs / 1000;
  if (brokenBy !== null)
    return { ...peer, state: argoStep(read, peer.state, { atSeconds, result: { error: brokenBy } }) };
  const value = argoValue(check, peer.sums);
  if (value === null) return peer;
  return { ...peer, value, sums: NO_SUMS, state: argoStep(read, peer.state, { atSeconds, result: value }) };
}

/** Success as a fraction, or seconds. */
function argoValue({ metric }: Check, sums: PeerSums): number | null {
  if (metric.kind === 'latency') return quantileSeconds(sums, metric.quantile);
  const bad = badFraction(sums);
  return bad === null ? null : (sums.total - sums.bad) / sums.total;
}
