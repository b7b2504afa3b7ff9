import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conditionProblem } from './condition.ts';

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
    'isNaN(result) == isInf(result)',
    ' ( ( result ) ) > 0 ',
    '!!isNaN(result)',
  ]) {
    test(text, () => assert.equal(conditionProblem(text), null));
  }
});

const WRONG: readonly [text: string, word: string][] = [
  ['', 'missing'],
  ['result', 'not a yes or no'],
  ['0.95', 'not a yes or no'],
  ['1 < 2', 'does not look at result'],
  ['result[0] => 0.95', '"=" compares nothing'],
  ['result[0] = 1', '"=" compares nothing'],
  ['result[1] > 0', 'one entry'],
  ['result[0 > 0', '"]" is missing'],
  ['result[0]) > 0', 'too many'],
  ['(result > 0', '")" is missing before the end'],
  ['result > ', 'a value is missing before the end'],
  ['result 5', 'too many'],
  ['reslt > 5', 'did you mean result'],
  ['isNan(result)', 'did you mean isNaN'],
  ['rate(result) > 5', 'means nothing'],
  ['result > "5"', 'means nothing'],
  ['all(result, # < 5)', 'means nothing'],
  ['1 < result < 2', 'must be a value'],
  ['!result', 'must be a yes or no'],
  ['result && result > 1', 'must be a yes or no'],
  ['isNaN(result) + 1 > 0', 'must be a value'],
  ['isNaN(result) == 1', 'must be a value'],
  ['default(result) > 1', '"," is missing'],
  ['len result > 1', '"(" is missing'],
  ['-isNaN(result)', 'must be a value'],
  [`${'('.repeat(400)}result > 0${')'.repeat(400)}`, 'nested too deeply'],
  [`${'!'.repeat(900)}isNaN(result)`, 'nested too deeply'],
  ['result.value > 0', 'means nothing'],
  ['result > constructor', 'means nothing'],
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
