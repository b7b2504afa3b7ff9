// Conditions on a measured value: the part of expr-lang that people use in successCondition and failureCondition of Argo
// analyses. Reads a text once into a small tree and finds its value for a result. Refuses the rest of that language with
// the place and the nearest right thing (condition-tokens.ts); a value it cannot find is an answer, never a throw.
//
// Precedence is expr-lang's (parser/operator): or < and < comparison < + - < * / % < ! not < ** ^ < unary minus... so
// that `!a == b` is `(!a) == b` and `-2 ** 2` is −4.

import { ConditionRefusal, conditionTokens, nearestOf, type Token } from './condition-tokens.ts';

export { ConditionRefusal } from './condition-tokens.ts';

/** What a query may give: one value, a list of them, or nothing. */
export type ConditionResult = number | readonly number[] | null;

export type ConditionNode =
  | { readonly kind: 'value'; readonly value: number | boolean | null }
  | { readonly kind: 'result' }
  | { readonly kind: 'element'; readonly index: number }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly ConditionNode[] }
  | { readonly kind: 'unary'; readonly operator: '-' | '+' | 'not'; readonly operand: ConditionNode }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: ConditionNode;
      readonly right: ConditionNode;
    };

export interface Condition {
  readonly text: string;
  readonly root: ConditionNode;
}

const ARGUMENTS = { len: 1, isNaN: 1, isInf: 1, isNil: 1, default: 2, asFloat: 1, asInt: 1 } as const;
export type FunctionName = keyof typeof ARGUMENTS;

const BINARY = {
  or: 10,
  and: 15,
  '==': 20,
  '!=': 20,
  '<': 20,
  '<=': 20,
  '>': 20,
  '>=': 20,
  '+': 30,
  '-': 30,
  '*': 60,
  '/': 60,
  '%': 60,
  '**': 100,
} as const;
export type BinaryOperator = keyof typeof BINARY;
const SAME = { '||': 'or', '&&': 'and', '^': '**', '!': 'not' } as const;
const UNARY = { not: 50, '-': 90, '+': 90 } as const;
const ORDERING: ReadonlySet<string> = new Set(['<', '<=', '>', '>=']);
const WORDS = { true: true, false: false, nil: null } as const;
const NAMES = ['result', 'true', 'false', 'nil', 'and', 'or', 'not', ...Object.keys(ARGUMENTS)];
/** Names of the whole language, with what to write instead. */
const OTHERS: Readonly<Record<string, string>> = {
  in: 'write result == 1 or result == 2',
  all: 'write result[0] <= 1 and result[1] <= 1',
  any: 'write result[0] <= 1 or result[1] <= 1',
  null: 'write nil',
  let: 'write the value where it is used',
  contains: 'compare numbers',
  matches: 'compare numbers',
};
const DEEPEST = 200;

/**
 * Reads a condition; throws a ConditionRefusal and nothing else.
 *
 * @example parseCondition('result[0] >= 0.95')
 */
