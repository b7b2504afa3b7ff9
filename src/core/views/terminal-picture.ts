// A terminal screen as a picture, for documents: the very lines the terminal draws.
import { type Line, lineWidth, type Tone } from './spans.ts';
import { at, escapeText, picture } from './svg.ts';

const CELL = 8.4;
const ROW = 20;
const MARGIN = 18;

const FILL: Readonly<Record<Tone, string>> = { plain: '--text', bold: '--text', dim: '--faint', canary: '--magenta' };

export function terminalPicture(lines: readonly Line[], title: string): string {
  const columns = Math.max(80, ...lines.map(lineWidth));
  const width = Math.ceil(columns * CELL + 2 * MARGIN);
  const height = lines.length * ROW + 2 * MARGIN;
  const rows = lines.map((line, index) => rowText(line, MARGIN + (index + 0.75) * ROW)).join('');
  return picture(
    { id: 'terminal', width, height, title, description: 'A terminal that shows a release under way.' },
    '<style>.picture{--magenta:#A626A4}@media (prefers-color-scheme:dark){.picture{--magenta:#D670D6}}' +
      'text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre}</style>' +
      `<rect width="${width}" height="${height}" rx="8" fill="var(--page)" stroke="var(--line)"/>${rows}`,
  );
}

/** Each span starts in its own column, so that a font's own widths do not shift what follows. */
function rowText(line: Line, y: number): string {
  let column = 0;
  let text = '';
  for (const span of line) {
    const width = [...span.text].length;
    if (span.text.trim() !== '') {
      const weight = span.tone === 'bold' ? ' font-weight="700"' : '';
      text += `<text xml:space="preserve" x="${at(MARGIN + column * CELL)}" y="${at(y)}" textLength="${at(width * CELL)}" lengthAdjust="spacingAndGlyphs" fill="var(${FILL[span.tone]})"${weight}>${escapeText(span.text)}</text>`;
    }
    column += width;
  }
  return text;
}
