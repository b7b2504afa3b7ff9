/**
 * `compileObject`: a ReleasePolicy as the API server of Kubernetes gives it, compiled for the engine. Only its name and its
 * spec are read: status and what the API server keeps in the metadata are no part of what people wrote.
 * It refuses what `compilePolicy` refuses, and an object without a namespace.
 */
import type { ReleasePolicy } from '../model/policy.ts';
import type { Hash } from './compile.ts';
import { compilePolicy, type PolicyError, type PolicyWarning } from './parse.ts';
import type { MeasurementSource } from './rule-report.ts';
import { API_VERSION, KIND } from './schema.ts';

export interface ObjectOptions {
  readonly hash: Hash;
  /** Where the object lies, if it does not say so itself. */
  readonly namespace?: string;
  readonly source?: MeasurementSource;
}

export type ObjectResult =
  | {
      readonly kind: 'ok';
      /** Called "namespace/name". The version of a Deployment stands in the cluster, not in here. */
      readonly policy: ReleasePolicy;
      readonly policyHash: string;
      readonly warnings: readonly PolicyWarning[];
    }
  | { readonly kind: 'refused'; readonly errors: readonly PolicyError[] };

/** The parts of the object that are read. */
export interface PolicyObject {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: unknown;
}

/**
 * @example compileObject(cache.get('shop', 'web'), { hash: sha256Hex }).policy.name // 'shop/web'
 */
export function compileObject(object: PolicyObject, options: ObjectOptions): ObjectResult {
  const { name, namespace = options.namespace } = object.metadata ?? {};
  const { hash, source } = options;
  const written = { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace }, spec: object.spec };
  const compiled = compilePolicy(written, hash, {
    ...(source === undefined ? {} : { source }),
    ...(namespace === undefined ? {} : { namespace }),
  });
  if (compiled.kind === 'refused') return compiled;
  const { policy, policyHash, warnings } = compiled;
  return { kind: 'ok', policy, policyHash, warnings };
}
