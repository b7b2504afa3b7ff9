// The report for a pull request: the sentence, the table of checks, the log; short enough to be read where it lands.
import { checkIsCounted, clockText, countText, intervalText, percentText, pointsText, spanText } from './format.ts';
import { VERDICT_GLYPH, verdictWord } from './glyphs.ts';
import type { ReleaseReport } from './report.ts';
import { outcomeWord } from './report-html.ts';
import { kindWord } from './watch-text.ts';

const MOST_LOG_LINES = 40;

export function reportMarkdown(report: ReleaseReport): string {
  const { release, policy } = report;
  const glyph = release.outcome === null ? '◌' : release.outcome.kind === 'promoted' ? '✔' : '✖';
  const lines = [
    `# ${glyph} ${escapeCell(policy)}: ${escapeCell(release.from ?? 'nothing')} → ${escapeCell(release.to)}, ${outcomeWord(report)}`,
    '',
    escapeCell(report.sentence),
    '',
    escapeCell(report.exposed.sentence),
    '',
    '| check | verdict | canary − stable | 95 % bounds, pp | tolerance, pp | canary bad / all | stable bad / all |',
    '|---|---|---|---|---|---|---|',
    ...report.evidence.map(
      (line) =>
        `| ${escapeCell(line.title)} | ${VERDICT_GLYPH[line.outcome]} ${verdictWord(line.outcome)} | ${checkIsCounted(line) ? pointsText(line.excess) : '–'} | ${checkIsCounted(line) ? intervalText(line.lower, line.upper) : '–'} | ${line.tolerance === null || line.against === 'gauge' ? '–' : percentText(line.tolerance * 100)} | ${countText(line.canary.bad)} / ${countText(line.canary.total)} | ${countText(line.stable.bad)} / ${countText(line.stable.total)} |`,
    ),
    '',
    `Weights asked: ${report.weights.map(([atMs, weight]) => `${percentText(weight)} % after ${spanText(atMs)}`).join(', ')}.`,
    '',
    '<details><summary>Decisions</summary>',
    '',
    ...shortened(report.log).map(
      (line) => `- ${clockText(line.at, 0)} **${kindWord(line)}** ${escapeCell(line.sentence)}`,
    ),
    '',
    '</details>',
    '',
    ...report.quality.map((line) => `- ${escapeCell(line)}`),
    '',
    `Policy hash \`${report.document.hash}\`, release \`${release.id}\`, Haldane ${report.haldane}.`,
  ];
  return `${lines.join('\n')}\n`;
}

function shortened<T>(lines: readonly T[]): readonly T[] {
  if (lines.length <= MOST_LOG_LINES) return lines;
  return [...lines.slice(0, MOST_LOG_LINES / 2), ...lines.slice(-MOST_LOG_LINES / 2)];
}

/** What people and versions are called must not become markup. */
function escapeCell(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#]/g, (character) => `\\${character}`).replace(/\s+/g, ' ');
}
