// Taking policies and versions: text to declarations, whole or not at all. Relative folders are taken from the folder
// of the policy file, and the revision is taken over the template as it will be run, so that a version declared by file
// and the same one declared by command are one version.
import { isAbsolute, resolve } from 'node:path';
import { encodeDeclared } from '../controller/index.ts';
import { isSamePlace, placeText } from '../core/model/place.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Template, Version } from '../core/model/version.ts';
import { diffPolicies, lintPolicy, type ParsedDocument, parsePolicyText } from '../core/policy/index.ts';
import type { Advice, AppliedAnswer } from '../core/views/index.ts';
import { canonicalJson } from '../lib/canonical.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { Store } from '../ports/index.ts';
import { ApiProblem } from './problems.ts';

export interface ApplyRequest {
  readonly text: string;
  /** Where relative paths start. */
  readonly folder: string;
  readonly dryRun: boolean;
  /**
   * Whether the text asked for this very version before: then it is old news, and a version released by command since
   * stays. Left out, the text is what is wanted.
   */
  readonly isOldNews?: (policy: string, revision: string) => boolean;
}

interface Document {
  readonly policy: ReleasePolicy;
  readonly version: Version;
}

export async function applyText(store: Store, request: ApplyRequest): Promise<readonly AppliedAnswer[]> {
  const parsed = parsePolicyText(request.text, { hash: sha256Hex });
  if (parsed.kind === 'refused') throw refusedPolicy(parsed.errors);
  const planned: Planned[] = [];
  for (const each of parsed.documents) planned.push(await plan(store, each, request));
  await refuseTakenPlaces(store, planned);
  if (!request.dryRun) {
    for (const { applied, document } of planned) {
      if (applied.change !== 'unchanged') await declare(store, document);
    }
  }
  return planned.map(({ applied }) => applied);
}

function refusedPolicy(
  errors: readonly {
    path: string;
    problem: string;
    fix: string;
    line: number | null;
    column: number | null;
    nearest: string | null;
  }[],
): ApiProblem {
  const [first] = errors;
  return new ApiProblem(422, first?.problem ?? 'the policy is refused', {
    code: 'policy-refused',
    ...(first === undefined ? {} : { path: first.path, fix: first.fix }),
    errors,
  });
}

async function plan(store: Store, parsed: ParsedDocument, request: ApplyRequest): Promise<Planned> {
  const { folder, isOldNews } = request;
  if (parsed.version === null) throw forKubernetes(parsed.policy.name);
  const asked = located(parsed.version, folder);
  const policy = withLog(parsed.policy, folder);
  const before = await readDocument(store, policy.name);
  const isKept = before !== null && isOldNews?.(policy.name, asked.revision) === true;
  const version = isKept ? before.version : asked;
  const differences = before === null ? [] : diffPolicies(before, { policy, version });
  const change = before === null ? 'created' : differences.length === 0 ? 'unchanged' : 'changed';
  return {
    document: { policy, version },
    applied: {
      policy: policy.name,
      change,
      version: version.label,
      revision: version.revision,
      asked: asked.revision,
      newVersion: before?.version.revision !== version.revision,
      listen: placeText(policy),
      differences,
      warnings: [...parsed.warnings, ...keptWarning(asked, version)],
      findings: lintPolicy(policy, { version }),
    },
  };
}

/** A Deployment lives in a cluster, where the operator releases it. */
function forKubernetes(name: string): ApiProblem {
  return new ApiProblem(422, `"${name}" is for Kubernetes, and this agent is the one of a single machine`, {
    code: 'policy-for-kubernetes',
    path: 'spec.workload.deployment',
    fix: 'kubectl apply -f FILE, where the operator runs; or write workload: {processes: ...}',
  });
}

interface Planned {
  readonly applied: AppliedAnswer;
  readonly document: Document;
}

/** Two policies on one address would fight; the one that is there keeps it (row 63). */
async function refuseTakenPlaces(store: Store, planned: readonly Planned[]): Promise<void> {
  const names = planned.map(({ document }) => document.policy.name);
  for (const { policy: name, removed, document } of await store.declarations()) {
    if (removed || names.includes(name)) continue;
    const taken = (JSON.parse(document) as Document).policy;
    const same = planned.find(({ document: { policy } }) => isSamePlace(policy, taken));
    if (same === undefined) continue;
    throw new ApiProblem(409, `"${name}" listens on ${placeText(taken)} already`, {
      code: 'place-taken',
      path: 'spec.router.gateway.listen',
      fix: `give "${same.document.policy.name}" another port, or withdraw "${name}" first`,
    });
  }
}

function keptWarning(asked: Version, kept: Version): Advice[] {
  if (asked.revision === kept.revision) return [];
  return [
    {
      path: 'spec.workload',
      problem: `it still says ${asked.label}; ${kept.label} was released by command since, and stays`,
      fix: `write ${kept.label} into it, so that both say the same`,
    },
  ];
}

export function declare(store: Store, { policy, version }: Document): Promise<unknown> {
  return store.declare(policy.name, encodeDeclared(policy, version));
}

/** What is declared now; null if nothing is, or if it was withdrawn. */
export async function readDocument(store: Store, name: string): Promise<Document | null> {
  const declaration = await store.declaration(name);
  if (declaration === null || declaration.removed) return null;
  return JSON.parse(declaration.document) as Document;
}

const REVISION_CHARACTERS = 12;

/** The version with this template; a version nobody named is called by its revision. */
export function versionOf(template: Template, label: string | undefined): Version {
  const revision = sha256Hex(canonicalJson({ ...template, label })).slice(0, REVISION_CHARACTERS);
  return { revision, label: label ?? revision, template };
}

function located(version: Version, folder: string): Version {
  const { template } = version;
  const label = version.label === version.revision ? undefined : version.label;
  if (template.kind !== 'processes') return versionOf(template, label);
  return versionOf({ ...template, workingDirectory: resolve(folder, template.workingDirectory ?? '.') }, label);
}

function withLog(policy: ReleasePolicy, folder: string): ReleasePolicy {
  const { router } = policy;
  if (router.kind !== 'gateway' || router.accessLog === null || isAbsolute(router.accessLog)) return policy;
  return { ...policy, router: { ...router, accessLog: resolve(folder, router.accessLog) } };
}
