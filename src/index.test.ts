import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as face from './index.ts';

/** Adding a name here is a promise to users of the package; taking one away breaks them. */
const PROMISED = [
  'API_VERSION',
  'HaldaneError',
  'describeDuration',
  'formatDuration',
  'parseDuration',
  'parsePolicyText',
];

test('the package offers these names and no others, and few of them', () => {
  assert.deepEqual(Object.keys(face).sort(), PROMISED);
  assert.ok(PROMISED.length <= 25);
});
