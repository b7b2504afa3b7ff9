import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toPlain } from '../core/views/index.ts';
import type { ObjectNode } from './client.ts';
import { treeLines, treePlain, withTree } from './object-tree.ts';

const node = (kind: string, name: string, more: Partial<ObjectNode> = {}): ObjectNode => ({
  kind,
  name,
  version: null,
  role: 'other',
  state: 'ok',
  text: 'ready',
  children: [],
  ...more,
});

const pods = (count: number) => Array.from({ length: count }, (_each, index) => node('Pod', `shop-${index}`));
const draw = (nodes: readonly ObjectNode[], mostPods: number, columns = 80) =>
  treeLines(nodes, { columns, mostPods }).map((line) => toPlain(line).trimEnd());

describe('the tree of objects', () => {
  it('hangs sets under their Deployment and pods under their set', () => {
    const set = node('ReplicaSet', 'shop-1', { version: 'v1', children: pods(2) });
    assert.deepEqual(
      draw([node('Deployment', 'shop', { version: 'v1', children: [set] }), node('Service', 'shop')], 9),
      [
        'objects   Deployment shop      v1  ✔ ready',
        '          └ ReplicaSet shop-1  v1  ✔ ready',
        '            ├ Pod shop-0           ✔ ready',
        '            └ Pod shop-1           ✔ ready',
        '          Service shop             ✔ ready',
      ],
    );
  });

  it('counts pods that are well where there is no room, and names each that is not', () => {
    const ill = node('Pod', 'shop-ill', { state: 'trouble', text: 'CrashLoopBackOff' });
    const lines = draw([node('ReplicaSet', 'shop-1', { children: [...pods(100), ill] })], 4);
    assert.deepEqual(lines.slice(1), [
      '          ├ Pod shop-ill       ✖ CrashLoopBackOff',
      '          ├ Pod shop-0         ✔ ready',
      '          ├ Pod shop-1         ✔ ready',
      '          └ 98 more pods       ✔ ready',
    ]);
  });

  it('is never wider than the screen, whatever the names are', () => {
    const long = node('Deployment', 'x'.repeat(200), { version: 'y'.repeat(90), text: 'z '.repeat(90) });
    for (const columns of [80, 100, 140]) {
      for (const line of draw([long], 3, columns)) assert.ok([...line].length <= columns);
    }
  });

  it('says one fact a line without glyphs', () => {
    const tree = [node('Deployment', 'shop', { version: 'v1', children: pods(1) })];
    assert.deepEqual(treePlain(tree), ['object: Deployment/shop (v1): ready', 'object: Pod/shop-0: ready']);
  });

  it('stands below the sentence, or nowhere when there is none', () => {
    const [title, rest] = [[{ text: 'shop', tone: 'bold' as const }], [{ text: 'traffic', tone: 'plain' as const }]];
    const tree = treeLines([node('Service', 'shop')], { columns: 80, mostPods: 1 });
    const whole = withTree([title, [], rest], tree).map((line) => toPlain(line).trimEnd());
    assert.deepEqual(whole, ['shop', '', 'objects   Service shop    ✔ ready', '', 'traffic']);
    assert.deepEqual(withTree([title, [], rest], []), [title, [], rest]);
  });
});
