/**
 * The text that exporters show to Prometheus (exposition format 0.0.4 and OpenMetrics 1.0): samples with their names,
 * labels and values; time stamps and exemplars are read past. It refuses lines it cannot read instead of leaving them out,
 * and numbers that are none: what is counted must be what was written.
 */
import { HaldaneError } from './errors.ts';

export interface TextSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class MetricsTextError extends HaldaneError {
  constructor(line: number, text: string) {
    super(`line ${line} is not a sample: ${text.slice(0, 80)}`, {
      code: 'metrics-text',
      path: `line ${line}`,
      fix: 'let the endpoint speak the Prometheus text format',
    });
  }
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\["\\n])*)"[ \t]*/y;
/** A value, perhaps a time stamp, perhaps an exemplar. */
const REST = /^[ \t]+([^ \t]+)(?:[ \t]+(?:[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?))?[ \t]*(?:#[ \t]*\{.*)?$/;
const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/** @param wanted names that are kept; others are read past. */
export function parseMetricsText(text: string, wanted: ReadonlySet<string>): readonly TextSample[] {
  const samples: TextSample[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/^[ \t]+|[ \t\r]+$/g, '');
    if (line === '' || line.startsWith('#')) continue;
    const sample = sampleIn(line);
    if (sample === null) throw new MetricsTextError(index + 1, line);
    if (wanted.has(sample.name)) samples.push(sample);
  }
  return samples;
}

function sampleIn(line: string): TextSample | null {
  NAME.lastIndex = 0;
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return null;
  const found = labelsAt(line, name.length);
  if (found === null) return null;
  // After a closing brace the value may follow at once.
  const rest = REST.exec(found.end > name.length ? ` ${line.slice(found.end)}` : line.slice(found.end));
  const value = readValue(rest?.[1] ?? '');
  return value === null ? null : { name, labels: found.labels, value };
}

interface Labels {
  readonly labels: Readonly<Record<string, string>>;
  /** Where the line goes on. */
  readonly end: number;
}

function labelsAt(line: string, start: number): Labels | null {
  let at = start;
  while (line[at] === ' ' || line[at] === '\t') at++;
  if (line[at] !== '{') return { labels: {}, end: start };
  at++;
  const labels = new Map<string, string>();
  for (;;) {
    LABEL.lastIndex = at;
    const found = LABEL.exec(line);
    if (found === null) break;
    const [whole, label = '', escaped = ''] = found;
    if (labels.has(label)) return null;
    labels.set(label, unescaped(escaped));
    at += whole.length;
    if (line[at] !== ',') break;
    at++;
  }
  while (line[at] === ' ' || line[at] === '\t') at++;
  return line[at] === '}' ? { labels: Object.fromEntries(labels), end: at + 1 } : null;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, each: string) => (each === 'n' ? '\n' : each));
}

/** null: no number. */
function readValue(text: string): number | null {
  const value = numberOf(text);
  return Number.isNaN(value) && !/^[+-]?nan$/i.test(text) ? null : value;
}

/** "+Inf", "1e3", "NaN" as they stand; anything else that is no number is NaN. */
export function numberOf(text: string): number {
  if (/^\+?inf(?:inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(?:inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}
