// A strict reader of RFC 4180: a header, rows of as many cells, quotes where they are needed. It refuses what two readers
// would read in two ways: other separators, ragged rows, text after a closing quote. Line numbers are kept for errors.
import { badData } from './recorded.ts';

export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvTable {
  readonly header: readonly string[];
  readonly rows: readonly CsvRow[];
}

const CELL = /(?:"(?<quoted>(?:[^"]|"")*)"|(?<plain>[^",\r\n]*))(?<end>,|\r?\n|$)/y;

export function readCsv(text: string, file: string): CsvTable {
  const rows = rowsOf(text.startsWith('\uFEFF') ? text.slice(1) : text, file);
  const [first, ...rest] = rows;
  if (first === undefined) throw badData({ file, line: 1 }, 'the file is empty', 'write a header and a row per window');
  const header = first.cells.map((cell) => cell.trim());
  if (header.length === 1 && /[;\t]/.test(header[0] ?? '')) {
    throw badData({ file, line: first.line }, 'the columns are not separated by commas', 'separate them by commas');
  }
  for (const { line, cells } of rest) {
    if (cells.length === header.length) continue;
    const problem = `the row has ${cells.length} cells, and the header ${header.length}`;
    throw badData(
      { file, line },
      problem,
      'give every row a cell for each column; leave a cell empty where it has none',
    );
  }
  return { header, rows: rest };
}

function rowsOf(text: string, file: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let line = 1;
  let rowLine = 1;
  let at = 0;
  while (at < text.length) {
    CELL.lastIndex = at;
    const match = CELL.exec(text);
    if (match === null)
      throw badData({ file, line }, 'a quote is not closed, or text follows it', 'write "two ""words"""');
    const { quoted, plain = '', end = '' } = match.groups ?? {};
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    at = CELL.lastIndex;
    line += match[0].split('\n').length - 1;
    if (end === ',') {
      if (at === text.length) cells.push('');
      else continue;
    }
    const isBlank = cells.length === 1 && cells[0]?.trim() === '';
    if (!isBlank) rows.push({ line: rowLine, cells: cells.map((cell) => cell.trim()) });
    cells = [];
    rowLine = line;
  }
  return rows;
}
