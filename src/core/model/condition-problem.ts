// What is wrong with a condition over one measured value, told when a policy is read: beside what condition.ts cannot read,
// all that could only fail at a measurement. A condition that is a number, one that compares a yes with a number, one that
// does not look at `result` at all. It computes nothing.
import { type ConditionNode, ConditionRefusal, parseCondition } from './condition.ts';

export interface ConditionProblem {
  readonly problem: string;
  readonly fix: string;
}

type Kind = 'value' | 'yes-no';

const YES_NO_FUNCTIONS: ReadonlySet<string> = new Set(['isNaN', 'isInf', 'isNil']);
const ORDERED = ['<', '<=', '>', '>='];
const COMPARE = 'compare it, as in result[0] >= 0.95';

/** Thrown and caught in this file only: the tree knows no places. */
class KindRefusal extends Error {
  readonly told: ConditionProblem;

  constructor(problem: string, fix: string) {
    super(problem);
    this.told = { problem, fix };
  }
}

/** @example conditionProblem('result[0] >= 0.95') // null */
export function conditionProblem(text: string): ConditionProblem | null {
  try {
    const { root } = parseCondition(text);
    if (kindOf(root) === 'value') throw new KindRefusal('it is a value, not a yes or no', COMPARE);
    if (!looksAtResult(root)) throw new KindRefusal('it never looks at result, so it is always the same', COMPARE);
    return null;
  } catch (error) {
    if (error instanceof KindRefusal) return error.told;
    if (!(error instanceof ConditionRefusal)) throw error;
    return { problem: `at character ${error.position + 1}: ${error.what}`, fix: error.nearest };
  }
}

function kindOf(node: ConditionNode): Kind {
  switch (node.kind) {
    case 'value':
      return typeof node.value === 'boolean' ? 'yes-no' : 'value';
    case 'result':
      return 'value';
    case 'element':
      if (node.index === 0 || node.index === -1) return 'value';
      throw new KindRefusal(`result[${node.index}] is asked for, and one value is measured`, 'write result[0]');
    case 'call':
      for (const given of node.args) need('value', given, `what ${node.name}() is given`);
      return YES_NO_FUNCTIONS.has(node.name) ? 'yes-no' : 'value';
    case 'unary': {
      const wanted = node.operator === 'not' ? 'yes-no' : 'value';
      need(wanted, node.operand, `what follows ${node.operator}`);
      return wanted;
    }
    case 'binary':
      return binaryKind(node);
  }
}

function binaryKind({ operator, left, right }: Extract<ConditionNode, { kind: 'binary' }>): Kind {
  if (operator === '==' || operator === '!=') {
    need(kindOf(left), right, `the right of ${operator}`);
    return 'yes-no';
  }
  const isJoin = operator === 'and' || operator === 'or';
  need(isJoin ? 'yes-no' : 'value', left, `the left of ${operator}`);
  need(isJoin ? 'yes-no' : 'value', right, `the right of ${operator}`);
  return isJoin || ORDERED.includes(operator) ? 'yes-no' : 'value';
}

function need(wanted: Kind, node: ConditionNode, where: string): void {
  const kind = kindOf(node);
  if (kind === wanted) return;
  if (kind === 'value') throw new KindRefusal(`${where} is a value and must be a yes or no`, COMPARE);
  throw new KindRefusal(`${where} is a yes or no and must be a value`, 'join comparisons by and, or');
}

function looksAtResult(node: ConditionNode): boolean {
  switch (node.kind) {
    case 'value':
      return false;
    case 'result':
    case 'element':
      return true;
    case 'call':
      return node.args.some(looksAtResult);
    case 'unary':
      return looksAtResult(node.operand);
    case 'binary':
      return looksAtResult(node.left) || looksAtResult(node.right);
  }
}
