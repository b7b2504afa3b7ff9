// The report as one HTML file that asks nobody for anything: inline pictures, no script, no font, no request. It reads
// from the verdict down; each picture has a table beside it; prints as it stands.
import { evidencePicture } from './evidence-picture.ts';
import {
  checkIsCounted,
  clockText,
  countText,
  intervalText,
  percentText,
  pointsText,
  spanText,
  wallSpanMs,
} from './format.ts';
import { VERDICT_GLYPH, verdictWord } from './glyphs.ts';
import type { ReleaseReport } from './report.ts';
import { REPORT_STYLE } from './report-style.ts';
import { escapeText } from './svg.ts';
import { kindWord } from './watch-text.ts';
import { weightPicture } from './weight-picture.ts';

export function reportHtml(report: ReleaseReport): string {
  const { release, policy } = report;
  const title = `${policy} ${release.from ?? 'nothing'} → ${release.to}`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeText(`${title}: ${outcomeWord(report)}`)}</title><style>${REPORT_STYLE}</style></head><body><main>`,
    header(report),
    exposed(report),
    traffic(report),
    evidence(report),
    log(report),
    document(report),
    list('Data quality', report.quality),
    reproduce(report),
    `<footer>Made by Haldane ${escapeText(report.haldane)} at ${escapeText(report.madeAt)}. Times are UTC.</footer>`,
    '</main></body></html>',
  ].join('\n');
}

export function outcomeWord({ release }: ReleaseReport): string {
  if (release.outcome === null) return 'under way';
  return release.outcome.kind === 'promoted' ? 'promoted' : `aborted by ${release.outcome.by ?? 'somebody'}`;
}

function header(report: ReleaseReport): string {
  const { release, policy } = report;
  const isGood = release.outcome?.kind === 'promoted';
  const tone = release.outcome === null ? 'undecided' : isGood ? 'pass' : 'fail';
  const glyph = release.outcome === null ? '◌' : isGood ? '✔' : '✖';
  return (
    `<header><p class="where">${escapeText(policy)} · release #${release.number} · ${escapeText(release.from ?? 'nothing')} → ${escapeText(release.to)} · ${escapeText(release.startedAt.slice(0, 19).replace('T', ' '))}</p>` +
    `<h1><span class="${tone}">${glyph} ${escapeText(outcomeWord(report))}</span></h1>` +
    `<p class="sentence">${escapeText(report.sentence)}</p></header>`
  );
}

function exposed({ exposed: facts }: ReleaseReport): string {
  const cells = [
    ['requests that met the new version', countText(facts.requests)],
    ['of them bad', countText(facts.bad)],
    [
      'more than stable would have had',
      facts.extraBad === null ? '–' : `about ${countText(Math.max(0, facts.extraBad))}`,
    ],
    ['users', facts.users === 0 ? '–' : countText(facts.users)],
    [
      'share of users',
      facts.usersPercent === null ? '–' : `${percentText(Math.round(facts.usersPercent * 10) / 10)} %`,
    ],
    ['time with traffic', spanText(facts.ms)],
  ];
  const tiles = cells
    .filter(([, value]) => value !== '–')
    .map(([name, value]) => `<div><dt>${escapeText(name ?? '')}</dt><dd>${escapeText(value ?? '')}</dd></div>`)
    .join('');
  return `<section><h2>Who was exposed</h2><p>${escapeText(facts.sentence)}</p><dl class="tiles">${tiles}</dl></section>`;
}

const MARKED = new Set(['stage-entered', 'promoting', 'promoted', 'aborting', 'aborted', 'held', 'command', 'drift']);

function traffic(report: ReleaseReport): string {
  const { release, weights, trace, log: lines } = report;
  const events = lines
    .filter((line) => MARKED.has(line.kind))
    .map((line) => ({ atMs: wallSpanMs(release.startedAt, line.at), word: `${kindWord(line)}: ${line.sentence}` }));
  const svg = weightPicture({
    id: 'p1',
    stable: release.from,
    canary: release.to,
    spanMs: release.spentMs,
    weights,
    trace,
    events,
  });
  const rows = weights.map(([atMs, weight]) => [spanText(atMs), `${percentText(weight)} %`]);
  return `<section><h2>Traffic</h2><figure>${svg}</figure>${table('Weights asked', ['after', 'asked'], rows)}</section>`;
}

