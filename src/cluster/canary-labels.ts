// Whose a canary's Deployment is and which version it runs. A label that somebody took off the Deployment is still on its
// template, and there it stays: it selects the pods. So a hand at the labels never hides a canary from the way back (I3).
import type { CacheReader } from '../kubernetes/index.ts';
import { canaryName, LABEL, type PolicyKey } from './names.ts';
import type { Deployment } from './objects.ts';

export function isCanaryOf(deployment: Deployment, policy: string): boolean {
  return labelOf(deployment, LABEL.policy) === policy;
}

/** null: there is none. One that happens to have the canary's name and is not the policy's is nobody's canary. */
export function canaryOf(deployments: CacheReader, { namespace, name }: PolicyKey, stable: string): Deployment | null {
  const found = deployments.get(namespace, canaryName(stable)) as Deployment | undefined;
  return found !== undefined && isCanaryOf(found, name) ? found : null;
}

export function canaryRevision(deployment: Deployment): string {
  return labelOf(deployment, LABEL.revision) ?? '';
}

function labelOf({ metadata, spec }: Deployment, label: string): string | undefined {
  return metadata.labels?.[label] ?? spec.template.metadata?.labels?.[label];
}
