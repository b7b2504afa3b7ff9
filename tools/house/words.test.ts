import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bannedWords } from '../glossary.ts';
import { readSource, type Tree } from './source.ts';
import {
  glossaryFindings,
  invariantFindings,
  logFindings,
  skipFindings,
  strangerFindings,
  withoutCode,
} from './words.ts';

function tree(files: Record<string, string>): Tree {
  const all = Object.entries(files);
  const sources = all.filter(([path]) => path.endsWith('.ts')).map(([path, text]) => readSource(path, text));
  return { sources, texts: new Map(all) };
}

test('banned words are found inside names, with the word to use', () => {
  assert.deepEqual(bannedWords('startRolloutNow'), [{ banned: 'rollout', say: 'release' }]);
  assert.deepEqual(bannedWords('CANDIDATE_PORTS, candidates'), [{ banned: 'candidate', say: 'canary' }]);
  assert.deepEqual(bannedWords('the release of a canary'), []);
  assert.deepEqual(bannedWords('Argo Rollouts, kubectl rollout status, a primary key'), []);
});

test('the glossary holds in identifiers everywhere, in strings on screens, and in prose, but not in comments or code spans', () => {
  const paths = (files: Record<string, string>) =>
    glossaryFindings(tree(files)).map(({ path, line }) => `${path}:${line}`);
  assert.deepEqual(paths({ 'src/lib/a.ts': '// candidate\nconst candidate = 1;\n' }), ['src/lib/a.ts:2']);
  assert.deepEqual(paths({ 'src/cli/a.ts': "say('the candidate');\n" }), ['src/cli/a.ts:1']);
  assert.deepEqual(paths({ 'src/lib/a.ts': "const sql = 'PRIMARY';\n" }), []);
  assert.deepEqual(paths({ 'docs/a.md': 'x\nThe rollout starts. `rollout` is code.\n' }), ['docs/a.md:2']);
  assert.deepEqual(paths({ 'docs/migrate-from-argo.md': 'A rollout there is a release here.\n' }), []);
});

test('code in documents is blanked and lines stay in place', () => {
  assert.equal(withoutCode('a `b` c\n```\nd\n```\ne'), 'a     c\n   \n \n   \ne');
});

test('a log message is a constant', () => {
  assert.equal(logFindings(tree({ 'src/lib/a.ts': 'log.info(`got ${x}`, {});' })).length, 1);
  assert.equal(logFindings(tree({ 'src/lib/a.ts': "log.info('got', { x });" })).length, 0);
});

test('a skipped test says why', () => {
  const count = (text: string) => skipFindings(tree({ 'src/a.test.ts': text })).length;
  assert.equal(count("test.skip('x', () => {});"), 1);
  assert.equal(count("test('x', { skip: true }, () => {});"), 1);
  assert.equal(count("test('x', (t) => t.skip());"), 1);
  assert.equal(count("test('x', { skip: 'needs nginx' }, () => {});"), 0);
  assert.equal(count("test('x', (t) => t.skip('needs nginx'));"), 0);
});

test('an invariant that no test cites is named, and so is a test that cites an unknown one', () => {
  const found = invariantFindings(
    tree({
      'docs/invariants.md': '## I1 Ready\n\n## I2 Drained\n',
      'src/a.test.ts': "test('weight waits for ready endpoints (I1)', () => {});\ntest('I9: what', () => {});\n// I2\n",
    }),
  );
  assert.deepEqual(
    found.map(({ message }) => message),
    ['I2 is cited by no test; name it in the title of the test that shows it', 'I9 is not in docs/invariants.md'],
  );
});

test('paths of one machine, registries and private addresses are refused; loopback and documentation addresses are not', () => {
  const count = (text: string) => strangerFindings(tree({ 'docs/a.md': text })).length;
  assert.equal(count(`cd /${'home'}/ann/haldane`), 1);
  assert.equal(count(`https://registry.${'npmjs'}.org/`), 1);
  assert.equal(count(`http://192.${'168'}.1.7:80`), 1);
  assert.equal(count('http://127.0.0.1:8080, 192.0.2.7, ./work/a, src/root/a'), 0);
});
