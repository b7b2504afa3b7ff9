import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectFindings } from './effects.ts';
import { readSource } from './source.ts';

test('the controller changes the outside in perform.ts and writes the record in record.ts, nowhere else', () => {
  const text = 'await router.ensure(policy, split);\nawait deps.store.record(change);\n';
  const lines = (path: string) =>
    effectFindings({ sources: [readSource(path, text)], texts: new Map() }).map(({ line }) => line);
  assert.deepEqual(lines('src/controller/loop.ts'), [1, 2]);
  assert.deepEqual(lines('src/controller/perform.ts'), [2]);
  assert.deepEqual(lines('src/controller/record.ts'), [1]);
  assert.deepEqual(lines('src/controller/loop.test.ts'), []);
  assert.deepEqual(lines('src/simulator/world.ts'), []);
});
