import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parsePolicyText } from '../../src/core/policy/index.ts';
import { createRandom, type Random } from '../../src/core/statistics/random.ts';
import { sha256 } from './bases.ts';
import { pick } from './mutate.ts';

const ROOT = join(import.meta.dirname, '../..');
const TEXTS = globSync('examples/0*/haldane.yaml', { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'));
const PIECES = [
  '\n',
  ' ',
  '\t',
  ':',
  '- ',
  '&a ',
  '*a',
  '!!x ',
  '|',
  '>',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '#',
  '%',
  '---\n',
  '...\n',
  '<<: ',
  '? ',
  '\0',
  '\ufeff',
  '🙂',
  '\u2028',
  'null',
  '~',
  '0x1',
  '1e9',
  '\\',
];

function damaged(random: Random, text: string): string {
  let result = text;
  for (let count = pick(random, [1, 1, 2, 4, 16]); count > 0; count--) {
    const from = random.integer(result.length + 1);
    const to = Math.min(result.length, from + pick(random, [0, 0, 1, 5, 40]));
    result = result.slice(0, from) + pick(random, ['', ...PIECES]) + result.slice(to);
  }
  return result;
}

test('a text damaged anywhere is taken or refused with line, column and fix, and never crashes', () => {
  let refused = 0;
  for (let run = 0; run < 1_000; run++) {
    const random = createRandom(`text/${run}`);
    const text = damaged(random, pick(random, TEXTS));
    const result = parsePolicyText(text, { hash: sha256, file: 'haldane.yaml' });
    if (result.kind === 'ok') continue;
    refused += 1;
    for (const error of result.errors) {
      const isGood = (error.line ?? 0) >= 1 && (error.column ?? 0) >= 1 && error.problem !== '' && error.fix !== '';
      assert.ok(isGood && error.file === 'haldane.yaml', `run ${run}: ${JSON.stringify(error)}`);
      assert.ok((error.line ?? 0) <= text.split('\n').length + 1, `run ${run}: line ${error.line}`);
    }
  }
  assert.ok(refused > 300 && refused < 1_000, `${refused} refused`);
});
