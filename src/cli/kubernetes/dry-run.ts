// Would the API server take these policies? A server-side apply that writes nothing: schema, CEL rules and admission speak.
// And are the objects there that they name? A policy may come before its Deployment, so that is a warning.
import { parseAllDocuments } from 'yaml';
import type { LintFinding, PolicyError } from '../../core/policy/index.ts';
import type { KubeObject, StatusCause } from '../../kubernetes/index.ts';
import type { CommonOptions } from '../common.ts';
import type { Context } from '../context.ts';
import { KubernetesClient } from './client.ts';
import type { PolicyObject } from './cluster.ts';
import { asCliError, isForbidden } from './errors.ts';
import { findObjects } from './objects.ts';

export interface DryRun {
  readonly errors: readonly PolicyError[];
  readonly findings: readonly (LintFinding & { readonly policy: string })[];
}

export async function dryRun(context: Context, text: string, options: CommonOptions): Promise<DryRun> {
  const client = await KubernetesClient.connect(context, options);
  const errors: PolicyError[] = [];
  const findings: DryRun['findings'][number][] = [];
  for (const document of parseAllDocuments(text)) {
    const written = document.toJS() as PolicyObject | null;
    if (written === null) continue;
    const { namespace = client.cluster.namespace } = written.metadata;
    const object = { ...written, metadata: { ...written.metadata, namespace } };
    const refused = await refusalsOf(client, object);
    errors.push(...refused);
    if (refused.length === 0) findings.push(...(await missingOf(client, object)));
  }
  return { errors, findings };
}

async function refusalsOf(client: KubernetesClient, object: KubeObject): Promise<readonly PolicyError[]> {
  const { api, kinds } = client.cluster;
  const { namespace = '', name } = object.metadata;
  try {
    const patch = { type: 'apply', body: object, force: true } as const;
    await api.patch(kinds.policies, { namespace, name }, patch, { dryRun: true, fieldManager: 'kubectl-haldane' });
    return [];
  } catch (error) {
    const { status, causes = [] } = error as { status?: unknown; causes?: readonly StatusCause[] };
    if (status !== 422) {
      const user = isForbidden(error) ? await client.user() : null;
      throw asCliError(error, { namespace, what: 'apply ReleasePolicies', role: 'haldane-editor', user });
    }
    const said = error instanceof Error ? error.message : String(error);
    const faults = causes.filter(({ message = '' }) => message !== '');
    if (faults.length === 0) return [refusal(name, withoutDump(said), null)];
    return faults.map(({ field, message = '' }) => refusal(name, withoutDump(message), field ?? null));
  }
}

function refusal(name: string, problem: string, field: string | null): PolicyError {
  const isOwn = field?.startsWith('spec') === true;
  return {
    file: null,
    line: null,
    column: null,
    path: field === null || field === '<nil>' ? name : `${name}: ${field}`,
    problem,
    nearest: null,
    fix: isOwn
      ? `haldane explain ${field.replaceAll(/\[[^\]]*\]/g, '')} says what it takes`
      : 'the API server names what is wrong; haldane explain spec.FIELD says what a field takes',
  };
}

/** The API server prints the whole value before what it says of it. */
function withoutDump(message: string): string {
  return message.replace(
    /Invalid value: (?:"(?:object|array|string|integer|number|boolean|null)"|[[{].*[\]}]): /gs,
    '',
  );
}

/** What may not be read is not missed: nobody has asked for those rights. */
async function missingOf(client: KubernetesClient, object: PolicyObject): Promise<DryRun['findings']> {
  const { deployment, deploymentName, services, policy } = await findObjects(client.cluster, object);
  const name = policy?.name ?? object.metadata.name;
  const missing = (kind: string, which: string, path: string) => ({
    policy: name,
    code: 'object-missing',
    severity: 'warning' as const,
    path,
    problem: `there is no ${kind} ${which} in ${object.metadata.namespace}`,
    fix: 'create it, or name another one; until then nothing is released',
  });
  return [
    ...(deployment === undefined ? [missing('Deployment', deploymentName, 'spec.workload.deployment.name')] : []),
    ...services
      .filter(([which, service]) => service === undefined && !which.endsWith('-canary'))
      .map(([which]) => missing('Service', which, 'spec.router')),
  ];
}
