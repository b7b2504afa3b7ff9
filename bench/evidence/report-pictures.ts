// The pictures of the report: plain SVG that reads the same in print, in the dark and without colours.

import { binomialInterval } from '../../src/core/statistics/index.ts';
import { colourVariables, escapeText } from '../../src/core/views/svg.ts';
import { comparedRows } from './report-compared.ts';
import { equalRows, isShipped, ofKind } from './report-evidence.ts';
import { percentText } from './report-format.ts';
import type { Results } from './results.ts';
import { geometricMean } from './summary.ts';

const WIDTH = 760;
const LABEL = 300;
const ROW = 22;
const TOP = 46;

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly upper: number | null;
  readonly text: string;
}

function page(height: number, title: string, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}">`,
    `<style>${colourVariables('svg')}text{font:12px system-ui,sans-serif;fill:var(--text)}.t{font-size:14px;font-weight:600}.s{fill:var(--faint)}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="var(--page)"/>`,
    `<text class="t" x="12" y="22">${escapeText(title)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function bars(
  title: string,
  rows: readonly Bar[],
  line: { readonly at: number; readonly text: string },
  most: number,
): string {
  const x = (value: number): number => LABEL + (Math.min(value, most) / most) * (WIDTH - LABEL - 90);
  const body = rows.flatMap(({ label, value, upper, text }, i) => {
    const y = TOP + i * ROW;
    const whisker =
      upper === null
        ? []
        : [
            `<path d="M${x(value).toFixed(1)} ${y + 8}H${x(upper).toFixed(1)}m0 -4v8" stroke="var(--text)" fill="none"/>`,
          ];
    return [
      `<text x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${escapeText(label)}</text>`,
      `<rect x="${LABEL}" y="${y + 2}" width="${Math.max(0, x(value) - LABEL).toFixed(1)}" height="12" fill="var(--stable)"/>`,
      ...whisker,
      `<text class="s" x="${(x(Math.max(value, upper ?? 0)) + 6).toFixed(1)}" y="${y + 12}">${escapeText(text)}</text>`,
    ];
  });
  const bottom = TOP + rows.length * ROW;
  const at = x(line.at).toFixed(1);
  body.push(
    `<path d="M${at} ${TOP - 4}V${bottom}" stroke="var(--fail)" stroke-dasharray="4 3"/>`,
    `<text class="s" x="${at}" y="${bottom + 14}" text-anchor="middle">${escapeText(line.text)}</text>`,
  );
  return page(bottom + 26, title, body);
}

export function alarmsPicture(results: Results): string {
  const rows = equalRows(results).map(({ scenario, aborted }) => ({
    label: scenario.id,
    value: aborted.rate,
    upper: binomialInterval(aborted.count, aborted.of, 0.98).upper,
    text: `${aborted.count} of ${aborted.of}`,
  }));
  return bars('Equal versions aborted, with the 99 % upper limit', rows, { at: 0.01, text: 'promised: 1 %' }, 0.04);
}

export function detectionPicture(results: Results): string {
  const rows = ofKind(results, 'harm')
    .filter(({ id }) => isShipped({ id } as never) || id.includes('share 0.05'))
    .map(({ id, times }) => ({
      label: id.replace('harm ', ''),
      value: times.mean,
      upper: times.mean + times.within,
      text: times.mean.toFixed(2),
    }));
  return bars(
    'Canary requests to detection, as a multiple of the limit',
    rows,
    { at: 1, text: 'limit of any test' },
    2.2,
  );
}

/** Each contestant: geometric mean of excess bad requests against mean seconds to promote a healthy version. */
export function frontPicture(results: Results): string {
  const points = frontPoints(results);
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
    ...points.flatMap(({ name, seconds, bad }) => {
      const isOurs = name.startsWith('Haldane');
      const [px, py] = [x(seconds).toFixed(1), y(bad).toFixed(1)];
      const mark = isOurs
        ? `<circle cx="${px}" cy="${py}" r="5" fill="var(--canary)"/>`
        : `<rect x="${Number(px) - 4}" y="${Number(py) - 4}" width="8" height="8" fill="var(--stable)"/>`;
      return [mark, `<text x="${Number(px) + 9}" y="${Number(py) + 4}">${escapeText(name)}</text>`];
    }),
  ];
  return page(height, 'Exposure and time: lower left is better', body);
}

interface FrontPoint {
  readonly name: string;
  readonly seconds: number;
  readonly bad: number;
}

export function frontPoints(results: Results): readonly FrontPoint[] {
  const byName = new Map<string, { bad: number[]; seconds: number[] }>();
  for (const rows of comparedRows(results).values()) {
    for (const { contestant, scenario, excessBad, promoteSeconds } of rows) {
      const entry = byName.get(contestant) ?? { bad: [], seconds: [] };
      byName.set(contestant, entry);
      if (scenario.truth === 'harmful' && scenario.latency === null) entry.bad.push(Math.max(0.5, excessBad.mean));
      if (scenario.id.startsWith('healthy')) entry.seconds.push(promoteSeconds?.mean ?? scenario.horizonSeconds);
    }
  }
  return [...byName].map(([name, { bad, seconds }]) => ({
    name,
    bad: geometricMean(bad),
    seconds: geometricMean(seconds),
  }));
}

export { percentText };
