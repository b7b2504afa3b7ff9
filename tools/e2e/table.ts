// What a set of played scenarios says, as a table for a terminal and for a page. Pure. It refuses to count a control among
// the honest runs, and a skipped scenario as proven.
import type { Result } from '../../test/e2e/play.ts';

const HEAD = ['scenario', 'claim', 'seconds', 'requests', 'lost', 'bad', 'plateaus', 'least p', 'result'];

function cellsOf(result: Result): string[] {
  const { scenario, claim, seconds, users, plateaus, mustLose } = result;
  const sum = (of: 'sent' | 'lost' | 'bad') => users.reduce((all, each) => all + each[of], 0);
  const least = plateaus.reduce((all, { probability }) => Math.min(all, probability), 1);
  return [
    scenario,
    claim,
    String(seconds),
    sum('sent').toLocaleString('en-US'),
    String(sum('lost')),
    String(sum('bad')),
    String(plateaus.length),
    mustLose || plateaus.length === 0 ? '' : least.toPrecision(2),
    verdictOf(result),
  ];
}

function verdictOf({ skipped, faults, mustLose }: Result): string {
  if (skipped !== null) return `skipped: ${skipped}`;
  if (faults.length > 0) return 'FAILED';
  return mustLose ? 'lost, as it must' : 'ok';
}

export interface Sum {
  readonly played: number;
  readonly failed: number;
  readonly skipped: number;
  readonly sent: number;
  readonly lost: number;
  readonly hasControl: boolean;
}

export function sumOf(results: readonly Result[]): Sum {
  const played = results.filter(({ skipped }) => skipped === null);
  const honest = played.filter(({ mustLose }) => !mustLose).flatMap(({ users }) => users);
  return {
    played: played.length,
    failed: played.filter(({ faults }) => faults.length > 0).length,
    skipped: results.length - played.length,
    sent: honest.reduce((sum, { sent }) => sum + sent, 0),
    lost: honest.reduce((sum, { lost }) => sum + lost, 0),
    hasControl: played.some(({ mustLose, faults }) => mustLose && faults.length === 0),
  };
}

export function sumLines(results: readonly Result[]): string[] {
  const { played, failed, skipped, sent, lost, hasControl } = sumOf(results);
  const limit = lost === 0 && sent > 0 ? `, so at most ${((100 * 3) / sent).toFixed(4)} % are (95 %)` : '';
  return [
    `${played} played, ${failed} failed, ${skipped} skipped`,
    `${lost} of ${sent.toLocaleString('en-US')} requests were lost${limit}`,
    hasControl
      ? 'the control lost, as it must'
      : 'the control was not played or lost nothing: losses are not proven to be seen',
  ];
}

export function terminalLine(result: Result): string {
  const [scenario = '', , seconds, sent, lost, bad, plateaus, least, verdict] = cellsOf(result);
  const figures = `${seconds} s, ${sent} requests, ${lost} lost, ${bad} bad, ${plateaus} plateaus${least ? ` (p >= ${least})` : ''}`;
  const facts = Object.entries(result.facts).map(([name, value]) => `${name}: ${value}`);
  const lines = [`${scenario.padEnd(22)} ${verdict}${result.skipped === null ? `; ${figures}` : ''}`];
  return [...lines, ...facts.map((fact) => `    ${fact}`), ...result.faults.map((fault) => `    FAULT ${fault}`)].join(
    '\n',
  );
}

export function page(title: string, about: string, results: readonly Result[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const facts = results.flatMap(({ scenario, facts: own }) =>
    Object.entries(own).map(([name, value]) => `- ${scenario}: ${name}: ${value}`),
  );
  return [
    `# ${title}`,
    '',
    about,
    '',
    ...sumLines(results).map((line) => `- ${line}`),
    '',
    row(HEAD),
    row(HEAD.map(() => '---')),
    ...results.map((result) => row(cellsOf(result))),
    '',
    ...(facts.length === 0 ? [] : [...facts, '']),
  ].join('\n');
}
