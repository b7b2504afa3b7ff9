// What a judgement of recorded data comes to, and the exit code it ends with. Codes mean the same as where a release is
// waited for (0 well, 1 a mistake, 2 harm, 4 no verdict); no data has one of its own. Only proof is a pass.
import { EXIT_CODES, type ExitMeaning } from '../../core/views/index.ts';
import type { Judged, JudgedCheck } from './judge-recorded.ts';

export type JudgeWord = 'pass' | 'fail' | 'undecided' | 'no-data' | 'error';

export const JUDGE_EXITS: Readonly<Record<JudgeWord, ExitMeaning>> = {
  pass: {
    code: EXIT_CODES.promoted.code,
    word: 'pass',
    means: 'harm beyond the tolerance is refuted in every required check',
  },
  error: {
    code: EXIT_CODES.other.code,
    word: 'error',
    means: 'a mistake in the command or the data, or data that cannot be compared',
  },
  fail: { code: EXIT_CODES.verdict.code, word: 'fail', means: 'harm is shown' },
  undecided: { code: EXIT_CODES.deadline.code, word: 'undecided', means: 'the data shows neither; it says what would' },
  'no-data': { code: 7, word: 'no data', means: 'a check that must pass found nothing to look at; never a pass' },
};

export interface JudgeOutcome {
  readonly word: JudgeWord;
  readonly because: string;
}

export function outcomeOf(judged: Judged): JudgeOutcome {
  if (judged.harmAtMs !== null) return { word: 'fail', because: harmText(judged) };
  const asked = judged.checks.filter(({ check }) => check.role !== 'informational');
  const broken = asked.find(({ verdict }) => verdict.outcome === 'error');
  if (broken !== undefined) return { word: 'error', because: broken.verdict.message };
  const silent = asked.find((each) => isSilent(each));
  if (silent !== undefined || judged.windows === 0) {
    return { word: 'no-data', because: silent === undefined ? 'there is no window to judge' : silentText(silent) };
  }
  const open = asked.find(({ check, verdict }) => check.role === 'required' && verdict.promotion.outcome !== 'pass');
  if (open !== undefined) return { word: 'undecided', because: open.verdict.message };
  if (!judged.isLastHeard) return { word: 'undecided', because: 'the last window held nothing of one of the versions' };
  if (judged.sharesMismatch !== null) return { word: 'undecided', because: judged.sharesMismatch };
  const required = asked.filter(({ check }) => check.role === 'required');
  if (required.length === 0)
    return { word: 'pass', because: 'no harm is shown, and no check is required to prove more' };
  return { word: 'pass', because: proofText(required) };
}

/** Rules of peers refute nothing: what they say is that their own line was not reached. */
function proofText(required: readonly JudgedCheck[]): string {
  const refuted = required.filter(({ share }) => share > 0);
  const refuting = 'harm beyond the tolerance is refuted in every required check';
  if (refuted.length === required.length) return refuting;
  return refuted.length === 0
    ? 'every required check passed by the rule it has'
    : `${refuting} that weighs evidence, and the others passed by the rules they have`;
}

function isSilent({ check, verdict, windows }: JudgedCheck): boolean {
  if (verdict.outcome === 'no-data') return true;
  const isCounted = check.metric.kind !== 'gauge' && check.rule === null && check.metric.kind !== 'kayenta';
  return isCounted && windows === 0 && verdict.reason === 'NothingCountedYet';
}

function silentText({ check, verdict }: JudgedCheck): string {
  if (verdict.outcome === 'no-data') return verdict.message;
  return `${check.name}: no window has counts of both versions after the warm-up`;
}

function harmText({ checks }: Judged): string {
  const failing = checks.filter(({ check, verdict }) => check.role !== 'informational' && verdict.outcome === 'fail');
  return failing[0]?.verdict.message ?? 'all checks together show harm, none of them alone';
}
