import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapterFindings } from './adapters.ts';
import { withExceptions } from './check.ts';
import { readSource } from './source.ts';

const finding = { rule: 'rooms', path: 'src/a.ts', message: 'cli may not import gateway' };

test('an exception covers its finding and nothing else, and one that covers nothing is a finding', () => {
  const because = { reason: 'until the API is there' };
  assert.deepEqual(withExceptions([finding], [{ rule: 'rooms', path: 'src/a.ts', about: 'gateway', ...because }]), []);
  const [open, unused] = withExceptions([finding], [{ rule: 'rooms', path: 'src/b.ts', ...because }]);
  assert.equal(open, finding);
  assert.match(unused?.message ?? '', /not needed/);
});

test('an adapter without its page or its test is named once, its parts are not adapters', () => {
  const files = [
    'routers/nginx.ts',
    'routers/nginx-files.ts',
    'routers/nginx.test.ts',
    'routers/envoy.ts',
    'routers/envoy.md',
  ];
  const paths = files.map((file) => `src/adapters/${file}`);
  const found = adapterFindings({
    sources: paths.filter((path) => path.endsWith('.ts')).map((path) => readSource(path, '')),
    texts: new Map(paths.map((path) => [path, ''])),
  });
  assert.deepEqual(
    found.map(({ message }) => message),
    [
      'write src/adapters/routers/nginx.md: what it writes, what it needs, its limits',
      "no test imports the envoy adapter; run its port's conformance suite on it",
    ],
  );
});
