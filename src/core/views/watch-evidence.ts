// The evidence rows of the terminal screen: the interval of p_canary − r·p_stable drawn against 0 and the tolerance.
// Both lie in the same columns for every check, so that up to the right always means worse, whatever the metric.
import { bytesText, countText, intervalText, percentText, pointsText, spanText } from './format.ts';
import { VERDICT_GLYPH, verdictWord } from './glyphs.ts';
import type { EvidenceLine, ReleaseView } from './release-view.ts';
import { bold, dim, type Line, padLeft, padTo, plain, type Span, wrap } from './spans.ts';
import type { TextOptions } from './watch-text.ts';

const LABEL = 10;
const NAME = 12;
const ESTIMATE = 10;
const INTERVAL = 15;
const VERDICT = 15;

interface Chart {
  readonly columns: number;
  readonly zero: number;
  readonly tolerance: number;
}

function chartOf(columns: number): Chart {
  const wide = Math.min(60, Math.max(16, columns - 4 - NAME - ESTIMATE - INTERVAL - VERDICT - 6));
  return { columns: wide, zero: Math.round(wide * 0.38), tolerance: Math.round(wide * 0.68) };
}

export function evidenceRows(view: ReleaseView, options: TextOptions): Line[] {
  if (view.evidence.length === 0) return [];
  const chart = chartOf(options.columns);
  const shown = view.evidence.flatMap((line) => [
    evidenceRow(line, chart),
    ...(options.details === true ? detailRows(line, options.columns) : []),
  ]);
  return [headRow(chart), ...shown];
}

function headRow(chart: Chart): Line {
  const marks = put(' '.repeat(chart.columns), [
    [0, 'better'],
    [chart.zero, '0'],
    [chart.tolerance - 3, 'tol┆'],
    [chart.columns - chart.tolerance >= 7 ? chart.tolerance + 2 : chart.columns, 'worse'],
  ]);
  const before = 4 + NAME + ESTIMATE + 2 + INTERVAL + 2 - LABEL;
  return [bold(padTo('evidence', LABEL)), dim(padTo('canary − stable', before)), dim(marks)];
}

function put(canvas: string, marks: readonly (readonly [at: number, text: string])[]): string {
  const cells = [...canvas];
  for (const [at, text] of marks) {
    [...text].forEach((character, index) => {
      if (at + index >= 0 && at + index < cells.length) cells[at + index] = character;
    });
  }
  return cells.join('');
}

function evidenceRow(line: EvidenceLine, chart: Chart): Line {
  const head: Span[] = [bold(`  ${VERDICT_GLYPH[line.outcome]} `), plain(padTo(line.title, NAME))];
  const word = [plain('  '), bold(verdictWord(line.outcome)), plain(etaText(line))];
  const room = ESTIMATE + 2 + INTERVAL + 2 + chart.columns;
  if (line.outcome === 'no-data' || line.outcome === 'error' || !hasInterval(line)) {
    return [...head, plain(padTo(silentText(line), room)), ...word];
  }
  return [
    ...head,
    plain(`${padLeft(pointsText(line.excess), ESTIMATE)}  `),
    plain(`${padTo(intervalText(line.lower, line.upper), INTERVAL)}  `),
    plain(drawInterval(line, chart)),
    ...word,
  ];
}

/** Before the first counted window the bounds say only that nothing is known. */
function hasInterval(line: EvidenceLine): boolean {
  return line.lower !== null && line.upper !== null && line.canary.total > 0;
}

function etaText({ etaMs, outcome }: EvidenceLine): string {
  return etaMs === null || outcome !== 'undecided' ? '' : `, ≈${spanText(etaMs)}`;
}

function silentText(line: EvidenceLine): string {
  if (line.against === 'gauge' && line.outcome !== 'no-data' && line.outcome !== 'error') return gaugeText(line);
  const own = `${line.check}: `;
  return line.message.startsWith(own) ? line.message.slice(own.length) : line.message;
}

export function gaugeText(line: EvidenceLine): string {
  if (line.value === null) return 'not read yet';
  const unit = (value: number) => (line.unit === 'bytes' ? bytesText(value) : `${percentText(value)} %`);
  const limit = line.tolerance === null ? '' : ` (limit ${unit(line.tolerance)})`;
  return `worst replica ${unit(line.value)}${limit}`;
}

/** ├──●──┤ with ┆ at the tolerance and │ at 0; ends beyond the frame are arrows. */
export function drawInterval(
  line: Pick<EvidenceLine, 'lower' | 'upper' | 'excess' | 'tolerance'>,
  chart: Chart,
): string {
  const { lower, upper, excess, tolerance } = line;
  if (lower === null || upper === null) return ' '.repeat(chart.columns);
  const unit = tolerance !== null && tolerance > 0 ? tolerance : Math.max(Math.abs(lower), Math.abs(upper), 1e-9);
  const columnOf = (value: number) => Math.round(chart.zero + (value / unit) * (chart.tolerance - chart.zero));
  const last = chart.columns - 1;
  const from = columnOf(lower);
  const to = columnOf(upper);
  const cells: string[] = [...'─'.repeat(chart.columns)].map((_, at) => (at > from && at < to ? '─' : ' '));
  if (tolerance !== null && tolerance > 0) cells[chart.tolerance] = '┆';
  cells[clamp(from, last)] = from < 0 ? '◂' : '├';
  cells[clamp(to, last)] = to > last ? '▸' : '┤';
  if (excess !== null) cells[clamp(columnOf(excess), last)] = '●';
  return cells.join('');
}

function clamp(column: number, last: number): number {
  return Math.min(last, Math.max(0, column));
}

function detailRows(line: EvidenceLine, columns: number): Line[] {
  const texts = [
    `${line.role}; canary ${counted(line.canary)}${line.against === 'stable' ? `, stable ${counted(line.stable)}` : ''}`,
    `weight may rise: ${line.exposure}; may be promoted: ${line.promotion}; evidence of harm ${logText(line.log.harm, line.log.harmLine)}, of no harm ${logText(line.log.noHarm, line.log.noHarmLine)}`,
    line.message,
  ];
  return texts.flatMap((text) => wrap(text, columns - 6)).map((text) => [plain('      '), dim(text)]);
}

function counted({ total, bad }: EvidenceLine['canary']): string {
  return `${countText(bad)} of ${countText(total)}`;
}

/** Evidence as part of the way to its line. */
function logText(log: number, line: number): string {
  if (line > 1e6) return 'not counted';
  return `${Math.round(Math.max(0, Math.min(1, log / line)) * 100)} % of its line`;
}
