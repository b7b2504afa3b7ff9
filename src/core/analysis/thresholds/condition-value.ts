// The value of a condition for one result, with Go's and expr-lang's rules where they show: not a number is unequal to
// all and never larger or smaller, and/or stop as soon as they know, isNil() and default() look at the result whatever
// they are given. Refuses nothing: what cannot be found is an answer with a reason, which Argo calls an error.

import type { BinaryOperator, Condition, ConditionNode, ConditionResult, FunctionName } from '../../model/condition.ts';

export type ConditionAnswer =
  | { readonly kind: 'answer'; readonly value: boolean }
  | { readonly kind: 'error'; readonly reason: string };

type Value = number | boolean | null | readonly number[];

/** Thrown and caught in this file only. */
class NoValue extends Error {}

/** @example evaluateCondition(parseCondition('result[0] >= 0.95'), [0.99]) // { kind: 'answer', value: true } */
export function evaluateCondition({ root, text }: Condition, result: ConditionResult): ConditionAnswer {
  try {
    const value = valueFor(root, result);
    if (typeof value === 'boolean') return { kind: 'answer', value };
    return { kind: 'error', reason: `"${text}" is ${named(value)}, and must be true or false` };
  } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    const empty = result === null || (typeof result !== 'number' && result.length === 0);
    return { kind: 'error', reason: empty ? `the query gave no value for "${text}"` : error.message };
  }
}

function valueFor(node: ConditionNode, result: ConditionResult): Value {
  switch (node.kind) {
    case 'value':
      return node.value;
    case 'result':
      return result;
    case 'element':
      return elementOf(result, node.index);
    case 'call':
      return called(node.name, node.args, result);
    case 'unary': {
      const operand = valueFor(node.operand, result);
      if (node.operator === 'not') return !truth('not', operand);
      const value = numeric(node.operator, operand);
      return node.operator === '-' ? -value : value;
    }
    case 'binary':
      return binary(node.operator, node, result);
  }
}

function elementOf(result: ConditionResult, index: number): number {
  if (result === null || typeof result === 'number') {
    throw new NoValue(`result is ${named(result)}, not a list: write result instead of result[${index}]`);
  }
  const value = result.at(index);
  if (value === undefined) throw new NoValue(`result[${index}] is outside of ${result.length} values`);
  return value;
}

function called(name: FunctionName, args: readonly ConditionNode[], result: ConditionResult): Value {
  const [first = null, second = null] = args.map((arg) => valueFor(arg, result));
  switch (name) {
    case 'len':
      if (typeof first !== 'object' || first === null) throw new NoValue(`len() needs a list, but got ${named(first)}`);
      return first.length;
    case 'isNaN':
      return Number.isNaN(numeric('isNaN()', first));
    case 'isInf':
      return Math.abs(numeric('isInf()', first)) === Number.POSITIVE_INFINITY;
    case 'isNil':
      return result === null;
    case 'default':
      return result === null ? second : result;
    case 'asFloat':
      return numeric('asFloat()', first);
    case 'asInt': {
      const whole = Math.trunc(numeric('asInt()', first));
      if (!Number.isFinite(whole)) throw new NoValue(`asInt() has no whole number for ${whole}`);
      return whole;
    }
  }
}

function binary(
  operator: BinaryOperator,
  { left, right }: Extract<ConditionNode, { kind: 'binary' }>,
  result: ConditionResult,
): Value {
  const first = valueFor(left, result);
  if (operator === 'and') return truth('and', first) && truth('and', valueFor(right, result));
  if (operator === 'or') return truth('or', first) || truth('or', valueFor(right, result));
  const second = valueFor(right, result);
  if (operator === '==') return equal(first, second);
  if (operator === '!=') return !equal(first, second);
  return arithmetic(operator, numeric(operator, first), numeric(operator, second));
}

function arithmetic(operator: Exclude<BinaryOperator, 'and' | 'or' | '==' | '!='>, a: number, b: number): Value {
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      if (!Number.isInteger(a) || !Number.isInteger(b) || b === 0) {
        throw new NoValue(`% needs whole numbers and a divisor other than 0, but got ${a} % ${b}`);
      }
      return a % b;
    case '**':
      return a ** b;
  }
}

function equal(a: Value, b: Value): boolean {
  if (a === null || b === null || typeof a === typeof b) {
    if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) {
      return a.length === b.length && a.every((value, i) => value === b[i]);
    }
    return a === b;
  }
  throw new NoValue(`${named(a)} and ${named(b)} cannot be compared`);
}

function numeric(by: string, value: Value): number {
  if (typeof value === 'number') return value;
  throw new NoValue(`${by} needs a number, but got ${named(value)}`);
}

function truth(by: string, value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw new NoValue(`${by} needs true or false, but got ${named(value)}`);
}

function named(value: Value): string {
  if (value === null) return 'nil';
  return typeof value === 'object' ? `a list of ${value.length}` : String(value);
}
