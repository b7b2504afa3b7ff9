// What goes wrong, as the API answers it: {code, path, problem, fix} and the right status. Refuses to leak: an error it
// does not know is logged and answered without its text.
import type { ProblemItem, ProblemJson } from '../core/views/index.ts';
import { HaldaneError, type Retry } from '../lib/errors.ts';

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422 | 500 | 503 | 504 | 507;

export class ApiProblem extends HaldaneError {
  readonly status: ProblemStatus;
  readonly errors: readonly ProblemItem[];

  constructor(
    status: ProblemStatus,
    message: string,
    options: {
      readonly code: string;
      readonly path?: string;
      readonly fix?: string;
      readonly retry?: Retry;
      readonly errors?: readonly ProblemItem[];
    },
  ) {
    super(message, options);
    this.status = status;
    this.errors = options.errors ?? [];
  }
}

export function unknownPolicy(name: string, near: string | undefined): ApiProblem {
  const fix = near === undefined ? 'haldane status lists the policies' : `did you mean ${near}?`;
  return new ApiProblem(404, `there is no policy "${name}"`, { code: 'policy-unknown', path: name, fix });
}

export function unknownRelease(id: string): ApiProblem {
  const fix = 'haldane history lists the releases that are kept';
  return new ApiProblem(404, `there is no release "${id}"`, { code: 'release-unknown', path: id, fix });
}

const STATUS_OF: Readonly<Record<string, ProblemStatus>> = {
  'store-full': 507,
  'port-timed-out': 504,
  'place-taken': 409,
};

export function problemOf(error: unknown): { readonly status: ProblemStatus; readonly body: ProblemJson } {
  if (!(error instanceof HaldaneError)) {
    const body = {
      code: 'internal',
      path: null,
      problem: 'the agent failed; its log says why',
      fix: null,
      retry: 'later' as const,
    };
    return { status: 500, body };
  }
  const errors = error instanceof ApiProblem ? error.errors : [];
  const status = error instanceof ApiProblem ? error.status : (STATUS_OF[error.code] ?? 500);
  return {
    status,
    body: {
      code: error.code,
      path: error.path ?? null,
      problem: error.message,
      fix: error.fix ?? null,
      retry: error.retry,
      ...(errors.length === 0 ? {} : { errors }),
    },
  };
}
