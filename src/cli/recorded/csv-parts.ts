// Rows of a recorded CSV as samples. Counted rows are windows as they stand (their time is where the window starts); raw
// rows (one request, one value) are put into windows of the length asked for. Refuses numbers that cannot be counts.
import { latencyBucket } from '../../core/model/latency-buckets.ts';
import type { Sample } from '../../core/model/measurement.ts';
import { type Column, type Columns, columnsOf } from './columns.ts';
import { type CsvRow, readCsv } from './csv.ts';
import { badData, type Part, type Place, type ReadData } from './recorded.ts';
import { parseTime } from './times.ts';

export interface CsvOptions {
  readonly file: string;
  /** Windows that raw rows are put into. */
  readonly rawStepMs: number;
}

export function readCsvParts(text: string, { file, rawStepMs }: CsvOptions): ReadData {
  const table = readCsv(text, file);
  const columns = columnsOf(table, file);
  if (table.rows.length === 0) {
    throw badData({ file, line: 1 }, 'there is a header, and no row', 'write a row per window and version');
  }
  const isRaw = columns.at.value !== undefined || (columns.at.seconds !== undefined && columns.at.events === undefined);
  const raw = new RawRows(rawStepMs);
  const parts: Part[] = [];
  for (const row of table.rows) {
    const reading = new RowReading(row, columns, file);
    const base = reading.base();
    for (const sample of countedSamples(reading, columns)) parts.push({ ...base, sample });
    if (isRaw) raw.add(base, reading);
  }
  parts.push(...raw.parts());
  return { parts, notes: [], stepMs: isRaw ? rawStepMs : null, stable: null, canary: null };
}

type Base = Omit<Part, 'sample'>;

class RowReading {
  readonly place: Place;
  readonly #row: CsvRow;
  readonly #columns: Columns;

  constructor(row: CsvRow, columns: Columns, file: string) {
    this.#row = row;
    this.#columns = columns;
    this.place = { file, line: row.line };
  }

  base(): Base {
    const time = parseTime(this.text('time') ?? '');
    if (!time.ok) throw badData(this.place, `time: ${time.problem}`, time.fix);
    const version = this.text('version');
    if (version === null) throw badData(this.place, 'version is empty', 'say which version the row is of');
    const weight = this.number('weight');
    if (weight !== null && !(weight >= 0 && weight < 100)) {
      throw badData(
        this.place,
        `a weight of ${weight} is out of range`,
        'write the percent asked for the canary, as in 10',
      );
    }
    const [check, replica] = [this.text('check'), this.text('replica')];
    return { atMs: time.atMs, version, check, replica, weightPercent: weight, place: this.place };
  }

