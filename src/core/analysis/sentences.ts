// A verdict as one sentence with its numbers. Counts before percentages; the interval with what it is compared to; and
// for what is undecided, what would change the answer.
import type { Check } from '../model/check.ts';
import type { Verdict } from '../model/verdict.ts';

type Unsaid = Omit<Verdict, 'message'>;

const OWN_WORDS: ReadonlySet<string> = new Set(['LearningStable', 'NothingCountedYet', 'PeerRule']);

export function explainVerdict(check: Check, verdict: Unsaid, warning: string | null = null): string {
  const { outcome, reason } = verdict;
  if (outcome === 'no-data' || outcome === 'error' || OWN_WORDS.has(reason)) {
    return `${check.name}: ${verdict.exposure.message}.`;
  }
  if (check.metric.kind === 'gauge') return gaugeSentence(check, verdict);
  const stable = check.tolerance === null ? '' : `, stable ${countText(check, verdict.numbers.stable)}`;
  const counts = `${[countText(check, verdict.numbers.canary), badWord(check, verdict)].join(' ').trim()}${stable}`;
  const warned = warning === null ? '' : ` (${warning})`;
  return `${check.name}: ${counts}; ${intervalSentence(check, verdict)}${verdictSentence(verdict)}${warned}.`;
}

function countText(check: Check, { total, bad }: Verdict['numbers']['canary']): string {
  switch (check.metric.kind) {
    case 'count':
      return `${bad} ${EVENT_WORDS[check.metric.event]} in ${Math.round(total)} replica-seconds`;
    case 'mean':
      return `${total} values`;
    default:
      return `${bad} of ${total}`;
  }
}

function badWord(check: Check, { numbers }: Unsaid): string {
  switch (check.metric.kind) {
    case 'errors':
      return 'failed';
    case 'latency':
      return `slower than ${seconds(numbers.value ?? 0)}`;
    case 'business':
      return 'did not go on';
    case 'count':
      return '';
    case 'mean':
      return 'read';
    case 'conversion':
      return 'converted';
    case 'gauge':
    case 'kayenta':
      return 'over';
  }
}

const EVENT_WORDS = {
  restarts: 'restarts',
  oomKills: 'kills for memory',
  throttledPeriods: 'throttled periods',
} as const;

function intervalSentence(check: Check, { numbers }: Unsaid): string {
  if (numbers.lower === null || numbers.upper === null) return '';
  const range = `${percent(numbers.lower)} to ${percent(numbers.upper)}`;
  if (check.tolerance === null) return `rate ${range}, limit ${percent(numbers.tolerance ?? 0)}`;
  const { ratio } = check.tolerance;
  const over = ratio === 1 ? 'stable' : `${ratio} x stable`;
  const what =
    check.metric.kind === 'mean'
      ? `shortfall of the mean beside the tolerated one, of the cap,`
      : `excess over ${over}`;
  return `${what} ${range}, tolerance ${percent(numbers.tolerance ?? 0)}`;
}

function verdictSentence({ outcome, reason, numbers }: Unsaid): string {
  if (reason === 'FailsWhileWarmingUp') return '; most requests failed while it warmed up';
  switch (outcome) {
    case 'fail':
      return `; harm is shown (odds ${odds(numbers.logHarm)} to 1)${elsewhereText(numbers)}`;
    case 'pass':
      return `; harm beyond it is refuted (odds ${odds(numbers.logNoHarm)} to 1)`;
    case 'undecided':
    case 'no-data':
    case 'error':
      return `; undecided (odds ${odds(numbers.logHarm)} to 1 for harm, ${odds(numbers.logNoHarm)} to 1 against)${changeSentence(numbers)}`;
  }
}

/** The evidence of a latency check may lie at another line than the one that is shown. */
function elsewhereText({ elsewhere }: Unsaid['numbers']): string {
  return elsewhere === null ? '' : `, most of it in requests slower than ${seconds(elsewhere)}`;
}

/** What would change an open answer, at the pace so far. */
function changeSentence({ toPass, toFail }: Unsaid['numbers']): string {
  const pass = toPass === null ? [] : [`about ${rounded(toPass)} more requests like these would refute harm`];
  const fail = toFail === null ? [] : [`about ${rounded(toFail)} more bad ones at once would show it`];
  const both = [...pass, ...fail];
  return both.length === 0 ? '' : `: ${both.join(', ')}`;
}

/** Two digits that matter: it is an estimate. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(2)));
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
