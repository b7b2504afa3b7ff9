// Small pieces that pictures are made of. Text is escaped here and nowhere else. Colours are the project's own, measured
// for contrast and for colour-blind eyes; every mark has a form besides its colour.

export const COLOURS = {
  light: {
    stable: '#0B5FA5',
    canary: '#B35900',
    baseline: '#6B7280',
    pass: '#007A5E',
    fail: '#7A0C2E',
    undecided: '#4B5563',
    text: '#1F2328',
    faint: '#6B7280',
    line: '#D0D7DE',
    page: '#FFFFFF',
  },
  dark: {
    stable: '#5CB3FF',
    canary: '#FFAA33',
    baseline: '#9AA4B2',
    pass: '#A6F7DF',
    fail: '#FF5470',
    undecided: '#A39AB0',
    text: '#E6EDF3',
    faint: '#9AA4B2',
    line: '#30363D',
    page: '#10141A',
  },
} as const;

export function escapeText(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, ' ')
  );
}

/** The colours as CSS variables, light by default, dark by the reader's system. */
export function colourVariables(selector: string): string {
  const list = (theme: Readonly<Record<string, string>>) =>
    Object.entries(theme)
      .map(([name, value]) => `--${name}:${value}`)
      .join(';');
  return `${selector}{${list(COLOURS.light)}}@media (prefers-color-scheme:dark){${selector}{${list(COLOURS.dark)}}}`;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly description: string;
  /** Unique on its page: names the title for readers of the screen. */
  readonly id: string;
}

/** A picture of its own: with its colours, so that it can be opened alone. */
export function picture({ width, height, title, description, id }: Frame, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" viewBox="0 0 ${width} ${height}" width="100%" ` +
    `aria-labelledby="${id}-t ${id}-d" font-family="ui-sans-serif,system-ui,sans-serif" font-size="12">` +
    `<style>${colourVariables('.picture')}</style>` +
    `<title id="${id}-t">${escapeText(title)}</title><desc id="${id}-d">${escapeText(description)}</desc>${body}</svg>`
  );
}

/** Two digits are enough for the eye and keep pictures the same on every machine. */
export function at(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export type Scale = (value: number) => number;

export function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const span = domain[1] - domain[0];
  return (value) => range[0] + (span === 0 ? 0 : (value - domain[0]) / span) * (range[1] - range[0]);
}

export function label(
  x: number,
  y: number,
  text: string,
  options: { anchor?: 'start' | 'middle' | 'end'; tone?: string; bold?: boolean } = {},
): string {
  const { anchor = 'start', tone = 'faint', bold = false } = options;
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="var(--${tone})"${bold ? ' font-weight="600"' : ''}>${escapeText(text)}</text>`;
}

export function rule(from: readonly [number, number], to: readonly [number, number], tone: string, dash = ''): string {
  return `<path d="M${at(from[0])} ${at(from[1])}L${at(to[0])} ${at(to[1])}" stroke="var(--${tone})" fill="none"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>`;
}

/** Round steps of time for an axis: about so many marks. */
export function timeSteps(spanMs: number, marks: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800];
  const wanted = spanMs / 1_000 / marks;
  const step = (steps.find((each) => each >= wanted) ?? 172_800 * Math.ceil(wanted / 172_800)) * 1_000;
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, index) => index * step);
}
