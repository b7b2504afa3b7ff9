import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT } from './run.ts';
import { patternsOf, testArguments } from './test.ts';

test('without a path all tests are meant, a folder means the tests below it, anything else is taken as it is', () => {
  assert.deepEqual(patternsOf([]), [
    'src/**/*.test.ts',
    'tools/**/*.test.ts',
    'test/**/*.test.ts',
    'bench/**/*.test.ts',
  ]);
  assert.deepEqual(patternsOf([`${ROOT}/tools/`, 'src/a.test.ts']), [`${ROOT}/tools/**/*.test.ts`, 'src/a.test.ts']);
});

test('a test that hangs ends by itself', () => {
  assert.ok(testArguments(['a'], 'dot', 2).some((argument) => /^--test-timeout=\d+$/.test(argument)));
});
