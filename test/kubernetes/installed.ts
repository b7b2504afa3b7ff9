/** What deploy/ holds, put into the cluster of the tests: everything but the operator, which tests run by themselves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { must, ROOT } from './cluster.ts';

export interface Installed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export function manifest(name: string): readonly Installed[] {
  const text = readFileSync(join(ROOT, 'deploy', `${name}.yaml`), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as Installed);
}

const NOT_IN_TESTS = ['Deployment', 'PodDisruptionBudget'];

/** Definitions, namespace, account, roles and admission. Idempotent. */
export function installDefinitions(): void {
  const objects = [...manifest('install'), ...manifest('admission')].filter(({ kind }) => !NOT_IN_TESTS.includes(kind));
  const input = { apiVersion: 'v1', kind: 'List', items: objects };
  must(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input });
  const names = objects
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map(({ metadata }) => `crd/${metadata.name}`);
  must(['wait', '--for=condition=Established', ...names, '--timeout=30s']);
}
