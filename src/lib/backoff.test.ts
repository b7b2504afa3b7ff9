import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';

test('the wait doubles with each failure, up to the longest, and never overflows', () => {
  const limits = { initialMs: 100, maxMs: 1_000 };
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 5_000].map((failures) => backoffMs(limits, failures)),
    [0, 100, 200, 400, 800, 1_000, 1_000, 1_000],
  );
});
