import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateCondition, parseCondition } from '../../src/core/analysis/thresholds/index.ts';
import { conditionProblem } from '../../src/core/model/condition-problem.ts';
import { createRandom } from '../../src/core/statistics/random.ts';
import { pick } from './mutate.ts';

const WORDS = [
  'result[0]',
  'result[0]',
  '0.95',
  '1',
  '>=',
  '<',
  '==',
  '!=',
  '+',
  '*',
  '**',
  '-',
  'and',
  'or',
  'not',
  '(',
];
const MORE = [
  ')',
  'isNaN(result[0])',
  'isNil(result)',
  'default(result[0], 0)',
  'true',
  'nil',
  'len(result)',
  ',',
  '[',
];

test('a condition that a policy may hold has an answer for every value; what has none was refused', () => {
  let taken = 0;
  for (let run = 0; run < 20_000; run++) {
    const random = createRandom(`condition/${run}`);
    const length = pick(random, [1, 3, 3, 5, 7, 9]);
    const text = Array.from({ length }, () => pick(random, [...WORDS, ...MORE])).join(' ');
    const problem = conditionProblem(text);
    if (problem !== null) {
      assert.ok(problem.problem.length > 5 && problem.fix.length > 5, `${text}: ${JSON.stringify(problem)}`);
      continue;
    }
    taken += 1;
    const condition = parseCondition(text);
    for (const value of [0, 0.95, 1, -1, 1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
      const answer = evaluateCondition(condition, [value]);
      // nil is a value that no arithmetic takes; whether it is reached may depend on the value measured.
      if (answer.kind === 'error') assert.match(answer.reason, /nil|list/, `${text} at ${value}`);
    }
  }
  assert.ok(taken > 200, `${taken} taken`);
});
