// The pictures of exposure against time: what a contestant's bad versions cost, beside how long its healthy ones wait.
import { escapeText } from '../../src/core/views/svg.ts';
import { comparedRows } from './report-compared.ts';
import { page, TOP, WIDTH } from './report-pictures.ts';
import type { Results } from './results.ts';
import { geometricMean, type ReleaseSummary } from './summary.ts';

/** Each contestant: geometric mean of excess bad requests against mean seconds to promote a healthy version. */
export function frontPicture(results: Results): string {
  return front('Exposure and time: lower left is better', comparedPoints(results));
}

/** The same beside peers' swept settings, over the scenarios of the sweep. */
export function sweptFrontPicture(results: Results): string {
  return front('The same beside peers with swept settings', sweptPoints(results));
}

function front(title: string, points: readonly FrontPoint[]): string {
  const [height, left, bottom] = [420, 70, 370];
  const log = (value: number, [low, high]: readonly [number, number], size: number): number =>
    (Math.log(value / low) / Math.log(high / low)) * size;
  const xs: readonly [number, number] = [60, 12_000];
  const ys: readonly [number, number] = [3, 30_000];
  const x = (seconds: number): number => left + log(Math.max(xs[0], seconds), xs, WIDTH - left - 180);
  const y = (bad: number): number => bottom - log(Math.max(ys[0], bad), ys, bottom - TOP);
  const body = [
    ...[100, 300, 1000, 3000, 10_000].map(
      (at) => `<text class="s" x="${x(at).toFixed(0)}" y="${bottom + 18}" text-anchor="middle">${at} s</text>`,
    ),
    ...[10, 100, 1000, 10_000].map(
      (at) => `<text class="s" x="${left - 8}" y="${(y(at) + 4).toFixed(0)}" text-anchor="end">${at}</text>`,
    ),
    `<path d="M${left} ${TOP}V${bottom}H${WIDTH - 110}" stroke="var(--line)" fill="none"/>`,
    `<text class="s" x="${left}" y="${bottom + 36}">seconds to promote a healthy version; upwards: excess bad requests of a bad one (geometric mean)</text>`,
    ...apart(points.map(({ name, seconds, bad }) => ({ name, x: x(seconds), y: y(bad), labelY: y(bad) }))).flatMap(
      mark,
    ),
  ];
  return page(height, title, body);
}

interface Placed {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly labelY: number;
}

/** A letter's width, roughly, and a line's height. */
const [LETTER, LINE] = [6.6, 13];

function labelSpan({ name, x }: Placed): readonly [number, number] {
  const width = name.length * LETTER;
  return isNamedLeft(name, x) ? [x - 9 - width, x - 9] : [x + 9, x + 9 + width];
}

/** Ours to the left of their marks, peers' to the right, as far as there is room. */
function isNamedLeft(name: string, x: number): boolean {
  const hasRoom = x - name.length * LETTER > 90;
  return x > WIDTH - 240 || (name.startsWith('Haldane') && hasRoom);
}

/** A name that would cover another is moved up or down, as little as will do. */
function apart(points: readonly Placed[]): readonly Placed[] {
  const placed: Placed[] = [];
  for (const point of [...points].sort((a, b) => a.y - b.y)) {
    const [from, to] = labelSpan(point);
    const beside = placed.filter((other) => {
      const [otherFrom, otherTo] = labelSpan(other);
      return otherFrom < to && from < otherTo;
    });
    const covers = (labelY: number): boolean => beside.some((other) => Math.abs(other.labelY - labelY) < LINE);
    let by = 0;
    while (covers(point.y + by)) by = by > 0 ? -by : 1 - by;
    placed.push({ ...point, labelY: point.y + by });
  }
  return placed;
}

function mark({ name, x, y, labelY }: Placed): readonly string[] {
  const isLeft = isNamedLeft(name, x);
  const [px, py] = [x.toFixed(1), y.toFixed(1)];
  const shape = name.startsWith('Haldane')
    ? `<circle cx="${px}" cy="${py}" r="5" fill="var(--canary)"/>`
    : `<rect x="${(x - 4).toFixed(1)}" y="${(y - 4).toFixed(1)}" width="8" height="8" fill="var(--stable)"/>`;
  const at = `x="${(isLeft ? x - 9 : x + 9).toFixed(1)}" y="${(labelY + 4).toFixed(1)}"`;
  return [shape, `<text ${at}${isLeft ? ' text-anchor="end"' : ''}>${escapeText(name)}</text>`];
}

interface FrontPoint {
  readonly name: string;
  readonly seconds: number;
  readonly bad: number;
}

function comparedPoints(results: Results): readonly FrontPoint[] {
  const byName = new Map<string, Sums>();
  for (const rows of comparedRows(results).values()) {
    for (const row of rows) if (row.scenario.latency === null) addTo(byName, row.contestant, row);
  }
  return meansOf(byName);
}

function sweptPoints({ swept }: Results): readonly FrontPoint[] {
  const byName = new Map<string, Sums>();
  for (const [i, { family, reported }] of swept.entries()) {
    for (const { own, perScenario, ours } of reported) {
      addTo(byName, `${family}, best single setting`, own);
      addTo(byName, `${family}, best for each scenario`, perScenario);
      if (i === 0) addTo(byName, ours.contestant, ours);
    }
  }
  return meansOf(byName);
}

interface Sums {
  readonly bad: number[];
  readonly seconds: number[];
}

function addTo(byName: Map<string, Sums>, name: string, { scenario, excessBad, promoteSeconds }: ReleaseSummary): void {
  const entry = byName.get(name) ?? { bad: [], seconds: [] };
  byName.set(name, entry);
  if (scenario.truth === 'harmful') entry.bad.push(Math.max(0.5, excessBad.mean));
  if (scenario.id.startsWith('healthy')) entry.seconds.push(promoteSeconds?.mean ?? scenario.horizonSeconds);
}

function meansOf(byName: ReadonlyMap<string, Sums>): readonly FrontPoint[] {
  return [...byName].map(([name, { bad, seconds }]) => ({
    name,
    bad: geometricMean(bad),
    seconds: geometricMean(seconds),
  }));
}
