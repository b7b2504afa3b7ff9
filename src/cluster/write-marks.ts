// The write of marks on a Deployment, whoever puts them there or takes them away: it holds only for the very object that was
// looked at, and the answer is compared with what was sent. Else it would be asked for at every look, and never be so.
import { DEPLOYMENTS, type KubeApi } from '../kubernetes/index.ts';
import { HaldaneError } from '../lib/errors.ts';
import { guarded, type Operations, undoneIn } from './marks.ts';
import { EXEMPT_ACCOUNT, FIELD_MANAGER } from './names.ts';
import type { Deployment } from './objects.ts';

export const OWN_ACCOUNT = 'run it as the account that is exempt, or write its own into admission.yaml and apply that';

export class MarksUndone extends HaldaneError {}

export interface MarkWriting {
  readonly api: KubeApi;
  readonly noteWritten: (deployment: Deployment) => void;
}

export async function writeMarks(
  { api, noteWritten }: MarkWriting,
  seen: Deployment,
  operations: Operations,
): Promise<Deployment> {
  if (operations.length === 0) return seen;
  const { namespace, name } = seen.metadata;
  const patch = { type: 'json', operations: guarded(seen, operations) } as const;
  const written = await api.patch<Deployment>(DEPLOYMENTS, { namespace, name }, patch, { fieldManager: FIELD_MANAGER });
  noteWritten(written);
  const lost = undoneIn(written, operations);
  if (lost.length > 0) throw undone(lost);
  return written;
}

/** The API server said yes, and stored something else. */
function undone(what: readonly string[]): MarksUndone {
  return new MarksUndone(
    `the API server took the write and undid it (${what.join(', ')}): admission takes this operator for a stranger`,
    {
      code: 'deployment-undone',
      path: 'MutatingAdmissionPolicy haldane-keep, haldane-hold',
      fix: `${OWN_ACCOUNT}; as delivered that is ${EXEMPT_ACCOUNT}`,
      retry: 'later',
    },
  );
}