export function parseCondition(text: string): Condition {
  const reader = new Reader(conditionTokens(text));
  if (reader.now.kind === 'end') {
    throw new ConditionRefusal(0, 'the condition is empty', 'write something like result[0] >= 0.95');
  }
  const root = reader.expression(0, 0);
  const { now } = reader;
  if (now.kind !== 'end') {
    const joining = Object.hasOwn(OTHERS, now.text) ? OTHERS[now.text] : nearestOf(now.text, ['and', 'or']);
    const say = now.kind === 'name' && joining !== undefined ? joining : 'join two conditions by and';
    throw new ConditionRefusal(now.position, `"${now.text}" does not belong here`, say);
  }
  return { text, root };
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get now(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: 'the end', position: 0 };
  }

  /** Precedence climbing: all that binds at least as tightly as `least`. */
  expression(least: number, depth: number): ConditionNode {
    if (depth > DEEPEST) {
      throw new ConditionRefusal(this.now.position, `more than ${DEEPEST} levels of nesting`, 'write it simpler');
    }
    let left = this.#operand(depth);
    let compared = false;
    for (;;) {
      const { now } = this;
      const operator = binaryOf(now);
      if (operator === undefined || BINARY[operator] < least) return left;
      if (compared && ORDERING.has(operator)) {
        throw new ConditionRefusal(now.position, 'comparisons do not chain here', 'write a < b and b < c');
      }
      compared = ORDERING.has(operator);
      this.#at += 1;
      // ** groups to the right, the others to the left.
      const right = this.expression(operator === '**' ? BINARY[operator] : BINARY[operator] + 1, depth + 1);
      left = { kind: 'binary', operator, left, right };
    }
  }

  #operand(depth: number): ConditionNode {
    const token = this.now;
    const operator = unaryOf(token);
    if (operator !== undefined) {
      this.#at += 1;
      return { kind: 'unary', operator, operand: this.expression(UNARY[operator], depth + 1) };
    }
    this.#at += 1;
    if (token.kind === 'number') return { kind: 'value', value: this.#number(token) };
    if (token.kind === 'name') return this.#name(token, depth);
    if (token.text === '(' && token.kind === 'sign') {
      const inner = this.expression(0, depth + 1);
      this.#expect(')');
      return inner;
    }
    throw new ConditionRefusal(token.position, `a value is missing before "${token.text}"`, 'write result or a number');
  }

  #number({ text, position }: Token): number {
    const value = Number(text.replaceAll('_', ''));
    const next = this.now;
    if (next.kind === 'name' && next.position === position + text.length) {
      throw new ConditionRefusal(position, `"${text}${next.text}" is no number`, 'write 0.95, 300 or 1e-3');
    }
    if (Number.isFinite(value)) return value;
    throw new ConditionRefusal(position, `"${text}" is no number`, 'write 0.95, 300 or 1e-3');
  }

  #name(token: Token, depth: number): ConditionNode {
    const { text, position } = token;
    if (Object.hasOwn(WORDS, text)) return { kind: 'value', value: WORDS[text as keyof typeof WORDS] };
    if (text === 'result') return this.now.text === '[' ? this.#element() : { kind: 'result' };
    if (Object.hasOwn(ARGUMENTS, text)) return this.#call(text as FunctionName, position, depth);
    const other = Object.hasOwn(OTHERS, text) ? OTHERS[text] : undefined;
    throw new ConditionRefusal(position, `"${text}" is not known here`, other ?? nearestOf(text, NAMES));
  }

  #element(): ConditionNode {
    this.#at += 1;
    const minus = this.now.text === '-';
    if (minus) this.#at += 1;
    const token = this.now;
    const index = Number(token.text);
    if (token.kind !== 'number' || !Number.isSafeInteger(index)) {
      throw new ConditionRefusal(
        token.position,
        `"${token.text}" is no index`,
        'write a whole number, as in result[0]',
      );
    }
    this.#at += 1;
    this.#expect(']');
    return { kind: 'element', index: minus ? -index : index };
  }

  #call(name: FunctionName, position: number, depth: number): ConditionNode {
    const right = ARGUMENTS[name] === 2 ? `${name}(result, 0)` : `${name}(result)`;
    if (!this.#takes('(')) throw new ConditionRefusal(position, `${name} is a function`, `write ${right}`);
    const args: ConditionNode[] = [];
    while (!this.#takes(')')) {
      if (args.length > 0) this.#expect(',');
      args.push(this.expression(0, depth + 1));
    }
    if (args.length !== ARGUMENTS[name]) {
      throw new ConditionRefusal(
        position,
        `${name} takes ${ARGUMENTS[name]}, but got ${args.length}`,
        `write ${right}`,
      );
    }
    return { kind: 'call', name, args };
  }

  #takes(sign: string): boolean {
    if (this.now.kind !== 'sign' || this.now.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  #expect(sign: string): void {
    const { text, position } = this.now;
    if (this.#takes(sign)) return;
    throw new ConditionRefusal(position, `"${text}" stands where "${sign}" is due`, `write ${sign}`);
  }
}

function binaryOf({ kind, text }: Token): BinaryOperator | undefined {
  if (kind === 'number' || kind === 'end') return undefined;
  const plain = Object.hasOwn(SAME, text) ? SAME[text as keyof typeof SAME] : text;
  return Object.hasOwn(BINARY, plain) ? (plain as BinaryOperator) : undefined;
}

function unaryOf({ kind, text }: Token): keyof typeof UNARY | undefined {
  if (kind === 'number' || kind === 'end') return undefined;
  const plain = text === '!' ? 'not' : text;
  return Object.hasOwn(UNARY, plain) ? (plain as keyof typeof UNARY) : undefined;
}
