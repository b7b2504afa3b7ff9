// The tree of objects under the sentence, in lines. Pure. Pods that are well are counted where there is no room for each;
// one that is not is always named.
import { clip, type Line, padTo } from '../core/views/index.ts';
import type { ObjectNode } from './client.ts';

export interface TreeOptions {
  readonly columns: number;
  /** Of each set; the others are counted. */
  readonly mostPods: number;
}

interface Row {
  readonly node: ObjectNode;
  readonly stem: string;
}

const LABEL = 10;
const MOST_NAME = 44;
const MARK: Readonly<Record<ObjectNode['state'], string>> = { ok: '✔', pending: '◌', trouble: '✖' };

export function treeLines(nodes: readonly ObjectNode[], { columns, mostPods }: TreeOptions): readonly Line[] {
  const rows = nodes.flatMap((node) => rowsOf(node, '', '', mostPods));
  const heads = rows.map(({ node, stem }) => `${stem}${node.kind} ${node.name}`);
  const width = Math.min(MOST_NAME, Math.max(0, ...heads.map((head) => [...head].length)));
  const versions = Math.min(16, Math.max(0, ...rows.map(({ node }) => [...(node.version ?? '')].length)));
  return rows.map(({ node }, index) =>
    clip(
      [
        { text: index === 0 ? padTo('objects', LABEL) : ' '.repeat(LABEL), tone: 'bold' },
        { text: padTo(heads[index] ?? '', width), tone: node.role === 'canary' ? 'canary' : 'plain' },
        { text: `  ${padTo(node.version ?? '', versions)}  `, tone: node.role === 'canary' ? 'canary' : 'plain' },
        { text: `${MARK[node.state]} ${node.text}`, tone: node.state === 'trouble' ? 'bold' : 'plain' },
      ],
      columns,
    ),
  );
}

function rowsOf(node: ObjectNode, stem: string, below: string, mostPods: number): readonly Row[] {
  const children = fewer(node.children, mostPods);
  return [
    { node, stem },
    ...children.flatMap((child, index) => {
      const isLast = index === children.length - 1;
      return rowsOf(child, `${below}${isLast ? '└ ' : '├ '}`, `${below}${isLast ? '  ' : '│ '}`, mostPods);
    }),
  ];
}

function fewer(children: readonly ObjectNode[], mostPods: number): readonly ObjectNode[] {
  const pods = children.filter(({ kind }) => kind === 'Pod');
  if (pods.length <= mostPods) return children;
  const ill = pods.filter(({ state }) => state !== 'ok');
  const well = pods.filter(({ state }) => state === 'ok');
  const shown = [...ill, ...well.slice(0, Math.max(0, mostPods - ill.length - 1))];
  const rest = pods.length - shown.length;
  const others = children.filter(({ kind }) => kind !== 'Pod');
  const more: ObjectNode = { ...NOTHING, kind: `${rest} more`, name: rest === 1 ? 'pod' : 'pods', text: 'ready' };
  return rest <= 0 ? [...others, ...shown] : [...others, ...shown, more];
}

const NOTHING: ObjectNode = {
  kind: '',
  name: '',
  version: null,
  role: 'other',
  state: 'ok',
  text: '',
  children: [],
};

/** One fact a line, without glyphs. */
export function treePlain(nodes: readonly ObjectNode[]): readonly string[] {
  return nodes.flatMap((node) => {
    const version = node.version === null ? '' : ` (${node.version})`;
    return [`object: ${node.kind}/${node.name}${version}: ${node.text}`, ...treePlain(node.children)];
  });
}

/** Below the title and the sentence: before the first empty line. */
export function withTree(lines: readonly Line[], tree: readonly Line[]): readonly Line[] {
  if (tree.length === 0) return lines;
  const at = lines.findIndex((line) => line.length === 0);
  const end = at === -1 ? lines.length : at;
  return [...lines.slice(0, end), [], ...tree, ...lines.slice(end)];
}
