// The terminal screen of one policy: the same facts as on every face, in lines of a given width. Pure: a view in, lines
// out. Refuses to be narrower than 80 columns: it draws 80 and lets the terminal cut.

import { capitalised, clockAfter, clockText, percentText, rateText, shareText, spanText } from './format.ts';
import { stateGlyph } from './glyphs.ts';
import type { LogLine, ReleaseView, StageLine, TrafficLine } from './release-view.ts';
import {
  bold,
  canary,
  clip,
  dim,
  harmless,
  type Line,
  padLeft,
  padTo,
  plain,
  type Span,
  toAnsi,
  toPlain,
  widthOf,
  wrap,
} from './spans.ts';
import { evidenceRows } from './watch-evidence.ts';

export const LEAST_COLUMNS = 80;
const MOST_COLUMNS = 140;
const LABEL = 10;

export interface TextOptions {
  readonly columns: number;
  /** Minutes the reader's zone lies east of UTC. */
  readonly offsetMinutes: number;
  /** Rows of the log shown. */
  readonly logRows?: number;
  /** Every check with its counts and sentence. */
  readonly details?: boolean;
  /** What keys do; only where keys are read. */
  readonly keys?: boolean;
}

/** The whole screen. */
export function watchLines(view: ReleaseView, options: TextOptions): Line[] {
  const columns = Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, options.columns));
  const fixed = { ...options, columns };
  const lines = [
    titleLine(view, fixed),
    ...headlineLines(view, fixed),
    [],
    ...trafficRows(view, fixed),
    ...stageRows(view, fixed),
    ...evidenceRows(view, fixed),
    ...logRows(view, fixed),
    ...troubleRows(view, fixed),
    ...(options.keys === true ? keyRows(view, fixed) : []),
  ];
  return lines.map((line) =>
    clip(
      line.map((span) => ({ ...span, text: harmless(span.text) })),
      columns,
    ),
  );
}

/** One text; with colours only when asked. */
export function renderLines(lines: readonly Line[], colour: boolean): string {
  return lines.map((line) => (colour ? toAnsi(line) : toPlain(line))).join('\n');
}

function titleLine({ policy, release, now }: ReleaseView, { columns, offsetMinutes }: TextOptions): Line {
  const clock = clockText(now, offsetMinutes);
  const place = policy.listen === null ? '' : ` · ${policy.listen}`;
  const head: Span[] = [bold(policy.name), plain(place)];
  const middle: Span[] = release === null ? [plain('no release yet')] : versionSpans(release);
  const used = [...head, ...middle].reduce((sum, span) => sum + widthOf(span.text), 0) + clock.length;
  const gap = Math.max(2, Math.floor((columns - used) / 2));
  const rest = Math.max(2, columns - used - gap);
  return [...head, plain(' '.repeat(gap)), ...middle, plain(' '.repeat(rest)), dim(clock)];
}

function versionSpans(release: NonNullable<ReleaseView['release']>): Span[] {
  const from = release.from === null ? '' : `${release.from} → `;
  return [plain(`release #${release.number}   ${from}`), canary(release.to)];
}

function headlineLines(view: ReleaseView, { columns }: TextOptions): Line[] {
  const lines = wrap(view.headline, columns - 2);
  const shown = lines.length > 3 ? [...lines.slice(0, 2), padTo(lines.slice(2).join(' '), columns - 2)] : lines;
  return shown.map((text, index) => [bold(index === 0 ? `${stateGlyph(view)} ` : '  '), plain(text)]);
}

function label(text: string): Span {
  return bold(padTo(text, LABEL));
}

const NO_LABEL = plain(' '.repeat(LABEL));

function trafficRows(view: ReleaseView, { columns }: TextOptions): Line[] {
  const { rows, splitText, ageMs } = view.traffic;
  if (rows.length === 0) return [[label('traffic'), plain('no version serves yet')]];
  const names = rows.map((row) => `${row.role} ${row.label}`);
  const nameWidth = Math.min(22, Math.max(...names.map(widthOf)));
  const barWidth = Math.max(20, columns - LABEL - nameWidth - 2 - 2 - 8 - 2 - 10);
  const lines = rows.map((row, index) => [
    index === 0 ? label('traffic') : NO_LABEL,
    tone(row, padTo(names[index] ?? '', nameWidth)),
    plain('  '),
    tone(row, padTo(bar(row, barWidth), barWidth)),
    plain(`  ${padLeft(shareText(row.seenPercent ?? row.askedPercent), 8)}`),
    plain(row.seenPercent === null ? '  asked' : `  ${padLeft(rateText(row.perSecond), 10)}`),
  ]);
  const age = ageMs !== null && ageMs > STALE_MS ? ` · counts are ${spanText(ageMs)} old` : '';
  return [...lines, [NO_LABEL, plain(`${splitText}${age}`)]];
}

const STALE_MS = 15_000;

