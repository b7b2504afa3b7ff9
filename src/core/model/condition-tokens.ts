// The words and signs of a condition such as `result[0] >= 0.95 and not isNaN(result[0])`. Refuses every sign it does not
// know, with its place and the nearest right thing.

import { nearestName } from './nearest.ts';

/** Why a condition cannot be read: where, what, and what would be right. */
export class ConditionRefusal extends RangeError {
  /** Characters before it, from 0. */
  readonly position: number;
  readonly what: string;
  readonly nearest: string;

  constructor(position: number, what: string, nearest: string) {
    super(`at character ${position + 1}: ${what}; ${nearest}`);
    this.name = 'ConditionRefusal';
    this.position = position;
    this.what = what;
    this.nearest = nearest;
  }
}

export interface Token {
  readonly kind: 'number' | 'name' | 'sign' | 'end';
  readonly text: string;
  readonly position: number;
}

/** Longer conditions are mistakes; reading stays cheap. */
const LONGEST = 2000;

const NUMBER = /^(?:0[xX][0-9a-fA-F]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/;
const NAME = /^[A-Za-z_$][\w$]*/;
const SIGN = /^(?:&&|\|\||==|!=|<=|>=|\*\*|[-+*/%^<>!()[\],])/;

/** Signs of the whole language that are not read here, with what to write instead. */
const OTHERS: readonly (readonly [RegExp, string, string])[] = [
  [/^=/, '"=" compares nothing', 'write =='],
  [/^&/, '"&" is no sign here', 'write && or and'],
  [/^\?\?/, '"??" is not read here', 'write default(result, 0)'],
  [/^\?/, '"? :" is not read here', 'write a condition that is true or false by itself'],
  [/^\|/, '"|" is no sign here', 'write || or or'],
  [/^(?:"|'|`)/, 'texts are not read here', 'compare numbers, as in result[0] >= 0.95'],
  [/^\./, 'fields are not read here', 'let the query give a number, and write result or result[0]'],
  [/^[{}#]/, 'all(), any() and the like are not read here', 'write result[0] <= 1 and result[1] <= 1'],
  [/^;/, 'one condition has no ";"', 'join two by and'],
];

export function conditionTokens(text: string): readonly Token[] {
  if (text.length > LONGEST) {
    throw new ConditionRefusal(LONGEST, `a condition of ${text.length} characters is too long`, `keep to ${LONGEST}`);
  }
  const tokens: Token[] = [];
  let position = 0;
  for (;;) {
    position += (/^\s*/.exec(text.slice(position)) ?? [''])[0].length;
    if (position >= text.length) return [...tokens, { kind: 'end', text: 'the end', position: text.length }];
    const token = tokenAt(text, position);
    tokens.push(token);
    position += token.text.length;
  }
}

function tokenAt(text: string, position: number): Token {
  const rest = text.slice(position);
  for (const [kind, pattern] of [
    ['number', NUMBER],
    ['name', NAME],
    ['sign', SIGN],
  ] as const) {
    const found = pattern.exec(rest)?.[0];
    if (found !== undefined) return { kind, text: found, position };
  }
  const known = OTHERS.find(([pattern]) => pattern.test(rest));
  if (known !== undefined) throw new ConditionRefusal(position, known[1], known[2]);
  const sign = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  throw new ConditionRefusal(position, `"${sign}" is no sign here`, 'write something like result[0] >= 0.95');
}

/** "did you mean ...", or all the names there are. */
export function nearestOf(given: string, known: readonly string[]): string {
  const near = nearestName(given, known);
  return near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`;
}
