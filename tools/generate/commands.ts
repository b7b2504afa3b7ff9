/** The states of a release and the table of commands, from the engine's own data. */
import { COMMAND_TABLE, SITUATIONS, TRANSITIONS, VERBS } from '../../src/core/engine/index.ts';
import type { GeneratedFile } from '../generate.ts';

export function generate(): Promise<readonly GeneratedFile[]> {
  return Promise.resolve([{ path: 'docs/reference/commands.generated.md', text: page() }]);
}

function page(): string {
  return [
    '# States and commands',
    '',
    'Made from `src/core/engine/transitions.ts` and `src/core/engine/command-table.ts` by `npm run generate`.',
    '',
    '## States of a release',
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...TRANSITIONS.map(({ from, to, when }) => `  ${name(from)} --> ${name(to)}: ${when.replaceAll(':', ',')}`),
    '```',
    '',
    '| from | to | when |',
    '|---|---|---|',
    ...TRANSITIONS.map(({ from, to, when }) => `| ${from} | ${to} | ${when} |`),
    '',
    'A paused release keeps its phase; only its clock stops. A release that waits for a person says what for.',
    '',
    '## What each command does',
    '',
    ...VERBS.flatMap(section),
  ].join('\n');
}

function section(verb: (typeof VERBS)[number]): string[] {
  const row = COMMAND_TABLE[verb];
  return [
    `### ${verb}`,
    '',
    `${row.summary} Reason needed: ${row.reason}.`,
    '',
    '```sh',
    row.example,
    '```',
    '',
    '| when the workload is | |',
    '|---|---|',
    ...SITUATIONS.map((situation) => {
      const cell = row.cells[situation];
      return `| ${situation} | ${'does' in cell ? cell.does : `refused: ${cell.refused}`} |`;
    }),
    '',
  ];
}

function name(place: string): string {
  return place === 'at rest' ? '[*]' : place;
}
