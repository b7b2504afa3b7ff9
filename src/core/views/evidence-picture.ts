// P2: the evidence of one check over time. The fan is the confidence sequence of p_canary − r·p_stable, the line its
// estimate, the dotted line the tolerance, 0 means "the same". Up is worse, for every metric. It passes when the whole
// fan is below the tolerance, and fails when it is all above.
import { bytesText, checkIsCounted, percentText, pointsText, signed, spanText } from './format.ts';
import { VERDICT_GLYPH, verdictWord } from './glyphs.ts';
import type { EvidenceLine } from './release-view.ts';
import { at, label, linear, picture, rule, timeSteps } from './svg.ts';
import type { TracePoint, TraceReading } from './trace.ts';

export interface EvidencePicture {
  readonly id: string;
  readonly line: EvidenceLine;
  readonly trace: readonly TracePoint[];
  readonly spanMs: number;
  /** When the verdict fell, if it did. */
  readonly decidedMs: number | null;
}

const WIDTH = 420;
const HEIGHT = 220;
const LEFT = 52;
const RIGHT = 12;
const TOP = 34;
const BOTTOM = 46;

interface Point extends TraceReading {
  readonly atMs: number;
  readonly lower: number;
  readonly upper: number;
}

export function evidencePicture(model: EvidencePicture): string {
  const { line } = model;
  const points = pointsOf(model);
  const [lowest, highest] = extent(line, points);
  const x = linear([0, Math.max(1, model.spanMs)], [LEFT, WIDTH - RIGHT]);
  const y = linear([lowest, highest], [HEIGHT - BOTTOM, TOP]);
  const clampY = (value: number) => y(Math.min(highest, Math.max(lowest, value)));
  const body = [
    axis(line, { lowest, highest, y }),
    timeAxis(model.spanMs, x),
    points.length === 0
      ? label((LEFT + WIDTH) / 2, HEIGHT / 2, 'nothing was counted', { anchor: 'middle' })
      : fan(points, x, clampY),
    toleranceRule(line, { lowest, highest, y }),
    decided(model, x),
    caption(line),
  ];
  return picture(
    { id: model.id, width: WIDTH, height: HEIGHT, title: titleOf(line), description: DESCRIPTION },
    body.join(''),
  );
}

const DESCRIPTION =
  'The band is the 95 % confidence bounds of the difference between canary and stable over time; the line is the estimate; the dotted line is the tolerance. Up is worse.';

function titleOf(line: EvidenceLine): string {
  return `${line.title}: ${verdictWord(line.outcome)}${checkIsCounted(line) ? `, ${pointsText(line.excess)}` : ''}`;
}

function pointsOf({ line, trace }: EvidencePicture): Point[] {
  return trace.flatMap((point) => {
    const reading = point.checks[line.check];
    if (reading === undefined || reading.lower === null || reading.upper === null) return [];
    return [{ ...reading, atMs: point.atMs, lower: reading.lower, upper: reading.upper }];
  });
}

/** The frame follows the later half: the first windows know nothing and would flatten everything else. */
function extent(line: EvidenceLine, points: readonly Point[]): readonly [number, number] {
  const later = points.slice(Math.floor(points.length / 2));
  const tolerance = line.tolerance ?? 0;
  const values = later.flatMap(({ lower, upper }) => [lower, upper]);
  const unit = Math.max(tolerance * 2, 0.002);
  const highest = Math.min(1, Math.max(unit, ...values, tolerance * 1.3));
  const lowest = Math.max(-1, Math.min(line.against === 'limit' ? 0 : -unit, ...values));
  const margin = (highest - lowest) * 0.08;
  return [lowest - margin, highest + margin];
}

interface Vertical {
  readonly lowest: number;
  readonly highest: number;
  readonly y: (value: number) => number;
}

