// The two answers of a check that the rule of a peer judges, in sentences with the peer's own numbers. Refuses odds: these
// rules have none. A failed look holds, and only what the peer itself calls the end is a failure.
import type { Check } from '../model/check.ts';
import { describeDuration } from '../model/duration.ts';
import type { Answer, Outcome } from '../model/verdict.ts';
import { kayentaJudgements } from './kayenta/index.ts';
import type { ArgoEvidence, FlaggerEvidence, KayentaEvidence, PeerEvidence } from './peer-evidence.ts';
import { kayentaRunSettings } from './peer-kayenta.ts';
import type { ArgoRule, FlaggerRule } from './peer-thresholds.ts';

export interface PeerAnswers {
  readonly exposure: Answer;
  readonly promotion: Answer;
}

export function peerAnswers(check: Check, peer: PeerEvidence): PeerAnswers {
  const { rule, metric } = check;
  if (peer.kind === 'kayenta' && metric.kind === 'kayenta') return kayentaAnswers(metric.config, peer);
  if (peer.kind === 'flagger' && rule?.kind === 'flagger') return both(flaggerAnswer(check, rule, peer));
  if (peer.kind === 'argo' && rule?.kind === 'argo') return both(argoAnswer(check, rule, peer));
  throw new RangeError(
    `${check.name}: what it remembers is of ${peer.kind}, and its rule is ${rule?.kind ?? metric.kind}`,
  );
}

const both = (answer: Answer): PeerAnswers => ({ exposure: answer, promotion: answer });
const peerRule = (outcome: Outcome, message: string): Answer => ({ outcome, reason: 'PeerRule', message });

function flaggerAnswer(check: Check, rule: FlaggerRule, { state, last, value }: FlaggerEvidence): Answer {
  if (last === null) return notLooked(`its first look comes after ${describeDuration(rule.intervalMs)}`);
  const failed = `${state.failedLooks} of ${rule.failures} failed checks`;
  const seen = `${valueText(check, value)}, ${rangeText(check, rule)} asked; ${failed}`;
  if (state.verdict === 'abort') return peerRule('fail', `${seen}, and the look after them aborts`);
  switch (last) {
    case 'passed':
      return peerRule('pass', seen);
    case 'no-data':
      return peerRule('undecided', `its last look found no value; before it ${seen}`);
    case 'failed':
    case 'abort':
      return peerRule('undecided', seen);
  }
}

function rangeText(check: Check, { min, max }: FlaggerRule): string {
  const unit = check.metric.kind === 'latency' ? 'ms' : '%';
  if (min !== null && max !== null) return `${min} to ${max} ${unit}`;
  return min === null ? `at most ${max} ${unit}` : `at least ${min} ${unit}`;
}

function argoAnswer(check: Check, rule: ArgoRule, { state, value }: ArgoEvidence): Answer {
  if (state.last === null) {
    const afterMs = Math.max(rule.intervalMs, rule.initialDelayMs);
    return notLooked(`its first measurement comes after ${describeDuration(afterMs)}`);
  }
  const seen = [argoValueText(check, value), conditionText(rule), argoCounts(rule, state)].join('; ');
  const ended = state.reason === '' ? seen : `${seen}; ended: ${state.reason}`;
  switch (state.phase) {
    case 'Failed':
    case 'Error':
      return peerRule('fail', ended);
    case 'Inconclusive':
      return peerRule('undecided', ended);
    case 'Successful':
      return peerRule('pass', ended);
    case 'Running':
      return peerRule(state.last.phase === 'Successful' ? 'pass' : 'undecided', ended);
  }
}

function argoValueText(check: Check, value: number | null): string {
  if (value === null) return 'nothing measured';
  return check.metric.kind === 'latency' ? `${digits(value)} s` : `success rate ${digits(value)}`;
}

function conditionText({ successCondition, failureCondition }: ArgoRule): string {
  const success = successCondition === null ? [] : [`succeeds at ${successCondition}`];
  const failure = failureCondition === null ? [] : [`fails at ${failureCondition}`];
  return [...success, ...failure].join(', ');
}

function argoCounts({ failureLimit, count }: ArgoRule, state: ArgoEvidence['state']): string {
  const of = count === null ? '' : ` of ${count}`;
  const more = [
    ...(state.inconclusive > 0 ? [`${state.inconclusive} inconclusive`] : []),
    ...(state.consecutiveError > 0 ? [`${state.consecutiveError} errors in a row`] : []),
  ];
  const allowed = failureLimit < 0 ? 'any number' : `at most ${failureLimit}`;
  return [`${state.count}${of} measured, ${state.failed} failed (${allowed} may)`, ...more].join(', ');
}

function kayentaAnswers(config: Parameters<typeof kayentaRunSettings>[0], peer: KayentaEvidence): PeerAnswers {
  const { run, value, waits, findings } = peer;
  if (waits !== null) {
    const answer: Answer = { outcome: 'no-data', reason: 'NoData', message: `a judgement waits for data: ${waits}` };
    return both(answer);
  }
  if (value === null) return both(notLooked(`its first judgement comes after ${describeDuration(config.intervalMs)}`));
  const all = kayentaJudgements(kayentaRunSettings(config));
  const asked = `${config.pass} asked of the last, more than ${config.marginal} of each`;
  const found = findings.length === 0 ? '' : `; ${findings.join('; ')}`;
  const message = `score ${value} at judgement ${run.scores.length} of ${all}, ${asked}${found}`;
  switch (run.end) {
    case 'failed':
      return both(peerRule('fail', message));
    case 'passed':
      return both(peerRule('pass', message));
    case 'running':
      return { exposure: peerRule('pass', message), promotion: peerRule('undecided', message) };
  }
}

function notLooked(message: string): Answer {
  return { outcome: 'undecided', reason: 'NothingCountedYet', message };
}

function valueText(check: Check, value: number | null): string {
  if (value === null) return 'no value yet';
  return check.metric.kind === 'latency' ? `${value} ms` : `${digits(value)} %`;
}

/** What people read; the rule looked at all of it. */
function digits(value: number): string {
  return String(Number(value.toPrecision(4)));
}
