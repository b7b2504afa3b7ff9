// Configuration beside the template: what is changed in place reaches both versions at once, and no release judges it.
import type { Deployment } from '../../cluster/objects.ts';
import type { PodTemplate } from '../../cluster/revision.ts';
import type { Finding } from '../../core/views/index.ts';
import type { KubeObject } from '../../kubernetes/index.ts';
import type { Cluster } from './cluster.ts';
import { isForbidden } from './errors.ts';

interface ConfigMap extends KubeObject {
  readonly immutable?: boolean;
}

export async function configFindings(cluster: Cluster, { metadata, spec }: Deployment): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const name of configMapsOf(spec.template)) {
    if (HASHED.test(name) || (await isImmutable(cluster, metadata.namespace ?? '', name))) continue;
    findings.push({
      area: 'config',
      status: 'warning',
      message: `ConfigMap ${name} may be changed in place: that reaches both versions at once, and is no release`,
      fix: 'give it a name with a hash (kustomize does), or make it immutable and name a new one in the template',
    });
  }
  return findings;
}

/** As kustomize names them. */
const HASHED = /-[bcdfghkmt2456789]{10}$/;

async function isImmutable({ api, kinds }: Cluster, namespace: string, name: string): Promise<boolean> {
  try {
    return (await api.get<ConfigMap>(kinds.configMaps, { namespace, name }))?.immutable === true;
  } catch (error) {
    if (isForbidden(error)) return false;
    throw error;
  }
}

interface Named {
  readonly name?: string;
}

/** Wherever a pod names one: env, envFrom, volumes, projected volumes. */
export function configMapsOf({ spec }: PodTemplate): readonly string[] {
  const found = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, each] of Object.entries(value)) {
      if (['configMapRef', 'configMapKeyRef', 'configMap'].includes(key) && typeof (each as Named)?.name === 'string') {
        found.add((each as Required<Named>).name);
      }
      walk(each);
    }
  };
  walk(spec);
  return [...found].sort();
}
