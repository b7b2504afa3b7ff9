// A verdict as one sentence with its numbers. Counts before percentages; the interval with what it is compared to.
import type { Check } from '../model/check.ts';
import type { Verdict } from '../model/verdict.ts';

type Unsaid = Omit<Verdict, 'message'>;

export function explainVerdict(check: Check, verdict: Unsaid): string {
  const { outcome, reason } = verdict;
  if (outcome === 'no-data' || outcome === 'error' || reason === 'LearningStable' || reason === 'NothingCountedYet') {
    return `${check.name}: ${verdict.exposure.message}.`;
  }
  if (check.metric.kind === 'gauge') return gaugeSentence(check, verdict);
  const { numbers } = verdict;
  const counts = `${numbers.canary.bad} of ${numbers.canary.total} ${badWord(check, verdict)}`;
  const stable = check.tolerance === null ? '' : `, stable ${numbers.stable.bad} of ${numbers.stable.total}`;
  return `${check.name}: ${counts}${stable}; ${intervalSentence(check, verdict)}${verdictSentence(verdict)}.`;
}

function badWord(check: Check, verdict: Unsaid): string {
  switch (check.metric.kind) {
    case 'errors':
      return 'failed';
    case 'latency':
      return `slower than ${seconds(verdict.numbers.value ?? 0)}`;
    case 'business':
      return 'did not go on';
    case 'gauge':
      return 'over';
  }
}

function intervalSentence(check: Check, { numbers }: Unsaid): string {
  if (numbers.lower === null || numbers.upper === null) return '';
  const range = `${percent(numbers.lower)} to ${percent(numbers.upper)}`;
  if (check.tolerance === null) return `rate ${range}, limit ${percent(numbers.tolerance ?? 0)}`;
  const over = check.tolerance.ratio === 1 ? 'stable' : `${check.tolerance.ratio} x stable`;
  return `excess over ${over} ${range}, tolerance ${percent(numbers.tolerance ?? 0)}`;
}

function verdictSentence({ outcome, reason, numbers }: Unsaid): string {
  if (reason === 'FailsWhileWarmingUp') return '; most requests failed while it warmed up';
  switch (outcome) {
    case 'fail':
      return `; harm is shown (odds ${odds(numbers.logHarm)} to 1)`;
    case 'pass':
      return `; harm beyond it is refuted (odds ${odds(numbers.logNoHarm)} to 1)`;
    case 'undecided':
    case 'no-data':
    case 'error':
      return '; undecided';
  }
}

function gaugeSentence(check: Check, { numbers, outcome, exposure }: Unsaid): string {
  const side = check.limit?.bound === 'below' ? 'at least' : 'at most';
  const limit = `limit ${side} ${check.limit?.value ?? '?'}`;
  return `${check.name}: worst replica at ${numbers.value ?? '?'}, ${limit}; ${outcome === 'fail' ? 'over it for too long' : exposure.message}.`;
}

/** "0.42 %": two digits that matter, never more than the evidence carries. */
export function percent(fraction: number): string {
  const value = fraction * 100;
  const digits = Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.095 || value === 0 ? 2 : 3;
  return `${value.toFixed(digits)} %`;
}

export function seconds(value: number): string {
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`;
}

/** Odds from ln E, in digits a person reads. */
export function odds(log: number): string {
  const capped = Math.min(log, Math.log(1e9));
  const value = Math.exp(capped);
  return log > capped ? 'over 1000000000' : value >= 10 ? String(Math.round(value)) : value.toFixed(1);
}
