// Recorded windows as JSON: an array of windows, or an object that holds one. Samples have the shapes that the metric
// sources of a live release answer with. Refuses unknown fields and shapes, with the path and the line.
import { LineCounter, parseDocument } from 'yaml';
import type { Sample } from '../../core/model/measurement.ts';
import { nearestName } from '../../core/model/nearest.ts';
import { badData, type Part, type ReadData } from './recorded.ts';
import { parseTime } from './times.ts';

type Path = readonly (string | number)[];
type Fields = Readonly<Record<string, unknown>>;

/** What is wrong, and where in the document; the line is looked for only then. */
class Misfit extends Error {
  readonly path: Path;
  readonly fix: string;

  constructor(path: Path, problem: string, fix: string) {
    super(problem);
    this.path = path;
    this.fix = fix;
  }
}

export function readJsonParts(
  body: unknown,
  { file, text }: { readonly file: string; readonly text: string },
): ReadData {
  try {
    return readBody(body, file);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    const where = error.path.reduce<string>(
      (before, part) => (typeof part === 'number' ? `${before}[${part}]` : before === '' ? part : `${before}.${part}`),
      '',
    );
    const problem = where === '' ? error.message : `${where}: ${error.message}`;
    throw badData({ file, line: lineOf(text, error.path) }, problem, error.fix);
  }
}

/** JSON is YAML: its reader knows where each value stands. */
function lineOf(text: string, path: Path): number | null {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent' });
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] } | undefined;
      if (node?.range?.[0] !== undefined) return lines.linePos(node.range[0]).line;
    }
  } catch {
    // Too deep or too odd for a position; the path says it.
  }
  return null;
}

const BODY = ['windows', 'stable', 'canary', 'step'] as const;
const WINDOW = ['time', 'weight', 'readings'] as const;

function readBody(body: unknown, file: string): ReadData {
  const whole = Array.isArray(body) ? { windows: body } : fields(body, [], BODY);
  const path: Path = Array.isArray(body) ? [] : ['windows'];
  const windows = list(whole.windows, path);
  if (windows.length === 0) throw new Misfit(path, 'there is no window', 'write at least one window');
  const step = whole.step === undefined ? null : positive(whole.step, ['step']);
  return {
    parts: windows.flatMap((window, index) => readWindow(window, [...path, index], file)),
    notes: [],
    stepMs: step === null ? null : step * 1_000,
    stable: name(whole.stable, ['stable']),
    canary: name(whole.canary, ['canary']),
  };
}

function name(value: unknown, path: Path): string | null {
  if (value === undefined || (typeof value === 'string' && value !== '')) return (value as string | undefined) ?? null;
  throw new Misfit(path, 'is not the name of a version', 'write it as text: "v2"');
}

function readWindow(window: unknown, path: Path, file: string): Part[] {
  const read = fields(window, path, WINDOW);
  const time = typeof read.time === 'number' || typeof read.time === 'string' ? parseTime(String(read.time)) : null;
  if (time === null)
    throw new Misfit([...path, 'time'], 'there is no time', 'write where the window starts: "time": 0');
  if (!time.ok) throw new Misfit([...path, 'time'], time.problem, time.fix);
  const weight = read.weight === undefined || read.weight === null ? null : number(read.weight, [...path, 'weight']);
  const base = { atMs: time.atMs, weightPercent: weight, place: { file, line: null } };
  const parts: Part[] = [];
  for (const [check, byVersion] of entries(read.readings, [...path, 'readings'])) {
    for (const [version, sample] of entries(byVersion, [...path, 'readings', check])) {
      const at = [...path, 'readings', check, version];
      parts.push({ ...base, check, version, replica: null, sample: readSample(sample, at) });
    }
  }
  return parts;
}

const KINDS = ['proportion', 'latency', 'count', 'values', 'cohort', 'gauge'] as const;
const OF_KIND = {
  proportion: ['kind', 'total', 'bad'],
  latency: ['kind', 'counts', 'boundaries'],
  count: ['kind', 'events', 'seconds'],
  values: ['kind', 'counts'],
  cohort: ['kind', 'exposed', 'converted'],
  gauge: ['kind', 'values'],
} as const;

