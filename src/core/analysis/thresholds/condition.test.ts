// Conditions: what is read, what it means, and what is refused with the nearest right thing. Precedence and the meaning
// of functions are expr-lang's (v1.17) and Argo's evaluate.go (argoproj/argo-rollouts, 9f8d111).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConditionRefusal, type ConditionResult, parseCondition } from '../../model/condition.ts';
import { evaluateCondition } from './condition-value.ts';

function answer(text: string, result: ConditionResult): boolean {
  const found = evaluateCondition(parseCondition(text), result);
  assert.equal(found.kind, 'answer', found.kind === 'error' ? `${text}: ${found.reason}` : '');
  return found.kind === 'answer' && found.value;
}

function error(text: string, result: ConditionResult): string {
  const found = evaluateCondition(parseCondition(text), result);
  assert.equal(found.kind, 'error', text);
  return found.kind === 'error' ? found.reason : '';
}

function refusal(text: string): string {
  try {
    parseCondition(text);
  } catch (thrown) {
    assert.ok(thrown instanceof ConditionRefusal, `${thrown}`);
    return thrown.message;
  }
  return assert.fail(`"${text}" was read`);
}

describe('a condition', () => {
  it('is what people write', () => {
    const cases: readonly (readonly [string, ConditionResult, boolean])[] = [
      ['result[0] >= 0.95', [0.95], true],
      ['result >= 0.95', 0.94, false],
      ['result[0] < 500', [499.9], true],
      ['len(result) == 0 || isNaN(result[0]) || result[0] >= 0.95', [], true],
      ['len(result) > 0 && result[0] <= .05', [0.05], true],
      ['isNaN(result[0]) or result[0] > 0.9', [Number.NaN], true],
      ['not (result[0] > 0.9) and !isInf(result[0])', [0.5], true],
      ['default(result, 0) < 0.05', null, true],
      ['default(result, 0) < 0.05', 0.06, false],
      ['isNil(result) || result < 5', null, true],
      ['asFloat(result) < 1e-3', 0.0009, true],
      ['asInt(result[0]) == 2', [2.9], true],
      ['result[-1] == 3 and result[0] != 3', [1, 2, 3], true],
      ['result == nil', null, true],
      ['result != nil', 0, true],
      ['(result[0] - result[1]) / result[1] <= 0.1', [1.05, 1], true],
      ['true', null, true],
      ['result < 1_000', 999, true],
      ['result == 0x10', 16, true],
    ];
    for (const [text, result, expected] of cases) assert.equal(answer(text, result), expected, text);
  });

  it('binds as expr-lang does', () => {
    for (const text of [
      'true or false and false',
      '1 + 2 * 3 == 7',
      '(1 + 2) * 3 == 9',
      '10 - 4 - 3 == 3',
      '12 / 4 / 3 == 1',
      '2 ** 3 ** 2 == 512',
      '2 ^ 3 == 8',
      '-2 ** 2 == -4',
      '7 % 4 == 3',
      '!false == true',
      'not false and true',
      '1 < 2 == true != false',
      '1 / 0 > 1000000',
      '- -1 == +1',
    ]) {
      assert.equal(answer(text, null), true, text);
    }
  });

  it('stops as soon as it knows, so that a guard protects', () => {
    assert.equal(answer('len(result) == 0 or result[0] > 1', []), true);
    assert.equal(answer('len(result) > 0 and result[0] > 1', []), false);
    assert.match(error('result[0] > 1 or len(result) == 0', []), /no value/);
  });

  it('knows that not a number is neither more nor less, and unequal to itself', () => {
    for (const text of ['result >= 0', 'result < 0', 'result == result']) assert.equal(answer(text, Number.NaN), false);
    assert.equal(answer('result != result', Number.NaN), true);
  });

  it('asks isNil() and default() about the result, whatever they are given, as in Argo', () => {
    assert.equal(answer('isNil(5)', null), true);
    assert.equal(answer('default(5, 1) == 7', 7), true);
    assert.equal(answer('isNil(result)', []), false);
  });

  it('answers an error where there is no value', () => {
    assert.match(error('result[0] > 1', []), /the query gave no value for "result\[0\] > 1"/);
    assert.match(error('result > 1', null), /no value/);
    assert.match(error('result[3] > 1', [1]), /result\[3\] is outside of 1 values/);
    assert.match(error('result[0] > 1', 1), /write result instead of result\[0\]/);
    assert.match(error('result > 1', [1, 2]), /> needs a number, but got a list of 2/);
    assert.match(error('result', 1), /must be true or false/);
    assert.match(error('result && true', 1), /and needs true or false, but got 1/);
    assert.match(error('len(result) > 0', 1), /len\(\) needs a list/);
    assert.match(error('result == true', 1), /cannot be compared/);
    assert.match(error('1.5 % 2 == 1', 1), /% needs whole numbers/);
    assert.match(error('asInt(result) == 1', Number.NaN), /no whole number/);
  });

  it('is refused with its place, what is wrong, and the nearest right thing', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /at character 1: the condition is empty; write something like result\[0\] >= 0.95/],
      ['result[0] = 1', /at character 11: "=" compares nothing; write ==/],
      ['reslt[0] > 1', /at character 1: "reslt" is not known here; did you mean result\?/],
      ['isNan(result)', /"isNan" is not known here; did you mean isNaN\?/],
      ['cpu > 1', /"cpu" is not known here; known are result, true/],
      ['result.status == 1', /at character 7: fields are not read here; let the query give a number/],
      ['result == "ok"', /texts are not read here/],
      ['all(result, # < 1)', /at character 13: all\(\), any\(\) and the like are not read here/],
      ['all(result, true)', /"all" is not known here; write result\[0\] <= 1 and result\[1\] <= 1/],
      ['result in [1, 2]', /"in" does not belong here; write result == 1 or result == 2/],
      ['result > 1 ? true : false', /"\? :" is not read here/],
      ['result ?? 0 > 1', /write default\(result, 0\)/],
      ['result & true', /"&" is no sign here; write && or and/],
      ['0 < result < 1', /at character 12: comparisons do not chain here; write a < b and b < c/],
      ['result[0', /"the end" stands where "\]" is due/],
      ['result[x] > 1', /"x" is no index/],
      ['(result > 1', /"the end" stands where "\)" is due/],
      ['result >', /a value is missing before "the end"/],
      ['isNaN', /isNaN is a function; write isNaN\(result\)/],
      ['default(result)', /default takes 2, but got 1; write default\(result, 0\)/],
      ['result > 5%', /a value is missing/],
      ['result > 100ms', /"100ms" is no number/],
      ['result > 1 result < 2', /"result" does not belong here/],
      ['result > 1; true', /one condition has no ";"/],
      ['result ≥ 1', /"≥" is no sign here/],
      ['('.repeat(500), /more than 200 levels of nesting/],
      ['1'.repeat(3000), /too long/],
      [`result > ${'9'.repeat(400)}`, /is no number/],
    ];
    for (const [text, expected] of cases) assert.match(refusal(text), expected);
  });

  it('never throws anything but its refusal, whatever the text', () => {
    const pieces = [
      'result',
      '[0]',
      '[',
      ']',
      '(',
      ')',
      '>=',
      '==',
      '<',
      '&&',
      '||',
      '!',
      'not',
      'and',
      'or',
      '-',
      '**',
    ];
    const words = [
      'isNaN(',
      'len(',
      'default(',
      ',',
      '0.95',
      '1',
      'nil',
      'true',
      '=',
      '.',
      '"',
      '\u{1f600}',
      ' ',
      '__proto__',
    ];
    const near = fc.array(fc.constantFrom(...pieces, ...words, 'constructor', 'toString'), { maxLength: 40 });
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      near.map((parts) => parts.join('')),
      near.map((parts) => parts.join(' ')),
    );
    const results = fc.oneof(fc.constant(null), fc.double(), fc.array(fc.double(), { maxLength: 3 }));
    fc.assert(
      fc.property(texts, results, (text, result) => {
        let condition: ReturnType<typeof parseCondition>;
        try {
          condition = parseCondition(text);
        } catch (thrown) {
          assert.ok(thrown instanceof ConditionRefusal, `${thrown}`);
          assert.ok(thrown.position >= 0 && thrown.position <= text.length && thrown.nearest.length > 0);
          return;
        }
        // What was read has an answer or an error for every result, and never throws.
        assert.ok(['answer', 'error'].includes(evaluateCondition(condition, result).kind));
      }),
      { numRuns: 2000 },
    );
  });

  it('means the same with any spacing and needless parentheses', () => {
    const number = fc.integer({ min: -9, max: 9 }).map(String);
    const compared = fc
      .tuple(number, fc.constantFrom('<', '<=', '>', '>=', '==', '!='), number)
      .map(([a, operator, b]) => [`${a} ${operator} ${b}`, `((${a})${operator}(${b}))`]);
    const joined = fc.tuple(compared, fc.constantFrom(['and', '&&'], ['or', '||']), compared);
    fc.assert(
      fc.property(joined, ([[a, inA], [word, sign], [b, inB]]) => {
        assert.equal(answer(`${a} ${word} ${b}`, null), answer(`(${inA}${sign}${inB})`, null));
      }),
    );
  });
});
