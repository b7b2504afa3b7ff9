/** Rooms: who may import whom, adapters that know no other adapter, rooms entered by their face, no cycles. */
import { isFree, ROOMS, type Room, roomOf } from '../boundaries.ts';
import type { Finding, ImportOf, SourceFile, Tree } from './source.ts';

export function roomFindings(tree: Tree): Finding[] {
  const faces = new Set(tree.sources.filter(({ path }) => path.endsWith('/index.ts')).map(({ path }) => path));
  return tree.sources.filter(({ path }) => !isFree(path)).flatMap((source) => findingsOf(source, faces));
}

function findingsOf(source: SourceFile, faces: ReadonlySet<string>): Finding[] {
  const name = roomOf(source.path) ?? '';
  const room = ROOMS[name];
  if (room === undefined) {
    return [{ rule: 'rooms', path: source.path, message: `src/${name} is not a room; add it to tools/boundaries.ts` }];
  }
  return source.imports.flatMap((imported) => {
    const message =
      imported.target === undefined
        ? packageFault(name, room, imported.specifier)
        : fileFault(name, source.path, imported, faces);
    return message === undefined ? [] : [{ rule: 'rooms', path: source.path, line: imported.line, message }];
  });
}

function packageFault(name: string, room: Room, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) {
    return room.node ? undefined : `${name} may not use ${specifier}: it does no I/O; let a port bring it`;
  }
  const parts = specifier.split('/');
  const wanted = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
  const allowed = room.packages ?? [];
  if (allowed.includes('*') || allowed.includes(wanted)) return undefined;
  return `${name} may not import the package ${wanted}; it may import ${allowed.join(', ') || 'no package'}`;
}

function fileFault(name: string, from: string, imported: ImportOf, faces: ReadonlySet<string>): string | undefined {
  const target = imported.target ?? '';
  if (!target.endsWith('.ts') && !target.endsWith('.json')) return `write the extension: ${imported.specifier}.ts`;
  const other = roomOf(target);
  if (other === undefined) return `${target} is outside src/, and what ships may not depend on it`;
  if (target.endsWith('.test.ts')) return `${target} is a test; move what is shared into a file of its own`;
  if (other === name) return name === 'adapters' ? adapterFault(from, target) : undefined;
  if (other === 'main') return `nobody imports main; pass in what is needed from ${target}`;
  if (other === 'face') return `import from the room itself, not through ${target}`;
  return entryFault(name, other, imported) ?? faceFault(name, other, target, faces);
}

function entryFault(name: string, other: string, imported: ImportOf): string | undefined {
  const { may = [], mayTypes = [] } = ROOMS[name] ?? {};
  if (may.includes('*') || may.includes(other)) return undefined;
  if (!mayTypes.includes(other)) return `${name} may not import ${other}; it may import ${may.join(', ') || 'nothing'}`;
  return imported.typeOnly ? undefined : `${name} may import only types of ${other}: write "import type"`;
}

function faceFault(name: string, other: string, target: string, faces: ReadonlySet<string>): string | undefined {
  const face = `src/${other}/index.ts`;
  const free = !ROOMS[other]?.face || name === 'main' || !faces.has(face) || target === face;
  return free ? undefined : `come in by ${face}, the public face of ${other}`;
}

/** `src/adapters/routers/nginx.ts`, `nginx-files.ts` and `nginx/reload.ts` are one adapter. */
export function sameAdapter(left: string, right: string): boolean {
  const [leftName, rightName] = [adapterStem(left), adapterStem(right)];
  if (leftName === rightName) return true;
  return leftName.startsWith(`${rightName}-`) || rightName.startsWith(`${leftName}-`);
}

export function adapterStem(path: string): string {
  return path
    .split('/')
    .slice(2, 4)
    .join('/')
    .replace(/(\.test)?\.[a-z]+$/, '');
}

function adapterFault(from: string, target: string): string | undefined {
  if (sameAdapter(from, target)) return undefined;
  return `an adapter may not import another (${target}); move what they share to ports or lib`;
}

/**
 * Import cycles among files. Imports of types alone do not count inside a room: they are gone before anything is loaded,
 * and two classes of one room may know each other's type. Across rooms the table leaves no way back.
 */
export function cycleFindings(tree: Tree): Finding[] {
  const graph = new Map(
    tree.sources.map(({ path, imports }) => {
      const counted = imports.filter(({ target = '', typeOnly }) => !(typeOnly && roomOf(target) === roomOf(path)));
      return [path, counted.flatMap(({ target }) => (target === undefined ? [] : [target]))];
    }),
  );
  return cyclesOf(graph).map((cycle) => ({
    rule: 'cycles',
    path: cycle[0] ?? '',
    message: `import cycle: ${[...cycle, cycle[0]].join(' -> ')}; move what both need into a third file`,
  }));
}

/** One cycle per file that closes one, found depth first. */
export function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const open = path.indexOf(file);
    if (open !== -1) {
      cycles.push(path.slice(open));
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}
