// Whether the API server does its own part (deploy/admission.yaml), as far as it is known: new templates wait, and commands
// carry the name of who gave them. Not known yet is neither: it starts nothing new, and what is refused for it is said to be
// so. Nothing here is asked of the way back (I3).
import { type CacheReader, isNotServed, type KubeObject } from '../kubernetes/index.ts';

export interface AdmissionCaches {
  readonly mutatingPolicies: CacheReader;
  readonly mutatingBindings: CacheReader;
  readonly validatingPolicies: CacheReader;
  readonly validatingBindings: CacheReader;
}

export type Admission =
  | { readonly kind: 'there' }
  /** unknown: it could not be looked at. stranger: it is there and takes this operator for somebody else. */
  | { readonly kind: 'missing' | 'unknown' | 'stranger'; readonly why: string };

interface PolicySpec {
  readonly matchConditions?: readonly { readonly expression?: string }[];
}

interface BindingSpec {
  readonly policyName?: string;
  readonly validationActions?: readonly string[];
}

const THERE: Admission = { kind: 'there' };
/** Either holds where the other does not know: by the policy, and by the mark. */
const HOLDING = ['haldane-hold', 'haldane-hold-marked'];
/** What would undo the operator's own writes, were they a stranger's. */
const EXEMPTING = [...HOLDING, 'haldane-keep', 'haldane-lock'];
const EXEMPTS = /request\.userInfo\.username != '([^']+)'/;

/** @param account as which the operator writes; null: not known, and then not compared. */
export function holdOf(caches: AdmissionCaches, account: string | null): Admission {
  const hold = mutating(caches, HOLDING);
  return hold.kind === 'there' && account !== null ? strangerOr(caches, account) : hold;
}

/** What stamps commands with who gave them, and asks for the right to each verb. */
export function stampOf(caches: AdmissionCaches): Admission {
  const actor = mutating(caches, ['haldane-actor']);
  return actor.kind === 'there' ? validating(caches, ['haldane-verbs']) : actor;
}

/** The account that an admission policy lets through; null: none, or it is not said as it was delivered. */
export function exemptAccount(policy: KubeObject): string | null {
  const { matchConditions = [] } = (policy.spec ?? {}) as PolicySpec;
  const found = matchConditions.map(({ expression = '' }) => EXEMPTS.exec(expression)?.[1]);
  return found.find((account) => account !== undefined) ?? null;
}

function strangerOr({ mutatingPolicies, validatingPolicies }: AdmissionCaches, account: string): Admission {
  for (const name of EXEMPTING) {
    const policy = mutatingPolicies.get('', name) ?? validatingPolicies.get('', name);
    const exempt = policy === undefined ? null : exemptAccount(policy);
    if (exempt === null || exempt === account) continue;
    return { kind: 'stranger', why: `it runs as ${account}, and the admission policy ${name} exempts ${exempt}` };
  }
  return THERE;
}

function mutating({ mutatingPolicies, mutatingBindings }: AdmissionCaches, names: readonly string[]): Admission {
  const looked = lookedAt('MutatingAdmissionPolicy', [mutatingPolicies, mutatingBindings]);
  return looked ?? bound(names, mutatingPolicies, mutatingBindings.list());
}

function validating({ validatingPolicies, validatingBindings }: AdmissionCaches, names: readonly string[]): Admission {
  const looked = lookedAt('ValidatingAdmissionPolicy', [validatingPolicies, validatingBindings]);
  const denying = (binding: KubeObject) => (binding.spec as BindingSpec).validationActions?.includes('Deny') === true;
  return looked ?? bound(names, validatingPolicies, validatingBindings.list().filter(denying));
}

/** null: they were read. */
function lookedAt(kind: string, caches: readonly CacheReader[]): Admission | null {
  if (caches.some(({ failure }) => isNotServed(failure))) {
    return { kind: 'missing', why: `this cluster has no ${kind}; its version is too old` };
  }
  const unread = caches.find(({ isSynced }) => !isSynced);
  if (unread === undefined) return null;
  const { failure } = unread;
  const why = failure instanceof Error ? failure.message : 'it was not read yet';
  return { kind: 'unknown', why: `${kind}: ${why}` };
}

function bound(names: readonly string[], policies: CacheReader, bindings: readonly KubeObject[]): Admission {
  for (const name of names) {
    if (policies.get('', name) === undefined) {
      return { kind: 'missing', why: `the admission policy ${name} is not installed` };
    }
    if (!bindings.some(({ spec }) => (spec as BindingSpec).policyName === name)) {
      return { kind: 'missing', why: `the admission policy ${name} is not bound` };
    }
  }
  return THERE;
}