function evidence(report: ReleaseReport): string {
  if (report.evidence.length === 0) return '<section><h2>Evidence</h2><p>No check was asked.</p></section>';
  const pictures = report.evidence
    .map((line, index) => {
      const decidedMs = decidedAt(report, line.check, line.outcome);
      const svg = evidencePicture({
        id: `p2-${index}`,
        line,
        trace: report.trace,
        spanMs: report.release.spentMs,
        decidedMs,
      });
      return `<figure>${svg}<figcaption>${escapeText(line.message)}</figcaption></figure>`;
    })
    .join('');
  const rows = report.evidence.map((line) => [
    line.title,
    line.role,
    `${VERDICT_GLYPH[line.outcome]} ${verdictWord(line.outcome)}`,
    checkIsCounted(line) ? pointsText(line.excess) : '–',
    checkIsCounted(line) ? intervalText(line.lower, line.upper) : '–',
    line.tolerance === null || line.against === 'gauge' ? '–' : percentText(line.tolerance * 100),
    `${countText(line.canary.bad)} / ${countText(line.canary.total)}`,
    `${countText(line.stable.bad)} / ${countText(line.stable.total)}`,
  ]);
  const heads = [
    'check',
    'role',
    'verdict',
    'difference',
    '95 % bounds, pp',
    'tolerance, pp',
    'canary bad / all',
    'stable bad / all',
  ];
  return `<section><h2>Evidence</h2><p>The band holds canary minus stable with 95 % confidence, at whatever moment it is read. Up is worse. A check passes when the whole band is below the dotted line.</p><div class="grid">${pictures}</div>${table('The same as a table', heads, rows)}</section>`;
}

/** When the verdict that stands now fell: the first point from which it never changed. */
export function decidedAt({ trace }: ReleaseReport, check: string, outcome: string): number | null {
  if (outcome !== 'pass' && outcome !== 'fail') return null;
  const since = trace.findLastIndex((point) => point.checks[check]?.outcome !== outcome);
  return trace[since + 1]?.atMs ?? null;
}

function log({ log: lines, release }: ReleaseReport): string {
  const rows = lines.map((line) => [
    clockText(line.at, 0),
    spanText(wallSpanMs(release.startedAt, line.at)),
    kindWord(line),
    line.sentence,
    String(line.sequence),
  ]);
  return `<section><h2>Decisions</h2>${openTable(['time', 'after', 'decision', 'because', 'entry'], rows)}</section>`;
}

function document({ document: { hash, policy, changes } }: ReleaseReport): string {
  const changed =
    changes === null
      ? '<p>No earlier release of this policy is kept to compare with.</p>'
      : changes.length === 0
        ? '<p>Unchanged since the release before.</p>'
        : openTable(
            ['field', 'before', 'now'],
            changes.map(({ path, from, to }) => [path, JSON.stringify(from), JSON.stringify(to)]),
          );
  const text = escapeText(JSON.stringify(policy, null, 2));
  return `<section><h2>Policy</h2><p>As applied, hash <code>${escapeText(hash)}</code>.</p>${changed}<details><summary>The whole policy</summary><pre>${text}</pre></details></section>`;
}

function list(title: string, items: readonly string[]): string {
  return `<section><h2>${escapeText(title)}</h2><ul>${items.map((item) => `<li>${escapeText(item)}</li>`).join('')}</ul></section>`;
}

function reproduce({ reproduce: commands }: ReleaseReport): string {
  const lines = commands.map((command) => `<li><code>${escapeText(command)}</code></li>`).join('');
  return `<section><h2>Where this comes from</h2><p>Every line above is in the journal, whose entries are chained by hash.</p><ul>${lines}</ul></section>`;
}

type Cells = readonly (string | undefined)[];

function openTable(heads: readonly string[], rows: readonly Cells[]): string {
  const head = heads.map((name) => `<th scope="col">${escapeText(name)}</th>`).join('');
  const body = rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escapeText(cell ?? '')}</td>`).join('')}</tr>`)
    .join('');
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function table(title: string, heads: readonly string[], rows: readonly Cells[]): string {
  return `<details><summary>${escapeText(title)}</summary>${openTable(heads, rows)}</details>`;
}
