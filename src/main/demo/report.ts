// The demo's report: one HTML file that asks for nothing else. Sentence first, then who was exposed, then each release
// with its pictures. It draws what the agent recorded and adds what the users counted themselves.
import { countText, evidencePicture, type ReleaseReport, weightPicture } from '../../core/views/index.ts';
import { REPORT_STYLE } from '../../core/views/report-style.ts';
import { escapeText } from '../../core/views/svg.ts';
import { type EpisodeResult, endWord } from './episodes.ts';
import type { UserCounts } from './users-process.ts';

export interface DemoReport {
  readonly madeAt: string;
  readonly seed: string;
  readonly ok: boolean;
  readonly episodes: readonly { readonly result: EpisodeResult; readonly report: ReleaseReport }[];
  readonly users: UserCounts;
  readonly policyText: string;
}

export function demoReportHtml(input: DemoReport): string {
  const { episodes, users, ok } = input;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>Haldane demo</title><style>${REPORT_STYLE}</style></head><body><main>`,
    `<header><p class="where">Haldane demo · seed ${escapeText(input.seed)} · ${escapeText(input.madeAt.slice(0, 19).replace('T', ' '))}</p>`,
    `<h1><span class="${ok ? 'pass' : 'fail'}">${ok ? '✔ all ended as they should' : '✖ not all ended as they should'}</span></h1>`,
    `<p class="sentence">${escapeText(leadOf(input))}</p></header>`,
    summary(
      episodes.map(({ result }) => result),
      users,
    ),
    ...episodes.map(({ result, report }, index) => section(result, report, index)),
    `<section><h2>The policy</h2><pre>${escapeText(input.policyText)}</pre></section>`,
    '</main></body></html>',
  ].join('\n');
}

function leadOf({ episodes, users }: DemoReport): string {
  const ends = episodes.map(({ result }) => `${result.version} (${result.truth}) was ${endWord(result)}`).join('; ');
  const lost = users.lost === 0 ? 'none was lost' : `${countText(users.lost)} were lost`;
  return `${ends}. Of ${countText(users.sent)} requests ${lost}.`;
}

function summary(results: readonly EpisodeResult[], users: UserCounts): string {
  const heads = [
    'release',
    'what was true of it',
    'end',
    'check',
    'seconds of exposure',
    'requests exposed',
    'users exposed',
    'errors among them',
    'errors by the users’ own count',
  ];
  const rows = results.map((result) => {
    const own = users.versions[result.version];
    return [
      `${result.from} → ${result.version}`,
      result.truth,
      `${result.asItShould ? '✔' : '✖'} ${endWord(result)}`,
      result.check ?? 'all pass',
      String(result.exposedSeconds),
      countText(result.exposed.requests),
      countText(result.exposed.users),
      countText(result.exposed.bad),
      own === undefined ? '–' : `${countText(own.errors)} of ${countText(own.requests)}`,
    ];
  });
  const head = heads.map((name) => `<th scope="col">${escapeText(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`).join('');
  return `<section><h2>Who was exposed</h2><div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div><p>Exposure is counted up to the verdict; the users go on counting while the last requests of a version are answered, and after a promotion.</p></section>`;
}

function section(result: EpisodeResult, report: ReleaseReport, index: number): string {
  const { release, weights, trace, evidence } = report;
  const spanMs = release.spentMs;
  const events = report.log
    .filter(({ kind }) => kind === 'stage-entered' || kind === 'aborting' || kind === 'promoting')
    .map((line) => ({ atMs: Date.parse(line.at) - Date.parse(release.startedAt), word: line.sentence }));
  const shares = { stable: release.from, canary: release.to, spanMs, weights, trace, events };
  const figures = evidence.map((line, at) => {
    const svg = evidencePicture({ id: `e${index}-${at}`, line, trace, spanMs, decidedMs: null });
    return `<figure>${svg}<figcaption>${escapeText(line.message)}</figcaption></figure>`;
  });
  const href = `${encodeURIComponent(release.id)}.html`;
  return [
    `<section><h2>${escapeText(`${result.from} → ${result.version}: ${endWord(result)}`)}</h2>`,
    `<p class="sentence">${escapeText(result.sentence)}</p><p>${escapeText(report.exposed.sentence)}</p>`,
    `<figure>${weightPicture({ id: `w${index}`, ...shares })}</figure><div class="grid">${figures.join('')}</div>`,
    `<p><a href="${href}">Every decision of this release</a></p></section>`,
  ].join('\n');
}
