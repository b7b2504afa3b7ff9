// What people declared, as the store keeps it: JSON {policy, version}, written by the policy room. Parsed once per
// generation. It refuses documents that are not of that shape; whether a policy is wise was asked when it was applied.
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Version } from '../core/model/version.ts';
import { hashOf } from '../lib/canonical.ts';
import type { Declaration } from '../ports/index.ts';
import { DocumentUnreadable } from './errors.ts';

export interface Declared {
  readonly generation: number;
  readonly policy: ReleasePolicy;
  readonly policyHash: string;
  /** null once the policy is withdrawn. */
  readonly version: Version | null;
}

export function encodeDeclared(policy: ReleasePolicy, version: Version): string {
  return JSON.stringify({ policy, version });
}

export function decodeDeclared(declaration: Declaration): Declared {
  const what = `the declaration of ${declaration.policy}`;
  let document: { policy?: ReleasePolicy; version?: Version };
  try {
    document = JSON.parse(declaration.document);
  } catch (error) {
    throw new DocumentUnreadable(what, 'it is not JSON', error);
  }
  const { policy, version } = document ?? {};
  if (policy?.name !== declaration.policy || typeof version?.revision !== 'string') {
    throw new DocumentUnreadable(what, 'it does not hold this policy and a version');
  }
  return {
    generation: declaration.generation,
    policy,
    policyHash: hashOf(policy),
    version: declaration.removed ? null : version,
  };
}
