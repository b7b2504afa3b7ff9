import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearestName } from './nearest.ts';

test('a swap of neighbours, a letter more, a letter less and a wrong letter each cost one', () => {
  assert.equal(editDistance('weight', 'weihgt'), 1);
  assert.equal(editDistance('weight', 'weights'), 1);
  assert.equal(editDistance('weight', 'wight'), 1);
  assert.equal(editDistance('weight', 'woight'), 1);
  assert.equal(editDistance('', 'bake'), 4);
});

test('the distance is a distance: zero only for equal words, the same both ways', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (left, right) => {
      const distance = editDistance(left, right);
      assert.equal(distance, editDistance(right, left));
      assert.equal(distance === 0, left === right);
      assert.ok(distance <= Math.max(left.length, right.length));
    }),
  );
});

test('the nearest name is found through typing errors, case and separators', () => {
  const known = ['weight', 'bake', 'checks', 'historyLimit'];
  assert.equal(nearestName('wieght', known), 'weight');
  assert.equal(nearestName('Check', known), 'checks');
  assert.equal(nearestName('history_limit', known), 'historyLimit');
  assert.equal(nearestName('history-limits', known), 'historyLimit');
});

test('nothing is suggested where nothing is near', () => {
  assert.equal(nearestName('replicas', ['weight', 'bake']), undefined);
  assert.equal(nearestName('weight', []), undefined);
  assert.equal(nearestName('w'.repeat(5000), ['weight']), undefined);
});

test('of two equally near names the first known one wins, so the answer is stable', () => {
  assert.equal(nearestName('bale', ['bake', 'base']), 'bake');
  assert.equal(nearestName('bale', ['base', 'bake']), 'base');
});
