import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { differences, firstDifferingLine, generateAll } from './generate.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'haldane-generate-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function generator(name: string, path: string, text: string): void {
  const files = JSON.stringify([{ path, text }]);
  writeFileSync(join(folder, name), `export const generate = async () => (${files});\n`);
}

test('the first differing line is named, also where one text is a prefix of the other', () => {
  assert.equal(firstDifferingLine('a\nb\n', 'a\nb\n'), undefined);
  assert.equal(firstDifferingLine('a\nb\n', 'a\nc\n'), 2);
  assert.equal(firstDifferingLine('a\n', 'a\nb\n'), 2);
});

test('a generated file that is missing, old or current is told apart', async () => {
  writeFileSync(join(folder, 'old.md'), 'one\ntwo\n');
  writeFileSync(join(folder, 'current.md'), 'same\n');
  const wanted = new Map([
    ['old.md', 'one\n2\n'],
    ['current.md', 'same\n'],
    ['new.md', 'x\n'],
  ]);
  assert.deepEqual(await differences(wanted, folder), [
    { path: 'old.md', firstLine: 2 },
    { path: 'new.md', firstLine: 'missing' },
  ]);
});

test('generated text ends with a newline, JSON is formatted, and two generators may not claim one file', async () => {
  generator('a.ts', 'docs/a.json', '{"one":1}');
  generator('b.ts', 'docs/b.md', '# B');
  assert.deepEqual(
    [...(await generateAll(folder))],
    [
      ['docs/a.json', '{ "one": 1 }\n'],
      ['docs/b.md', '# B\n'],
    ],
  );
  generator('c.ts', 'docs/b.md', '# C');
  await assert.rejects(generateAll(folder), /docs\/b\.md is made by another generator too/);
});