function tone(row: TrafficLine, text: string): Span {
  return row.role === 'canary' ? canary(text) : plain(text);
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Stable is a solid bar, canary a dotted one: told apart without colour. */
function bar(row: TrafficLine, columns: number): string {
  const share = row.seenPercent ?? row.askedPercent;
  const eighths = Math.round((share / 100) * columns * 8);
  const fill = row.role === 'canary' ? '▒' : '█';
  return fill.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

function stageRows(view: ReleaseView, options: TextOptions): Line[] {
  if (view.stages.length === 0) return [];
  const texts = view.stages.map((stage) => stageText(view, stage, options));
  const room = options.columns - LABEL;
  const lines: string[] = [];
  for (const text of texts) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 4 + widthOf(text) <= room) lines[lines.length - 1] = `${last}    ${text}`;
    else lines.push(text);
  }
  return lines.map((text, index) => [index === 0 ? label('stages') : NO_LABEL, plain(text)]);
}

function stageText(view: ReleaseView, stage: StageLine, { offsetMinutes }: TextOptions): string {
  const name = stage.weightPercent === 100 ? 'promote' : `${percentText(stage.weightPercent)} %`;
  const gates = stage.gates.length === 0 ? '' : ` (${stage.gates.join(', ')})`;
  switch (stage.state) {
    case 'done':
      return stage.spentMs === null ? `✔ ${name}` : `✔ ${name} ${spanText(stage.spentMs)}`;
    case 'now': {
      if (stage.weightPercent === 100) return `▶ ${name}`;
      const least = stage.bakeMs > 0 ? ` of ≥${spanText(stage.bakeMs)}` : '';
      const isOut = view.release?.outcome?.kind === 'aborted';
      return `${isOut ? '✖' : '▶'} ${name} ${spanText(stage.spentMs ?? 0)}${isOut ? '' : least}${gates}`;
    }
    case 'coming': {
      const ended = view.release?.phase === 'ended' || view.release?.phase === 'aborting';
      const at = stage.inMs === null || ended ? '' : ` ≈${clockAfter(view.now, stage.inMs, offsetMinutes)}`;
      return `○ ${name}${at}${gates}`;
    }
  }
}

function logRows(view: ReleaseView, { columns, offsetMinutes, logRows = 5 }: TextOptions): Line[] {
  const newest = [...view.log].reverse().slice(0, logRows);
  if (newest.length === 0) return [];
  return newest.map((row, index) => [
    index === 0 ? label('log') : NO_LABEL,
    dim(`${clockText(row.at, offsetMinutes)} `),
    bold(padTo(kindWord(row), 9)),
    plain(padTo(` ${row.sentence}`, columns - LABEL - 18)),
  ]);
}

/** The journal's kinds in the reader's words. */
export function kindWord({ kind }: LogLine): string {
  switch (kind) {
    case 'release-started':
      return 'start';
    case 'stage-entered':
      return 'advance';
    case 'held':
      return 'hold';
    default:
      return kind;
  }
}

function troubleRows(view: ReleaseView, { columns }: TextOptions): Line[] {
  const texts = [
    ...view.versions.flatMap((version) =>
      version.trouble === null
        ? []
        : [`${version.label}: ${version.trouble} (${version.ready} of ${version.wanted} ready)`],
    ),
    ...view.troubles,
    ...(view.policy.suspended === null ? [] : [`suspended by ${view.policy.suspended}: new versions pass unanalysed`]),
    ...(view.policy.withdrawn ? ['the policy is withdrawn; its versions run on'] : []),
  ];
  return texts
    .flatMap((text) => wrap(text, columns - LABEL - 2))
    .slice(0, 6)
    .map((text, index) => [index === 0 ? label('trouble') : NO_LABEL, bold(index === 0 ? '! ' : '  '), plain(text)]);
}

const KEYS = [
  ['n', 'advance'],
  ['p', 'pause'],
  ['a', 'abort'],
  ['g', 'approve'],
] as const;

function keyRows(view: ReleaseView, { columns }: TextOptions): Line[] {
  const parts = KEYS.flatMap(([key, verb]) => {
    const wanted = verb === 'pause' && view.state === 'paused' ? 'resume' : verb;
    const button = view.can.find((can) => can.verb === wanted);
    if (button?.allowed !== true) return [];
    // It is obeyed again on the way out, and changes nothing there.
    if (wanted === 'abort' && view.state === 'aborting') return [];
    const effect = wanted === 'abort' && view.release?.from != null ? ` (100 % on ${view.release.from})` : '';
    return [`${key} ${wanted}${effect}`];
  });
  const text = [...parts, 'e evidence', '? help', 'q leave'].join('   ');
  return wrap3(text, columns - LABEL).map((line, index) => [index === 0 ? label('you can') : NO_LABEL, plain(line)]);
}

function wrap3(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const part of text.split('   ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 3 + widthOf(part) <= columns)
      lines[lines.length - 1] = `${last}   ${part}`;
    else lines.push(part);
  }
  return lines;
}

const VERB = 10;

/** What every button would do now, or why it is refused, the verb in a column of its own: for `status -v` and `?`. */
export function canLines(view: ReleaseView, columns: number): string[] {
  return view.can.flatMap((can) => {
    const text = can.allowed ? capitalised(can.consequence) : `(not now: ${can.whyNot ?? 'refused'})`;
    return wrap(text, columns - VERB - 1).map((line, index) => `${padTo(index === 0 ? can.verb : '', VERB)} ${line}`);
  });
}
