import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError, HaldaneError } from './errors.ts';

class StoreLockedError extends HaldaneError {
  constructor(cause?: unknown) {
    super('the store is open in another process', {
      code: 'store-locked',
      retry: 'later',
      cause,
      path: 'store.path',
      fix: 'stop the other agent, or give this one a store of its own',
    });
  }
}

test('an error keeps its code, its retry class, its path, its fix and its cause', () => {
  const cause = new Error('EBUSY');
  const error = new StoreLockedError(cause);
  assert.equal(error.name, 'StoreLockedError');
  assert.equal(error.code, 'store-locked');
  assert.equal(error.retry, 'later');
  assert.equal(error.cause, cause);
  assert.ok(error instanceof Error);
});

test('an error as JSON leaves out the cause and the fields that are not known', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(new StoreLockedError(new Error('secret')))), {
    code: 'store-locked',
    message: 'the store is open in another process',
    retry: 'later',
    path: 'store.path',
    fix: 'stop the other agent, or give this one a store of its own',
  });
});

test('an error is described with its path before it and its fix below it', () => {
  assert.equal(
    describeError(new StoreLockedError()),
    'store.path: the store is open in another process\n  fix: stop the other agent, or give this one a store of its own',
  );
  assert.equal(describeError(new Error('plain')), 'plain');
  assert.equal(describeError('a string'), 'a string');
});
