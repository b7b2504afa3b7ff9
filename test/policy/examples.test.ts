import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { lintPolicy, parsePolicyText } from '../../src/core/policy/index.ts';
import { sha256 } from './bases.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = globSync('examples/*/haldane.yaml', { cwd: ROOT });
/** Policies to learn from; the others serve a demonstration and may hurry. */
const LESSONS = FILES.filter((file) => /\/\d\d-/.test(file));

test('there are examples', () => assert.ok(FILES.length >= 5, FILES.join(', ')));

describe('an example is a policy as people should write it', () => {
  for (const file of FILES) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    test(`${file} is taken`, () => {
      const result = parsePolicyText(text, { hash: sha256 });
      assert.equal(result.kind, 'ok', JSON.stringify(result, null, 2));
    });
    test(`${file} names its schema for editors`, () => {
      const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1];
      assert.equal(relative(ROOT, join(ROOT, dirname(file), schema ?? '')), 'schemas/release-policy.generated.json');
    });
    if (!LESSONS.includes(file)) continue;
    test(`${file} has no anti-pattern, but for the shortest one`, () => {
      const result = parsePolicyText(text, { hash: sha256 });
      const findings = result.kind === 'ok' ? result.documents.flatMap((each) => lintPolicy(each.policy)) : [];
      const warnings = findings.filter((finding) => finding.severity === 'warning').map((finding) => finding.code);
      assert.deepEqual(warnings, file.includes('01-shortest') ? ['no-health-probe', 'no-user-key'] : []);
    });
  }
});
