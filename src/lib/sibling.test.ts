import assert from 'node:assert/strict';
import { test } from 'node:test';
import { siblingModule } from './sibling.ts';

test('a sibling is TypeScript beside sources and JavaScript beside the built package', () => {
  assert.equal(siblingModule('file:///a/src/main/haldane.ts', './gateway'), '/a/src/main/gateway.ts');
  assert.equal(siblingModule('file:///a/dist/main/haldane.js', '../gateway/run'), '/a/dist/gateway/run.js');
});
