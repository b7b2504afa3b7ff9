// What the runs have visited: every state of a release by every command, answered yes or no, and by every fault. Names
// the cells that should have been reached and were not. It judges no run.
import { COMMAND_TABLE, SITUATIONS, VERBS } from '../core/engine/index.ts';
import type { Tally } from './tally.ts';

export const FAULT_KINDS = [
  'crash before',
  'crash after',
  'fail before',
  'fail after',
  'hang',
  'stale read',
  'notice lost',
  'notice twice',
  'crash-replicas',
  'edit-split',
  'metric-trouble',
  'reset-counters',
  'refuse-splits',
  'store-full',
  'overtake',
  'step-wall',
  'reboot',
  'kill-controller',
  'withdraw',
] as const;

export interface Coverage {
  readonly lines: readonly string[];
  /** Cells the table of commands or the list of faults promises, and no run reached. */
  readonly missed: readonly string[];
}

export function coverageOf(tally: Tally): Coverage {
  const missed: string[] = [];
  const lines = ['state x command (accepted / refused)', header(14)];
  for (const verb of VERBS) {
    const cells = SITUATIONS.map((situation) => {
      const yes = tally.commands[`${situation}|${verb}|accepted`] ?? 0;
      const no = tally.commands[`${situation}|${verb}|refused`] ?? 0;
      const promised = 'does' in COMMAND_TABLE[verb].cells[situation] ? 'accepted' : 'refused';
      if ((promised === 'accepted' ? yes : no) === 0) missed.push(`${verb} ${promised} in ${situation}`);
      return `${yes} / ${no}`;
    });
    lines.push(row(verb, cells, 14));
  }
  lines.push('', 'state x fault (times struck)', header(18));
  for (const kind of FAULT_KINDS) {
    const cells = SITUATIONS.map((situation) => {
      const count = tally.faults[`${situation}|${kind}`] ?? 0;
      if (count === 0) missed.push(`${kind} in ${situation}`);
      return String(count);
    });
    lines.push(row(kind, cells, 18));
  }
  return { lines, missed };
}

function header(width: number): string {
  return row('', [...SITUATIONS], width);
}

function row(name: string, cells: readonly string[], width: number): string {
  return `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(15)).join('')}`;
}
