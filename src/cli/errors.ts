// What goes wrong on the command line: path, problem, nearest right thing, fix; and the exit code to end with.
import type { ProblemJson } from '../core/views/index.ts';
import { HaldaneError } from '../lib/errors.ts';

export class CliError extends HaldaneError {
  readonly exitCode: number;

  constructor(
    message: string,
    options: { code: string; path?: string; fix?: string; exitCode?: number; cause?: unknown },
  ) {
    super(message, options);
    this.exitCode = options.exitCode ?? 1;
  }
}

/** What the agent refused, in its own words. */
export class AgentRefused extends CliError {
  readonly problem: ProblemJson;

  constructor(problem: ProblemJson) {
    super(problem.problem, {
      code: problem.code,
      ...(problem.path === null ? {} : { path: problem.path }),
      ...(problem.fix === null ? {} : { fix: problem.fix }),
    });
    this.problem = problem;
  }
}

/** The error as people read it, all of its parts. */
export function errorText(error: unknown): string {
  if (error instanceof AgentRefused && (error.problem.errors?.length ?? 0) > 0) {
    return (error.problem.errors ?? []).map((each) => problemText(each)).join('\n');
  }
  if (error instanceof HaldaneError) {
    return problemText({
      path: error.path ?? null,
      line: null,
      column: null,
      problem: error.message,
      fix: error.fix ?? null,
    });
  }
  return `error: ${error instanceof Error ? error.message : String(error)}`;
}

export function problemText(each: {
  readonly path: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly problem: string;
  readonly fix: string | null;
}): string {
  const place = each.line === null ? '' : `line ${each.line}:${each.column ?? 1}: `;
  // "pause refused: ..." names the verb itself.
  const isSaid = each.path !== null && each.problem.startsWith(`${each.path} `);
  const path = each.path === null || each.path === '' || isSaid ? '' : `${each.path}: `;
  return `error: ${place}${path}${each.problem}${each.fix === null ? '' : `\n  fix: ${each.fix}`}`;
}

export function errorJson(error: unknown): object {
  if (error instanceof AgentRefused) return { error: error.problem };
  if (error instanceof HaldaneError) {
    const { code, message, path, fix, retry } = error;
    return { error: { code, path: path ?? null, problem: message, fix: fix ?? null, retry } };
  }
  return {
    error: {
      code: 'internal',
      path: null,
      problem: String((error as Error)?.message ?? error),
      fix: null,
      retry: 'never',
    },
  };
}
