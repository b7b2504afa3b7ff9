// What an API server answered, in words that say what to do: not installed, no right to it (and which role has it), not
// reached. Everything else is passed on as the server said it.
import type { Verb } from '../../core/model/command.ts';
import { HaldaneError } from '../../lib/errors.ts';
import { CliError } from '../errors.ts';

export const INSTALL = 'kubectl apply --server-side -f install.yaml, then kubectl apply -f admission.yaml';

/** Which role of the install has the right to a verb. */
export function roleFor(verb: Verb, skipsAnalysis = false): string {
  const isRisky = skipsAnalysis || verb === 'promote' || verb === 'approve' || verb === 'suspend';
  return isRisky ? 'haldane-approver' : 'haldane-operator';
}

export const VIEWER = 'haldane-viewer';

/** `namespace` null: in all of them. The name carries the user's: another one's binding may be there already. */
export function grantText(role: string, namespace: string | null, user: string | null): string {
  const subject = user === null ? '--user=NAME' : subjectOf(user);
  const name = user === null ? role : `${role}-${nameOf(user)}`.replace(/-$/, '');
  const what = namespace === null ? `clusterrolebinding ${name}` : `rolebinding ${name} -n ${namespace}`;
  return `kubectl create ${what} --clusterrole=${role} ${subject}`;
}

const LONGEST_NAME = 40;

/** A user, fit for the name of an object. */
function nameOf(user: string): string {
  const plain = user.replace(/^system:serviceaccount:/, '').toLowerCase();
  return plain
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_NAME)
    .replaceAll(/^-+|-+$/g, '');
}

export function placeText(namespace: string | null): string {
  return namespace ?? 'all namespaces';
}

function subjectOf(user: string): string {
  const account = /^system:serviceaccount:([^:]+:[^:]+)$/.exec(user)?.[1];
  if (account !== undefined) return `--serviceaccount=${account}`;
  return /^[\w@.:/+-]+$/.test(user) ? `--user=${user}` : `--user='${user.replaceAll("'", "'\\''")}'`;
}

const codeOf = (error: unknown) => (error instanceof HaldaneError ? error.code : '');

export const isForbidden = (error: unknown) => codeOf(error) === 'kubernetes-403';
export const isNotThere = (error: unknown) => codeOf(error) === 'kubernetes-404';
/** It may answer in a moment: down, overloaded, or the watch broke off. */
export const isAbsence = (error: unknown) =>
  /^(?:kubernetes-(?:unreachable|429|5\d\d)|cluster-unreachable)$/.test(codeOf(error));

/** Of a 404: the namespace that is not there; null if it is about something else. */
function missingNamespace(error: unknown): string | null {
  return /\bnamespaces "([^"]+)" not found/.exec(error instanceof Error ? error.message : '')?.[1] ?? null;
}

export interface Asked {
  /** null: in all of them. */
  readonly namespace: string | null;
  /** What is done, for the sentence: "read ReleasePolicies". */
  readonly what: string;
  /** The role that may. */
  readonly role: string;
  readonly user: string | null;
}

/** The same error in words for people; ours are left as they are. */
export function asCliError(error: unknown, asked: Asked): unknown {
  if (error instanceof CliError) return error;
  const { namespace, what, role, user } = asked;
  const message = error instanceof Error ? error.message : String(error);
  if (isForbidden(error)) {
    return new CliError(`you may not ${what} in ${placeText(namespace)}: ${message}`, {
      code: 'forbidden',
      path: placeText(namespace),
      fix: `ask for the role ${role}: ${grantText(role, namespace, user)}`,
      cause: error,
    });
  }
  const missing = isNotThere(error) ? missingNamespace(error) : null;
  if (missing !== null) {
    return new CliError(`the namespace ${missing} is not there`, {
      code: 'namespace-unknown',
      path: missing,
      fix: `kubectl create namespace ${missing}, or name another one: -n NAMESPACE, or metadata.namespace in the file`,
      cause: error,
    });
  }
  // One object that is not there, of a kind that is served.
  if (isNotThere(error) && /" not found$/.test(message)) return error;
  if (isNotThere(error)) {
    return new CliError('Haldane is not installed in this cluster', {
      code: 'not-installed',
      fix: INSTALL,
      cause: error,
    });
  }
  if (isAbsence(error)) {
    return new CliError(message, {
      code: 'cluster-unreachable',
      fix: 'kubectl cluster-info; what serves goes on serving meanwhile',
      cause: error,
    });
  }
  return error;
}
