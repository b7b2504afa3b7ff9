/**
 * Words: the glossary in identifiers, screens and documents; constant log messages; reasons for skipped tests;
 * invariants cited by tests; nothing in the tree that belongs to one machine or one network.
 */
import { bannedWords } from '../glossary.ts';
import { type Finding, lineAt, type Tree } from './source.ts';

/** Rooms whose strings people read. */
const SCREENS = /^src\/(?:cli|server|core\/views|core\/engine|core\/analysis)\//;
/** Migration pages and importers speak of other tools in their words. */
const FOREIGN = /^src\/core\/policy\/import|^docs\/(?:migrat|glossary\.md|adr\/)|^tools\//;

export function glossaryFindings(tree: Tree): Finding[] {
  const inSource = tree.sources
    .filter(({ path }) => path.startsWith('src/') && !FOREIGN.test(path) && !path.endsWith('.test.ts'))
    .flatMap(({ path, code, strings }) => [
      ...bannedLines(path, code),
      ...(SCREENS.test(path) ? bannedLines(path, strings) : []),
    ]);
  const inDocuments = [...tree.texts]
    .filter(([path]) => path.endsWith('.md') && !FOREIGN.test(path))
    .flatMap(([path, text]) => bannedLines(path, withoutCode(text)));
  return [...inSource, ...inDocuments];
}

function bannedLines(path: string, text: string): Finding[] {
  return text.split('\n').flatMap((line, index) =>
    bannedWords(line).map(({ banned, say }) => ({
      rule: 'glossary',
      path,
      line: index + 1,
      message: `"${banned}" is not a word here; say "${say}" (docs/glossary.md)`,
    })),
  );
}

/** Markdown without fences and code spans; lines stay in place. */
export function withoutCode(markdown: string): string {
  const blank = (text: string) => text.replaceAll(/[^\n]/g, ' ');
  return markdown.replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, blank).replaceAll(/`[^`\n]+`/g, blank);
}

const LOG_TEMPLATE = /\blog(?:ger)?\s*\.\s*(?:debug|info|warn|error)\(\s*`/g;

export function logFindings(tree: Tree): Finding[] {
  return matches(tree, /^src\/(?!.*\.test\.ts$)/, LOG_TEMPLATE, {
    rule: 'log-messages',
    message: 'a log message is a constant string; put what varies into fields beside it',
  });
}

/** A skip whose reason is missing or empty: `skip: true`, `test.skip(`, `t.skip()`; the same for todo. */
const BARE_SKIP = /\b(?:skip|todo):\s*true\b|\b(?:test|it|describe|suite)\.(?:skip|todo)\(|\bt\.(?:skip|todo)\(\s*\)/g;

export function skipFindings(tree: Tree): Finding[] {
  return matches(tree, /\.test\.ts$/, BARE_SKIP, {
    rule: 'skip-reasons',
    message: "a skipped test says why: { skip: 'reason' } or t.skip('reason')",
  });
}

function matches(tree: Tree, paths: RegExp, pattern: RegExp, say: { rule: string; message: string }): Finding[] {
  return tree.sources
    .filter(({ path }) => paths.test(path))
    .flatMap(({ path, code }) =>
      [...code.matchAll(pattern)].map((match) => ({ ...say, path, line: lineAt(code, match.index) })),
    );
}

/** Each invariant of docs/invariants.md is cited in the title of at least one test (R12). */
export function invariantFindings(tree: Tree): Finding[] {
  const page = tree.texts.get('docs/invariants.md') ?? '';
  const known = new Set([...page.matchAll(/^#+ (I\d+)\b/gm)].map(([, name = '']) => name));
  const cited = new Map<string, string>();
  for (const { path, text } of tree.sources) {
    if (!path.endsWith('.test.ts') || path.startsWith('tools/')) continue;
    for (const [, title = ''] of text.matchAll(/\b(?:test|it|describe|suite)\(\s*(['"`].*)/g)) {
      for (const [name] of title.matchAll(/\bI\d+\b/g)) cited.set(name, path);
    }
  }
  const uncited = [...known].filter((name) => !cited.has(name));
  const unknown = [...cited].filter(([name]) => !known.has(name));
  return [
    ...uncited.map((name) => ({
      rule: 'invariants',
      path: 'docs/invariants.md',
      message: `${name} is cited by no test; name it in the title of the test that shows it`,
    })),
    ...unknown.map(([name, path]) => ({ rule: 'invariants', path, message: `${name} is not in docs/invariants.md` })),
  ];
}

interface Stranger {
  readonly pattern: RegExp;
  readonly message: string;
}

const STRANGERS: readonly Stranger[] = [
  { pattern: /(?<![\w.])\/(?:work|root|Users)\/\w/g, message: 'a path of one machine; make it relative' },
  { pattern: /(?<![\w.])\/home\/\w/g, message: 'a path of one machine; make it relative' },
  {
    pattern: /\bregistry\.(?:npmjs|yarnpkg)\.\w+|\bproxy\.golang\.\w+|["']resolved["']: ["']http/g,
    message: 'the address of a registry; leave that to npm’s own settings',
  },
  {
    pattern: /\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b/g,
    message: 'a private address; use loopback or a documentation address (192.0.2.0/24, 2001:db8::/32)',
  },
];

/** What belongs to one machine or one network may not be in the tree. */
export function strangerFindings(tree: Tree): Finding[] {
  return [...tree.texts].flatMap(([path, text]) =>
    STRANGERS.flatMap(({ pattern, message }) =>
      [...text.matchAll(pattern)].map((match) => ({
        rule: 'machine-paths',
        path,
        line: lineAt(text, match.index),
        message: `"${match[0]}": ${message}`,
      })),
    ),
  );
}
