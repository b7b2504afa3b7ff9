// What can go wrong with an API server: it answered no (KubeError, with its reason), or it did not answer
// (ApiUnreachable). Neither is ever an absence: only a 404 to a get is.
import { HaldaneError } from '../lib/errors.ts';

export interface StatusBody {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly StatusCause[] };
}

export interface StatusCause {
  readonly field?: string;
  readonly message?: string;
  readonly reason?: string;
}

export class KubeError extends HaldaneError {
  readonly status: number;
  /** As the API server says: Conflict, NotFound, AlreadyExists, Invalid, Forbidden, Expired, ... */
  readonly reason: string;
  /** Which fields it is about. */
  readonly causes: readonly StatusCause[];
  readonly retryAfterMs: number | null;

  constructor(what: string, status: number, body: StatusBody, retryAfterMs: number | null = null) {
    super(`${what}: ${body.message ?? `status ${status}`}`, {
      code: `kubernetes-${status}`,
      retry: status === 429 || status >= 500 ? 'later' : status === 409 ? 'now' : 'never',
      ...(status === 403 ? { fix: 'grant it; install.yaml has the roles that are needed' } : {}),
    });
    this.status = status;
    this.reason = body.reason ?? '';
    this.causes = body.details?.causes ?? [];
    this.retryAfterMs = retryAfterMs;
  }
}

export class ApiUnreachable extends HaldaneError {
  constructor(what: string, server: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${what}: the API server did not answer (${why})`, {
      code: 'kubernetes-unreachable',
      retry: 'later',
      path: server,
      cause,
    });
  }
}

/** What a write gets when the lease is not held any more: another instance may decide already (row 65). */
export class FencedOut extends HaldaneError {
  constructor() {
    super('the lease is not held, so nothing is written', { code: 'kubernetes-fenced', retry: 'later' });
  }
}

const isStatus = (error: unknown, status: number) => error instanceof KubeError && error.status === status;

/** There is no such object. A path that is not served (a kind not installed yet, a proxy's page) is another 404 (row 71). */
export const isNotFound = (error: unknown) =>
  isStatus(error, 404) && (error as KubeError).reason === 'NotFound' && !isUnserved(error as KubeError);
const isUnserved = ({ message }: KubeError) => message.endsWith('the server could not find the requested resource');
/** The API server knows no such kind, by its own words: it says the first to a group that is not there, too. */
export const isNotServed = (error: unknown) =>
  isStatus(error, 404) &&
  ((error as KubeError).message.endsWith(': 404 page not found') || isUnserved(error as KubeError));
export const isForbidden = (error: unknown) => isStatus(error, 403);
export const isGone = (error: unknown) => isStatus(error, 410);
export const isInvalid = (error: unknown) => isStatus(error, 422);
export const isAlreadyExists = (error: unknown) =>
  error instanceof KubeError && error.status === 409 && error.reason === 'AlreadyExists';
export const isConflict = (error: unknown) => isStatus(error, 409) && !isAlreadyExists(error);
/** A `test` of a JSON patch that did not hold: 422 with these words and no cause named (seen on Kubernetes 1.36). */
export const isJsonPatchTestFailure = (error: unknown) =>
  isInvalid(error) &&
  (error as KubeError).message.endsWith('the server rejected our request due to an error in our request');
