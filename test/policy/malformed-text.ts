/** Wrong texts: YAML that is none, or that two readers would read in two ways. Each with line, path and a word. */
export interface TextRow {
  readonly title: string;
  readonly text: string;
  readonly path: string;
  readonly word: string;
  readonly line?: number;
}

const HEAD = 'apiVersion: haldane.dev/v1alpha1\nkind: ReleasePolicy\nmetadata: {name: shop}\n';
const GOOD = `${HEAD}spec:\n  workload:\n    processes:\n      template: {version: v1, command: node server.js}\n`;
const LAUGHS = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdefghi'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`),
].join('\n');

export const TEXT_ROWS: readonly TextRow[] = [
  { title: 'nothing at all', text: '', path: '(document)', word: 'no policy', line: 1 },
  { title: 'only blanks', text: ' \n\n', path: '(document)', word: 'no policy' },
  { title: 'only comments', text: '# later\n', path: '(document)', word: 'no policy' },
  { title: 'only separators', text: '---\n---\n...\n', path: '(document)', word: 'no policy' },
  { title: 'a lone word', text: 'shop', path: '(document)', word: 'not a ReleasePolicy' },
  { title: 'a list', text: '- a\n- b\n', path: '(document)', word: 'not a ReleasePolicy' },
  { title: 'a number', text: '42', path: '(document)', word: 'not a ReleasePolicy' },
  { title: 'a NUL', text: '\0', path: '(document)', word: 'not a ReleasePolicy' },
  { title: 'a tab for indentation', text: `${GOOD}\tpreset: fast\n`, path: '(document)', word: 'tabs', line: 8 },
  { title: 'an open bracket', text: `${GOOD}  stages: [\n`, path: '(document)', word: 'not YAML' },
  { title: 'an open quote', text: `${GOOD}  preset: "fast\n`, path: '(document)', word: 'not YAML' },
  { title: 'a bad indentation', text: `${GOOD} preset: fast\n`, path: '(document)', word: 'not YAML', line: 8 },
  { title: 'a colon in plain text', text: `${GOOD}  preset: a: b\n`, path: '(document)', word: 'not YAML', line: 8 },
  { title: 'broken JSON', text: '{"apiVersion": "haldane.dev/v1alpha1",', path: '(document)', word: 'not YAML' },
  {
    title: 'a key twice',
    text: `${GOOD}  preset: fast\n  preset: slow\n`,
    path: 'spec.preset',
    word: 'twice',
    line: 9,
  },
  { title: 'a JSON key twice', text: '{"kind": "ReleasePolicy", "kind": "x"}', path: 'kind', word: 'twice', line: 1 },
  { title: 'an anchor', text: `${GOOD}  preset: &p fast\n`, path: 'spec.preset', word: 'anchor', line: 8 },
  { title: 'an alias', text: `${GOOD}  preset: *p\n`, path: 'spec.preset', word: 'alias', line: 8 },
  {
    title: 'an alias that has an anchor',
    text: `${GOOD.replace('version: v1', 'version: &v v1')}  preset: *v\n`,
    path: 'spec.preset',
    word: 'alias',
    line: 8,
  },
  { title: 'a billion laughs', text: `${LAUGHS}\n`, path: 'b[0]', word: 'alias' },
  { title: 'a merge key', text: `${GOOD}  <<: {preset: fast}\n`, path: 'spec["<<"]', word: 'merge key', line: 8 },
  { title: 'a tag', text: `${GOOD}  preset: !secret fast\n`, path: 'spec.preset', word: 'tag', line: 8 },
  { title: 'binary', text: `${GOOD}  preset: !!binary Zm9v\n`, path: 'spec.preset', word: 'tag', line: 8 },
  { title: 'a list as key', text: `${GOOD}  ? [a, b]\n  : 1\n`, path: 'spec', word: 'not text' },
  { title: 'a number as key', text: `${GOOD}  8080: x\n`, path: 'spec["8080"]', word: 'not text', line: 8 },
  { title: 'a boolean as key', text: `${GOOD}  true: x\n`, path: 'spec.true', word: 'not text', line: 8 },
  { title: 'an old boolean as key', text: `${GOOD}  on: x\n`, path: 'spec.on', word: 'not text', line: 8 },
  { title: 'null as key', text: `${GOOD}  ~: x\n`, path: 'spec["~"]', word: 'not text', line: 8 },
  { title: 'yes', text: `${GOOD}  decision: yes\n`, path: 'spec.decision', word: 'boolean', line: 8 },
  { title: 'off', text: `${GOOD}  analysis: off\n`, path: 'spec.analysis', word: 'boolean', line: 8 },
  {
    title: 'an old octal',
    text: `${GOOD}  historyLimit: 017\n`,
    path: 'spec.historyLimit',
    word: 'another number',
    line: 8,
  },
  {
    title: 'base 60',
    text: GOOD.replace('version: v1', 'version: 1:30'),
    path: 'spec.workload.processes.template.version',
    word: 'another number',
    line: 7,
  },
  { title: 'NaN', text: `${GOOD}  historyLimit: .nan\n`, path: 'spec.historyLimit', word: 'not a number', line: 8 },
  {
    title: 'infinity',
    text: `${GOOD}  historyLimit: .inf\n`,
    path: 'spec.historyLimit',
    word: 'not a number',
    line: 8,
  },
  {
    title: 'a huge number',
    text: `${GOOD}  historyLimit: 99999999999999999999\n`,
    path: 'spec.historyLimit',
    word: 'too large',
    line: 8,
  },
  {
    title: 'a huge exponent',
    text: `${GOOD}  historyLimit: 1e999\n`,
    path: 'spec.historyLimit',
    word: 'not a number',
    line: 8,
  },
  {
    title: 'a version that reads as a number',
    text: GOOD.replace('version: v1', 'version: 1.10'),
    path: 'spec.workload.processes.template.version',
    word: '"1.10"',
    line: 7,
  },
  { title: 'an empty value', text: `${GOOD}  preset:\n`, path: 'spec.preset', word: 'empty', line: 8 },
  { title: 'an empty list entry', text: `${GOOD}  stages:\n    -\n`, path: 'spec.stages[0]', word: 'empty' },
  { title: 'YAML 1.1', text: `%YAML 1.1\n---\n${GOOD}`, path: '(document)', word: 'YAML 1.1' },
  {
    title: '__proto__',
    text: `${GOOD}  __proto__: {preset: fast}\n`,
    path: 'spec.__proto__',
    word: 'not a field',
    line: 8,
  },
  { title: 'constructor', text: `${GOOD}  constructor: x\n`, path: 'spec.constructor', word: 'not a field', line: 8 },
  { title: 'one policy twice', text: `${GOOD}---\n${GOOD}`, path: 'metadata.name', word: 'there already', line: 9 },
  {
    title: 'two policies on one address',
    text: `${GOOD}---\n${GOOD.replace('shop', 'cart')}`,
    path: 'spec.router.gateway.listen',
    word: 'listens on',
    line: 9,
  },
  {
    title: 'another kind beside a policy',
    text: `${GOOD}---\napiVersion: v1\nkind: Service\n`,
    path: 'kind',
    word: 'not a kind',
    line: 10,
  },
  {
    title: 'a mistake in the second document',
    text: `${GOOD}---\n${GOOD.replace('shop', 'cart')}  interval: 5\n`,
    path: 'spec.interval',
    word: 'unit',
    line: 16,
  },
  {
    title: 'nesting without end',
    text: `${'['.repeat(200)}${']'.repeat(200)}`,
    path: '(document)',
    word: 'nested too deeply',
  },
  { title: 'nesting beyond any parser', text: '['.repeat(300_000), path: '(document)', word: 'nested too deeply' },
  { title: 'a very long text', text: `# ${'x'.repeat(1_000_000)}`, path: '(document)', word: '1,000,000' },
];
