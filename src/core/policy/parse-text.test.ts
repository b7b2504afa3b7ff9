import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parsePolicyText } from './parse-text.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

function document(name: string, port: number): string {
  return `apiVersion: haldane.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: ${name}}
spec:
  workload:
    processes:
      template:
        version: v1
        command: node server.js
        env:
          QUOTED: "yes"
          DATE: 2026-01-01
  router: {gateway: {listen: ${port}}}
`;
}

test('several documents in one text are several policies; empty ones between them do not count', () => {
  const text = `---\n# nothing\n---\n${document('shop', 8080)}---\n${document('cart', 8081)}---\n`;
  const result = parsePolicyText(text, { hash });
  assert.equal(result.kind, 'ok', JSON.stringify(result));
  if (result.kind !== 'ok') return;
  assert.deepEqual(
    result.documents.map(({ policy, line }) => [policy.name, line]),
    [
      ['shop', 4],
      ['cart', 18],
    ],
  );
});

test('quoted words and dates stay text', () => {
  const result = parsePolicyText(document('shop', 8080), { hash });
  assert.equal(result.kind, 'ok');
  const template = result.kind === 'ok' ? result.documents[0]?.version?.template : undefined;
  assert.deepEqual(template?.kind === 'processes' ? template.env : null, { QUOTED: 'yes', DATE: '2026-01-01' });
});

test('an error carries the line and column of the value, or of the key when the name is wrong', () => {
  const text = `${document('shop', 8080)}  interval: 5\n  itnerval: 5s\n`;
  const result = parsePolicyText(text, { hash });
  assert.equal(result.kind, 'refused');
  if (result.kind !== 'refused') return;
  const at = result.errors.map(({ path, line, column }) => [path, line, column]);
  assert.deepEqual(at, [
    ['spec.interval', 14, 13],
    ['spec.itnerval', 15, 3],
  ]);
  assert.equal(result.errors[1]?.nearest, 'interval');
});

test('JSON is read by the same rules', () => {
  const value = {
    apiVersion: 'haldane.dev/v1alpha1',
    kind: 'ReleasePolicy',
    metadata: { name: 'shop' },
    spec: { workload: { upstreams: { template: { endpoints: ['127.0.0.1:9001'] } } } },
  };
  assert.equal(parsePolicyText(JSON.stringify(value, null, 2), { hash }).kind, 'ok');
});

test('text with CRLF line ends and a byte order mark is read', () => {
  const text = `\ufeff${document('shop', 8080).replaceAll('\n', '\r\n')}`;
  assert.equal(parsePolicyText(text, { hash }).kind, 'ok');
});