  text(name: Column): string | null {
    const column = this.#columns.at[name];
    const cell = column === undefined ? '' : (this.#row.cells[column] ?? '');
    return cell === '' ? null : cell;
  }

  number(name: Column): number | null {
    const column = this.#columns.at[name];
    return column === undefined ? null : this.numberAt(column, name);
  }

  numberAt(column: number, name: string): number | null {
    const cell = this.#row.cells[column] ?? '';
    if (cell === '') return null;
    const value = Number(cell);
    if (Number.isFinite(value)) return value;
    throw badData(this.place, `${name}: "${cell}" is not a number`, 'write a number such as 1200, without units');
  }

  /** A number of requests or events: whole, and not below 0. */
  count(column: number, name: string): number | null {
    const value = this.numberAt(column, name);
    if (value === null || (Number.isSafeInteger(value) && value >= 0)) return value;
    const fix = 'write counts of the window, never rates or percentages';
    throw badData(this.place, `${name}: ${value} is not a count`, fix);
  }

  countOf(name: Column): number | null {
    const column = this.#columns.at[name];
    return column === undefined ? null : this.count(column, name);
  }

  /** Both or neither of two cells. */
  pair(one: Column, other: Column, read: (name: Column) => number | null): readonly [number, number] | null {
    const [a, b] = [read(one), read(other)];
    if (a === null && b === null) return null;
    if (a !== null && b !== null) return [a, b];
    const [there, missing] = a === null ? [other, one] : [one, other];
    throw badData(this.place, `${there} is there, and ${missing} is empty`, `fill both in; without requests write 0`);
  }
}

function* countedSamples(reading: RowReading, { at, buckets, ages }: Columns): Generator<Sample> {
  if (at.bad !== undefined) {
    const counts = reading.pair('total', 'bad', (name) => reading.countOf(name));
    if (counts !== null) yield proportion(reading, counts);
  }
  const latency = buckets.length > 0 ? latencySample(reading, buckets) : null;
  if (latency !== null) yield latency;
  if (at.events !== undefined) {
    const counts = reading.pair('events', 'seconds', (name) =>
      name === 'events' ? reading.countOf(name) : reading.number(name),
    );
    if (counts !== null) yield { kind: 'count', events: counts[0], seconds: counts[1] };
  }
  const exposed = ages.length > 0 ? reading.countOf('exposed') : null;
  if (exposed !== null) {
    const converted = ages.map(({ column, age }) => [age, reading.count(column, `converted_${age}`) ?? 0] as const);
    yield { kind: 'cohort', exposed, converted: converted.filter(([, count]) => count > 0) };
  }
}

function proportion({ place }: RowReading, [total, bad]: readonly [number, number]): Sample {
  if (bad <= total) return { kind: 'proportion', total, bad };
  throw badData(place, `${bad} bad of ${total} in all`, 'total counts all requests, the bad ones too');
}

function latencySample(reading: RowReading, buckets: Columns['buckets']): Sample | null {
  const cumulative = buckets.map(({ column, seconds }) => reading.count(column, `le_${seconds}`));
  if (cumulative.every((count) => count === null)) return null;
  const counts: [number, number][] = [];
  let before = 0;
  cumulative.forEach((count, index) => {
    if (count === null)
      throw badData(reading.place, 'a bucket is empty', 'fill all le_ columns in; 0 where there is none');
    if (count < before) {
      const fix = 'each le_ column counts all requests up to its seconds, so they never fall from left to right';
      throw badData(reading.place, `le_${buckets[index]?.seconds} is ${count}, below the ${before} before it`, fix);
    }
    if (count > before) counts.push([index, count - before]);
    before = count;
  });
  return { kind: 'latency', counts, boundaries: buckets.map(({ seconds }) => seconds) };
}

/** Requests and values one by one, gathered into windows that start at whole multiples of their length. */
class RawRows {
  readonly #stepMs: number;
  readonly #windows = new Map<string, { base: Base; latency: Map<number, number>; values: Map<number, number> }>();

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  add(base: Base, reading: RowReading): void {
    const seconds = reading.text('events') === null ? reading.number('seconds') : null;
    const value = reading.number('value');
    if (seconds !== null && seconds < 0) {
      throw badData(reading.place, `seconds: ${seconds} is below 0`, 'write how long the request took');
    }
    const count = reading.countOf('count') ?? 1;
    const atMs = Math.floor(base.atMs / this.#stepMs) * this.#stepMs;
    const key = JSON.stringify([atMs, base.version, base.check, base.replica]);
    const window = this.#windows.get(key) ?? { base: { ...base, atMs }, latency: new Map(), values: new Map() };
    this.#windows.set(key, window);
    if (seconds !== null) raise(window.latency, latencyBucket(seconds), 1);
    if (value !== null) raise(window.values, value, count);
  }

  *parts(): Generator<Part> {
    for (const { base, latency, values } of this.#windows.values()) {
      if (latency.size > 0) yield { ...base, sample: { kind: 'latency', counts: sorted(latency) } };
      if (values.size > 0) yield { ...base, sample: { kind: 'values', counts: sorted(values) } };
    }
  }
}

function raise(counts: Map<number, number>, key: number, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

const sorted = (counts: ReadonlyMap<number, number>) => [...counts].sort(([a], [b]) => a - b);
