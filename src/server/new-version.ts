// A new version by command: the declared one (or stable, where the declared one was taken back) with another label,
// environment, command or address. Nothing else of the policy changes. It refuses what the workload does not have.

import { decodeState } from '../controller/index.ts';
import type { Template, Version } from '../core/model/version.ts';
import type { VersionAnswer } from '../core/views/index.ts';
import type { Store } from '../ports/index.ts';
import { declare, readDocument, versionOf } from './apply.ts';
import { parseCommandText } from './command-text.ts';
import { ApiProblem } from './problems.ts';

export interface VersionRequest {
  readonly version: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly unset?: readonly string[] | undefined;
  readonly command?: string | readonly string[] | undefined;
  readonly endpoints?: readonly { readonly host: string; readonly port: number }[] | undefined;
}

export async function declareVersion(store: Store, name: string, request: VersionRequest): Promise<VersionAnswer> {
  const document = await readDocument(store, name);
  if (document === null) {
    throw new ApiProblem(404, `policy "${name}" is not declared`, {
      code: 'policy-unknown',
      path: name,
      fix: 'declare it first: haldane apply -f haldane.yaml',
    });
  }
  const base = await baseOf(store, name, document.version);
  const version: Version = versionOf(changed(base.template, request), request.version);
  const unchanged = version.revision === document.version.revision;
  if (!unchanged) await declare(store, { policy: document.policy, version });
  const before = base.label;
  return { policy: name, version: version.label, revision: version.revision, before, unchanged };
}

/** What a new version starts from: the declared one; but what was taken back or rolled back is passed on to nobody. */
async function baseOf(store: Store, name: string, declared: Version): Promise<Version> {
  const stored = await store.readState(name);
  if (stored === null) return declared;
  const { stable, known } = decodeState(name, stored.state);
  const fate = known.find(({ version }) => version.revision === declared.revision)?.fate;
  const isLeft = fate === 'aborted' || fate === 'rolled back';
  return isLeft && stable !== null ? stable : declared;
}

function changed(template: Template, request: VersionRequest): Template {
  switch (template.kind) {
    case 'processes': {
      if (request.endpoints !== undefined) throw unfit('endpoints', 'processes', 'give --command or --env');
      const env = { ...template.env, ...request.env };
      for (const each of request.unset ?? []) delete (env as Record<string, string>)[each];
      const command = request.command === undefined ? template.command : parseCommandText(request.command);
      return { ...template, env, command };
    }
    case 'upstreams': {
      if (request.command !== undefined) throw unfit('command', 'upstreams', 'give --endpoint');
      if (request.env !== undefined) throw unfit('env', 'upstreams', 'give --endpoint');
      if (request.endpoints === undefined || request.endpoints.length === 0) {
        throw new ApiProblem(422, 'a new version of upstreams needs its addresses', {
          code: 'version-refused',
          path: 'endpoints',
          fix: 'give --endpoint host:port, once per address',
        });
      }
      return { ...template, endpoints: request.endpoints };
    }
    case 'deployment':
      throw unfit('version', 'deployment', 'kubectl set image, or apply the Deployment');
  }
}

function unfit(path: string, workload: string, fix: string): ApiProblem {
  return new ApiProblem(422, `a workload of ${workload} has no ${path}`, { code: 'version-refused', path, fix });
}