function readSample(value: unknown, path: Path): Sample {
  const kind = (value as { kind?: unknown } | null)?.kind;
  if (typeof kind !== 'string' || !(KINDS as readonly string[]).includes(kind)) {
    const near = typeof kind === 'string' ? nearestName(kind, KINDS) : undefined;
    const fix = near === undefined ? `write "kind": one of ${KINDS.join(', ')}` : `did you mean "${near}"?`;
    throw new Misfit([...path, 'kind'], 'is not a kind of sample', fix);
  }
  const read = fields(value, path, OF_KIND[kind as (typeof KINDS)[number]]);
  const count = (field: string) => whole(read[field], [...path, field]);
  const pairs = (field: string) =>
    list(read[field], [...path, field]).map((each, i) => pair(each, [...path, field, i]));
  switch (kind as (typeof KINDS)[number]) {
    case 'proportion': {
      const [total, bad] = [count('total'), count('bad')];
      if (bad > total)
        throw new Misfit([...path, 'bad'], `${bad} bad of ${total} in all`, 'total counts the bad ones too');
      return { kind: 'proportion', total, bad };
    }
    case 'latency': {
      const boundaries =
        read.boundaries === undefined ? undefined : readBoundaries(read.boundaries, [...path, 'boundaries']);
      return { kind: 'latency', counts: pairs('counts'), ...(boundaries === undefined ? {} : { boundaries }) };
    }
    case 'count':
      return { kind: 'count', events: count('events'), seconds: number(read.seconds, [...path, 'seconds']) };
    case 'values':
      return { kind: 'values', counts: pairs('counts') };
    case 'cohort':
      return { kind: 'cohort', exposed: count('exposed'), converted: pairs('converted') };
    case 'gauge': {
      const values = list(read.values, [...path, 'values']);
      return { kind: 'gauge', values: values.map((each, i) => number(each, [...path, 'values', i])) };
    }
  }
}

/** JSON has no Infinity: the last boundary is written "+Inf". */
function readBoundaries(value: unknown, path: Path): number[] {
  const boundaries = list(value, path).map((each, i) => (each === '+Inf' ? Infinity : number(each, [...path, i])));
  const rises = boundaries.every((each, i) => i === 0 || each > (boundaries[i - 1] ?? each));
  if (rises && boundaries.at(-1) === Infinity) return boundaries;
  throw new Misfit(path, 'boundaries must rise and end with "+Inf"', 'write them as in [0.1, 0.5, "+Inf"]');
}

function pair(value: unknown, path: Path): readonly [number, number] {
  const [key, count, ...more] = list(value, path);
  if (more.length > 0) throw new Misfit(path, 'is more than a pair', 'write [value, count]');
  return [number(key, [...path, 0]), whole(count, [...path, 1])];
}

function fields(value: unknown, path: Path, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Misfit(path, 'is not an object', `write an object with ${known.join(', ')}`);
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known);
    throw new Misfit(
      [...path, key],
      'is not a known field',
      near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`,
    );
  }
  return value as Fields;
}

function entries(value: unknown, path: Path): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw new Misfit(path, 'is not an object of names', 'write {"errors": {"v1": {...}, "v2": {...}}}');
}

function list(value: unknown, path: Path): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Misfit(path, value === undefined ? 'is missing' : 'is not a list', 'write a list: [...]');
}

function number(value: unknown, path: Path): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Misfit(path, value === undefined ? 'is missing' : 'is not a number', 'write a number, without quotes');
}

function positive(value: unknown, path: Path): number {
  const read = number(value, path);
  if (read > 0) return read;
  throw new Misfit(path, `${read} is not above 0`, 'write the seconds of a window');
}

function whole(value: unknown, path: Path): number {
  const read = number(value, path);
  if (Number.isSafeInteger(read) && read >= 0) return read;
  throw new Misfit(path, `${read} is not a count`, 'write counts of the window, never rates or percentages');
}
