import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorDefinition } from '../core/model/check.ts';
import { statusTrouble } from './request-status.ts';

const errors = (statusClasses: readonly string[], statusCodes: readonly number[] = []) =>
  ({ statusClasses, statusCodes }) as unknown as ErrorDefinition;

test('errors are told by codes and by classes, and by nothing else', () => {
  for (const status of ['200', '503', '0', '5xx', '5XX']) assert.equal(statusTrouble(status, errors(['5xx'])), null);
  for (const status of [undefined, '', 'ok', '50x', '5000', '9xx', 'true']) {
    assert.notEqual(statusTrouble(status, errors(['5xx'])), null, status);
  }
});

test('a code that counts as an error cannot be told by classes', () => {
  assert.match(statusTrouble('4xx', errors(['5xx'], [429])) ?? '', /429 is told by its code/);
  assert.equal(statusTrouble('4xx', errors(['4xx', '5xx'], [429])), null);
  assert.equal(statusTrouble('2xx', errors(['5xx'], [429])), null);
});
