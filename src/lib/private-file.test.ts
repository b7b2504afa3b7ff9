import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NotPrivate, readPrivateFile, writePrivateFile } from './private-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'haldane-private-'));
after(() => rmSync(folder, { recursive: true }));

test('a private file is written for its owner only and read back', () => {
  const path = join(folder, 'token');
  writePrivateFile(path, 'secret');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readPrivateFile(path), 'secret');
  assert.equal(readPrivateFile(join(folder, 'none')), undefined);
});

test('a file others can read is refused with its mode and the fix', () => {
  const path = join(folder, 'open');
  writePrivateFile(path, 'secret');
  chmodSync(path, 0o644);
  assert.throws(
    () => readPrivateFile(path),
    (error: unknown) => error instanceof NotPrivate && /mode 0644/.test(error.message) && /rm /.test(error.fix ?? ''),
  );
});

test('a link is refused: it may lead anywhere', () => {
  const path = join(folder, 'link');
  symlinkSync(join(folder, 'token'), path);
  assert.throws(() => readPrivateFile(path), /not a plain file/);
});
