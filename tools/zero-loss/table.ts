// The table of lost requests: per scenario and kind of connection what was sent and lost, and the upper 95 % limit where
// nothing was (3 / n: Hanley & Lippman-Hand, JAMA 249, 1983).

export interface Line {
  readonly scenario: string;
  readonly mayLose: boolean;
  /** "changes: 100", "kills: 17". */
  readonly done: string;
  readonly connections: 'kept alive' | 'one per request' | 'both';
  readonly sent: number;
  readonly lost: number;
  readonly losses: Readonly<Record<string, number>>;
}

export function upperLimit(lost: number, sent: number): number | null {
  return lost === 0 && sent > 0 ? 3 / sent : null;
}

export const HEAD = ['scenario', 'done', 'connections', 'requests', 'lost', 'upper 95 % limit'];

export function cellsOf(line: Line): string[] {
  const limit = upperLimit(line.lost, line.sent);
  return [
    line.scenario,
    line.done,
    line.connections,
    line.sent.toLocaleString('en-US'),
    line.lost.toLocaleString('en-US'),
    limit === null
      ? `${((100 * line.lost) / Math.max(1, line.sent)).toFixed(3)} % lost`
      : `${(100 * limit).toFixed(4)} %`,
  ];
}

export function totalOf(lines: readonly Line[]): Line {
  const honest = lines.filter(({ mayLose }) => !mayLose);
  return {
    scenario: 'all but the control',
    mayLose: false,
    done: '',
    connections: 'both',
    sent: honest.reduce((sum, { sent }) => sum + sent, 0),
    lost: honest.reduce((sum, { lost }) => sum + lost, 0),
    losses: {},
  };
}

/** What is not as promised, in words. */
export function faultsOf(lines: readonly Line[], wanted: number): string[] {
  const total = totalOf(lines);
  const faults: string[] = [];
  if (total.lost > 0) faults.push(`${total.lost} of ${total.sent} requests were lost`);
  if (total.sent < wanted) faults.push(`only ${total.sent} of at least ${wanted} requests were sent`);
  const controls = lines.filter(({ mayLose }) => mayLose);
  if (controls.length === 0 || controls.some(({ lost }) => lost === 0)) {
    faults.push('the sabotaged control lost nothing: the harness cannot see a loss');
  }
  return faults;
}
