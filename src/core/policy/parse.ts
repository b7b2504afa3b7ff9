/**
 * `compilePolicy`: a plain JSON value in, the engine's policy and the version out, or everything that is wrong with it.
 * It never throws on what people write, and it never reports only the first mistake.
 */
import type { ReleasePolicy } from '../model/policy.ts';
import type { Version } from '../model/version.ts';
import { CLUSTER_WORDS } from './cluster-words.ts';
import { compileRead, type Hash, policyHash } from './compile.ts';
import { formatPath } from './describe-value.ts';
import type { MeasurementSource } from './rule-report.ts';
import { checkRules } from './rules.ts';
import { policySchema, type ReadPolicy } from './schema.ts';
import { flow, type Holes, type Problem, walkValue } from './walk.ts';

/** One thing wrong with a policy. Lines and columns start at 1; null when there is no text. */
export interface PolicyError {
  readonly path: string;
  /** As given by the caller; null when there is none. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly problem: string;
  readonly nearest: string | null;
  readonly fix: string;
}

/** Something worth knowing about a policy that is taken all the same. */
export interface PolicyWarning {
  readonly path: string;
  readonly problem: string;
  readonly fix: string;
}

export interface PolicyMetadata {
  readonly name: string;
  /** null: not written. */
  readonly namespace: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface CompiledPolicy {
  readonly metadata: PolicyMetadata;
  readonly policy: ReleasePolicy;
  /** null: it does not stand in the document, as the pod template of a Deployment. */
  readonly version: Version | null;
  /** Over the compiled policy, the version left out: equal hashes mean the same way of releasing. */
  readonly policyHash: string;
  readonly warnings: readonly PolicyWarning[];
}

export type CompileResult =
  | ({ readonly kind: 'ok' } & CompiledPolicy)
  | { readonly kind: 'refused'; readonly errors: readonly PolicyError[] };

export interface CompileOptions {
  /** Where measurements will come from. `live` (default): the embedded gateway, which does not measure everything. */
  readonly source?: MeasurementSource;
  /** On Kubernetes, where the policy lies if it does not say so itself: it is then called "namespace/name". */
  readonly namespace?: string;
}

/**
 * @example compilePolicy({ apiVersion: 'haldane.dev/v1alpha1', kind: 'ReleasePolicy', ... }, sha256Hex)
 */
export function compilePolicy(value: unknown, hash: Hash, options: CompileOptions = {}): CompileResult {
  const judged = judgePolicy(value, hash, options);
  return judged.kind === 'ok' ? judged : { kind: 'refused', errors: judged.problems.map((each) => toError(each)) };
}

export type Judged =
  | ({ readonly kind: 'ok' } & CompiledPolicy)
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

/** The same with paths as lists, for callers that look positions up in a text. */
export function judgePolicy(value: unknown, hash: Hash, options: CompileOptions = {}): Judged {
  const { source = 'live', namespace } = options;
  const walked = walkValue(policySchema, value);
  const rules = checkRules(walked.value as Holes<ReadPolicy> | undefined, value, source);
  const found = dedupe([...walked.problems, ...rules.problems]);
  const problems = namespace === undefined ? found : found.map(ofCluster);
  if (problems.length > 0) return { kind: 'refused', problems };
  const read = walked.value as ReadPolicy;
  // What is written goes before what is given: it is where the API server puts the policy.
  const lies = namespace === undefined ? null : (read.metadata.namespace ?? namespace);
  const compiled = compileRead(read, hash, lies);
  const { name, labels, annotations } = read.metadata;
  return {
    kind: 'ok',
    metadata: { name, namespace: read.metadata.namespace ?? null, labels, annotations },
    ...compiled,
    policyHash: policyHash(compiled.policy, hash),
    warnings: rules.warnings.map((each) => ({ path: formatPath(each.path), problem: each.problem, fix: each.fix })),
  };
}

export function toError(problem: Problem, at: { line: number; column: number } | null = null): PolicyError {
  return {
    path: formatPath(problem.path),
    file: null,
    line: at?.line ?? null,
    column: at?.column ?? null,
    problem: problem.problem,
    nearest: problem.nearest ?? null,
    fix: problem.fix,
  };
}

/** The example of a missing field is one that Kubernetes takes. */
function ofCluster(problem: Problem): Problem {
  const key = String(problem.path.at(-1));
  const example = CLUSTER_WORDS[problem.path.join('.')]?.example;
  if (example === undefined || problem.problem !== `${key} is required and missing`) return problem;
  return { ...problem, fix: `add it, for example ${key}: ${flow(example)}` };
}

function dedupe(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map<string, Problem>();
  for (const each of problems) seen.set(JSON.stringify([each.path, each.problem]), each);
  return [...seen.values()];
}
