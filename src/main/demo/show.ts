// How the demo is seen: a screen that is redrawn in place on a terminal, a line per decision elsewhere, JSON lines for
// programs. It shows what it is given and never waits.
import {
  countText,
  decisionKey,
  decisionLine,
  LEAST_COLUMNS,
  type Line,
  padTo,
  type ReleaseView,
  renderLines,
  watchLines,
} from '../../core/views/index.ts';
import { type EpisodeResult, endWord } from './episodes.ts';
import type { UserCounts } from './users-process.ts';

export interface Show {
  /** Something about the demo itself. */
  say(sentence: string): void;
  view(view: ReleaseView, users: UserCounts | null): void;
  result(result: EpisodeResult): void;
  /** The screen is given back; what follows stands below what was shown. */
  end(): void;
}

export interface Screen {
  readonly columns: number;
  readonly colour: boolean;
  readonly write: (text: string) => void;
}

/** For programs: one object per line. */
export function jsonShow(write: (text: string) => void): Show {
  let before = '';
  const line = (value: unknown) => write(`${JSON.stringify(value)}\n`);
  return {
    say: (sentence) => line({ kind: 'note', sentence }),
    view: (view, users) => {
      const key = decisionKey(view);
      if (key === before) return;
      before = key;
      const { release, headline, state } = view;
      line({
        kind: 'decision',
        at: view.now,
        release: release?.id ?? null,
        version: release?.to ?? null,
        state,
        weightPercent: release?.weightPercent ?? 0,
        headline,
        sent: users?.sent ?? 0,
        lost: users?.lost ?? 0,
      });
    },
    result: (result) => line({ kind: 'release', ...result }),
    end: () => {},
  };
}

/** For logs and pipes. */
export function plainShow({ write }: Screen): Show {
  let before = '';
  return {
    say: (sentence) => write(`${sentence}\n`),
    view: (view) => {
      const key = decisionKey(view);
      if (key !== before) write(`${decisionLine(view, -new Date().getTimezoneOffset())}\n`);
      before = key;
    },
    result: (result) => write(`${resultLine(result)}\n`),
    end: () => {},
  };
}

const REDRAW_MS = 200;

/** For people: the watch screen, redrawn in place at most five times a second. */
export function screenShow(screen: Screen): Show {
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  /** What takes the drawn screen away again; written together with what comes next, so that nothing flickers. */
  const away = () => {
    const text = drawn > 0 ? `\u001b[${drawn}A\u001b[0J` : '';
    drawn = 0;
    return text;
  };
  const columns = Math.max(LEAST_COLUMNS, screen.columns) - 1;
  return {
    say: (sentence) => {
      screen.write(`${away()}${sentence}\n`);
    },
    view: (view, users) => {
      if (performance.now() - drawnAt < REDRAW_MS) return;
      drawnAt = performance.now();
      const lines: Line[] = watchLines(view, { columns, offsetMinutes: -new Date().getTimezoneOffset(), logRows: 4 });
      const text = `\n${renderLines(lines, screen.colour)}\n${usersLine(users)}\n`;
      screen.write(away() + text);
      drawn = text.split('\n').length - 1;
    },
    result: (result) => {
      screen.write(`${away()}${resultLine(result)}\n`);
    },
    end: () => screen.write(away()),
  };
}

function usersLine(users: UserCounts | null): string {
  if (users === null) return '';
  return `${padTo('users', 10)}${countText(users.answered)} requests answered, ${countText(users.lost)} lost`;
}

function resultLine(result: EpisodeResult): string {
  const { exposed } = result;
  const mark = result.asItShould ? '✔' : '✖';
  const who = `${countText(exposed.requests)} requests of ${countText(exposed.users)} users met it, ${countText(exposed.bad)} failed`;
  return `${mark} ${result.version} (${result.truth}): ${endWord(result)} after ${result.exposedSeconds} s; ${who}.`;
}

export interface Ending {
  readonly ok: boolean;
  readonly results: readonly EpisodeResult[];
  readonly users: UserCounts;
  readonly seconds: number;
  readonly reportPath: string;
}

/** The last words: who was exposed, how many bad requests, how long, why. */
export function endingLines({ ok, results, users, seconds, reportPath }: Ending): string[] {
  const rows = results.map((result) => [
    `${result.asItShould ? '✔' : '✖'} ${result.version}`,
    endWord(result),
    result.check ?? 'all checks',
    `${result.exposedSeconds} s`,
    countText(result.exposed.requests),
    countText(result.exposed.users),
    countText(result.exposed.bad),
    result.deciding === null ? '' : `${countText(result.deciding.bad)} of ${countText(result.deciding.total)}`,
  ]);
  const head = ['', 'end', 'by check', 'exposed', 'requests', 'users', 'errors', 'bad by the check'];
  const wrong = results.filter((result) => !result.asItShould).map((result) => result.version);
  const verdict = ok
    ? 'All three ended as they should, and no request was lost.'
    : [
        ...(wrong.length === 0 ? [] : [`Not as it should be: ${wrong.join(', ')}.`]),
        ...(users.lost === 0 ? [] : [`${countText(users.lost)} requests were lost.`]),
      ].join(' ');
  return [
    '',
    ...table([head, ...rows]),
    '',
    ...results.map((result) => `  ${result.version}: ${result.sentence}`),
    '',
    `${verdict} ${countText(users.sent)} requests in ${Math.round(seconds)} s.`,
    `report: ${reportPath}`,
  ];
}

export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
