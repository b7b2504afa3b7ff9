import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCommands, commandsOfHelp } from './commands.ts';
import { checkDocuments } from './documents.ts';
import { anchorsOf, checkLinks } from './links.ts';
import type { Fault, Pages } from './pages.ts';

function pages(markdown: Record<string, string>, npmScripts: string[] = []): Pages {
  const paths = new Set([...Object.keys(markdown), 'LICENSE', 'docs']);
  return {
    markdown: new Map(Object.entries(markdown)),
    exists: (path) => paths.has(path),
    npmScripts: new Set(npmScripts),
  };
}

const said = (faults: readonly Fault[]) => faults.map(({ path, line, message }) => `${path}:${line} ${message}`);

test('links to files and headings are followed; addresses and code are left alone', () => {
  const markdown = {
    'README.md': '# Haldane\n[a](docs/a.md#two-words) [l](LICENSE) [x](https://example.org/)\n`[c](gone.md)`\n',
    'docs/a.md': '## Two words\n[up](../README.md) [gone](gone.md)\n![picture](b.svg)\n[no](#three)\n',
  };
  assert.deepEqual(said(checkLinks(pages(markdown))), [
    'docs/a.md:2 the link gone.md leads nowhere: there is no docs/gone.md',
    'docs/a.md:3 the link b.svg leads nowhere: there is no docs/b.svg',
    'docs/a.md:4 the link #three leads to no heading of docs/a.md',
  ]);
});

test('anchors are made as hosts of Markdown make them, repeated headings are numbered', () => {
  assert.deepEqual(
    [...anchorsOf('# I1. Ready `endpoints`, first\n## Why\n## Why\n')],
    ['i1-ready-endpoints-first', 'why', 'why-1'],
  );
});

test('Haldane documents in fences are judged, others are not; one marked as refused must be refused', async () => {
  const fence = (first: string) => `\`\`\`yaml\n${first}\napiVersion: haldane.dev/v1alpha1\n\`\`\`\n`;
  const markdown = {
    'a.md':
      fence('good: 1') +
      fence('bad: 1') +
      fence('# refused: bad') +
      fence('# refused: good') +
      '```yaml\nother: 1\n```\n',
  };
  const judge = (text: string) => (text.includes('bad') ? ['spec.bad is unknown'] : []);
  assert.deepEqual(said(await checkDocuments(pages(markdown), judge)), [
    'a.md:5 this document is refused: spec.bad is unknown',
    'a.md:13 this document is marked as refused, and is accepted',
  ]);
});

test('npm scripts and haldane commands that do not exist are named, prose about haldane is not', async () => {
  const markdown = {
    'a.md':
      'Run `npm run demo`, `npm run gone`, `haldane up`, `haldane fly --now`.\nThe haldane agent is here.\n```sh\nnpx haldane soar\n```\n',
  };
  assert.deepEqual(said(await checkCommands(pages(markdown, ['demo']), new Set(['up']))), [
    'a.md:1 npm run gone is no script of package.json',
    'a.md:1 haldane fly is not a command',
    'a.md:4 haldane soar is not a command',
  ]);
});

test('commands are read from the help', () => {
  const help =
    'Usage: haldane [options]\n\nOptions:\n  --json  x\n\nCommands:\n  up [file]  runs\n  watch      shows\n               more\n';
  assert.deepEqual([...commandsOfHelp(help)], ['help', 'up', 'watch']);
});
