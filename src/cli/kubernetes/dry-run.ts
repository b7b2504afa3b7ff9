// Would the API server take these policies? A server-side apply that writes nothing: schema, CEL rules and admission speak.
import { parseAllDocuments } from 'yaml';
import type { PolicyError } from '../../core/policy/index.ts';
import type { KubeObject } from '../../kubernetes/index.ts';
import type { CommonOptions } from '../common.ts';
import type { Context } from '../context.ts';
import { KubernetesClient } from './client.ts';
import { asCliError, isForbidden } from './errors.ts';

export async function dryRun(context: Context, text: string, options: CommonOptions): Promise<readonly PolicyError[]> {
  const client = await KubernetesClient.connect(context, options);
  const refused: PolicyError[] = [];
  for (const document of parseAllDocuments(text)) {
    const object = document.toJS() as KubeObject | null;
    if (object === null) continue;
    const problem = await refusalOf(client, object);
    if (problem !== null) refused.push(problem);
  }
  return refused;
}

async function refusalOf(client: KubernetesClient, object: KubeObject): Promise<PolicyError | null> {
  const { api, kinds, namespace: here } = client.cluster;
  const { namespace = here, name } = object.metadata;
  const body = { ...object, metadata: { ...object.metadata, namespace } };
  try {
    const patch = { type: 'apply', body, force: true } as const;
    await api.patch(kinds.policies, { namespace, name }, patch, { dryRun: true, fieldManager: 'kubectl-haldane' });
    return null;
  } catch (error) {
    if ((error as { status?: unknown }).status !== 422) {
      const user = isForbidden(error) ? await client.user() : null;
      throw asCliError(error, { namespace, what: 'apply ReleasePolicies', role: 'haldane-editor', user });
    }
    const problem = error instanceof Error ? error.message : String(error);
    return {
      file: null,
      line: null,
      column: null,
      path: name,
      problem,
      nearest: null,
      fix: 'the API server names the field; kubectl explain releasepolicy.spec shows what it takes',
    };
  }
}
