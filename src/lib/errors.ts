/**
 * The base of every error Haldane throws: a stable code, whether trying again can help, and where it is known,
 * the path in the user's document and the fix.
 *
 * It refuses to be thrown bare: throw a subclass with a code of its own, so that callers can tell errors apart.
 */

/** When trying the same thing again can help. */
export type Retry = 'now' | 'later' | 'never';

export interface HaldaneErrorOptions {
  /** Stable, kebab-case, never reworded: `store-locked`, `policy-invalid`. */
  readonly code: string;
  readonly retry?: Retry;
  readonly cause?: unknown;
  /** Where in the user's document: `spec.stages[2].weight`. */
  readonly path?: string;
  /** What the person can do about it, as an instruction. */
  readonly fix?: string;
}

export abstract class HaldaneError extends Error {
  readonly code: string;
  readonly retry: Retry;
  readonly path: string | undefined;
  readonly fix: string | undefined;

  constructor(message: string, options: HaldaneErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.retry = options.retry ?? 'never';
    this.path = options.path;
    this.fix = options.fix;
  }

  /** What an API answers and `--json` prints; the cause stays in the log. */
  toJSON(): HaldaneErrorJson {
    return {
      code: this.code,
      message: this.message,
      retry: this.retry,
      ...(this.path === undefined ? {} : { path: this.path }),
      ...(this.fix === undefined ? {} : { fix: this.fix }),
    };
  }
}

export interface HaldaneErrorJson {
  readonly code: string;
  readonly message: string;
  readonly retry: Retry;
  readonly path?: string;
  readonly fix?: string;
}

/** The error as a person reads it: what is wrong, where, and how to fix it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof HaldaneError)) return error.message;
  const where = error.path === undefined ? '' : `${error.path}: `;
  const fix = error.fix === undefined ? '' : `\n  fix: ${error.fix}`;
  return `${where}${error.message}${fix}`;
}
