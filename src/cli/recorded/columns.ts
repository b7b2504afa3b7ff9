// Which columns a recorded CSV may have, and what a header makes of its rows. It refuses unknown columns: a misspelt one
// would be data that silently does not count.
import { nearestName } from '../../core/model/nearest.ts';
import type { CsvTable } from './csv.ts';
import { badData } from './recorded.ts';

const PLAIN = [
  'time',
  'version',
  'check',
  'replica',
  'weight',
  'total',
  'bad',
  'events',
  'seconds',
  'value',
  'count',
  'exposed',
] as const;
export type Column = (typeof PLAIN)[number];

export interface Columns {
  readonly at: Readonly<Partial<Record<Column, number>>>;
  /** Cumulative buckets: column and upper boundary in seconds, ascending; the last is Infinity. */
  readonly buckets: readonly { readonly column: number; readonly seconds: number }[];
  /** Conversions by age in windows. */
  readonly ages: readonly { readonly column: number; readonly age: number }[];
}

const BUCKET = /^le_(?<seconds>\+?Inf|\d+(?:\.\d+)?(?:e-?\d+)?)$/i;
const AGE = /^converted_(?<age>\d+)$/;

export function columnsOf({ header }: CsvTable, file: string): Columns {
  const place = { file, line: 1 };
  const at: Partial<Record<Column, number>> = {};
  const buckets: { column: number; seconds: number }[] = [];
  const ages: { column: number; age: number }[] = [];
  header.forEach((name, column) => {
    if (header.indexOf(name) !== column)
      throw badData(place, `the column "${name}" is there twice`, 'keep one of them');
    const bucket = BUCKET.exec(name)?.groups?.seconds;
    const age = AGE.exec(name)?.groups?.age;
    if (bucket !== undefined) buckets.push({ column, seconds: /inf/i.test(bucket) ? Infinity : Number(bucket) });
    else if (age !== undefined) ages.push({ column, age: Number(age) });
    else if (isColumn(name)) at[name] = column;
    else throw unknown(name, place);
  });
  const columns = { at, buckets: withInfinity(buckets, at.total).sort((a, b) => a.seconds - b.seconds), ages };
  refuseUnusable(columns, place);
  return columns;
}

function isColumn(name: string): name is Column {
  return (PLAIN as readonly string[]).includes(name);
}

/** The header of nothing we know is most likely no header at all. */
function unknown(name: string, place: { file: string; line: number }) {
  if (/^[-\d"]/.test(name)) {
    return badData(place, `"${name}" is no name of a column: is there a header?`, 'begin with time,version,total,bad');
  }
  const near = nearestName(name, [...PLAIN, 'le_0.1', 'converted_0']);
  const known = `known are ${PLAIN.join(', ')}, le_<seconds> and converted_<age>`;
  return badData(
    place,
    `the column "${name}" is not known`,
    near === undefined ? known : `did you mean ${near}? (${known})`,
  );
}

/** All requests are those of +Inf: where there is a total, the column may be left out. */
function withInfinity(buckets: { column: number; seconds: number }[], total: number | undefined) {
  if (buckets.length === 0 || total === undefined) return buckets;
  return buckets.some(({ seconds }) => seconds === Infinity)
    ? buckets
    : [...buckets, { column: total, seconds: Infinity }];
}

function refuseUnusable({ at, buckets, ages }: Columns, place: { file: string; line: number }): void {
  for (const name of ['time', 'version'] as const) {
    if (at[name] === undefined) throw badData(place, `there is no column ${name}`, 'begin with time,version,total,bad');
  }
  const needs = (name: Column, other: Column) => {
    if (at[name] === undefined || at[other] !== undefined) return;
    throw badData(place, `there is a column ${name}, and no column ${other}`, `add a column ${other}`);
  };
  needs('bad', 'total');
  needs('events', 'seconds');
  needs('count', 'value');
  if (ages.length > 0 && at.exposed === undefined) {
    throw badData(
      place,
      'there are conversions, and no column exposed',
      'add a column exposed: users first given this version',
    );
  }
  if (buckets.length > 0 && buckets.at(-1)?.seconds !== Infinity) {
    throw badData(place, 'there is no column le_+Inf', 'add le_+Inf (all requests), or a column total');
  }
  const isAnything =
    at.bad !== undefined || buckets.length > 0 || at.seconds !== undefined || at.value !== undefined || ages.length > 0;
  if (isAnything) return;
  throw badData(
    place,
    'there is no column to judge',
    'add total and bad, or le_0.1 … le_+Inf, seconds, value, or events and seconds',
  );
}
