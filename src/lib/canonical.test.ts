import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, hashOf } from './canonical.ts';

test('the order in which keys were written does not matter, the order of lists does', () => {
  assert.equal(canonicalJson({ b: { d: 1, c: [2, 1] }, a: null }), '{"a":null,"b":{"c":[2,1],"d":1}}');
  assert.equal(hashOf({ a: 1, b: 2 }), hashOf({ b: 2, a: 1 }));
  assert.notEqual(hashOf([1, 2]), hashOf([2, 1]));
});

test('canonical text parses back to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});
