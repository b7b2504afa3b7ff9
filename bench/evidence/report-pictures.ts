// The pictures of the report: plain SVG that reads the same in print, in the dark and without colours.

import { binomialInterval } from '../../src/core/statistics/index.ts';
import { colourVariables, escapeText } from '../../src/core/views/svg.ts';
import { equalRows, isShipped, ofKind } from './report-evidence.ts';
import type { Results } from './results.ts';

export const WIDTH = 760;
const LABEL = 300;
const ROW = 22;
export const TOP = 46;

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly upper: number | null;
  readonly text: string;
}

export function page(height: number, title: string, body: readonly string[]): string {
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