function axis(line: EvidenceLine, { lowest, highest, y }: Vertical): string {
  const zero = lowest <= 0 && highest >= 0 ? rule([LEFT, y(0)], [WIDTH - RIGHT, y(0)], 'faint') : '';
  const unit =
    line.against === 'limit'
      ? (value: number) => `${percentText(value * 100)} %`
      : (value: number) => signed(value * 100);
  const ticks = [lowest + (highest - lowest) * 0.08, 0, highest - (highest - lowest) * 0.08]
    .filter((value, index) => index === 1 || Math.abs(y(value) - y(0)) > 16)
    .map((value) => label(LEFT - 6, y(value) + 4, value === 0 ? '0' : unit(value), { anchor: 'end' }))
    .join('');
  return `${zero}${ticks}${label(LEFT, TOP - 6, 'worse ↑')}`;
}

function timeAxis(spanMs: number, x: (ms: number) => number): string {
  return timeSteps(Math.max(1, spanMs), 4)
    .map((ms) => label(x(ms), HEIGHT - BOTTOM + 16, ms === 0 ? '0' : spanText(ms), { anchor: 'middle' }))
    .join('');
}

function fan(points: readonly Point[], x: (ms: number) => number, y: (value: number) => number): string {
  const upper = points
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${at(x(point.atMs))} ${at(y(point.upper))}`)
    .join('');
  const lower = [...points]
    .reverse()
    .map((point) => `L${at(x(point.atMs))} ${at(y(point.lower))}`)
    .join('');
  const line = points
    .filter((point) => point.excess !== null)
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${at(x(point.atMs))} ${at(y(point.excess ?? 0))}`)
    .join('');
  return (
    `<path d="${upper}${lower}Z" fill="var(--canary)" opacity=".18"/>` +
    `<path d="${line}" fill="none" stroke="var(--canary)" stroke-width="2"/>`
  );
}

function toleranceRule(line: EvidenceLine, { lowest, highest, y }: Vertical): string {
  if (line.tolerance === null || line.against === 'gauge' || line.tolerance < lowest || line.tolerance > highest)
    return '';
  const word =
    line.against === 'limit'
      ? `limit ${percentText(line.tolerance * 100)} %`
      : `tolerance ${percentText(line.tolerance * 100)} pp`;
  return (
    rule([LEFT, y(line.tolerance)], [WIDTH - RIGHT, y(line.tolerance)], 'text', '2 4') +
    label(WIDTH - RIGHT, y(line.tolerance) - 4, word, { anchor: 'end', tone: 'text' })
  );
}

function decided({ decidedMs, line }: EvidencePicture, x: (ms: number) => number): string {
  if (decidedMs === null) return '';
  const tone = line.outcome === 'fail' ? 'fail' : 'pass';
  return (
    rule([x(decidedMs), TOP], [x(decidedMs), HEIGHT - BOTTOM], tone) +
    label(x(decidedMs), TOP - 6, VERDICT_GLYPH[line.outcome], { anchor: 'middle', tone, bold: true })
  );
}

function caption(line: EvidenceLine): string {
  const tone = line.outcome === 'pass' || line.outcome === 'fail' ? line.outcome : 'undecided';
  const n = line.against === 'gauge' ? gaugeCaption(line) : countsCaption(line);
  return (
    label(LEFT, 14, line.title, { tone: 'text', bold: true }) +
    label(WIDTH - RIGHT, 14, `${VERDICT_GLYPH[line.outcome]} ${verdictWord(line.outcome)}`, {
      anchor: 'end',
      tone,
      bold: true,
    }) +
    label(LEFT, HEIGHT - 8, n)
  );
}

function gaugeCaption(line: EvidenceLine): string {
  if (line.value === null) return 'not read';
  return `worst replica ${line.unit === 'bytes' ? bytesText(line.value) : `${percentText(line.value)} %`}`;
}

function countsCaption({ canary, stable, against }: EvidenceLine): string {
  const both = `canary ${canary.bad} of ${canary.total}`;
  return against === 'stable' ? `${both} · stable ${stable.bad} of ${stable.total}` : both;
}
