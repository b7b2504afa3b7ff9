// A person's command as an object, created with the person's own rights; the answer is in its status. The API server says
// who may ask for what: a refusal names the role. What is recorded and not answered in time is not taken back: it is obeyed
// when the operator is back, and that is said.
import { randomUUID } from 'node:crypto';
import type { Answered, CommandRequest } from '../client.ts';
import { AgentRefused, type CliError } from '../errors.ts';
import type { Cluster, CommandObject } from './cluster.ts';
import { asCliError, isForbidden, roleFor } from './errors.ts';

export interface SendDeps {
  readonly cluster: Cluster;
  readonly user: () => Promise<string | null>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly answerWithinMs: number;
}

const LOOK_MS = 500;

export async function sendCommand(
  deps: SendDeps,
  policy: { readonly namespace: string; readonly name: string },
  request: CommandRequest,
): Promise<Answered> {
  const object = objectOf(policy, request);
  await create(deps, object, request);
  const { api, kinds } = deps.cluster;
  const at = { namespace: policy.namespace, name: object.metadata.name };
  for (let waitedMs = 0; waitedMs < deps.answerWithinMs; waitedMs += LOOK_MS) {
    const found = await api.get<CommandObject>(kinds.commands, at);
    if (found === null) return { id: at.name, accepted: null, message: 'it is gone: was the policy deleted?' };
    const { accepted, message = '' } = found.status ?? {};
    if (accepted === true) return { id: at.name, accepted, message };
    if (accepted === false) throw refused(request, message);
    await deps.sleep(LOOK_MS);
  }
  const message = `recorded as releasecommand/${at.name}; the operator has not answered yet (kubectl haldane doctor)`;
  return { id: at.name, accepted: null, message };
}

function objectOf(policy: { readonly namespace: string; readonly name: string }, request: CommandRequest) {
  const { verb, reason, skipAnalysis, gate, revision, release } = request;
  const given = {
    ...(reason === null ? {} : { reason }),
    ...(skipAnalysis === true ? { skipAnalysis } : {}),
    ...(gate == null ? {} : { gate }),
    ...(revision == null ? {} : { revision }),
    ...(release === null ? {} : { release: release.split('/').at(-1) }),
  };
  const name = `${policy.name.slice(0, 200)}-${verb}-${randomUUID().slice(0, 8)}`;
  return {
    apiVersion: 'haldane.dev/v1alpha1',
    kind: 'ReleaseCommand',
    metadata: { namespace: policy.namespace, name },
    spec: { policy: policy.name, verb, ...given },
  };
}

async function create(deps: SendDeps, object: ReturnType<typeof objectOf>, request: CommandRequest): Promise<void> {
  const { api, kinds } = deps.cluster;
  const { namespace } = object.metadata;
  try {
    await api.create(kinds.commands, object, { fieldManager: 'kubectl-haldane' });
  } catch (error) {
    const skips = request.skipAnalysis === true;
    const role = roleFor(request.verb, skips);
    const user = isForbidden(error) ? await deps.user() : null;
    const what = `${request.verb} ${object.spec.policy}${skips ? ' past analysis' : ''}`;
    throw asCliError(error, { namespace, what, role, user });
  }
}

function refused({ verb }: CommandRequest, problem: string): CliError {
  const fix = `haldane help ${verb} says when it is obeyed`;
  return new AgentRefused({ code: 'command-refused', path: verb, problem, fix, retry: 'never' });
}
