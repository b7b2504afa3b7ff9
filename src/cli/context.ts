// What a command is given: where it writes, who is asked, how it may draw. Made once; tests make their own.
import { hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hooks } from './hooks.ts';
import { type Side, sideOfProgram } from './side.ts';

export interface Terminal {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
}

export interface Context {
  readonly hooks: Hooks;
  /** Who is meant: the agent of this machine, or a cluster. */
  readonly side: Side;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly terminal: () => Terminal;
  /** One line or text to standard output, with its line break. */
  readonly print: (text: string) => void;
  /** To standard error: progress, warnings, errors. */
  readonly say: (text: string) => void;
  readonly exit: (code: number) => void;
  /** Minutes east of UTC, for times of day. */
  readonly offsetMinutes: number;
  /** Milliseconds since 1970: how old is what is shown. */
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** user@host, recorded as claimed. */
  readonly actor: string;
}

export function processContext(hooks: Hooks): Context {
  return {
    hooks,
    side: sideOfProgram(process.argv[1] ?? '', process.env),
    env: process.env,
    cwd: process.cwd(),
    terminal: () => ({
      isTTY: process.stdout.isTTY === true,
      columns: process.stdout.columns ?? 80,
      rows: process.stdout.rows ?? 24,
    }),
    print: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
    exit: (code) => {
      process.exitCode = code;
    },
    wallMs: () => Date.now(),
    sleep: (ms) => sleep(ms),
    offsetMinutes: -new Date().getTimezoneOffset(),
    actor: actorOf(),
  };
}

function actorOf(): string {
  let user = process.env.USER ?? 'somebody';
  try {
    user = userInfo().username;
  } catch {
    // No entry for this user id, as in some containers.
  }
  return `${user}@${hostname()}`;
}

/** NO_COLOR (no-color.org) and --plain win over FORCE_COLOR, which wins over "is it a terminal". */
export function wantsColour(context: Context, options: { readonly plain?: boolean | undefined }): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = context.env;
  if (options.plain === true || (NO_COLOR !== undefined && NO_COLOR !== '')) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0';
  return context.terminal().isTTY && TERM !== 'dumb';
}
