// The same view without pictures: for screen readers, logs and pipes. No glyph, no colour, no redraw; one fact a line.
import { clockText, countText, percentText, shareText, spanText } from './format.ts';
import { verdictWord } from './glyphs.ts';
import { outcomeSentence } from './headline.ts';
import type { EvidenceLine, ReleaseView } from './release-view.ts';
import { harmless } from './spans.ts';
import { gaugeText } from './watch-evidence.ts';
import { kindWord } from './watch-text.ts';

export interface PlainOptions {
  readonly offsetMinutes: number;
  readonly logRows?: number;
}

/** Everything, one fact a line. */
export function plainLines(view: ReleaseView, { offsetMinutes, logRows = 5 }: PlainOptions): string[] {
  const { release, policy } = view;
  const lines = [
    `policy: ${policy.name}${policy.listen === null ? '' : `, listens on ${policy.listen}`}`,
    ...(release === null ? [] : [`release: ${release.id}, ${release.from ?? 'nothing'} to ${release.to}`]),
    `now: ${view.headline}`,
    ...view.traffic.rows.map(
      (row) =>
        `traffic: ${row.role} ${row.label} asked ${percentText(row.askedPercent)} %, seen ${seen(row.seenPercent)}`,
    ),
    ...view.stages.map(
      (stage) =>
        `stage: ${percentText(stage.weightPercent)} % ${stage.state === 'now' ? 'now' : stage.state}${stage.spentMs === null ? '' : `, ${spanText(stage.spentMs)}`}`,
    ),
    ...view.evidence.map((line) => `check: ${evidenceSentence(line)}`),
    ...view.troubles.map((trouble) => `trouble: ${trouble}`),
    ...view.log
      .slice(-logRows)
      .map((row) => `log: ${clockText(row.at, offsetMinutes)} ${kindWord(row)} ${row.sentence}`),
  ];
  return lines.map((line) => ascii(harmless(line)));
}

function seen(percent: number | null): string {
  return percent === null ? 'nothing' : shareText(percent);
}

function evidenceSentence(line: EvidenceLine): string {
  if (line.against === 'gauge') return `${line.title} ${verdictWord(line.outcome)}: ${gaugeText(line)}`;
  const eta = line.etaMs === null ? '' : `, about ${spanText(line.etaMs)} more`;
  return `${line.title} ${verdictWord(line.outcome)}${eta}: ${line.message}`;
}

/** One line for one decision, for logs: time, share, sentence. */
export function decisionLine(view: ReleaseView, offsetMinutes: number): string {
  const { release } = view;
  const at = clockText(view.now, offsetMinutes);
  const share = release === null || release.phase === 'ended' ? '' : ` ${percentText(release.weightPercent)} %`;
  const name = release === null ? view.policy.name : release.id;
  return ascii(harmless(`${at} ${name}${share} ${view.state}: ${decisionText(view)}`));
}

function decisionText(view: ReleaseView): string {
  const { release } = view;
  if (release?.phase === 'ended' && release.outcome !== null && view.state === 'at rest') {
    return outcomeSentence(release, view.evidence);
  }
  return view.headline;
}

/** What makes two views the same line in a log: the numbers inside move all the time, the decision does not. */
export function decisionKey(view: ReleaseView): string {
  const { release } = view;
  const checks = view.evidence.map((line) => `${line.check}=${line.outcome}/${line.exposure}`).join(',');
  const where =
    release === null
      ? ''
      : `${release.id}/${release.phase}/${release.stage}/${release.weightPercent}/${release.awaiting}`;
  return [view.state, where, checks, view.troubles.join(';'), view.policy.waiting?.label ?? ''].join('|');
}

/** Counts and signs that every screen reader and every encoding knows. */
function ascii(text: string): string {
  return text
    .replaceAll('\u2212', '-')
    .replaceAll('→', 'to')
    .replaceAll('…', '...')
    .replaceAll('≈', 'about ')
    .replaceAll('·', '-')
    .replaceAll('–', '-');
}

export function totalsSentence(view: ReleaseView): string {
  const exposure = view.release?.exposure;
  if (exposure === undefined) return '';
  const users = exposure.canaryUsers > 0 ? ` from ${countText(exposure.canaryUsers)} users` : '';
  return `${countText(exposure.canaryRequests)} requests${users} met the new version, ${countText(exposure.canaryBad)} of them bad`;
}
