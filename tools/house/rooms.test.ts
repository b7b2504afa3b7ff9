import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOMS, roomOf } from '../boundaries.ts';
import { cycleFindings, cyclesOf, roomFindings, sameAdapter } from './rooms.ts';
import { readSource } from './source.ts';

function findings(files: Record<string, string>): string[] {
  const sources = Object.entries(files).map(([path, text]) => readSource(path, text));
  return roomFindings({ sources, texts: new Map() }).map(({ message }) => message);
}

const refused: Record<string, { path: string; text: string; says: RegExp }> = {
  'the model imports nothing': {
    path: 'src/core/model/split.ts',
    text: "import { a } from '../statistics/a.ts';",
    says: /core\/model may not import core\/statistics; it may import nothing/,
  },
  'the core does no I/O': {
    path: 'src/core/policy/parse.ts',
    text: "import { readFileSync } from 'node:fs';",
    says: /may not use node:fs/,
  },
  'the engine may not know the controller': {
    path: 'src/core/engine/decide.ts',
    text: "import type { A } from '../../controller/index.ts';",
    says: /may not import controller/,
  },
  'views see only types of the engine': {
    path: 'src/core/views/release.ts',
    text: "import { decide } from '../engine/decide.ts';",
    says: /write "import type"/,
  },
  'an adapter knows no other adapter': {
    path: 'src/adapters/routers/nginx.ts',
    text: "import { a } from './haproxy.ts';",
    says: /an adapter may not import another/,
  },
  'nobody imports main': {
    path: 'src/cli/up.ts',
    text: "import { a } from '../main/haldane.ts';",
    says: /nobody imports main/,
  },
  'a package must be allowed': {
    path: 'src/core/engine/decide.ts',
    text: "import { z } from 'zod/v4';",
    says: /may not import the package zod; it may import no package/,
  },
  'what ships may not depend on tools or tests': {
    path: 'src/lib/a.ts',
    text: "import { run } from '../../tools/run.ts';",
    says: /outside src\//,
  },
  'an unknown room is named': { path: 'src/utils/a.ts', text: '', says: /src\/utils is not a room/ },
  'imports carry their extension': {
    path: 'src/lib/a.ts',
    text: "import { b } from './b';",
    says: /write the extension/,
  },
};

for (const [title, { path, text, says }] of Object.entries(refused)) {
  test(`refused: ${title}`, () => {
    const messages = findings({ [path]: text });
    assert.equal(messages.length, 1, messages.join('\n'));
    assert.match(messages[0] ?? '', says);
  });
}

test('what the table allows passes, and tests may import anything', () => {
  assert.deepEqual(
    findings({
      'src/core/views/release.ts': "import type { Decision } from '../engine/decide.ts';",
      'src/adapters/routers/nginx.ts': "import { Client } from 'some-vendor';\nimport { a } from './nginx-files.ts';",
      'src/main/haldane.ts': "import { a } from '../controller/loop.ts';",
      'src/core/model/split.test.ts': "import { a } from '../../main/haldane.ts';\nimport { b } from 'node:fs';",
    }),
    [],
  );
});

test('a room with a face is entered by it, except by main', () => {
  const files = { 'src/controller/index.ts': '', 'src/controller/loop.ts': '' };
  assert.match(
    findings({ ...files, 'src/cli/up.ts': "import { a } from '../controller/loop.ts';" })[0] ?? '',
    /come in by src\/controller\/index\.ts/,
  );
  assert.deepEqual(findings({ ...files, 'src/main/a.ts': "import { a } from '../controller/loop.ts';" }), []);
});

test('every room named in the table exists in it', () => {
  for (const { may, mayTypes = [] } of Object.values(ROOMS)) {
    for (const name of [...may, ...mayTypes]) assert.ok(name === '*' || name in ROOMS, name);
  }
  assert.equal(roomOf('src/core/model/a/b.ts'), 'core/model');
  assert.equal(roomOf('src/index.ts'), 'face');
  assert.equal(roomOf('test/a.ts'), undefined);
});

test('files with one stem are one adapter', () => {
  assert.ok(sameAdapter('src/adapters/routers/nginx.ts', 'src/adapters/routers/nginx-files.ts'));
  assert.ok(sameAdapter('src/adapters/routers/nginx/reload.ts', 'src/adapters/routers/nginx.ts'));
  assert.ok(!sameAdapter('src/adapters/routers/nginx.ts', 'src/adapters/workloads/nginx.ts'));
});

test('cycles are found, also of a file with itself, and a diamond is none', () => {
  assert.deepEqual(cyclesOf(new Map(Object.entries({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))), []);
  assert.deepEqual(cyclesOf(new Map(Object.entries({ a: ['b'], b: ['c'], c: ['b'] }))), [['b', 'c']]);
  assert.deepEqual(cyclesOf(new Map([['a', ['a']]])), [['a']]);
});

test('two files of one room may know each other by type, but not load each other', () => {
  const cycles = (back: string) => {
    const sources = [
      readSource('src/gateway/a.ts', "import { B } from './b.ts';"),
      readSource('src/gateway/b.ts', back),
    ];
    return cycleFindings({ sources, texts: new Map() }).length;
  };
  assert.equal(cycles("import type { A } from './a.ts';"), 0);
  assert.equal(cycles("import { A } from './a.ts';"), 1);
});
