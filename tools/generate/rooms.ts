/** docs/rooms.md from the import table in tools/boundaries.ts. */
import { ROOMS } from '../boundaries.ts';
import type { GeneratedFile } from '../generate.ts';

/** The core as one box, so that the picture can be read. */
const box = (name: string) => (name.startsWith('core/') ? 'core' : name);

export async function generate(): Promise<readonly GeneratedFile[]> {
  const rows = Object.entries(ROOMS).map(([name, room]) => {
    const types = (room.mayTypes ?? []).map((other) => `${other} (types only)`);
    const may = room.may.includes('*') ? 'everything' : [...room.may, ...types].join(', ') || 'nothing';
    const packages = room.packages?.includes('*') ? 'any' : (room.packages ?? []).join(', ') || 'none';
    return `| \`${name}\` | ${room.holds} | ${may} | ${packages} | ${room.node ? 'yes' : 'no'} |`;
  });
  const arrows = new Set(
    Object.entries(ROOMS).flatMap(([name, { may, mayTypes = [] }]) =>
      [...may, ...mayTypes]
        .filter((other) => other !== '*' && box(other) !== box(name))
        .map((other) => `  ${box(name)} --> ${box(other)}`),
    ),
  );
  const text = `# Rooms

The parts of \`src/\` and who may import whom. Generated from \`tools/boundaries.ts\`; \`npm run boundaries\` checks it.

| room | holds | may import | packages | Node |
|---|---|---|---|---|
${rows.join('\n')}

\`main\` sees everything and nobody imports it. An adapter knows no other adapter. Tests, and everything outside \`src/\`, may import
what they like. Files do not import each other in circles
(types of the same room left out).

\`\`\`mermaid
flowchart TD
${[...arrows].join('\n')}
\`\`\`
`;
  return [{ path: 'docs/rooms.md', text }];
}
