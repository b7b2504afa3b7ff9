import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskSource } from './mask.ts';
import { lineAt, readSource } from './source.ts';

test('comments and string contents are blanked, code and lines stay in place', () => {
  const text = 'const a = \'Date.now\'; // Math.random\n/* new Date() */ const b = "x";\n';
  const { code, strings } = maskSource(text);
  assert.equal(code.length, text.length);
  assert.doesNotMatch(code, /Date|Math/);
  assert.match(code, /const b = " ";/);
  assert.match(strings, /Date\.now/);
  assert.doesNotMatch(strings, /Math|new Date/);
});

test('code inside a template is code, text inside it is text, also nested', () => {
  const { code, strings } = maskSource('const a = `now ${Date.now() + `in ${ { x: 1 }.x }`} later`; done();');
  assert.match(code, /Date\.now\(\)/);
  assert.match(code, /\{ x: 1 \}\.x/);
  assert.match(code, /done\(\);/);
  assert.doesNotMatch(code, /later|now \$/);
  assert.match(strings, /now .* in .* later/);
});

test('a regular expression with quotes and slashes does not open a string, and a division does not open a regexp', () => {
  const { code } = maskSource("const r = /['\"/*]/.test(x); const half = a / 2; const s = b / 3; call('gone');");
  assert.match(code, /const half = a \/ 2; const s = b \/ 3; call\(' {4}'\);/);
});

test('static, type, side-effect, re-exporting and dynamic imports are found with their lines', () => {
  const source = readSource(
    'src/cli/watch.ts',
    [
      "import { a } from '../lib/a.ts';",
      'import type {',
      '  B,',
      "} from './b.ts';",
      "import './c.ts';",
      "export { d } from './d.ts';",
      "export * from '../e.ts';",
      "import fs from 'node:fs';",
      'const text = "import x from \'./no.ts\'";',
      "export const f = () => import('./f.ts');",
      "export const g = 'not an import';",
    ].join('\n'),
  );
  assert.deepEqual(
    source.imports.map(({ specifier, target, typeOnly, line }) => [specifier, target, typeOnly, line]),
    [
      ['../lib/a.ts', 'src/lib/a.ts', false, 1],
      ['./b.ts', 'src/cli/b.ts', true, 2],
      ['./c.ts', 'src/cli/c.ts', false, 5],
      ['./d.ts', 'src/cli/d.ts', false, 6],
      ['../e.ts', 'src/e.ts', false, 7],
      ['node:fs', undefined, false, 8],
      ['./f.ts', 'src/cli/f.ts', false, 10],
    ],
  );
});

test('lines are counted from one', () => {
  assert.equal(lineAt('a\nb\nc', 0), 1);
  assert.equal(lineAt('a\nb\nc', 4), 3);
});
