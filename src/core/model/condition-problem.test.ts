import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conditionProblem } from './condition-problem.ts';

describe('conditions as people of Argo write them are taken', () => {
  for (const text of [
    'result[0] >= 0.95',
    'result >= 0.95',
    'len(result) == 0 || result[0] < 1e-3',
    'result[0] >= 0.9 && result[0] <= 1',
    'not (result[0] > 5) and !isNaN(result[0])',
    'isNil(result) or isInf(result[0])',
    'default(result, 0) < 5',
    'asFloat(result[0]) * 100 - 3 > -2 % 7',
    'asInt(result) / 2 == 1',
    'result != nil and result[-1] > .5',
    'result ^ 2 < 4 == true',
    'isNaN(result) == isInf(result)',
    ' ( ( result ) ) > 0 ',
    '!!isNaN(result)',
  ]) {
    test(text, () => assert.equal(conditionProblem(text), null));
  }
});

const WRONG: readonly [text: string, word: string][] = [
  ['', 'the condition is empty'],
  ['result', 'not a yes or no'],
  ['0.95', 'not a yes or no'],
  ['1 < 2', 'never looks at result'],
  ['true', 'never looks at result'],
  ['result[0] => 0.95', '"=" compares nothing'],
  ['result[0] = 1', '"=" compares nothing'],
  ['result[1] > 0', 'write result[0]'],
  ['result[0 > 0', 'write ]'],
  ['result[0]) > 0', 'does not belong here'],
  ['(result > 0', 'write )'],
  ['result > ', 'a value is missing before'],
  ['result 5', 'join two conditions by and'],
  ['reslt > 5', 'did you mean result'],
  ['isNan(result)', 'did you mean isNaN'],
  ['rate(result) > 5', 'not known here'],
  ['result > "5"', 'texts are not read here'],
  ['all(result, # < 5)', 'not read here'],
  ['1 < result < 2', 'do not chain'],
  ['(1 < result) < 2', 'must be a value'],
  ['!result', 'must be a yes or no'],
  ['result && result > 1', 'must be a yes or no'],
  ['isNaN(result) + 1 > 0', 'must be a value'],
  ['isNaN(result) == 1', 'must be a yes or no'],
  ['default(result) > 1', 'default takes 2'],
  ['len result > 1', 'len is a function'],
  ['-isNaN(result)', 'must be a value'],
  [`${'('.repeat(400)}result > 0${')'.repeat(400)}`, 'levels of nesting'],
  [`${'!'.repeat(900)}isNaN(result)`, 'levels of nesting'],
  ['result.value > 0', 'fields are not read here'],
  ['result > constructor', 'not known here'],
];

describe('what is no condition is refused with reason and fix', () => {
  for (const [text, word] of WRONG) {
    test(text.slice(0, 60), () => {
      const found = conditionProblem(text);
      assert.ok(found !== null, 'was taken');
      assert.ok(`${found.problem} ${found.fix}`.includes(word), JSON.stringify(found));
    });
  }
});
