// P1: who was asked to get how much over time, and who was seen to get it. Asked is a dashed step line; seen is a filled
// area, dotted for the canary; events are triangles below.
import { percentText, spanText } from './format.ts';
import { at, escapeText, label, linear, picture, rule, timeSteps } from './svg.ts';
import type { TracePoint } from './trace.ts';

export interface WeightPicture {
  readonly id: string;
  readonly stable: string | null;
  readonly canary: string;
  readonly spanMs: number;
  readonly weights: readonly (readonly [atMs: number, weightPercent: number])[];
  readonly trace: readonly TracePoint[];
  /** Marked below the axis, with a word each. */
  readonly events: readonly { readonly atMs: number; readonly word: string }[];
}

const WIDTH = 880;
const HEIGHT = 240;
const LEFT = 44;
const RIGHT = 16;
const TOP = 26;
const BOTTOM = 52;
/** The frame is no taller than it needs to be, so that a first small weight is seen; quarters of it are short numbers. */
const TOPS = [4, 8, 20, 40, 60];

export function weightPicture(model: WeightPicture): string {
  const spanMs = Math.max(1, model.spanMs);
  const x = linear([0, spanMs], [LEFT, WIDTH - RIGHT]);
  const highest = Math.max(0, ...model.weights.map(([, weight]) => weight));
  const top = TOPS.find((each) => each >= highest * 1.1) ?? 100;
  const y = linear([0, top], [HEIGHT - BOTTOM, TOP]);
  const grid = [0, 0.25, 0.5, 0.75, 1]
    .map((part) => part * top)
    .map(
      (percent) =>
        rule([LEFT, y(percent)], [WIDTH - RIGHT, y(percent)], 'line') +
        label(LEFT - 6, y(percent) + 4, `${percentText(percent)} %`, { anchor: 'end' }),
    )
    .join('');
  const times = timeSteps(spanMs, 8)
    .map((ms) => label(x(ms), HEIGHT - BOTTOM + 16, ms === 0 ? 'start' : spanText(ms), { anchor: 'middle' }))
    .join('');
  const seen = seenShares(model.trace);
  const area = seen.length < 2 ? '' : seenArea(seen, x, y);
  const asked = `<path d="${stepPath(model, x, y)}" fill="none" stroke="var(--canary)" stroke-width="2" stroke-dasharray="6 4"/>`;
  const base = HEIGHT - BOTTOM + 24;
  const events = model.events
    .map(({ atMs, word }) => {
      const px = x(Math.min(spanMs, Math.max(0, atMs)));
      return `<path d="M${at(px)} ${at(base)}l5 8h-10z" fill="var(--text)"><title>${escapeText(word)}</title></path>`;
    })
    .join('');
  return picture(
    {
      id: model.id,
      width: WIDTH,
      height: HEIGHT,
      title: `Traffic over time: at most ${percentText(highest)} % asked for ${model.canary}`,
      description: 'Dashed: weight asked for the new version. Filled: share it was seen to get. Triangles: events.',
    },
    `<defs><pattern id="${model.id}-dots" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="var(--canary)" opacity=".18"/><circle cx="2" cy="2" r="1.1" fill="var(--canary)"/></pattern></defs>` +
      grid +
      times +
      area.replaceAll('DOTS', `url(#${model.id}-dots)`) +
      asked +
      events +
      legend(model),
  );
}

interface Seen {
  readonly atMs: number;
  readonly percent: number;
}

/** Share between two points of the trace; a picture needs no finer one. */
function seenShares(trace: readonly TracePoint[]): Seen[] {
  const found: Seen[] = [];
  for (let index = 1; index < trace.length; index++) {
    const from = trace[index - 1];
    const to = trace[index];
    if (from === undefined || to === undefined) continue;
    const canary = to.canaryRequests - from.canaryRequests;
    const total = canary + to.stableRequests - from.stableRequests;
    if (total > 0 && canary >= 0) found.push({ atMs: to.atMs, percent: (100 * canary) / total });
  }
  return found;
}

function seenArea(seen: readonly Seen[], x: (ms: number) => number, y: (percent: number) => number): string {
  const top = seen.map(({ atMs, percent }) => `L${at(x(atMs))} ${at(Math.max(TOP, y(percent)))}`).join('');
  const first = seen[0];
  const last = seen.at(-1);
  if (first === undefined || last === undefined) return '';
  return `<path d="M${at(x(first.atMs))} ${at(y(0))}${top}L${at(x(last.atMs))} ${at(y(0))}Z" fill="DOTS" stroke="none"/>`;
}

function stepPath(
  { weights, spanMs }: WeightPicture,
  x: (ms: number) => number,
  y: (percent: number) => number,
): string {
  const [first] = weights;
  if (first === undefined) return `M${at(x(0))} ${at(y(0))}`;
  let path = `M${at(x(0))} ${at(y(first[1]))}`;
  for (const [atMs, weight] of weights) path += `H${at(x(Math.min(spanMs, atMs)))}V${at(y(weight))}`;
  return `${path}H${at(x(spanMs))}`;
}

function legend({ canary, stable, id }: WeightPicture): string {
  return (
    `<path d="M${LEFT} 12h26" stroke="var(--canary)" stroke-width="2" stroke-dasharray="6 4"/>` +
    label(LEFT + 32, 16, `asked for ${canary}`, { tone: 'text' }) +
    `<rect x="${LEFT + 190}" y="5" width="26" height="12" fill="url(#${id}-dots)"/>` +
    label(LEFT + 222, 16, `seen by ${canary}`, { tone: 'text' }) +
    (stable === null ? '' : label(WIDTH - RIGHT, 16, `the rest: ${stable}`, { anchor: 'end', tone: 'stable' }))
  );
}
