import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readJsonFile, readTextFile, removeFileDurably, writeFileAtomic } from './atomic-file.ts';

const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'haldane-atomic-'));
  folders.push(made);
  return made;
};

after(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

test('a file is replaced whole, for its owner only, and nothing is left beside it', () => {
  const path = join(folder(), 'deep', 'state.json');
  writeFileAtomic(path, '{"a":1}');
  writeFileAtomic(path, '{"a":2}');
  assert.deepEqual(readJsonFile(path), { a: 2 });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(path, '..')), ['state.json']);
});

test('a write that fails leaves the old text and nothing beside it', () => {
  const parent = folder();
  const path = join(parent, 'target');
  writeFileAtomic(join(path, 'inside'), 'x');
  assert.throws(() => writeFileAtomic(path, 'a folder cannot be replaced by a file'));
  assert.deepEqual(readdirSync(parent), ['target']);
});

test('a missing file is undefined, a damaged one throws, removing twice is no error', () => {
  const path = join(folder(), 'state.json');
  assert.equal(readJsonFile(path), undefined);
  assert.equal(readTextFile(path), undefined);
  writeFileSync(path, '{"a":');
  assert.throws(() => readJsonFile(path));
  removeFileDurably(path);
  removeFileDurably(path);
  assert.equal(readJsonFile(path), undefined);
});
