// The sentence that comes first on every face: how much of the traffic is where, what the checks say, what comes next;
// or how it ended, with the numbers that ended it.
import type { Next } from '../engine/index.ts';
import { capitalised, listText, percentText, pointsText, sentence, signed, spanText } from './format.ts';
import type { EvidenceLine, ReleaseLine, ReleaseView } from './release-view.ts';

type Unspoken = Omit<ReleaseView, 'headline'>;

export function headlineOf(view: Unspoken): string {
  const { release } = view;
  if (view.state === 'unknown') return sentence(view.troubles[0] ?? view.because);
  if (release === null || release.phase === 'ended') return restHeadline(view);
  if (release.phase !== 'testing') return sentence(view.because);
  const share = `${percentText(release.weightPercent)} % on ${release.to}.`;
  const how = release.unanalysed === null ? checksSentence(view.evidence) : `Not analysed: ${release.unanalysed}.`;
  return [share, how, nextSentence(view)].filter((part) => part !== '').join(' ');
}

function restHeadline(view: Unspoken): string {
  const { release, policy } = view;
  const stable = view.traffic.rows.find((row) => row.role === 'stable');
  const serving = stable === undefined ? '' : `${stable.label} serves everyone.`;
  if (release?.outcome == null) return sentence(view.because);
  const handsOff = policy.suspended === null ? '' : `Hands off: suspended by ${sentence(policy.suspended)}`;
  const isItsOwn = policy.waiting === null || policy.waiting.label === release.to;
  if (!isItsOwn) return [handsOff, sentence(view.because), serving].join(' ').trim();
  const retry = policy.waiting === null ? '' : `${release.to} waits; haldane retry ${policy.name} tries it again.`;
  return [handsOff, serving, outcomeSentence(release, view.evidence), retry].filter((part) => part !== '').join(' ');
}

/** How it ended, with its numbers: "v2 aborted at 25 % after 6m12s: errors +1.5 pp, 95 % bounds +0.9 … +2.2, tolerance 0.5." */
export function outcomeSentence(release: ReleaseLine, evidence: readonly EvidenceLine[]): string {
  const { outcome, to } = release;
  if (outcome === null) return `${to} is under way.`;
  const after = `after ${spanText(release.spentMs)}`;
  const marked = release.unanalysed === null ? '' : ` Not analysed: ${release.unanalysed}.`;
  if (outcome.kind === 'promoted') {
    const numbers = evidence.filter((line) => line.role === 'required' && line.promotion === 'pass').map(numbersOf);
    const because = numbers.length === 0 || marked !== '' ? '' : `: ${numbers.join('; ')}`;
    return `${to} promoted ${after}${because}.${marked}`;
  }
  const blamed = evidence.find((line) => line.check === outcome.check);
  const because = blamed === undefined || blamed.lower === null ? outcome.sentence : numbersOf(blamed);
  const at = release.highestWeightPercent === 0 ? 'before any traffic' : `at ${reachedText(release)}`;
  const start = outcome.sentence.startsWith('aborted') && blamed === undefined ? '' : 'aborted ';
  const text = start === '' ? `${because}, ${at} ${after}` : `${start}${at} ${after}: ${because}`;
  return `${to} ${sentence(text)}${marked}`;
}

const LEAST_REQUESTS = 100;
/** Five standard deviations, of users who come with four requests each: less is chance. */
const DEVIATIONS = 5 * Math.sqrt(4);

/**
 * "10 %", the most that was asked; "10 % (25 % seen)" where users met more than that, as with replica share, which gives
 * whole pods. What was harmed is what was seen.
 */
export function reachedText({ highestWeightPercent, exposure }: ReleaseLine): string {
  const asked = `${percentText(highestWeightPercent)} %`;
  const all = exposure.canaryRequests + exposure.stableRequests;
  if (all < LEAST_REQUESTS) return asked;
  const fraction = highestWeightPercent / 100;
  const seen = exposure.canaryRequests / all;
  if (seen <= fraction + DEVIATIONS * Math.sqrt((fraction * (1 - fraction)) / all)) return asked;
  return `${asked} (${percentText(Math.round(seen * 100))} % seen)`;
}

/** "errors +1.53 pp, 95 % bounds +0.9 … +2.2, tolerance 0.5" */
function numbersOf(line: EvidenceLine): string {
  if (line.lower === null || line.upper === null) return line.title;
  const percent = (value: number) => percentText(value * 100);
  const what = line.against === 'stable' ? pointsText(line.excess) : `${percent(line.excess ?? 0)} %`;
  const isDifference = line.against === 'stable';
  const limit =
    line.tolerance === null
      ? ''
      : `, ${isDifference ? 'tolerance' : 'limit'} ${percent(line.tolerance)} ${isDifference ? 'pp' : '%'}`;
  return `${line.title} ${what}, 95 % bounds ${signed(line.lower * 100)} … ${signed(line.upper * 100)}${limit}`;
}

/** "Errors pass, p99 undecided, orders silent." */
function checksSentence(evidence: readonly EvidenceLine[]): string {
  if (evidence.length === 0) return 'Nothing is measured yet.';
  return `${capitalised(evidence.map((line) => `${line.title} ${checkWord(line)}`).join(', '))}.`;
}

function checkWord({ outcome }: EvidenceLine): string {
  switch (outcome) {
    case 'pass':
      return 'pass';
    case 'fail':
      return 'fail';
    case 'undecided':
      return 'undecided';
    case 'no-data':
      return 'silent';
    case 'error':
      return 'cannot be read';
  }
}

function nextSentence(view: Unspoken): string {
  const { next, release, needs } = view;
  if (release?.paused != null) return `Paused by ${sentence(release.paused)}`;
  if (needs !== null) return `Waits for ${needs}.`;
  const when = next.inMs === null ? '' : next.inMs < 1_000 ? ' now' : ` in about ${spanText(next.inMs)}`;
  return `Next: ${next.what}${when}${onceText(next, view.evidence)}.`;
}

/** " once errors and p99 pass": what a step still asks of the checks; empty where it asks nothing. */
export function onceText({ what }: Next, evidence: readonly EvidenceLine[]): string {
  const isPromotion = /^promotion/.test(what);
  if (!isPromotion && !/^[\d.]+ %$/.test(what)) return '';
  const open = evidence.filter((line) => line.role === 'required' && line.promotion !== 'pass');
  const waits = isPromotion ? open : open.filter((line) => line.exposure !== 'pass');
  const names = listText(waits.map((line) => line.title));
  return waits.length === 0 ? '' : ` once ${names} ${waits.length === 1 ? 'passes' : 'pass'}`;
}
