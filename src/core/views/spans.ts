// Lines of a terminal screen as spans with a tone each; tones become colours in one place, or nothing at all.
// Stable keeps the default colour, canary is magenta: the one hue readable on black and on white. Nothing rests on hue.

export type Tone = 'plain' | 'canary' | 'bold' | 'dim';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

export const plain = (text: string): Span => ({ text, tone: 'plain' });
export const bold = (text: string): Span => ({ text, tone: 'bold' });
export const dim = (text: string): Span => ({ text, tone: 'dim' });
export const canary = (text: string): Span => ({ text, tone: 'canary' });

/** Every character of our screens is one column wide, so columns are code points. */
export function widthOf(text: string): number {
  return [...text].length;
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, span) => sum + widthOf(span.text), 0);
}

/** Exactly so many columns: padded with blanks, or cut with an ellipsis. */
export function padTo(text: string, columns: number): string {
  const characters = [...text];
  if (characters.length <= columns) return text + ' '.repeat(columns - characters.length);
  return columns <= 1 ? characters.slice(0, columns).join('') : `${characters.slice(0, columns - 1).join('')}…`;
}

export function padLeft(text: string, columns: number): string {
  const missing = columns - widthOf(text);
  return missing >= 0 ? ' '.repeat(missing) + text : padTo(text, columns);
}

/** No wider than so many columns. */
export function clip(line: Line, columns: number): Line {
  const kept: Span[] = [];
  let left = columns;
  for (const span of line) {
    if (left <= 0) break;
    const width = widthOf(span.text);
    kept.push(width <= left ? span : { ...span, text: padTo(span.text, left) });
    left -= width;
  }
  return kept;
}

/** Words over lines of at most so many columns. What begins a line, as the fix of an error does, goes on to do so. */
export function wrap(text: string, columns: number): string[] {
  return text.split('\n').flatMap((line) => wrapped(line, columns));
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= columns) line = longer;
    else {
      if (line !== '') lines.push(line);
      line = padTo(word, Math.min(widthOf(word), columns));
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

const CODES: Readonly<Record<Exclude<Tone, 'plain'>, string>> = { bold: '1', dim: '2', canary: '35' };
const ESCAPE = '\u001b[';

export function toAnsi(line: Line): string {
  return line
    .map(({ text, tone }) => (tone === 'plain' ? text : `${ESCAPE}${CODES[tone]}m${text}${ESCAPE}0m`))
    .join('')
    .replace(/ +$/, '');
}

export function toPlain(line: Line): string {
  return line
    .map((span) => span.text)
    .join('')
    .replace(/ +$/, '');
}

/** Control characters of labels and messages never reach a terminal. Two lines in one are told apart. */
export function harmless(text: string): string {
  const line = text.replace(/([.:;,!?]?)\s*\n\s*(?=\S)/g, (_all, mark: string) => `${mark === '' ? ';' : mark} `);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return line.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}
