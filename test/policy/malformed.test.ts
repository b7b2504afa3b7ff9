import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compilePolicy, type PolicyError, parsePolicyText } from '../../src/core/policy/index.ts';
import { BASES, RECORDED_BASES, sha256 } from './bases.ts';
import { MALFORMED } from './malformed.ts';
import { TEXT_ROWS } from './malformed-text.ts';

function assertGoodError(errors: readonly PolicyError[], path: string, word: string): PolicyError {
  for (const error of errors) {
    assert.ok(error.path.length > 0 && error.problem.length > 5 && error.fix.length > 5, JSON.stringify(error));
    assert.doesNotMatch(`${error.problem} ${error.fix}`, /undefined|\[object|write NaN|Invalid input/);
  }
  const found = errors.find((error) => error.path === path && `${error.problem} ${error.fix}`.includes(word));
  assert.ok(
    found,
    `no error at ${path} says "${word}":\n${errors.map((e) => `${e.path}: ${e.problem} | ${e.fix}`).join('\n')}`,
  );
  return found;
}

test('the policies that the table starts from are taken', () => {
  for (const [name, base] of Object.entries(BASES)) {
    const source = RECORDED_BASES.includes(name) ? 'recorded' : 'live';
    const result = compilePolicy(base, sha256, { source });
    assert.equal(result.kind, 'ok', `${name}: ${JSON.stringify(result)}`);
  }
});

test('the table holds at least 300 different malformed policies', () => {
  const different = new Set([...MALFORMED.map((each) => each.title), ...TEXT_ROWS.map((each) => each.text)]);
  assert.ok(different.size >= 300, `${different.size} rows`);
});

describe('a malformed policy is refused with path, reason and fix (rows 45, 82, 84-86)', () => {
  for (const { title, value, path, word, source } of MALFORMED) {
    test(title, () => {
      const result = compilePolicy(value, sha256, { source });
      assert.equal(result.kind, 'refused');
      if (result.kind === 'refused') assertGoodError(result.errors, path, word);
    });
  }
});

describe('a malformed text is refused with line and column', () => {
  for (const { title, text, path, word, line } of TEXT_ROWS) {
    test(title, () => {
      const result = parsePolicyText(text, { hash: sha256 });
      assert.equal(result.kind, 'refused');
      if (result.kind !== 'refused') return;
      const found = assertGoodError(result.errors, path, word);
      assert.ok((found.line ?? 0) >= 1 && (found.column ?? 0) >= 1, 'line and column are there');
      if (line !== undefined) assert.equal(found.line, line);
    });
  }
});
