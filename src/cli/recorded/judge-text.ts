// A judgement of recorded data as people read it: each check's sentence, its numbers, the odds of all together, the word.
import { odds, percent } from '../../core/analysis/index.ts';
import { describeDuration } from '../../core/model/duration.ts';
import { VERDICT_GLYPH, verdictWord } from '../../core/views/index.ts';
import type { Judged, JudgedCheck } from './judge-recorded.ts';
import { JUDGE_EXITS, type JudgeOutcome } from './outcome.ts';
import { timeText } from './times.ts';
import type { Compared } from './versions.ts';

export interface Judgement {
  readonly policy: string;
  readonly versions: Compared;
  readonly stepMs: number;
  readonly judged: Judged;
  readonly outcome: JudgeOutcome;
  readonly notes: readonly string[];
}

export function judgementText({ versions, stepMs, judged, outcome, notes }: Judgement, plain: boolean): string {
  const { combined, harmAtMs } = judged;
  const lines = [headline(versions, stepMs, judged), ''];
  for (const each of judged.checks) lines.push(...checkLines(each, plain), '');
  lines.push(
    `odds for harm, all checks together: ${odds(combined.logHarm)} to 1 (harm is shown at ${odds(combined.line)} to 1)`,
  );
  if (judged.sharesMismatch !== null) lines.push(`shares: ${judged.sharesMismatch}`);
  for (const note of notes) lines.push(`note: ${note}`);
  const word = JUDGE_EXITS[outcome.word].word;
  const when =
    harmAtMs === null ? '' : ` in the window at ${timeText(harmAtMs)}, where a live release would have ended`;
  lines.push(`verdict: ${word}${when}`);
  if (harmAtMs === null && outcome.word !== 'pass') lines.push(`  because ${outcome.because}`);
  return lines.join('\n');
}

function headline({ stable, canary }: Compared, stepMs: number, judged: Judged): string {
  const { windows, windowsLeft, pastWindows, firstMs, lastMs } = judged;
  const span = firstMs === null || lastMs === null ? '' : `, ${timeText(firstMs)} to ${timeText(lastMs)}`;
  const left = windowsLeft === 0 ? '' : ` (${windowsLeft} after them not looked at)`;
  const past = pastWindows === 0 ? '' : `; ${pastWindows} before them told of stable's past`;
  return `${canary} beside ${stable}: ${windows} windows of ${describeDuration(stepMs)}${span}${left}${past}`;
}

function checkLines({ check, share, verdict, windows, warmUpRequests }: JudgedCheck, plain: boolean): string[] {
  const { numbers, outcome } = verdict;
  const mark = plain ? verdictWord(outcome) : `${VERDICT_GLYPH[outcome]} ${verdictWord(outcome)}`;
  const facts: string[] = [];
  if (numbers.excess !== null && windows > 0) {
    facts.push(
      `${check.tolerance === null ? 'rate' : 'excess'} ${percent(numbers.excess)}, accepted ${percent(numbers.tolerance ?? 0)}`,
    );
  }
  if (share > 0 && windows > 0) {
    facts.push(
      `odds for harm ${odds(numbers.logHarm)} to 1 (needs ${odds(numbers.logHarmLine)})`,
      `against ${odds(numbers.logNoHarm)} to 1 (needs ${odds(numbers.logNoHarmLine)})`,
    );
  }
  facts.push(`${windows} windows`, check.role);
  if (warmUpRequests > 0) facts.push(`${warmUpRequests} requests of its warm-up not counted`);
  return [`${mark}: ${verdict.message}`, `    ${facts.join('; ')}`];
}

/** The whole, for machines. */
export function judgementJson({ policy, versions, stepMs, judged, outcome, notes }: Judgement): object {
  const { checks, firstMs, lastMs, harmAtMs, ...rest } = judged;
  const time = (atMs: number | null) => (atMs === null ? null : { ms: atMs, text: timeText(atMs) });
  return {
    verdict: outcome.word,
    because: outcome.because,
    exitCode: JUDGE_EXITS[outcome.word].code,
    policy,
    ...versions,
    stepMs,
    from: time(firstMs),
    to: time(lastMs),
    harmAt: time(harmAtMs),
    windows: rest.windows,
    windowsAfterHarm: rest.windowsLeft,
    pastWindows: rest.pastWindows,
    combined: { logHarm: rest.combined.logHarm, logHarmLine: rest.combined.line },
    sharesMismatch: rest.sharesMismatch,
    checks: checks.map(({ check, share, verdict, windows, warmUpRequests }) => ({
      check: check.name,
      metric: check.metric,
      role: check.role,
      share,
      windows,
      warmUpRequests,
      outcome: verdict.outcome,
      reason: verdict.reason,
      message: verdict.message,
      promotion: verdict.promotion,
      numbers: verdict.numbers,
    })),
    notes,
  };
}
