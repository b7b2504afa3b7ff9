// A selector of counters as people write it, taken apart and put together again: name{label="value", ...}. Parameters are
// filled into the values only after it has been taken apart, and every value is written anew, escaped for a string and for a
// pattern: whatever a value holds, what is asked keeps its shape. It refuses functions, ranges and whatever else it does not
// know.
import { NotCounts } from './samples.ts';

export interface Matcher {
  readonly label: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface Selector {
  /** Empty where a matcher says it. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
}

/** What a selector may name. */
export interface Parameters {
  readonly namespace: string;
  /** Names of pods. */
  readonly pods: readonly string[];
  readonly service: string;
}

const NAME = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*/;
const MATCHER = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')\s*/y;
const PARAMETER = /\$(\w*)/g;

export function parseSelector(text: string): Selector {
  const found = NAME.exec(text);
  const name = found?.[1];
  if (found === null || name === undefined) throw refused(text);
  let at = found[0].length;
  if (at === text.length) return { name, matchers: [] };
  if (text[at] !== '{') throw refused(text);
  at++;
  const matchers: Matcher[] = [];
  for (;;) {
    MATCHER.lastIndex = at;
    const matched = MATCHER.exec(text);
    if (matched === null) break;
    const [whole, label = '', op = '=', quotedValue = ''] = matched;
    matchers.push({ label, op: op as Matcher['op'], value: unquoted(quotedValue, text) });
    at += whole.length;
    if (text[at] !== ',') break;
    at++;
  }
  if (!/^\s*\}\s*$/.test(text.slice(at))) throw refused(text);
  return { name, matchers };
}

export function formatSelector({ name, matchers }: Selector): string {
  return `${name}{${matchers.map(({ label, op, value }) => `${label}${op}${quoted(value)}`).join(',')}}`;
}

/** $name becomes its value: a pattern that matches exactly it where a pattern stands, the text itself elsewhere. */
export function filled({ name, matchers }: Selector, parameters: Parameters): Selector {
  return { name, matchers: matchers.map((matcher) => ({ ...matcher, value: filledValue(matcher, parameters) })) };
}

export function namesParameter({ matchers }: Selector, parameter: keyof Parameters): boolean {
  return matchers.some(({ value }) => [...value.matchAll(PARAMETER)].some(([, name]) => name === parameter));
}

function filledValue({ label, op, value }: Matcher, { namespace, pods, service }: Parameters): string {
  const isPattern = op === '=~' || op === '!~';
  return value.replace(PARAMETER, (whole, name: string) => {
    if (name === 'namespace') return isPattern ? literal(namespace) : namespace;
    if (name === 'service') return isPattern ? literal(service) : service;
    if (name === 'pods') {
      if (isPattern) return anyOf(pods);
      throw new NotCounts(`${label}${op}"$pods" compares with one name: write ${label}=~"$pods"`);
    }
    // The end of a pattern, or a parameter nobody knows.
    if (isPattern && name === '') return whole;
    throw new NotCounts(`there is no ${whole}: known are $pods, $namespace and $service`);
  });
}

/** A pattern of RE2 that matches exactly these. */
export function anyOf(names: readonly string[]): string {
  return `(?:${names.map(literal).join('|')})`;
}

export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}"`;
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function unquoted(text: string, selector: string): string {
  return text.slice(1, -1).replace(/\\([\s\S])/g, (_, each: string) => {
    if (/[\\"']/.test(each)) return each;
    const meant = ESCAPED[each];
    if (meant === undefined)
      throw new NotCounts(`\\${each} in ${selector.slice(0, 80)} is not known: write \\\\${each}`);
    return meant;
  });
}

function refused(text: string): NotCounts {
  return new NotCounts(
    `"${text.slice(0, 80)}" is not a plain selector of a counter, as in requests_total{pod=~"$pods"}`,
  );
}
